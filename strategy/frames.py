"""Checks of input frames: rows that break the contract are named, never repaired.

`CheckedFrame` hands out columns as plain numpy arrays after checking them. Instants become
int64 microseconds since 1970 UTC whatever unit the column has, so that units never mix.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api import types

from strategy.errors import FrameContractError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MICROSECONDS_PER_MINUTE: Final = 60_000_000
NO_TIME: Final = np.iinfo(np.int64).min  # how pandas stores NaT
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Categories(NamedTuple):
    """A column as positions in a list of its distinct values."""

    small: npt.NDArray[np.signedinteger[Any]]  # as small as pandas keeps them: do no sums with it
    distinct: list[Any]

    @property
    def codes(self) -> Ints:
        """Return the positions as numbers that products do not overflow."""
        return self.small.astype(np.int64, copy=False)


class Counts(NamedTuple):
    """A column of whole numbers that may be unknown: zero where not `known`."""

    numbers: Ints
    known: Flags

    def at(self, rows: Ints) -> "Counts":
        """Return those of some rows."""
        return Counts(self.numbers[rows], self.known[rows])


class CheckedFrame:
    """One input frame under inspection; `name` says in errors which one.

    Raises:
        FrameContractError: A column is absent.
    """

    def __init__(self, frame: pd.DataFrame, name: str, columns: Sequence[str]) -> None:
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            raise FrameContractError(f"{name}.{missing[0]}: the column is absent")
        self.frame = frame
        self.name = name

    def __len__(self) -> int:
        return len(self.frame)

    def fail(self, column: str, problem: str, row: int = 0) -> NoReturn:
        """Raise the error that names the column and the row, counted from 0."""
        value = self.frame[column].iloc[row]
        raise FrameContractError(f"{self.name}.{column}: {problem}, first in row {row}: {value!r}")

    def refuse(self, column: str, bad: npt.NDArray[np.bool_], problem: str) -> None:
        """Raise for the first row marked bad, if there is one."""
        if bad.any():
            self.fail(column, problem, int(bad.argmax()))

    def instants(self, column: str, *, optional: bool = False) -> Ints:
        """Return tz-aware times as microseconds UTC; `NO_TIME` for null where optional."""
        series = self.frame[column]
        missing = _missing(series)
        if not optional:
            self.refuse(column, missing, "null is not allowed")
        if missing.all():
            return np.full(len(series), NO_TIME, dtype=np.int64)
        if not isinstance(series.dtype, pd.DatetimeTZDtype):
            naive = types.is_datetime64_dtype(series.dtype)
            problem = "naive times" if naive else f"not tz-aware times but {series.dtype}"
            self.fail(column, problem, int((~missing).argmax()))
        if series.dt.unit != "us":
            series = series.dt.as_unit("us")
        instants: Ints = series.to_numpy(dtype="datetime64[us]").view(np.int64)
        return instants

    def dates(self, column: str) -> Categories:
        """Return a column of `datetime.date`; instants are not dates."""
        found = self._categories(column)
        for code, value in enumerate(found.distinct):
            if not isinstance(value, date) or isinstance(value, datetime):
                self.fail(column, "not a date", int((found.small == code).argmax()))
        return found

    def texts(self, column: str, allowed: Sequence[str] | None = None) -> Categories:
        """Return a column of strings, of the allowed ones where given."""
        found = self._categories(column)
        for code, value in enumerate(found.distinct):
            if not isinstance(value, str) or (allowed is not None and value not in allowed):
                wanted = f"one of {', '.join(allowed)}" if allowed is not None else "text"
                self.fail(column, f"not {wanted}", int((found.small == code).argmax()))
        return found

    def check_texts(self, column: str) -> None:
        """Check a column of strings without listing its distinct values."""
        series = self.frame[column]
        categorical = isinstance(series.dtype, pd.CategoricalDtype)
        if (series.cat.categories.dtype if categorical else series.dtype) != "str":
            self.texts(column)
        self.refuse(column, _missing(series), "null is not allowed")

    def _categories(self, column: str) -> Categories:
        values = self.frame[column].array
        found, distinct = (
            (values.codes, values.categories)
            if isinstance(values, pd.Categorical)
            else pd.factorize(values)
        )
        self.refuse(column, found < 0, "null is not allowed")
        codes: npt.NDArray[np.signedinteger[Any]] = np.asarray(found)
        used = np.zeros(len(distinct), dtype=bool)
        used[codes[runs(codes)[0]]] = True
        if not used.all():  # a category without rows is no value of the column
            codes, distinct = (np.cumsum(used) - 1)[codes], distinct[used]
        return Categories(codes, list(distinct))

    def integers(self, column: str) -> Ints:
        """Return whole numbers, none unknown."""
        series = self.frame[column]
        self.refuse(column, _missing(series), "null is not allowed")
        if len(series) and not _is_number(series.dtype, floats=False):
            self.fail(column, f"not whole numbers but {series.dtype}")
        return series.to_numpy(dtype=np.int64)

    def counts(self, column: str) -> Counts:
        """Return whole numbers from zero on; null (or NaN) is unknown."""
        series = self.frame[column]
        missing = _missing(series)
        if missing.all():
            return Counts(np.zeros(len(series), dtype=np.int64), ~missing)
        if not _is_number(series.dtype, floats=True):
            self.fail(column, f"not numbers but {series.dtype}", int((~missing).argmax()))
        if types.is_float_dtype(series.dtype):
            exact = series.to_numpy(dtype=np.float64, na_value=0.0)
            exact = np.where(missing, 0.0, exact)
            whole = np.isfinite(exact) & (np.floor(exact) == exact)
            self.refuse(column, ~whole, "not a whole number")
            values = exact.astype(np.int64)
        else:
            values = series.to_numpy(dtype=np.int64, na_value=0)
        self.refuse(column, values < 0, "negative")
        return Counts(values, ~missing)

    def prices(self, column: str, *, optional: bool = False) -> Floats:
        """Return finite prices from zero on; NaN for unknown where optional."""
        series = self.frame[column]
        missing = _missing(series)
        if not optional:
            self.refuse(column, missing, "NaN is not allowed")
        if missing.all():
            return np.full(len(series), np.nan)
        if not _is_number(series.dtype, floats=True):
            self.fail(column, f"not numbers but {series.dtype}", int((~missing).argmax()))
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        self.refuse(column, values < 0, "negative")
        self.refuse(column, np.isinf(values), "not finite")
        return values

    def ascending(self, column: str, series: Ints, instants: Ints) -> Ints:
        """Return the row order by series, then time, after checking each series ascends.

        Args:
            column: The column of the instants, for the error.
            series: What each row belongs to, e.g. a contract's code.
            instants: When each row is, strictly ascending within its series.
        """
        order = np.argsort(series, kind="stable")
        same = series[order][1:] == series[order][:-1]
        step = np.diff(instants[order])
        for bad, problem in ((step < 0, "unsorted"), (step == 0, "duplicate")):
            rows = order[1:][same & bad]
            if len(rows):
                self.fail(column, problem, int(rows.min()))
        return order

    def grid(
        self, column: str, series: Ints, slots: Ints, shape: tuple[int, int]
    ) -> tuple[Ints, Ints]:
        """Return row numbers by series and time slot, -1 where there is no row; and all of them.

        The same check as `ascending`, without sorting. Rows with a negative series are left
        out.
        """
        cells = series * shape[1]
        cells += slots
        cells[series < 0] = -1  # one more cell, cut off again
        filled = np.full(shape[0] * shape[1] + 1, -1, dtype=np.int64)
        filled[cells] = np.arange(len(cells))
        filled = filled[:-1]
        order = filled[filled >= 0]
        back = np.flatnonzero(order[1:] < order[:-1])  # where an earlier row comes next
        same = series[order[back]] == series[order[back + 1]]
        if len(order) < np.count_nonzero(cells >= 0) or same.any():
            self.ascending(column, np.where(series < 0, -1 - np.arange(len(series)), series), slots)
        return filled.reshape(shape), order


def microseconds(moment: datetime) -> int:
    """Return an instant as microseconds since 1970 UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def instant(number: int) -> datetime:
    """Return the UTC time of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=number)


def instants(numbers: Ints) -> list[datetime]:
    """Return `instant` of many, several times as fast."""
    return [_EPOCH + since for since in numbers.view("timedelta64[us]").tolist()]


def runs(*columns: npt.NDArray[Any]) -> tuple[Ints, Ints]:
    """Return start and length of each run of adjacent rows with equal values in all columns."""
    size = len(columns[0])
    changes = np.zeros(size, dtype=bool)
    changes[:1] = True
    for column in columns:
        changes[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(changes)
    return starts, np.diff(starts, append=size)


def _missing(series: "pd.Series[Any]") -> Flags:
    missing: Flags = np.asarray(series.array.isna(), dtype=bool)
    return missing


def _is_number(dtype: Any, *, floats: bool) -> bool:
    return types.is_integer_dtype(dtype) or (floats and types.is_float_dtype(dtype))
