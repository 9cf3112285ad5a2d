"""One source's visit: whom we ask, what for, and every answer as it came."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from pipelines.probing.times import Times
from pipelines.sources.declaration import Source
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.probe import Kept
from pipelines.sources.roles import ListedContract, Opened, Payload, Reading
from pipelines.sources.series import History, HistoryRequest
from strategy.clock import MarketClock
from strategy.contract import Contract, atm_strike, nearest_expiry, nearest_known_expiry

# Near the money both underlyings list each hundredth strike: for where nobody listed any yet.
ROUND_STRIKE = 100


class Newest(NamedTuple):
    """The newest candle of the index, and when it was asked for; both in market time."""

    open_time: datetime
    asked_at: datetime


@dataclass
class Visit:
    """What one source was asked and said so far.

    Attributes:
        source: Who is asked.
        opened: Its clients.
        clock: The market's.
        times: What the contact is about.
        underlying: Whose data is asked for.
        kept: Every answer.
        listed: The options that it lists.
        spot: The index, as far as it told.
        trading_date: The session that a ladder was of.
        newest: Its newest candle of the index.
        told_by: What told how late it is.
        open_interest: Whether any answer held open interest, in units.
    """

    source: Source
    opened: Opened
    clock: MarketClock
    times: Times
    underlying: str
    kept: list[Kept] = field(default_factory=list)
    listed: list[ListedContract] = field(default_factory=list)
    spot: float | None = None
    trading_date: date | None = None
    newest: Newest | None = None
    told_by: str | None = None
    open_interest: bool = False

    @property
    def expiry(self) -> date:
        """The nearest expiry that it lists; the calendar's where it lists none.

        Raises:
            CalendarUnknownError: Neither is known.
        """
        listed = [contract.expiry for contract in self.listed]
        return min(listed, default=None) or nearest_expiry(self.underlying, self.times.coming)

    def option(self) -> Contract | None:
        """Return a call at the money; None while nothing tells money or expiry."""
        known = self.listed or nearest_known_expiry(self.underlying, self.times.coming)
        if self.spot is None or not known:
            return None
        expiry = self.expiry
        strikes = [contract.strike for contract in self.listed if contract.expiry == expiry]
        guess = round(self.spot / ROUND_STRIKE) * ROUND_STRIKE
        strike = atm_strike(self.spot, strikes) if strikes else guess
        return Contract(self.underlying, expiry, strike, "C")

    def keep(self, payload: Payload, session: date) -> None:
        """Keep an answer before anybody reads it."""
        about, received = payload.about, payload.received_at
        self.kept.append(Kept(payload.request, about, session, received, payload.body))

    def read(self, payload: Payload, session: date) -> Reading:
        """Keep an answer and return what it says.

        Raises:
            SourceError: It cannot be used.
        """
        self.keep(payload, session)
        return self.source.read(payload.about, payload.body, session, payload.received_at)

    async def histories(self, *requests: HistoryRequest) -> dict[str, History | Exception]:
        """Ask for candles and keep what came, readable or not."""
        if self.opened.history is None:
            raise RuntimeError("asked for candles where nobody has any")
        found: dict[str, History | Exception] = {}
        answers = await self.opened.history.histories(requests)
        for symbol, answer in answers.items():
            if isinstance(answer, History):
                self.keep_history(answer)
            elif isinstance(answer, PayloadInvalid) and answer.body:
                about = {"kind": "malformed", "symbol": symbol}
                now, data = self.clock.now(), self.times.data
                self.kept.append(Kept(f"history {symbol}", about, data, now, answer.body))
            found[symbol] = answer
        return found

    def keep_history(self, history: History) -> None:
        """Keep the answer that candles came in."""
        self.kept.append(
            Kept(
                str(history.about.get("request") or f"history {history.symbol}"),
                {"kind": "history", "symbol": history.symbol, **history.about},
                self.times.data,
                self.clock.at(history.received_at_wall),
                history.raw,
            )
        )
