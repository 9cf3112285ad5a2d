"""Rows of a frame as plain Python values, for the step forms."""

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd


def plain_rows(frame: pd.DataFrame, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows' values of some columns, None where unknown."""
    # Live frames have few rows: a list costs less than pandas' own ways to replace nulls.
    values = ([_plain(value) for value in frame[name].tolist()] for name in columns)
    yield from zip(*values, strict=True)


def _plain(value: Any) -> Any:
    if value is pd.NaT or value is pd.NA or value != value:
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
