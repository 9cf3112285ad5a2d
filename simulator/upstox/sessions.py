"""What Upstox tells of the sessions before the one that is played."""

from collections.abc import Iterator
from datetime import date, timedelta

from simulator.market import Market
from simulator.past import Past
from simulator.upstox.candles import Row, candle_rows
from simulator.upstox.instruments import keys
from strategy.contract import Contract, upcoming_expiries
from strategy.errors import CalendarUnknownError
from strategy.session import session_hours, sessions_between

HALF_A_YEAR = timedelta(days=182)  # how far back expiries are listed
# A contract lives longer, but no session that trades it as the nearest one is further away.
TRADED = timedelta(days=40)
ONE_DAY = timedelta(days=1)


class EarlierSessions:
    """Looks into the past of a market; all of it is over."""

    def __init__(self, market: Market, past: Past) -> None:
        self._today = market.day
        self._past = past

    def candles(self, key: str, minutes: int, first: date, last: date) -> list[Row]:
        """Return an instrument's rows of a range of days, newest first; none of today.

        Raises:
            Refusal: The stored candles can't make that interval.
        """
        rows: list[Row] = []
        for session in reversed(_sessions(first, min(last, self._today - ONE_DAY))):
            market = self._past.market(session)
            symbol = keys(market).get(key) if market else None
            if market and symbol:
                rows += candle_rows(market, symbol, minutes, session_hours(session)[1])
        return rows

    def traded(self, underlying: str, expiry: date) -> list[Contract]:
        """Return the options of an expiry that any session traded, ascending."""
        found = {
            contract
            for session in _sessions(expiry - TRADED, expiry)
            for contract in self._past.contracts(session)
            if contract[:2] == (underlying, expiry)
        }
        return sorted(found)

    def expired(self, underlying: str) -> Iterator[date]:
        """Yield the expiries of the last six months, ascending."""
        try:
            for expiry in upcoming_expiries(underlying, self._today - HALF_A_YEAR):
                if expiry >= self._today:
                    return
                yield expiry
        except CalendarUnknownError:
            return


def _sessions(first: date, last: date) -> list[date]:
    try:
        return sessions_between(first, last)
    except CalendarUnknownError:
        return []
