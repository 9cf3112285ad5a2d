"""The raw archive: every answer of a source, untouched, before anybody parses it.

An answer that came before is stored once, with another receipt. What a stream brings is kept
in small parts while its minute lasts and then put into one payload, where it compresses well.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import Any, NamedTuple, Self

from psycopg import Connection
from psycopg.types.json import Jsonb

from db.archive.words import brief

STREAM = "stream"

INSERT = """
with fresh as (
    insert into raw_payload (source, request, about, session, received_at, sha256, body)
    values (%(source)s, %(request)s, %(about)s, %(session)s, %(received_at)s, %(sha256)s, %(body)s)
    on conflict (session, source, request, sha256) do nothing
    returning payload_id
), answer as (
    select payload_id from fresh
    union all
    select payload_id from raw_payload
     where session = %(session)s and source = %(source)s and request = %(request)s
       and sha256 = %(sha256)s
)
insert into raw_receipt (payload_id, asked_at, received_at, complete_to)
select payload_id, %(asked_at)s, %(received_at)s, %(complete_to)s from answer limit 1
returning payload_id
"""
INSERT_PART = """
insert into raw_part (source, session, about, received_at, body, parser_error)
values (%s, %s, %s, %s, %s, %s)
"""
PARTS = """
select part_id, source, about, received_at, body, parser_error from raw_part
 where session = %(session)s and (%(before)s::timestamptz is null or received_at < %(before)s)
 order by part_id
"""
INSERT_STREAM = """
with stored as (
    insert into raw_payload
        (source, request, about, session, received_at, sha256, body, part_ends, part_received_at,
         parser_error)
    values (%(source)s, %(request)s, %(about)s, %(session)s, %(received_at)s, %(sha256)s, %(body)s,
            %(part_ends)s, %(part_received_at)s, %(parser_error)s)
    returning payload_id
)
insert into raw_receipt (payload_id, asked_at, received_at)
select payload_id, %(received_at)s, %(received_at)s from stored
"""
# A day's stream is some hundreds of megabytes: it is read by quarters of an hour.
WINDOWS = """
select distinct date_bin('15 minutes', received_at, '2000-01-01') as start
  from receipts_read order by start
"""
# Answers come in, and parts are sealed, while the archive is read: what is read is settled first.
# Payloads themselves never change.
SETTLE_RECEIPTS = """
create temp table receipts_read as
select r.* from raw_receipt r join raw_payload p using (payload_id) where p.session = %(session)s
"""
SETTLE_PARTS = """
create temp table parts_read as select * from raw_part where session = %(session)s
"""
RECEIPTS = """
select p.payload_id, p.source, p.about, r.asked_at, r.received_at, r.complete_to, p.body,
       p.part_ends, p.part_received_at
  from receipts_read r join raw_payload p using (payload_id)
 where r.received_at >= %(start)s and r.received_at < %(start)s + interval '15 minutes'
 order by r.received_at, r.receipt_id
"""
PARTS_READ = """
select source, about, received_at, body from parts_read order by part_id
"""
COUNT = """
select (select coalesce(sum(coalesce(cardinality(p.part_ends), 1)), 0)
          from raw_receipt r join raw_payload p using (payload_id) where p.session = %(session)s)
     + (select count(*) from raw_part where session = %(session)s)
"""
RECALL = """
select body from raw_payload
 where session = %(session)s and about @> %(about)s and parser_error is null
 order by payload_id desc limit 1
"""
ASKED_SINCE = """
select distinct p.about ->> 'symbol'
  from raw_payload p join raw_receipt r using (payload_id)
 where p.session = %(session)s and p.about ->> 'kind' = %(kind)s and p.parser_error is null
   and r.asked_at >= %(since)s
"""


class Answer(NamedTuple):
    """What a source answered.

    Attributes:
        source: Who, as stored.
        request: What was sent.
        about: The question in our own terms; `kind` says which.
        session: Trading date it was asked for.
        asked_at: Market time of the question.
        received_at: Market time of the receipt.
        body: The bytes, untouched.
        complete_to: Intervals that ended by then can change no more; None if unknown.
    """

    source: str
    request: str
    about: Mapping[str, Any]
    session: date
    asked_at: datetime
    received_at: datetime
    body: bytes
    complete_to: datetime | None = None


class Part(NamedTuple):
    """What a stream brought between two writes; `received_at` is how far it was heard."""

    source: str
    session: date
    about: Mapping[str, Any]
    received_at: datetime
    body: bytes
    parser_error: str | None = None


class Receipt(NamedTuple):
    """One receipt of an archived answer, or one part of a stream.

    `payload_id` is None for a part whose minute is not over yet.
    """

    payload_id: int | None
    source: str
    about: Mapping[str, Any]
    asked_at: datetime
    received_at: datetime
    complete_to: datetime | None
    body: bytes

    @classmethod
    def of(cls, part: Part) -> Self:
        """Return a part that was just received."""
        time = part.received_at
        return cls(None, part.source, part.about, time, time, None, part.body)


def archive(connection: Connection[Any], answer: Answer) -> int:
    """Store an answer and this receipt of it; return the payload's number."""
    parameters = answer._asdict() | {
        "about": Jsonb(dict(answer.about)),
        "sha256": hashlib.sha256(answer.body).digest(),
    }
    for _ in range(2):  # the second time another process's equal answer is there to be seen
        row = connection.execute(INSERT, parameters, binary=True).fetchone()
        if row is not None:
            return int(row[0])
    raise RuntimeError("the archive returned no number")


def mark(connection: Connection[Any], payload_id: int, reason: str | None) -> None:
    """Keep why a payload could not be parsed in full, in 1 kB; None when it could."""
    connection.execute(
        "update raw_payload set parser_error = %(reason)s"
        " where payload_id = %(id)s and parser_error is distinct from %(reason)s",
        {"id": payload_id, "reason": None if reason is None else brief(reason)},
    )


def archive_part(connection: Connection[Any], part: Part) -> None:
    """Store what a stream brought since the last part."""
    connection.execute(
        INSERT_PART,
        (*part[:2], Jsonb(dict(part.about)), *part[3:5], _brief_or_none(part.parser_error)),
        binary=True,
    )


def seal_parts(connection: Connection[Any], session: date, before: datetime | None = None) -> int:
    """Put the parts of past minutes into one payload each; return how many payloads.

    Args:
        connection: In autocommit mode.
        session: Whose parts.
        before: Only parts received earlier; None for all.
    """
    with connection.transaction():
        rows = connection.execute(PARTS, {"session": session, "before": before}).fetchall()
        sealed = 0
        for _, group in groupby(rows, key=_minute_of_connection):
            _seal(connection, session, list(group))
            sealed += 1
        numbers = [row[0] for row in rows]
        connection.execute("delete from raw_part where part_id = any(%s)", (numbers,))
    return sealed


def _minute_of_connection(row: Sequence[Any]) -> tuple[str, str, datetime]:
    _, source, about, received_at, _, _ = row
    return source, about["connection"], received_at.replace(second=0, microsecond=0)


def _seal(connection: Connection[Any], session: date, rows: Sequence[Sequence[Any]]) -> None:
    first, source, about, received_at, _, _ = rows[0]
    # A chart session carries one series as long as its connection lives.
    charts = {name: series for row in rows for name, series in row[2]["charts"].items()}
    ends: list[int] = []
    for row in rows:
        ends.append((ends[-1] if ends else 0) + len(row[4]))
    body = b"".join(row[4] for row in rows)
    connection.execute(
        INSERT_STREAM,
        {
            "source": source,
            # The first part's number makes it unique: silence is the same bytes every time.
            "request": f"{STREAM} {about['connection']} part {first}",
            "about": Jsonb(about | {"charts": charts}),
            "session": session,
            "received_at": received_at,
            "sha256": hashlib.sha256(body).digest(),
            "body": body,
            "part_ends": ends,
            "part_received_at": [row[3] for row in rows],
            "parser_error": _brief_or_none("; ".join(row[5] for row in rows if row[5])),
        },
        binary=True,
    )


def _brief_or_none(reason: str | None) -> str | None:
    return brief(reason) if reason else None


def receipts(connection: Connection[Any], session: date) -> Iterator[Receipt]:
    """Iterate over everything received for a session, in the order received.

    A stream's parts come one by one, among the answers that came between them; those of a minute
    that is not over come last. What is archived meanwhile is left out.

    Args:
        connection: In autocommit mode; for one reader at a time.
        session: Whose.
    """
    connection.execute("drop table if exists pg_temp.receipts_read, pg_temp.parts_read")
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read")
        connection.execute(SETTLE_RECEIPTS, {"session": session})
        connection.execute(SETTLE_PARTS, {"session": session})
    for (start,) in connection.execute(WINDOWS).fetchall():
        rows = connection.execute(RECEIPTS, {"start": start}, binary=True)
        found = [receipt for row in rows for receipt in _unfold(row)]
        yield from sorted(found, key=lambda receipt: receipt.received_at)
    for source, about, time, body in connection.execute(PARTS_READ, binary=True):
        yield Receipt.of(Part(source, session, about, time, body))


def _unfold(row: Sequence[Any]) -> Iterator[Receipt]:
    *answer, ends, times = row
    whole = Receipt(*answer)
    if ends is None:
        yield whole
        return
    for (start, end), time in zip(pairwise([0, *ends]), times, strict=True):
        yield whole._replace(asked_at=time, received_at=time, body=whole.body[start:end])


def count_receipts(connection: Connection[Any], session: date) -> int:
    """Return how many receipts and open parts a session's archive holds."""
    row = connection.execute(COUNT, {"session": session}).fetchone()
    return int(row[0]) if row else 0


def recall(connection: Connection[Any], session: date, about: Mapping[str, Any]) -> bytes | None:
    """Return the newest answer to a question that could be read; None without one.

    Args:
        connection: To read with.
        session: For which it was asked.
        about: The question in our own terms, or what of it is known.
    """
    parameters = {"session": session, "about": Jsonb(dict(about))}
    row = connection.execute(RECALL, parameters, binary=True).fetchone()
    return row[0] if row else None


def asked_since(
    connection: Connection[Any], session: date, kind: str, since: datetime
) -> frozenset[str]:
    """Return the symbols about which a question of that kind was answered since a time."""
    parameters = {"session": session, "kind": kind, "since": since}
    return frozenset(row[0] for row in connection.execute(ASKED_SINCE, parameters) if row[0])
