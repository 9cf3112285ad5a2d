"""From a source's bars to candle rows: what is final, what is refused, what is known to be empty.

Nothing here trusts that the source delivers at once: accounts without a subscription may be
minutes behind, and then even an old bar still forms.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from db.writing.rows import Candle
from pipelines.sources.limits import HIGHEST_PRICE, MOST_UNITS
from pipelines.sources.series import Bar
from strategy.contract import UNDERLYINGS, parse_symbol, underlying_of
from strategy.session import interval_opens, session_hours, session_of

# Clocks differ a little: a bar counts as ended only so long after its end.
GRACE = timedelta(seconds=2)
# So long after the close every account has seen the last bar.
LONGEST_DELAY = timedelta(minutes=20)


class Series(NamedTuple):
    """Whose bars they are and how they are stored."""

    symbol: str
    minutes: int
    session: date
    source: str


class Rows(NamedTuple):
    """Candles of the session, and a reason for every bar that is not one."""

    candles: list[Candle]
    refused: list[str]


def complete_to(
    session: date,
    asked_at: datetime,
    minutes: int,
    newest: datetime | None,
    reached: datetime | None = None,
) -> datetime | None:
    """Return until when a source's bars could change no more when it was asked.

    Only what it sent of a later time proves that a time is over for it: a bar that began then, of
    anything, or a price. Seconds or minutes late, it still forms bars that are old by our clock.

    Args:
        session: Whose bars.
        asked_at: Market time of the question.
        minutes: Length of the bars.
        newest: Start of the newest bar that it has of anything: how far it has come.
        reached: The newest time of a price that it told before it answered, if it told one.
    """
    start, close = session_hours(session)
    settled = asked_at - GRACE
    if asked_at >= close + LONGEST_DELAY or (reached is not None and reached >= close):
        return settled
    if reached is not None:
        newest = max(reached - GRACE, newest or start)
    if newest is None or asked_at < start + timedelta(minutes=minutes):
        return None
    return min(newest, settled)


def candle_rows(
    series: Series, bars: Iterable[Bar], complete: datetime | None, received_at: datetime
) -> Rows:
    """Turn one answer's bars into candles.

    A bar is final when the answer holds a newer one or it ended by the time that is complete.
    Bars of other sessions are left out; bars that cannot be prices are refused, with the reason.
    What was fetched after its session counts as known at each interval's end, and says so.
    """
    start, end = session_hours(series.session)
    backfilled = session_of(received_at) > series.session
    ordered = sorted(bar for bar in bars if start <= bar.open_time < end)
    length = timedelta(minutes=series.minutes)
    rows = Rows([], [])
    for place, bar in enumerate(ordered):
        if fault := bar_fault(series.symbol, bar, start, length):
            rows.refused.append(f"{series.symbol} {bar.open_time:%H:%M}: {fault}")
            continue
        ended = complete is not None and bar.open_time + length <= complete
        final = place + 1 < len(ordered) or ended
        row = candle(series, bar, received_at, final=final)
        if backfilled:
            row = row._replace(known_at=bar.open_time + length, backfilled=True)
        rows.candles.append(row)
    return rows


def empty_opens(
    series: Series, bars: Sequence[Bar], *, whole: bool, complete: datetime | None
) -> list[datetime]:
    """Return the session's intervals that an answer leaves out: nothing was traded in them.

    Args:
        series: Whose bars.
        bars: The answer, ascending; an empty one tells nothing.
        whole: Whether it goes back to the session's open, so that nothing was traded before its
            first bar.
        complete: As for `candle_rows`. What comes after the last bar may still be on its way
            until the session is complete.
    """
    if not bars:
        return []
    start, end = session_hours(series.session)
    there = {bar.open_time for bar in bars}
    first = start if whole or bars[0].open_time < start else bars[0].open_time
    over = complete is not None and complete >= end
    last = end if over else bars[-1].open_time
    opens = interval_opens(series.session, series.minutes)
    return [moment for moment in opens if first <= moment < last and moment not in there]


def candle(series: Series, bar: Bar, known_at: datetime, *, final: bool) -> Candle:
    """Return one bar's row; an index has no volume of its own, so none is stored."""
    index = series.symbol in UNDERLYINGS
    return Candle(
        symbol=series.symbol,
        interval_minutes=series.minutes,
        open_time=bar.open_time,
        underlying=underlying_of(series.symbol),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=None if index or bar.volume is None else round(bar.volume),
        open_interest=None if index else bar.open_interest,
        source=series.source,
        known_at=known_at,
        final=final,
    )


def bar_fault(symbol: str, bar: Bar, session_open: datetime, length: timedelta) -> str | None:
    """Return why a bar cannot be stored, None if it can."""
    prices = (bar.open, bar.high, bar.low, bar.close)
    if not all(math.isfinite(price) and price >= 0 for price in prices):
        return f"prices {prices} are not all finite and zero or above"
    if max(prices) > HIGHEST_PRICE or (bar.volume or 0) > MOST_UNITS:
        return f"prices {prices} or a volume of {bar.volume} that no market has"
    if min(prices) == 0 and parse_symbol(symbol) is None:
        return f"prices {prices}: neither an index nor its future is ever 0"
    if bar.high < max(bar.open, bar.close) or bar.low > min(bar.open, bar.close):
        return f"high {bar.high} or low {bar.low} lie within open and close"
    if (bar.open_time - session_open) % length:
        return f"starts off the {length} grid"
    return None
