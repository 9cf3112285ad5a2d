"""From archived answers to rows: the same functions live and in a rebuild.

Nothing here looks at a clock or a source. Every time comes from the receipt, so that the archive
alone gives the same rows again.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection

from db.archive.raw_payloads import Receipt
from db.market.frames import listed_contracts, newest_build_up
from db.market.gaps import EmptySeries, note_empty
from db.market.interval_positions import IntervalPosition
from db.market.listings import PLAYED, known_by_rows
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CHAIN_OI, CONTRACT, LIVE_CANDLE, QUOTE
from db.writing.rows import Candle, ChainOi
from db.writing.rows import Contract as ContractRow
from pipelines.ingest.answers import AFTER_CLOSE, read
from pipelines.ingest.bars import Series, candle_rows, empty_opens
from pipelines.ingest.build_ups import labelled
from pipelines.ingest.candle_book import CandleBook
from pipelines.ingest.plan import BUILD_UP_MINUTES, DEEPEST
from pipelines.ingest.quotes import ladder_quotes
from pipelines.sources.roles import Bars, BuildUpRows, Ladder, ListedContract, Listing
from pipelines.sources.series import Bar
from strategy.contract import Contract, OptionType, lot_size, parse_symbol
from strategy.session import interval_opens, session_hours, session_of

# A row counts as ended only so long after its interval: the source may serve it unfinished.
SETTLE = timedelta(seconds=5)
# An interval that others' rows have and this contract's answer has not, so long after its end.
SURELY_EMPTY = timedelta(minutes=5)

_ANY_TIME = datetime.min.replace(tzinfo=UTC)


class Derived(NamedTuple):
    """How many rows of each table changed, and why parts of the answer are no rows.

    `ladder` is the strike ladder that the answer was, for whoever asked.
    """

    candles: int = 0
    contracts: int = 0
    chain_rows: int = 0
    build_ups: int = 0
    refused: tuple[str, ...] = ()
    ladder: Ladder | None = None


class Deriver:
    """Writes what the archived answers of one session say, taken in the order received."""

    def __init__(
        self,
        connection: Connection[Any],
        session: date,
        *,
        keeps_forming: bool = False,
        alone: bool = False,
    ) -> None:
        """Write to a database.

        Args:
            connection: In autocommit mode.
            session: Of the rows.
            keeps_forming: Keep the states of forming candles: for the live feed, since what is
                derived again later was seen by nobody.
            alone: Nobody else writes, so that candles which a source has told are not written
                when it tells the same again: a broker's answers are the whole day each time.
        """
        self.session = session
        self._connection = connection
        self._candles = LIVE_CANDLE if keeps_forming else CANDLE
        self._books: dict[str, CandleBook] = {}
        self._told: dict[tuple[Any, ...], Candle] | None = {} if alone else None

    def take(self, receipt: Receipt) -> Derived:
        """Derive the rows of one receipt; a stream's wait for `write_stream`.

        Raises:
            SourceError: The answer cannot be used.
        """
        match read(receipt, self.session):
            case Bars() as found:
                return self.history(receipt, found.bars, found.refused)
            case list() as changes:
                return self.stream(receipt, changes)
            case Listing() as listing:
                return self.listing(receipt, listing.contracts, listing.refused)
            case Ladder() as ladder:
                return self.ladder(receipt, ladder)
            case BuildUpRows() as found:
                return self.build_ups(receipt, found)
            case _:
                return Derived()

    def history(
        self, receipt: Receipt, bars: Sequence[Bar], refused: tuple[str, ...] = ()
    ) -> Derived:
        """Write the candles of a history, and which intervals it leaves out.

        A subscription's newest bar is where its stream goes on. Where parts of the answer are no
        bars, an interval without one is not one in which nothing was traded.
        """
        about = receipt.about
        series = Series(about["symbol"], about["minutes"], self.session, receipt.source)
        rows = candle_rows(series, bars, receipt.complete_to, receipt.received_at)
        changed = write(self._connection, self._candles, self._news(rows.candles))
        self._played(rows.candles)
        whole = about.get("whole") or len(bars) < about["count"] < DEEPEST
        note_empty(
            self._connection,
            EmptySeries("candle", series.symbol, series.minutes, series.source),
            [] if refused else empty_opens(series, bars, whole=whole, complete=receipt.complete_to),
            receipt.received_at,
            over=bool(about.get("whole")) and self._over(receipt),
        )
        if connection := about.get("connection"):
            book = self.book(connection, receipt.source)
            book.take(series.symbol, series.minutes, bars[-1:], receipt.received_at)
        return Derived(candles=changed, refused=(*refused, *rows.refused))

    def _news(self, rows: list[Candle]) -> list[Candle]:
        """Leave out what would write nothing."""
        told = self._told
        if told is None:
            return rows
        news = [row for row in rows if told.get(_key(row)) != row._replace(known_at=_ANY_TIME)]
        told.update((_key(row), row._replace(known_at=_ANY_TIME)) for row in news)
        return news

    def stream(self, receipt: Receipt, changes: Sequence[Bars]) -> Derived:
        """Take one part of a stream in; `write_stream` writes the candles it changes."""
        book = self.book(receipt.about["connection"], receipt.source)
        for symbol, minutes, found, unread in changes:
            if unread or not found:  # what forms may be another by now
                book.drop(symbol, minutes)
            book.take(symbol, minutes, found, receipt.received_at)
            book.refused += unread
        book.settle(receipt.received_at, timedelta(seconds=receipt.about["grace"]))
        refused, book.refused = tuple(book.refused), []
        return Derived(candles=book.waiting, refused=refused)

    def write_stream(self) -> list[Candle]:
        """Write the candles that a stream changed or, by silence, made final; return them."""
        rows = [row for book in self._books.values() for row in book.drain()]
        if self._told:
            for row in rows:
                self._told.pop(_key(row), None)
        if rows:
            write(self._connection, self._candles, rows)
            self._played(rows)
        return rows

    def _played(self, rows: Sequence[Candle]) -> None:
        """Note the contracts of a played market: each is listed from its first row on."""
        for minutes in {row.interval_minutes for row in rows if row.source == PLAYED}:
            mine = [row for row in rows if row.interval_minutes == minutes]
            starts = ((row.symbol, row.open_time) for row in mine)
            known_by_rows(self._connection, starts, minutes)

    def book(self, connection: str, source: str) -> CandleBook:
        """Return a connection's candles; what formed on an earlier one tells nothing final."""
        if connection not in self._books:
            self.write_stream()
            self._books = {connection: CandleBook(self.session, source)}
        return self._books[connection]

    def listing(
        self,
        receipt: Receipt,
        contracts: Sequence[ListedContract],
        refused: tuple[str, ...] = (),
    ) -> Derived:
        """Write the contracts that a source lists; its lot wins over the calendar's.

        Each was known when the answer came; of a session that was over by then, when it opened; of
        one that is played, with its first row.
        """
        listed_at: datetime | None = receipt.received_at
        if self._over(receipt):
            listed_at = session_hours(self.session)[0]
        elif receipt.source == PLAYED:
            listed_at = None
        rows = [
            ContractRow(
                *(found.symbol, found.underlying, found.expiry, found.strike, found.option_type),
                lot_size=found.lot_size or lot_size(found.underlying, found.expiry),
                first_seen=self.session,
                last_seen=self.session,
                source=receipt.source,
                listed_at=listed_at,
                tick_size=found.tick_size,
            )
            for found in contracts
        ]
        return Derived(contracts=write(self._connection, CONTRACT, rows), refused=refused)

    def _over(self, receipt: Receipt) -> bool:
        """Tell whether an answer came on a later day: nothing of the session was on its way."""
        return session_of(receipt.received_at) > self.session

    def ladder(self, receipt: Receipt, ladder: Ladder) -> Derived:
        """Write the listed contracts, the open interest and the quotes of a strike ladder.

        Before the first minutes, and off hours, the last session is answered: nothing to write
        but the strikes, which are listed from the morning on.
        """
        about, connection = receipt.about, self._connection
        underlying, expiry = about["underlying"], date.fromisoformat(about["expiry"])
        # An answer that names no day is of now: before the open that is the last session.
        opens, closes = session_hours(self.session)
        now = opens <= receipt.received_at < closes + AFTER_CLOSE
        today = ladder.trading_date == self.session or (ladder.trading_date is None and now)
        contracts = 0
        if today or not listed_contracts(connection, self.session, underlying):
            contracts = self.listing(receipt, _listed(ladder, underlying, expiry)).contracts
        moment = ladder.moment or receipt.received_at
        rows = [
            ChainOi(
                *(underlying, expiry, row.strike, ladder.counts_for or moment),
                *(row.call.open_interest if row.call else None,),
                *(row.put.open_interest if row.put else None,),
                *(row.call.previous_open_interest if row.call else None,),
                *(row.put.previous_open_interest if row.put else None,),
                source=receipt.source,
                known_at=receipt.received_at,
            )
            for row in (ladder.rows if today else ())
        ]
        chain_rows = write(connection, CHAIN_OI, rows)
        if today and (quotes := ladder_quotes(receipt, ladder, expiry, moment)):
            write(connection, QUOTE, quotes)
        return Derived(
            contracts=contracts, chain_rows=chain_rows, refused=ladder.refused, ladder=ladder
        )

    def build_ups(self, receipt: Receipt, found: BuildUpRows) -> Derived:
        """Write the ended rows of one contract, and which intervals nothing was traded in."""
        rows = found.rows
        symbol = receipt.about["symbol"]
        contract = parse_symbol(symbol)
        if contract is None:
            raise ValueError(f"{symbol} is no option")
        ended = [row for row in rows if row.close_time + SETTLE <= receipt.asked_at]
        changed = write(
            self._connection,
            BUILD_UP,
            labelled(
                [
                    IntervalPosition(
                        *(symbol, contract.underlying, row.open_time),
                        *(row.close, row.volume, row.open_interest),
                        source=receipt.source,
                        known_at=receipt.received_at,
                        made_from="rows",
                        backfilled=False,
                    )
                    for row in ended
                ]
            ),
        )
        if receipt.source == PLAYED:
            starts = ((symbol, row.open_time) for row in ended)
            known_by_rows(self._connection, starts, BUILD_UP_MINUTES)
        newest = newest_build_up(self._connection, self.session, contract.underlying)
        published = min(
            newest or receipt.asked_at,
            receipt.asked_at - SURELY_EMPTY - timedelta(minutes=BUILD_UP_MINUTES),
        )
        there = {row.open_time for row in rows}
        last = max(there, default=published)
        empty = [
            moment
            for moment in interval_opens(self.session, BUILD_UP_MINUTES)
            if moment not in there and (moment < last or moment <= published)
        ]
        # An interval whose row could not be used is not one without a trade.
        note_empty(
            self._connection,
            EmptySeries("build_up", symbol, BUILD_UP_MINUTES, receipt.source),
            [] if found.refused else empty,
            receipt.received_at,
        )
        return Derived(build_ups=changed, refused=found.refused)


def _key(row: Candle) -> tuple[Any, ...]:
    return row.source, row.symbol, row.interval_minutes, row.open_time


def _listed(ladder: Ladder, underlying: str, expiry: date) -> list[ListedContract]:
    """Return the contracts whose sides a ladder has."""
    kinds: tuple[OptionType, ...] = ("C", "P")
    options = [
        Contract(underlying, expiry, row.strike, kind)
        for row in ladder.rows
        for kind, side in zip(kinds, (row.call, row.put), strict=True)
        if side is not None
    ]
    return [ListedContract(option.symbol, *option) for option in options]
