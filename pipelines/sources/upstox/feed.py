"""What a message of Upstox's market-data feed says of each instrument. Pure.

Messages are protobuf, of the form of the vendor's `MarketDataFeedV3.proto`; here they are decoded
already, to the JSON in which others recorded them in November and December 2025: 64-bit numbers as
texts, and what is 0 left out. So a count that is missing may be 0 or unknown: here it is unknown.

The minute in a message is the last whole one, as recorded (nine seconds into 12:17 it was 12:16's):
what forms is only known by the last price.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pipelines.sources import limits
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.series import Bar
from pipelines.sources.strict_json import number, shown
from pipelines.sources.upstox.fields import entry, listed

MINUTE = "I1"
LONGEST = 20  # characters of a number


class Tick(NamedTuple):
    """One instrument at one moment; None is unknown.

    Attributes:
        key: Its key, e.g. `NSE_FO|51414`.
        sent_at: When the source sent the message, UTC.
        price: Rupees, last traded.
        traded_at: When, UTC.
        volume: The day's running total, units; none of an index.
        open_interest: Units.
        bid: Best price that somebody pays, rupees.
        ask: Best price that somebody wants.
        bid_quantity: Units at the bid.
        ask_quantity: Units at the ask.
        minute: The last whole minute, without open interest.
    """

    key: str
    sent_at: datetime
    price: float
    traded_at: datetime | None
    volume: int | None = None
    open_interest: int | None = None
    bid: float | None = None
    ask: float | None = None
    bid_quantity: int | None = None
    ask_quantity: int | None = None
    minute: Bar | None = None


def parse_feed(message: Mapping[str, Any]) -> list[Tick]:
    """Return what a decoded message tells, in its order; nothing where it is no market data.

    Raises:
        PayloadInvalid: The message is not of the known form.
    """
    if "feeds" not in message:
        return []
    sent_at = _moment(entry(message, "currentTs", "message"), "message.currentTs")
    feeds = entry(message, "feeds", "message")
    if not isinstance(feeds, Mapping):
        raise PayloadInvalid("message.feeds is no object")
    return [_tick(key, feed, sent_at) for key, feed in feeds.items()]


def _tick(key: str, feed: Any, sent_at: datetime) -> Tick:
    where = f"feeds.{key}"
    union = entry(feed, "fullFeed", where)
    index = isinstance(union, Mapping) and "indexFF" in union
    full = entry(union, "indexFF" if index else "marketFF", f"{where}.fullFeed")
    last = entry(full, "ltpc", where)
    best = _best(full, where)
    return Tick(
        key=key,
        sent_at=sent_at,
        price=limits.price(number(entry(last, "ltp", where), f"{where}.ltp"), f"{where}.ltp"),
        traded_at=_moment(last["ltt"], f"{where}.ltt") if "ltt" in last else None,
        volume=None if index else _count(full.get("vtt"), f"{where}.vtt"),
        open_interest=None if index else _count(full.get("oi"), f"{where}.oi"),
        bid=_price(best.get("bidP"), f"{where}.bidP"),
        ask=_price(best.get("askP"), f"{where}.askP"),
        bid_quantity=_count(best.get("bidQ"), f"{where}.bidQ"),
        ask_quantity=_count(best.get("askQ"), f"{where}.askQ"),
        minute=_minute(full, where, index=index),
    )


def _best(full: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Return the first of the levels of bids and asks; an empty one where there is none."""
    levels = _rows(full, "marketLevel", "bidAskQuote", where)
    first = levels[0] if levels else {}
    if not isinstance(first, Mapping):
        raise PayloadInvalid(f"{where}.bidAskQuote[0] is no object")
    return first


def _rows(full: Mapping[str, Any], group: str, name: str, where: str) -> list[Any]:
    """Return the rows of a group; none where there is no such group."""
    found = full.get(group) or {}
    if not isinstance(found, Mapping):
        raise PayloadInvalid(f"{where}.{group} is no object")
    return listed(found.get(name, []), f"{where}.{name}")


def _minute(full: Mapping[str, Any], where: str, *, index: bool) -> Bar | None:
    rows = _rows(full, "marketOHLC", "ohlc", where)
    row = next((r for r in rows if isinstance(r, Mapping) and r.get("interval") == MINUTE), None)
    if row is None:
        return None
    start, high, low, close = (
        limits.price(
            number(entry(row, name, f"{where}.{MINUTE}"), f"{where}.{MINUTE}.{name}"),
            f"{where}.{MINUTE}.{name}",
        )
        for name in ("open", "high", "low", "close")
    )
    volume = None if index else _count(row.get("vol"), f"{where}.{MINUTE}.vol")
    opened = _moment(entry(row, "ts", f"{where}.{MINUTE}"), f"{where}.{MINUTE}.ts")
    return Bar(opened, start, high, low, close, None if volume is None else float(volume))


def _count(value: Any, where: str) -> int | None:
    if value is None:
        return None
    result = _whole(value, where)
    if result < 0:
        raise PayloadInvalid(f"{where}: {shown(value)} is negative")
    return limits.units(result, where)


def _price(value: Any, where: str) -> float | None:
    return None if value is None else limits.price(number(value, where), where) or None


def _moment(value: Any, where: str) -> datetime:
    return limits.moment(_whole(value, where) / 1000, where)


def _whole(value: Any, where: str) -> int:
    """Return a whole number, which may stand in a text."""
    if isinstance(value, str) and len(value) <= LONGEST and value.removeprefix("-").isdecimal():
        return int(value)
    result = number(value, where)
    if not result.is_integer():
        raise PayloadInvalid(f"{where}: {shown(value)} is not whole")
    return int(result)
