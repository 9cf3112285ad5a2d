"""What to ask for: pure decisions from what is listed, stored and known. No I/O."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from strategy.contract import OptionType, atm_strike, future_symbol, strikes_around
from strategy.session import interval_opens, session_hours, session_of

# One-minute candles where the source has them, five where only that exists.
RESOLUTIONS = (1, 5)
BUILD_UP_MINUTES = 5
INTERVAL = timedelta(minutes=BUILD_UP_MINUTES)
DEEPEST = 5_000  # bars that TradingView gives at most
OVERLAP = 5


class Listed(NamedTuple):
    """An option the source lists for the nearest expiry."""

    symbol: str
    expiry: date
    strike: int
    option_type: OptionType


def contracts_around(listed: Sequence[Listed], prices: Iterable[float], wings: int) -> list[Listed]:
    """Return the options within `wings` strikes of ATM at any of the prices, in order."""
    strikes = sorted({contract.strike for contract in listed})
    if not strikes:
        return []
    wanted: set[int] = set()
    for atm in {atm_strike(price, strikes) for price in prices}:
        wanted.update(strikes_around(atm, strikes, wings))
    return [contract for contract in listed if contract.strike in wanted]


def candle_symbols(
    underlying: str, listed: Sequence[Listed], prices: Iterable[float], wings: int
) -> list[str]:
    """Return the symbols to follow: index, front future, and the options around ATM."""
    options = [contract.symbol for contract in contracts_around(listed, prices, wings)]
    return [underlying, future_symbol(underlying), *options]


def interval_ends(session: date) -> Iterator[datetime]:
    """Yield the ends of a session's five-minute intervals, ascending."""
    return (opened + INTERVAL for opened in interval_opens(session, BUILD_UP_MINUTES))


def newest_closed(session: date, now: datetime, minutes: int) -> datetime | None:
    """Return the start of the session's newest interval that has ended; None before the first."""
    start, end = session_hours(session)
    elapsed = (min(now, end) - start) // timedelta(minutes=minutes)
    if now < end or (end - start) % timedelta(minutes=minutes) == timedelta(0):
        elapsed -= 1
    return start + timedelta(minutes=minutes) * elapsed if elapsed >= 0 else None


def may_ask(left: int | None, ahead: int, preferred: int, underlyings: int, *, again: bool) -> bool:
    """Tell whether a day's allowance has room for a question about one underlying.

    Every interval to come needs a request of each underlying. Those preferred to this one get
    theirs first; what was asked before is asked again only if everybody's are safe, this interval's
    too: on a day of outages, when much is asked in vain, the others would get nothing.

    Args:
        left: Requests left today; None where nobody counts.
        ahead: Intervals of the session still to be asked for.
        preferred: How many underlyings come before this one.
        underlyings: How many there are.
        again: Whether it is no interval's first question.
    """
    if left is None:
        return True
    return left > ((ahead + 1) * underlyings if again else ahead * preferred)


def newest_ended(session: date, now: datetime) -> dict[int, datetime]:
    """Return `newest_closed` of each resolution of candles; none before its first interval ends."""
    newest = {minutes: newest_closed(session, now, minutes) for minutes in RESOLUTIONS}
    return {minutes: moment for minutes, moment in newest.items() if moment is not None}


def bars_to_ask(session: date, now: datetime, minutes: int, first: datetime) -> int:
    """Return how many of the newest bars reach back to an interval and some before it.

    Those before it show whether the source corrected them; the forming one counts too.
    """
    expected = newest_closed(session, now, minutes)
    if expected is None or session_of(now) != session:
        return DEEPEST  # bars are counted back from now, across the sessions since
    return (expected - first) // timedelta(minutes=minutes) + 3 + OVERLAP
