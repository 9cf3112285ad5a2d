"""The five-minute rows of one contract in a `buildup-5` answer. Pure."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from pipelines.sources import limits
from pipelines.sources.errors import PayloadInvalid, WrongTradingDate
from pipelines.sources.refused import Refused
from pipelines.sources.roles import BuildUpRow, BuildUpRows
from pipelines.sources.strict_json import shown
from pipelines.sources.trendlyne.fields import (
    LONGEST,
    entry,
    list_entry,
    number,
    parse_body,
    text_entry,
    units,
    unless_null,
)
from pipelines.sources.trendlyne.volume import INTERVAL, GrossVolume, interval_volumes
from strategy.session import IST, session_hours

CLOCKS_DIFFER = timedelta(minutes=1)  # the source's from ours, at most
LABELS = {
    "long build up": "long_build_up",
    "short build up": "short_build_up",
    "short covering": "short_covering",
    "long unwinding": "long_unwinding",
}

_INTERVAL = re.compile(r"([0-9]{2}):([0-9]{2}) TO ([0-9]{2}):([0-9]{2})", re.IGNORECASE)


class _SourceRow(NamedTuple):
    """A row as it came, its fields checked; None where the answer has null."""

    open_time: datetime
    close: float | None
    open_interest: int | None
    gross: int | None
    change: float | None
    label: str


def parse_build_ups(
    body: bytes, trading_date: date, received_at: datetime | None = None
) -> BuildUpRows:
    """Return the rows of a `buildup-5` answer, ascending; none is a valid answer.

    A row without a price or open interest is left out, with a reason that begins with its interval,
    and so is one that is not of the known form; the others count. Volumes are the intervals', see
    `interval_volumes`; one that cannot be told is None.

    Args:
        body: The answer's bytes.
        trading_date: The IST date of the rows, which carry none; take it only from a
            `live-oi-data` answer of the same fetch.
        received_at: Market time of receipt. An interval that had not begun by then is of an earlier
            day: in the morning the source may still serve the last session, all of it.

    Raises:
        WrongTradingDate: The rows are of an earlier session.
        PayloadInvalid: No row is of the known form, two different ones are of the same interval, or
            volumes are of neither known meaning.
    """
    ordered, unread = _source_rows(body, trading_date)
    newest = ordered[-1].open_time if ordered else None
    if received_at is not None and newest is not None and newest > received_at + CLOCKS_DIFFER:
        raise WrongTradingDate(
            f"body.data_v2 has {newest.astimezone(IST):%H:%M} IST, received at"
            f" {received_at.astimezone(IST):%H:%M:%S}: the rows are of an earlier session"
        )
    volumes = interval_volumes(_gross(ordered), session_hours(trading_date)[0])
    rows = []
    refused = []
    for row, volume in zip(ordered, volumes, strict=True):
        if row.close is None or row.open_interest is None:
            missing = "no price" if row.close is None else "no open interest"
            refused.append(f"{row.open_time.astimezone(IST):%H:%M} IST: {missing}")
            continue
        close_time = row.open_time + INTERVAL
        rows.append(
            BuildUpRow(
                *(row.open_time, close_time, row.close, row.open_interest, volume, row.label)
            )
        )
    return BuildUpRows(rows, (*unread, *refused))


def gross_volumes(body: bytes, trading_date: date) -> list[GrossVolume]:
    """Return the volumes of a `buildup-5` answer as they came, ascending.

    Raises:
        PayloadInvalid: As for `parse_build_ups`.
    """
    return _gross(_source_rows(body, trading_date)[0])


def _gross(rows: Iterable[_SourceRow]) -> list[GrossVolume]:
    return [GrossVolume(row.open_time, row.gross, row.change) for row in rows]


def _source_rows(body: bytes, trading_date: date) -> tuple[list[_SourceRow], tuple[str, ...]]:
    """Return the rows, ascending, and why others cannot be read."""
    found: dict[datetime, _SourceRow] = {}
    refused = Refused()
    for n, source_row in enumerate(list_entry(parse_body(body), "data_v2", "body")):
        where = f"body.data_v2[{n}]"
        try:
            row = _source_row(source_row, trading_date, where)
        except PayloadInvalid as error:
            refused.add(error)
            continue
        if found.setdefault(row.open_time, row) != row:
            raise PayloadInvalid(f"{where}.interval: a second, different row for {row.open_time}")
    return [found[moment] for moment in sorted(found)], refused.told(len(found))


def _source_row(row: Any, trading_date: date, where: str) -> _SourceRow:
    if not isinstance(row, dict):
        raise PayloadInvalid(f"{where}: {shown(row)} is no object")
    start = _interval_start(text_entry(row, "interval", where), f"{where}.interval")
    close = unless_null(number, entry(row, "close_price", where), f"{where}.close_price")
    if close is not None and close < 0:
        raise PayloadInvalid(f"{where}.close_price: {close} is negative")
    limits.price(close or 0.0, f"{where}.close_price")
    gross = entry(row, "volume_gross", where)
    return _SourceRow(
        open_time=datetime.combine(trading_date, start, IST).astimezone(UTC),
        close=close,
        open_interest=_open_interest(row, where),
        gross=unless_null(units, gross, f"{where}.volume_gross"),
        change=unless_null(number, row.get("volume_change"), f"{where}.volume_change"),
        label=_label(entry(row, "buildup", where), f"{where}.buildup"),
    )


def _interval_start(text: str, where: str) -> time:
    match = _INTERVAL.fullmatch(" ".join(text.split())) if len(text) <= LONGEST else None
    if match is None:
        raise PayloadInvalid(f"{where}: {shown(text)} is no interval")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    try:
        start, end = time(hour, minute), time(end_hour, end_minute)
    except ValueError as error:
        raise PayloadInvalid(f"{where}: {text!r} is no interval: {error}") from error
    length = timedelta(hours=end.hour - start.hour, minutes=end.minute - start.minute)
    if length != INTERVAL or start.minute % 5:
        raise PayloadInvalid(f"{where}: {text!r} is no 5-minute interval of the session")
    return start


def _open_interest(row: dict[str, Any], where: str) -> int | None:
    """Return `oi` or `open_interest`, of which clients know one; None if all are null."""
    names = [name for name in ("oi", "open_interest") if name in row]
    if not names:
        raise PayloadInvalid(f"{where}: neither oi nor open_interest")
    read = (unless_null(units, row[name], f"{where}.{name}") for name in names)
    values = {value for value in read if value is not None}
    if len(values) > 1:
        raise PayloadInvalid(f"{where}: oi and open_interest differ")
    return values.pop() if values else None


def _label(value: Any, where: str) -> str:
    if value is None or value == "":
        return "none"
    known = isinstance(value, str) and len(value) <= LONGEST
    label = LABELS.get(" ".join(value.split()).casefold()) if known else None
    if label is None:
        raise PayloadInvalid(f"{where}: unknown label {shown(value)}")
    return label
