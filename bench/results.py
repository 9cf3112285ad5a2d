"""What a benchmark found, and its table."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple


class Target(NamedTuple):
    """Where a figure wants to be: a limit of the value itself or of its ratio to the reference."""

    sense: Literal["at least", "at most"]
    limit: float
    of: Literal["value", "ratio"]


class Result(NamedTuple):
    """One measured figure, a median where it was repeated.

    Attributes:
        what: What was done.
        value: The figure.
        unit: Of value and reference.
        reference: What was run beside it.
        reference_value: Its figure; None where there is nothing to compare with.
        target: None for figures that only explain others.
    """

    what: str
    value: float
    unit: str
    reference: str = ""
    reference_value: float | None = None
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """The value per reference value."""
        return self.value / self.reference_value if self.reference_value else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one."""
        if self.target is None:
            return None
        figure = self.value if self.target.of == "value" else self.ratio or 0.0
        if self.target.sense == "at least":
            return figure >= self.target.limit
        return figure <= self.target.limit

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        target = self.target._asdict() if self.target else None
        return {**self._asdict(), "target": target, "ratio": self.ratio, "met": self.met}


def number(value: float) -> str:
    """Return a figure with three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _cells(result: Result) -> list[str]:
    reference = ratio = target = met = ""
    if result.reference_value is not None:
        reference = f"{result.reference}: {number(result.reference_value)} {result.unit}"
        ratio = f"{number(result.ratio or 0.0)}x"
    if result.target:
        unit = "x" if result.target.of == "ratio" else f" {result.unit}"
        target = f"{result.target.sense} {number(result.target.limit)}{unit}"
        met = "yes" if result.met else "no"
    return [
        result.what,
        f"{number(result.value)} {result.unit}",
        reference,
        ratio,
        target,
        met,
    ]


def table(results: Sequence[Result]) -> str:
    """Return the results as a Markdown table."""
    rows = [["what", "measured", "reference", "ratio", "target", "met"], *map(_cells, results)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    lines = [
        " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(f"| {line} |" for line in lines)
