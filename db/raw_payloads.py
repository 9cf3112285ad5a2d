"""The raw archive: every answer of a source, untouched, before anybody parses it."""

import hashlib
from datetime import date, datetime
from typing import Any, NamedTuple

from psycopg import Connection

INSERT = """
insert into raw_payload (source, request, session, received_at, sha256, body)
values (%s, %s, %s, %s, %s, %s)
returning payload_id
"""


class Archived(NamedTuple):
    """A stored payload with its bytes."""

    payload_id: int
    source: str
    request: str
    session: date
    received_at: datetime
    body: bytes


def archive(
    connection: Connection[Any],
    source: str,
    request: str,
    session: date,
    received_at: datetime,
    body: bytes,
) -> Archived:
    """Store an answer and return it with its number."""
    digest = hashlib.sha256(body).digest()
    row = connection.execute(
        INSERT, (source, request, session, received_at, digest, body), binary=True
    ).fetchone()
    if row is None:
        raise RuntimeError("the archive returned no number")
    return Archived(row[0], source, request, session, received_at, body)


def mark_unparsed(connection: Connection[Any], payload_id: int, reason: str) -> None:
    """Keep why a payload could not be parsed."""
    connection.execute(
        "update raw_payload set parser_error = %s where payload_id = %s", (reason, payload_id)
    )
