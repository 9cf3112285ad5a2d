"""Trendlyne's smart-options answers, from bytes to rows. Pure.

The interface is undocumented: shapes as recorded (`live-oi-data`, 23 January 2026) or as other
clients describe them. Whatever differs raises `PayloadInvalid` with its place; nothing is guessed,
because the bytes are archived and can be parsed again.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

from pipelines.sources.errors import PayloadInvalid, SymbolUnknown, WrongTradingDate
from pipelines.sources.trendlyne.fields import (
    entry,
    integer,
    list_entry,
    number,
    object_entry,
    parse_body,
    text_entry,
    units,
)
from strategy.session import IST

INTERVAL = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(minutes=1)  # the source's from ours, at most
LABELS = {
    "long build up": "long_build_up",
    "short build up": "short_build_up",
    "short covering": "short_covering",
    "long unwinding": "long_unwinding",
}

_INTERVAL = re.compile(r"([0-9]{2}):([0-9]{2}) TO ([0-9]{2}):([0-9]{2})", re.IGNORECASE)


class ChainRow(NamedTuple):
    """Open interest of one strike now and at the previous day's end, in units."""

    strike: int
    call_oi: int
    put_oi: int
    call_prev_oi: int
    put_prev_oi: int


class Chain(NamedTuple):
    """Open interest around spot, by strike.

    `trading_date` is the session that was answered, off hours the last one. `observed_at` is when
    the source last updated it. `until` is the IST minute up to which was asked, as UTC: an earlier
    minute of the same day may have been asked again. `expiry` is None unless exactly one was meant.
    """

    trading_date: date
    observed_at: datetime
    spot: float
    expiry: date | None
    rows: list[ChainRow]
    until: datetime | None


class BuildUpRow(NamedTuple):
    """Five minutes of one contract; open interest and volume in units.

    `source_label` is the source's own verdict in our words, `none` where it gives none. The
    newest row may still be forming: it is final only after its `close_time`.
    """

    open_time: datetime
    close_time: datetime
    close: float
    open_interest: int
    volume: int
    source_label: str


def parse_stock_id(body: bytes, code: str) -> int:
    """Return the source's number of an underlying from a `search-contract-stock` answer.

    Raises:
        SymbolUnknown: No entry has exactly that code; the first one may be another stock.
        PayloadInvalid: The answer is not of the known form.
    """
    stocks = list_entry(parse_body(body), "data", "body")
    for n, stock in enumerate(stocks):
        if isinstance(stock, dict) and stock.get("stock_code") == code:
            return integer(entry(stock, "stock_id", f"body.data[{n}]"), f"body.data[{n}].stock_id")
    raise SymbolUnknown(f"{code} is not among the {len(stocks)} stocks found")


def parse_expiries(body: bytes) -> list[date]:
    """Return the listed expiries of a `get-expiry-dates` answer, ascending.

    Raises:
        PayloadInvalid: The answer is of neither known form.
    """
    content = parse_body(body)
    if "expiryDates" in content:
        where, days = "body.expiryDates", list_entry(content, "expiryDates", "body")
    else:
        where = "body.data.all_exp_list"
        days = list_entry(object_entry(content, "data", "body"), "all_exp_list", "body.data")
    return sorted({_date(day, f"{where}[{n}]") for n, day in enumerate(days)})


def parse_chain(body: bytes) -> Chain:
    """Return the chain of a `live-oi-data` answer, strikes ascending.

    The totals of the answer are ignored: calls and puts are swapped in them.

    Raises:
        PayloadInvalid: The source reports an error, or the answer is not of the known form.
    """
    content = parse_body(body, head_required=True)
    asked = object_entry(content, "inputData", "body")
    trading_date = _date(
        entry(asked, "tradingDate", "body.inputData"), "body.inputData.tradingDate"
    )
    expiries = list_entry(asked, "expDateList", "body.inputData")
    overall = object_entry(content, "overallData", "body")
    spot_place = "body.overallData.spotPrice"
    spot = number(entry(overall, "spotPrice", "body.overallData"), spot_place)
    if spot <= 0:
        raise PayloadInvalid(f"{spot_place}: {spot} is no price")
    strikes = object_entry(content, "oiData", "body")
    return Chain(
        trading_date=trading_date,
        observed_at=_moment(asked),
        spot=spot,
        expiry=_date(expiries[0], "body.inputData.expDateList[0]") if len(expiries) == 1 else None,
        rows=sorted(_chain_row(strike, row) for strike, row in strikes.items()),
        until=_until(asked, trading_date),
    )


def parse_build_ups(
    body: bytes, trading_date: date, received_at: datetime | None = None
) -> list[BuildUpRow]:
    """Return the rows of a `buildup-5` answer, ascending; none is a valid answer.

    Args:
        body: The answer's bytes.
        trading_date: The IST date of the rows, which carry none; take it only from a
            `live-oi-data` answer of the same fetch.
        received_at: Market time of receipt. An interval that had not begun by then is of an earlier
            day: in the morning the source may still serve the last session, all of it.

    Raises:
        WrongTradingDate: The rows are of an earlier session.
        PayloadInvalid: Row and field that are not of the known form, or two different rows for
            the same interval.
    """
    found: dict[datetime, BuildUpRow] = {}
    for n, source_row in enumerate(list_entry(parse_body(body), "data_v2", "body")):
        where = f"body.data_v2[{n}]"
        row = _build_up_row(source_row, trading_date, where)
        if found.setdefault(row.open_time, row) != row:
            raise PayloadInvalid(f"{where}.interval: a second, different row for {row.open_time}")
    if received_at is not None and found and max(found) > received_at + CLOCKS_DIFFER:
        raise WrongTradingDate(
            f"body.data_v2 has {max(found).astimezone(IST):%H:%M} IST, received at"
            f" {received_at.astimezone(IST):%H:%M:%S}: the rows are of an earlier session"
        )
    return [found[moment] for moment in sorted(found)]


def _build_up_row(row: Any, trading_date: date, where: str) -> BuildUpRow:
    if not isinstance(row, dict):
        raise PayloadInvalid(f"{where}: {row!r} is no object")
    start = _interval_start(text_entry(row, "interval", where), f"{where}.interval")
    open_time = datetime.combine(trading_date, start, IST).astimezone(UTC)
    close = number(entry(row, "close_price", where), f"{where}.close_price")
    if close < 0:
        raise PayloadInvalid(f"{where}.close_price: {close} is negative")
    return BuildUpRow(
        open_time=open_time,
        close_time=open_time + INTERVAL,
        close=close,
        open_interest=_open_interest(row, where),
        volume=units(entry(row, "volume_gross", where), f"{where}.volume_gross"),
        source_label=_label(entry(row, "buildup", where), f"{where}.buildup"),
    )


def _interval_start(text: str, where: str) -> time:
    match = _INTERVAL.fullmatch(" ".join(text.split()))
    if match is None:
        raise PayloadInvalid(f"{where}: {text!r} is no interval")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    try:
        start, end = time(hour, minute), time(end_hour, end_minute)
    except ValueError as error:
        raise PayloadInvalid(f"{where}: {text!r} is no interval: {error}") from error
    length = timedelta(hours=end.hour - start.hour, minutes=end.minute - start.minute)
    if length != INTERVAL or start.minute % 5:
        raise PayloadInvalid(f"{where}: {text!r} is no 5-minute interval of the session")
    return start


def _open_interest(row: dict[str, Any], where: str) -> int:
    """Return `oi` or `open_interest`: clients disagree about the name."""
    names = [name for name in ("oi", "open_interest") if name in row]
    if not names:
        raise PayloadInvalid(f"{where}: neither oi nor open_interest")
    values = {units(row[name], f"{where}.{name}") for name in names}
    if len(values) > 1:
        raise PayloadInvalid(f"{where}: oi and open_interest differ")
    return values.pop()


def _label(value: Any, where: str) -> str:
    if value is None or value == "":
        return "none"
    label = LABELS.get(" ".join(value.split()).casefold()) if isinstance(value, str) else None
    if label is None:
        raise PayloadInvalid(f"{where}: unknown label {value!r}")
    return label


def _chain_row(strike: str, row: Any) -> ChainRow:
    where = f"body.oiData.{strike}"
    if not isinstance(row, dict):
        raise PayloadInvalid(f"{where}: {row!r} is no object")
    keys = ("callOi", "putOi", "callPrevOi", "putPrevOi")
    values = [units(entry(row, key, where), f"{where}.{key}") for key in keys]
    return ChainRow(integer(strike, where), *values)


def _date(value: Any, where: str) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise PayloadInvalid(f"{where}: {value!r} is no date") from error


def _moment(asked: dict[str, Any]) -> datetime:
    where = "body.inputData.lastUpdatedDateTime"
    text = text_entry(asked, "lastUpdatedDateTime", "body.inputData")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PayloadInvalid(f"{where}: {text!r} is no time") from error
    if moment.tzinfo is None:
        raise PayloadInvalid(f"{where}: {text!r} has no offset")
    return moment.astimezone(UTC)


def _until(asked: dict[str, Any], trading_date: date) -> datetime | None:
    text = asked.get("maxTime")
    if text is None:
        return None
    try:
        return datetime.combine(trading_date, time.fromisoformat(text), IST).astimezone(UTC)
    except (TypeError, ValueError) as error:
        raise PayloadInvalid(f"body.inputData.maxTime: {text!r} is no time") from error
