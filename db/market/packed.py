"""Columns that arrive packed: half a million rows become arrays without ever being Python objects.

A query sends one row per group of rows. What the group has in common stands there once; what
differs comes as `string_agg(float8send(price), '' order by open_time)` and the like, which is the
values' binary form, eight bytes each, one after the other. So a group has to have all values of a
packed column: nulls are sent as a value that cannot be stored (`UNKNOWN_COUNT`, NaN, -infinity).
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from psycopg import Connection
from psycopg.sql import Composed

UNKNOWN_COUNT: Final = -1

_NO_TIME: Final = np.iinfo(np.int64).min  # -infinity to PostgreSQL, NaT to numpy
_NEVER: Final = np.iinfo(np.int64).max  # infinity to PostgreSQL
_FIRST_DAY: Final = 946_684_800_000_000  # PostgreSQL counts microseconds from 2000, numpy from 1970


class PackedRowsError(Exception):
    """The answer has not what its query was to send: correct the query or the stored times."""


class Packed:
    """The answer of a query of groups; its column `rows` says how many rows each one has."""

    def __init__(
        self, connection: Connection[Any], query: bytes | Composed, parameters: dict[str, Any]
    ) -> None:
        with connection.cursor(binary=True) as cursor:
            groups = cursor.execute(query, parameters).fetchall()
            names = [column.name for column in cursor.description or ()]
        columns = zip(*groups, strict=True) if groups else [()] * len(names)
        self._columns: dict[str, Sequence[Any]] = dict(zip(names, columns, strict=True))
        self._sizes = np.array(self._columns["rows"], dtype=np.int64)
        self._rows = int(self._sizes.sum())

    def categories(self, name: str) -> pd.Categorical:
        """Return what each group has in common, once per row."""
        codes, distinct = pd.factorize(np.array(self._columns[name], dtype=object))
        return pd.Categorical.from_codes(np.repeat(codes, self._sizes), pd.Index(distinct))

    def integers(self, name: str) -> npt.NDArray[np.int64]:
        """Return a whole number that each group has in common, once per row."""
        return np.repeat(np.array(self._columns[name], dtype=np.int64), self._sizes)

    def floats(self, name: str) -> npt.NDArray[np.float64]:
        """Return a column packed with `float8send`."""
        return self._unpack(name, ">f8").astype(np.float64)

    def whole(self, name: str) -> npt.NDArray[np.int64]:
        """Return a column packed with `int8send`, of which no value is null."""
        return self._unpack(name, ">i8").astype(np.int64)

    def counts(self, name: str) -> pd.arrays.IntegerArray:
        """Return a column packed with `int8send`; `UNKNOWN_COUNT` is null."""
        values = self._unpack(name, ">i8").astype(np.int64)
        return pd.arrays.IntegerArray(values, values == UNKNOWN_COUNT)

    def instants(self, name: str) -> pd.DatetimeIndex:
        """Return a column packed with `timestamptz_send`, in UTC; -infinity is NaT.

        Raises:
            PackedRowsError: A time is infinite; no other is out of reach.
        """
        values = self._unpack(name, ">i8").astype(np.int64)
        if (values == _NEVER).any():
            raise PackedRowsError(f"{name}: an infinite time is stored")
        values[values != _NO_TIME] += _FIRST_DAY
        return pd.DatetimeIndex(values.view("datetime64[us]"), tz="UTC")

    def _unpack(self, name: str, kind: str) -> npt.NDArray[Any]:
        values = np.frombuffer(b"".join(self._columns[name]), dtype=kind)
        # A null adds nothing to its group's bytes, so equal totals mean that no group lacks one.
        if len(values) != self._rows:
            raise PackedRowsError(f"{name}: {len(values)} values in {self._rows} rows")
        return values
