"""Why rows of a good answer are left out: the first in words, the others counted. Pure."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pipelines.sources.errors import PayloadInvalid

TOLD = 5
Row = TypeVar("Row")


class Refused:
    """Collects reasons; an answer of which no row is good is no good answer."""

    def __init__(self) -> None:
        self._first: list[PayloadInvalid] = []
        self._number = 0

    def add(self, error: PayloadInvalid) -> None:
        """Note why a row is left out."""
        self._number += 1
        if len(self._first) < TOLD:
            self._first.append(error)

    def told(self, good: int) -> tuple[str, ...]:
        """Return the reasons.

        Args:
            good: How many rows could be read.

        Raises:
            PayloadInvalid: None could, though there are some: the answer's form is another one.
        """
        if self._first and not good:
            raise self._first[0]
        more = self._number - len(self._first)
        counted = (f"and {more:,} more",) if more else ()
        return (*map(str, self._first), *counted)


def good_rows(
    read: Callable[..., Row], found: Iterable[tuple[Any, Any]]
) -> tuple[list[Row], tuple[str, ...]]:
    """Return the rows of an answer that can be read, and why the others cannot.

    Args:
        read: Makes a row of its name, or its place, and what stands there.
        found: Those, in pairs.

    Raises:
        PayloadInvalid: There are some, and none can be read.
    """
    rows, refused = [], Refused()
    for name, content in found:
        try:
            rows.append(read(name, content))
        except PayloadInvalid as error:
            refused.add(error)
    return rows, refused.told(len(rows))
