"""The user's account: the token to show, until when, and how late what it sees is."""

import logging
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pipelines.sources.errors import TokenEnded
from pipelines.sources.tradingview.token import HOW_TO_RENEW, Token, TokenFile
from strategy.clock import MarketClock
from strategy.session import IST

logger = logging.getLogger(__name__)

WARN_AHEAD = timedelta(minutes=15)
REAL_TIME = "nse"


class AccountState(NamedTuple):
    """What is known of an account: its delay (0 in real time), its token's end, words for people.

    None where it is not known, or there is nothing to say.
    """

    delay_seconds: int | None
    token_ends_at: datetime | None
    note: str | None


class Account:
    """One process's account; `delay_seconds` is set by whoever hears of it.

    A token file wins over a token and may bring another one at any time; one that cannot be read
    any more leaves the last token in use, and is told.
    """

    def __init__(
        self,
        token: str | None = None,
        token_file: Path | None = None,
        clock: MarketClock | None = None,
    ) -> None:
        self._file = TokenFile(token_file) if token_file else None
        self._token = Token.of(token) if token else None
        self._clock = clock or MarketClock.parse(None)
        self._unreadable: str | None = None
        self._told: set[str] = set()
        self.delay_seconds: int | None = None
        if token_file and token:
            logger.warning("TRADINGVIEW_TOKEN_FILE is used, TRADINGVIEW_TOKEN is not")

    @property
    def clock(self) -> MarketClock:
        """The market's clock, by which a token ends."""
        return self._clock

    def token(self) -> Token | None:
        """Return the token as it is now, of the file if there is one; None without an account."""
        if self._file is None:
            return self._token
        try:
            self._token, self._unreadable = self._file.read(), None
        except ValueError as error:
            self._unreadable = str(error)
        return self._token

    def shown(self) -> Token | None:
        """Return the token for a new connection.

        Raises:
            TokenEnded: Its time is over: the source would answer with heartbeats only.
        """
        token = self.token()
        if token and token.ends_at and token.ends_at <= self._clock.now():
            raise TokenEnded(self._ended(token.ends_at))
        return token

    def state(self) -> AccountState:
        """Return what is known now; what is new for people is logged, once."""
        token = self.token()
        notes = self._notes(token)
        for note in notes:
            if note not in self._told:
                logger.warning("%s", note)
        self._told = set(notes)
        ends_at = token.ends_at if token else None
        return AccountState(self.delay_seconds, ends_at, "; ".join(notes) or None)

    def _notes(self, token: Token | None) -> list[str]:
        notes = [self._unreadable] if self._unreadable else []
        if token is None:
            return notes
        if token.ends_at is not None:
            left = token.ends_at - self._clock.now()
            if left <= timedelta():
                notes.append(self._ended(token.ends_at))
            elif left <= WARN_AHEAD:
                ends = token.ends_at.astimezone(IST)
                notes.append(f"the token ends at {ends:%H:%M} IST: {HOW_TO_RENEW}")
        if token.permissions is not None and REAL_TIME not in token.permissions:
            seen = ", ".join(sorted(token.permissions)) or "none"
            notes.append(
                f"the token's account has no real-time data of NSE (it has {seen}): candles may"
                " come 15 minutes late; subscribe to NSE's data, or use another account's token"
            )
        return notes

    @staticmethod
    def _ended(ends_at: datetime) -> str:
        return f"the token ended at {ends_at.astimezone(IST):%Y-%m-%d %H:%M} IST: {HOW_TO_RENEW}"
