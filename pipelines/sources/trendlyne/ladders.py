"""Strike ladders of `live-oi-data` (open interest) and `fno/option/chain` (with prices). Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from pipelines.sources import limits
from pipelines.sources.counts import units_each
from pipelines.sources.errors import ExpiryGone, PayloadInvalid
from pipelines.sources.refused import good_rows
from pipelines.sources.roles import Ladder, LadderRow, LadderSide
from pipelines.sources.strict_json import shown
from pipelines.sources.trendlyne.fields import (
    day,
    entry,
    integer,
    list_entry,
    number,
    object_entry,
    parse_body,
    text_entry,
    units,
    unless_null,
)
from strategy.contract import lot_size
from strategy.session import IST, first_known_date, session_hours

# The values move every five minutes, whatever minute is asked for.
STEP_SECONDS = 300
COLUMNS = ("current_price", "traded_contracts", "open_interest")
# A strike, and what is told of its call and its put by column.
_TableRow = tuple[int, list[dict[str, float | None]]]


def parse_chain(body: bytes, underlying: str) -> Ladder:
    """Return the ladder of a `live-oi-data` answer, strikes ascending, in units.

    Its moment is the five-minute mark at or before the earliest of three: the last minute that the
    answer says it is for (`maxTime`), when the source was updated last, and the session's close.
    Recorded on 23 January 2026 after the close: asked for 09:15, answered with `maxTime` 15:30 and
    updated at 15:40, so for 15:30. `expiry` is None unless exactly one was meant. A row that is
    none is left out, with the reason. The totals of the answer are ignored: calls and puts are
    swapped in them.

    Raises:
        PayloadInvalid: The source reports an error, or the answer is not of the known form.
    """
    content = parse_body(body, head_required=True)
    asked = object_entry(content, "inputData", "body")
    trading_date = day(entry(asked, "tradingDate", "body.inputData"), "body.inputData.tradingDate")
    expiries = list_entry(asked, "expDateList", "body.inputData")
    overall = object_entry(content, "overallData", "body")
    strikes = object_entry(content, "oiData", "body")
    rows, refused = good_rows(_chain_row, strikes.items())
    return Ladder(
        underlying=underlying,
        expiry=day(expiries[0], "body.inputData.expDateList[0]") if len(expiries) == 1 else None,
        trading_date=trading_date,
        moment=_moment(asked, trading_date),
        spot=_price(entry(overall, "spotPrice", "body.overallData"), "body.overallData.spotPrice"),
        rows=_ascending(rows, "oiData"),
        refused=refused,
    )


def updated_at(body: bytes) -> datetime:
    """Return when a `live-oi-data` answer says that its source was updated last, UTC.

    Raises:
        PayloadInvalid: It does not say.
    """
    asked = object_entry(parse_body(body, head_required=True), "inputData", "body")
    return _updated(asked)


def parse_option_chain(body: bytes, underlying: str, expiry: date) -> Ladder:
    """Return the ladder of a `fno/option/chain` answer, strikes ascending, in units.

    Columns are found by `unique_name`, as their order is not given. The answer names neither
    session nor moment: it is of the time of receipt at best, and in the morning may be the
    session before's. Whether `open_interest` and `traded_contracts` count lots or units is told
    by the lot, for each apart; where that is unclear all of them are unknown, with a reason. A
    price of zero means never traded, and is none. A row that is none is left out, with the reason.

    Raises:
        ExpiryGone: An almost empty answer: that expiry is not listed.
        PayloadInvalid: The source reports an error, or the answer is not of the known form.
    """
    content = parse_body(body, head_required=True)
    table, unread = _table(content, underlying, expiry)
    lot = lot_size(underlying, expiry)
    scales = _scales(table, lot)
    unclear = [
        f"{name}: units or lots of {lot}? unclear, so none is known"
        for name, scale in scales.items()
        if scale is None
    ]
    level = content.get("stockLevelData")
    spot = level.get("stockCurrentPrice") if isinstance(level, dict) else None
    return Ladder(
        underlying=underlying,
        expiry=expiry,
        trading_date=None,
        moment=None,
        spot=unless_null(_price, spot, "body.stockLevelData.stockCurrentPrice"),
        rows=_ascending(
            [
                LadderRow(strike, *(_side(side, scales) for side in sides))
                for strike, sides in table
            ],
            "tableData",
        ),
        refused=(*unread, *unclear),
    )


def option_chain_scales(body: bytes, underlying: str, expiry: date) -> dict[str, int | None]:
    """Return what each count of a `fno/option/chain` answer is multiplied with for units.

    By column: 1 where it counts units, the lot where it counts lots, None where that is unclear.

    Raises:
        SourceError: As for `parse_option_chain`.
    """
    table, _ = _table(parse_body(body, head_required=True), underlying, expiry)
    return _scales(table, lot_size(underlying, expiry))


def _table(
    content: dict[str, Any], underlying: str, expiry: date
) -> tuple[list[_TableRow], tuple[str, ...]]:
    rows = list_entry(content, "tableData", "body")
    if not rows:
        raise ExpiryGone(f"{underlying}: expiry {expiry} has no chain: it is not listed")
    places = _places(list_entry(content, "tableHeaders", "body"))
    return good_rows(
        lambda n, row: _table_row(row, places, f"body.tableData[{n}]"), enumerate(rows)
    )


def _scales(table: Sequence[_TableRow], lot: int | None) -> dict[str, int | None]:
    scales = {}
    for name in COLUMNS[1:]:
        counts = [side[name] for _, sides in table for side in sides]
        scales[name] = units_each([int(count) for count in counts if count is not None], lot)
    return scales


def _ascending(rows: Sequence[LadderRow], where: str) -> list[LadderRow]:
    if len({row.strike for row in rows}) < len(rows):
        raise PayloadInvalid(f"body.{where}: a strike comes twice")
    return sorted(rows, key=lambda row: row.strike)


def _price(value: Any, where: str) -> float:
    price = number(value, where)
    if price <= 0:
        raise PayloadInvalid(f"{where}: {price} is no price")
    return limits.price(price, where)


def _chain_row(strike: str, row: Any) -> LadderRow:
    where = f"body.oiData.{strike[:20]}"
    if not isinstance(row, dict):
        raise PayloadInvalid(f"{where}: {shown(row)} is no object")

    def side(name: str) -> LadderSide | None:
        now, before = (
            unless_null(units, entry(row, f"{name}{part}", where), f"{where}.{name}{part}")
            for part in ("Oi", "PrevOi")
        )
        return None if now is None and before is None else LadderSide(now, before)

    return LadderRow(limits.strike(integer(strike, where), where), side("call"), side("put"))


def _moment(asked: dict[str, Any], trading_date: date) -> datetime:
    last = [_updated(asked)]
    if (text := asked.get("maxTime")) is not None:
        try:
            minute = time.fromisoformat(text).replace(tzinfo=None)
        except (TypeError, ValueError) as error:
            raise PayloadInvalid(f"body.inputData.maxTime: {shown(text)} is no time") from error
        last.append(datetime.combine(trading_date, minute, IST))
    if trading_date >= first_known_date():
        last.append(session_hours(trading_date)[1])
    seconds = int(min(last).timestamp()) // STEP_SECONDS * STEP_SECONDS
    return datetime.fromtimestamp(seconds, UTC)


def _updated(asked: dict[str, Any]) -> datetime:
    where = "body.inputData.lastUpdatedDateTime"
    text = text_entry(asked, "lastUpdatedDateTime", "body.inputData")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PayloadInvalid(f"{where}: {shown(text)} is no time") from error
    return limits.instant(moment, where)


def _places(headers: Sequence[Any]) -> dict[str, int]:
    """Return where each column is, by its name."""
    names = [header.get("unique_name") if isinstance(header, dict) else None for header in headers]
    wanted = ["strike_price", *(f"{name}_{side}" for side in ("call", "put") for name in COLUMNS)]
    for name in wanted:
        if names.count(name) != 1:
            found = "twice" if name in names else "not"
            raise PayloadInvalid(f"body.tableHeaders: {name} is {found} there")
    return {name: names.index(name) for name in wanted}


def _table_row(row: Any, places: Mapping[str, int], where: str) -> _TableRow:
    if not isinstance(row, list) or len(row) <= max(places.values()):
        raise PayloadInvalid(f"{where} is no row of {max(places.values()) + 1} columns")

    def value(read: Callable[[Any, str], float], name: str) -> float | None:
        return unless_null(read, row[places[name]], f"{where}.{name}")

    place = f"{where}.strike_price"
    strike = limits.strike(integer(row[places["strike_price"]], place), place)
    sides: list[dict[str, float | None]] = []
    for side in ("call", "put"):
        price = value(number, f"current_price_{side}")
        if price is not None and price < 0:
            raise PayloadInvalid(f"{where}.current_price_{side}: {price} is negative")
        limits.price(price or 0.0, f"{where}.current_price_{side}")
        counts = {name: value(units, f"{name}_{side}") for name in COLUMNS[1:]}
        sides.append({"current_price": price or None, **counts})
    return strike, sides


def _side(side: Mapping[str, float | None], scales: Mapping[str, int | None]) -> LadderSide | None:
    """Return one option in units; None where nothing at all is known of it."""

    def count(name: str) -> int | None:
        found, scale = side[name], scales[name]
        return None if found is None or scale is None else int(found) * scale

    found = LadderSide(
        open_interest=count("open_interest"),
        price=side["current_price"],
        volume=count("traded_contracts"),
    )
    return None if found == LadderSide(None) else found
