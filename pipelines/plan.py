"""What to ask for: pure decisions from what is listed, stored and known. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from strategy.contract import OptionType, atm_strike, future_symbol, strikes_around
from strategy.session import session_hours, session_of

BUILD_UP_MINUTES = 5
DEEPEST = 5_000  # bars that TradingView gives at most


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


def newest_closed(session: date, now: datetime, minutes: int) -> datetime | None:
    """Return the start of the session's newest interval that has ended; None before the first."""
    start, end = session_hours(session)
    elapsed = (min(now, end) - start) // timedelta(minutes=minutes)
    if now < end or (end - start) % timedelta(minutes=minutes) == timedelta(0):
        elapsed -= 1
    return start + timedelta(minutes=minutes) * elapsed if elapsed >= 0 else None


def due_contracts(
    wanted: Sequence[Listed], newest: Mapping[str, datetime], expected: datetime | None
) -> list[Listed]:
    """Return the contracts whose newest stored build-up is older than the newest ended one."""
    if expected is None:
        return []
    return [
        contract
        for contract in wanted
        if contract.symbol not in newest or newest[contract.symbol] < expected
    ]


def bars_missing(
    session: date, now: datetime, minutes: int, newest: datetime | None, stored: int
) -> int:
    """Return how many of the newest bars to ask for; 0 when nothing can be missing.

    Args:
        session: Whose bars.
        now: Market time; the bar that is still forming is asked for too.
        minutes: Length of a bar.
        newest: Start of the newest final stored bar, None when there is none.
        stored: Number of final stored bars; fewer than there should be up to `newest` means a
            gap, so that the whole session is asked for.
    """
    expected = newest_closed(session, now, minutes)
    if expected is None:
        return 0
    length = timedelta(minutes=minutes)
    start = session_hours(session)[0]
    if newest is not None:
        without_gap = stored >= (newest - start) // length + 1
        if newest >= expected and without_gap:
            return 0
        if without_gap:
            start = newest
    if session_of(now) != session:
        return DEEPEST  # bars are counted back from now, across the sessions since
    return (expected - start) // length + 3
