"""Rows of fixed width by binary COPY: an array as the answer comes, no Python object per value."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

import numpy as np
import numpy.typing as npt
from psycopg import Connection

Fields = Sequence[tuple[str, str]]  # name and big-endian numpy type of eight bytes

# Without nulls all rows of a binary COPY have the same length: their number of fields, and before
# each its size. A signature comes first, an end mark last.
_HEAD_BYTES, _END_BYTES = 19, 2
_POSTGRES_EPOCH = np.datetime64("2000-01-01", "us").astype(np.int64)


def read_fixed(
    connection: Connection[Any], query: LiteralString, parameters: Mapping[str, Any], fields: Fields
) -> npt.NDArray[np.void]:
    """Return the rows of a `copy (...) to stdout (format binary)`; none of its values is null.

    Raises:
        ValueError: The answer's length is not that of whole rows of these fields.
    """
    row = np.dtype(
        [
            ("fields", ">i2"),
            *(part for name, kind in fields for part in ((f"{name}_size", ">i4"), (name, kind))),
        ]
    )
    with connection.cursor() as cursor, cursor.copy(query, parameters) as copy:
        data = b"".join(copy)
    return np.frombuffer(data[_HEAD_BYTES:-_END_BYTES], row)


def instants(values: npt.NDArray[Any]) -> npt.NDArray[np.datetime64]:
    """Return a `timestamptz` field as UTC times of microseconds."""
    return (values.astype(np.int64) + _POSTGRES_EPOCH).view("datetime64[us]")
