"""What a source can be to us: roles, and what their questions bring.

A source fills some roles. Asking yields answers as they came, each with its question in our own
words; whoever asks archives one before going on to the next. Reading an archived answer is pure and
the same live and in a rebuild.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

from db.archive.source_status import Access
from pipelines.sources.errors import SourceError
from pipelines.sources.series import Bar, BarUpdate, History, HistorySource
from strategy.contract import Contract, OptionType


class Payload(NamedTuple):
    """One answer as it came.

    Attributes:
        source: Who answered.
        request: What was sent, without secrets.
        about: The question in our words: `source`, `kind`, and all that reading it needs.
        asked_at: Market time just before it was asked, or the server's own if that is earlier.
        received_at: Market time of receipt.
        body: The bytes, untouched.
    """

    source: str
    request: str
    about: Mapping[str, Any]
    asked_at: datetime
    received_at: datetime
    body: bytes


class ListedContract(NamedTuple):
    """An option that a source lists; tick size in rupees, None where it does not tell."""

    symbol: str
    underlying: str
    expiry: date
    strike: int
    option_type: OptionType
    lot_size: int | None = None
    tick_size: float | None = None


class Listing(NamedTuple):
    """The options of an underlying that a source lists, and why others are left out."""

    underlying: str
    contracts: list[ListedContract]
    refused: tuple[str, ...] = ()


class LadderSide(NamedTuple):
    """One option of a ladder: counts in units, prices in rupees; None is unknown, zero is zero.

    `volume` is the running total of the day.
    """

    open_interest: int | None
    previous_open_interest: int | None = None
    price: float | None = None
    volume: int | None = None
    bid: float | None = None
    ask: float | None = None
    bid_quantity: int | None = None
    ask_quantity: int | None = None


class LadderRow(NamedTuple):
    """One strike; a side that is not in the answer is None."""

    strike: int
    call: LadderSide | None
    put: LadderSide | None


class Ladder(NamedTuple):
    """All strikes of an expiry at one moment.

    Attributes:
        underlying: Whose.
        expiry: Which; None where the answer does not say.
        trading_date: The session that was answered; None where the answer does not say.
        moment: The moment that the answer itself names, UTC; None where it names none.
        spot: Rupees; None where it is not told.
        rows: By strike, ascending.
        refused: Why parts of the answer are no rows.
        counts_for: The interval's end whose open interest this is, where the answer names no
            moment and was received soon after one, UTC.
    """

    underlying: str
    expiry: date | None
    trading_date: date | None
    moment: datetime | None
    spot: float | None
    rows: list[LadderRow]
    refused: tuple[str, ...] = ()
    counts_for: datetime | None = None


class BuildUpRow(NamedTuple):
    """Five minutes of one contract; open interest and volume of the interval in units.

    `source_label` is the source's own verdict in our words, `none` where it gives none. The newest
    row may still be forming: it is final only after its `close_time`.
    """

    open_time: datetime
    close_time: datetime
    close: float
    open_interest: int
    volume: int | None
    source_label: str


class BuildUpRows(NamedTuple):
    """A contract's rows, ascending, and why others were left out."""

    rows: list[BuildUpRow]
    refused: tuple[str, ...] = ()


class Bars(NamedTuple):
    """Candles of one series, ascending, and why others are left out."""

    symbol: str
    minutes: int
    bars: list[Bar]
    refused: tuple[str, ...] = ()


# What an archived answer says; None where it only leads to the next question.
Reading = Listing | Ladder | BuildUpRows | Bars | list[Bars] | None


class Listings(Protocol):
    """Tells which options there are."""

    def listings(self, underlying: str, session: date) -> AsyncIterator[Payload]:
        """Ask for the options listed in a session, the nearest expiry's at least."""
        ...


class ChainLadders(Protocol):
    """Tells the open interest of all strikes at a moment."""

    def ladder(
        self, underlying: str, expiry: date, until: datetime | None
    ) -> AsyncIterator[Payload]:
        """Ask for the ladder as it is now, or as it was at an earlier moment of today."""
        ...


class BuildUpSource(Protocol):
    """Tells five-minute rows of single contracts, a request each."""

    def build_ups(self, contract: Contract, session: date) -> AsyncIterator[Payload]:
        """Ask for a contract's rows of today."""
        ...


class StreamSession(Protocol):
    """A connection on which series form. Once it broke everything raises what broke it."""

    @property
    def failure(self) -> SourceError | None:
        """What broke it; None while it works."""
        ...

    @property
    def data_at_wall(self) -> float:
        """Epoch second of the newest data, heartbeats aside: until then all is known."""
        ...

    @property
    def delay_seconds(self) -> int | None:
        """How late the data is; 0 in real time, None while nothing tells."""
        ...

    @property
    def delay_told_by(self) -> str | None:
        """What told how late the data is, in the source's words; None while nothing did."""
        ...

    @property
    def outdated(self) -> bool:
        """Whether a new connection should take its place: the account has another token."""
        ...

    @property
    def subscribed(self) -> frozenset[tuple[str, int]]:
        """The symbols and minutes whose series are streaming."""
        ...

    def note_delay(self) -> None:
        """Let the account know how late its data is, where this connection tells."""
        ...

    def give_up_if_mute(self, since_wall: float) -> SourceError | None:
        """Break a connection that has brought no data since an epoch second; return what broke."""
        ...

    async def watch(self, symbol: str) -> None:
        """Follow what tells how late the data is and how far the source has come."""
        ...

    async def subscribe(self, symbol: str, minutes: int, count: int) -> History:
        """Return the history so far and let every later change appear in `updates`."""
        ...

    def updates(self) -> AsyncIterator[BarUpdate]:
        """Iterate over the changes of all series, in the order received."""
        ...


class CandleStream(Protocol):
    """Tells how candles form."""

    def connect(self) -> AbstractAsyncContextManager[StreamSession]:
        """Open a connection."""
        ...


# The newest archived answer of the current session to a question, by our words for it; None without
# one that could be read. So that no two processes ask the same.
Recall = Callable[[Mapping[str, Any]], bytes | None]


class Opened(NamedTuple):
    """A source's clients by the role that each fills; None for what it cannot do.

    `left` tells how many requests the day still allows; None where nobody counts them. `access`
    tells what is known of the account: how late its data is, until when its token is good.
    """

    listings: Listings | None = None
    history: HistorySource | None = None
    stream: CandleStream | None = None
    ladders: ChainLadders | None = None
    build_ups: BuildUpSource | None = None
    left: Callable[[], int] | None = None
    access: Callable[[], Access] | None = None
