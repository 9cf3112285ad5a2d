"""From archived answers to rows: the same functions live and in a rebuild.

Nothing here looks at a clock or a source. Every time comes from the receipt, so that the archive
alone gives the same rows again.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import pandas as pd
from psycopg import Connection

from db.archive.raw_payloads import Receipt
from db.market.frames import listed_contracts, newest_build_up
from db.market.gaps import EmptySeries, note_empty
from db.writing.bulk import BUILD_UP, CANDLE, CHAIN_OI, CONTRACT, LIVE_CANDLE, write
from db.writing.rows import BuildUp, Candle, ChainOi
from db.writing.rows import Contract as ContractRow
from pipelines.ingest.answers import build_ups_of, chain_of, require_readable, stream_bars
from pipelines.ingest.bars import Series, candle_rows, empty_opens
from pipelines.ingest.candle_book import CandleBook
from pipelines.ingest.plan import BUILD_UP_MINUTES, DEEPEST
from pipelines.sources.series import Bar
from pipelines.sources.tradingview.wire import (
    parse_history,
)
from pipelines.sources.trendlyne.parse import (
    BuildUpRow,
    Chain,
    parse_expiries,
    parse_stock_id,
)
from strategy.build_up import label_build_ups
from strategy.contract import Contract, OptionType, lot_size, parse_symbol
from strategy.session import interval_opens

# A row counts as ended only so long after its interval: the source may serve it unfinished.
SETTLE = timedelta(seconds=5)
# An interval that others' rows have and this contract's answer has not, so long after its end.
SURELY_EMPTY = timedelta(minutes=5)


class Derived(NamedTuple):
    """How many rows of each table changed, and why parts of the answer are no rows."""

    candles: int = 0
    contracts: int = 0
    chain_rows: int = 0
    build_ups: int = 0
    refused: tuple[str, ...] = ()


class Deriver:
    """Writes what the archived answers of one session say, taken in the order received."""

    def __init__(
        self, connection: Connection[Any], session: date, *, keeps_forming: bool = False
    ) -> None:
        """Write to a database.

        Args:
            connection: In autocommit mode.
            session: Of the rows.
            keeps_forming: Keep the states of forming candles: for the live feed, since what is
                derived again later was seen by nobody.
        """
        self.session = session
        self._connection = connection
        self._candles = LIVE_CANDLE if keeps_forming else CANDLE
        self._books: dict[str, CandleBook] = {}

    def take(self, receipt: Receipt) -> Derived:
        """Derive the rows of one receipt; a stream's wait for `write_stream`.

        Raises:
            SourceError: The answer cannot be used.
        """
        about, body = receipt.about, receipt.body
        parsers: dict[str, Callable[[], Derived]] = {
            "search": lambda: _only(parse_stock_id(body, about["underlying"])),
            "expiries": lambda: _only(parse_expiries(body)),
            "chain": lambda: self.chain(
                receipt, chain_of(receipt, date.fromisoformat(about["expiry"]))
            ),
            "build_ups": lambda: self.build_ups(receipt, build_ups_of(receipt, self.session)),
            "history": lambda: self.history(receipt, parse_history(body, about["chart"])),
            "stream": lambda: self.stream(receipt, stream_bars(body, about["charts"])),
            "malformed": lambda: _malformed(body),
        }
        return parsers.get(about.get("kind", ""), Derived)()

    def history(self, receipt: Receipt, bars: Sequence[Bar]) -> Derived:
        """Write the candles of a history, and which intervals it leaves out.

        A subscription's newest bar is where its stream goes on.
        """
        about = receipt.about
        series = Series(about["symbol"], about["minutes"], self.session, receipt.source)
        rows = candle_rows(series, bars, receipt.complete_to, receipt.received_at)
        changed = write(self._connection, self._candles, rows.candles)
        whole = len(bars) < about["count"] < DEEPEST
        note_empty(
            self._connection,
            EmptySeries("candle", series.symbol, series.minutes, series.source),
            empty_opens(series, bars, whole=whole, complete=receipt.complete_to),
            receipt.received_at,
        )
        if connection := about.get("connection"):
            book = self.book(connection, receipt.source)
            book.take(series.symbol, series.minutes, bars[-1:], receipt.received_at)
        return Derived(candles=changed, refused=tuple(rows.refused))

    def stream(self, receipt: Receipt, bars: Sequence[tuple[str, int, list[Bar]]]) -> Derived:
        """Take one part of a stream in; `write_stream` writes the candles it changes."""
        book = self.book(receipt.about["connection"], receipt.source)
        for symbol, minutes, found in bars:
            book.take(symbol, minutes, found, receipt.received_at)
        book.settle(receipt.received_at, timedelta(seconds=receipt.about["grace"]))
        refused, book.refused = tuple(book.refused), []
        return Derived(candles=book.waiting, refused=refused)

    def write_stream(self) -> list[Candle]:
        """Write the candles that a stream changed or, by silence, made final; return them."""
        rows = [row for book in self._books.values() for row in book.drain()]
        if rows:
            write(self._connection, self._candles, rows)
        return rows

    def book(self, connection: str, source: str) -> CandleBook:
        """Return a connection's candles; what formed on an earlier one tells nothing final."""
        if connection not in self._books:
            self.write_stream()
            self._books = {connection: CandleBook(self.session, source)}
        return self._books[connection]

    def chain(self, receipt: Receipt, chain: Chain) -> Derived:
        """Write the listed contracts and the open interest of a strike ladder.

        Before the first minutes, and off hours, the last session is answered: nothing to write
        but the strikes, which are listed from the morning on.
        """
        about, connection = receipt.about, self._connection
        expiry = date.fromisoformat(about["expiry"])
        today = chain.trading_date == self.session
        listed = listed_contracts(connection, self.session, about["underlying"])
        rows = [] if listed and not today else self._contracts(receipt, expiry, chain)
        contracts = write(connection, CONTRACT, rows)
        ladder = [
            ChainOi(
                *(about["underlying"], expiry, row.strike, chain.observed_at),
                *(row.call_oi, row.put_oi, row.call_prev_oi, row.put_prev_oi),
                source=receipt.source,
                known_at=receipt.received_at,
            )
            for row in (chain.rows if today else ())
        ]
        return Derived(contracts=contracts, chain_rows=write(connection, CHAIN_OI, ladder))

    def _contracts(self, receipt: Receipt, expiry: date, chain: Chain) -> list[ContractRow]:
        underlying = receipt.about["underlying"]
        kinds: tuple[OptionType, ...] = ("C", "P")
        options = [
            Contract(underlying, expiry, row.strike, kind) for row in chain.rows for kind in kinds
        ]
        return [
            ContractRow(
                *(option.symbol, *option),
                lot_size=lot_size(underlying, expiry),
                first_seen=self.session,
                last_seen=self.session,
                source=receipt.source,
            )
            for option in options
        ]

    def build_ups(self, receipt: Receipt, rows: Sequence[BuildUpRow]) -> Derived:
        """Write the ended rows of one contract, and which intervals nothing was traded in."""
        symbol = receipt.about["symbol"]
        contract = parse_symbol(symbol)
        if contract is None:
            raise ValueError(f"{symbol} is no option")
        ended = [row for row in rows if row.close_time + SETTLE <= receipt.asked_at]
        changed = write(
            self._connection,
            BUILD_UP,
            build_up_rows(symbol, contract.underlying, ended, receipt.source, receipt.received_at),
        )
        newest = newest_build_up(self._connection, self.session, contract.underlying)
        published = min(
            newest or receipt.asked_at,
            receipt.asked_at - SURELY_EMPTY - timedelta(minutes=BUILD_UP_MINUTES),
        )
        there = {row.open_time for row in rows}
        last = max(there, default=published)
        note_empty(
            self._connection,
            EmptySeries("build_up", symbol, BUILD_UP_MINUTES, receipt.source),
            [
                moment
                for moment in interval_opens(self.session, BUILD_UP_MINUTES)
                if moment not in there and (moment < last or moment <= published)
            ],
            receipt.received_at,
        )
        return Derived(build_ups=changed)


def _only(_parsed: object) -> Derived:
    """Return that an answer could be parsed and makes no rows."""
    return Derived()


def _malformed(body: bytes) -> Derived:
    """Return that a message can be parsed by now; whose it was is lost with its connection."""
    require_readable(body)
    return Derived(refused=("can be parsed now: ingest the session again",))


def build_up_rows(
    symbol: str, underlying: str, rows: list[BuildUpRow], source: str, known_at: datetime
) -> list[BuildUp]:
    """Return the rows of one contract and session with our own label and change."""
    frame = pd.DataFrame(
        {
            "symbol": symbol,
            "open_time": pd.to_datetime([row.open_time for row in rows], utc=True),
            "close": [row.close for row in rows],
            "open_interest": pd.array([row.open_interest for row in rows], dtype="Int64"),
        }
    )
    if not rows:
        return []
    labelled = label_build_ups(frame)
    changes = labelled["oi_change"].astype(object)
    return [
        BuildUp(
            symbol=symbol,
            open_time=row.open_time,
            underlying=underlying,
            close_time=row.close_time,
            close=row.close,
            open_interest=row.open_interest,
            oi_change=None if pd.isna(change) else int(change),
            volume=row.volume,
            label=label,
            source=source,
            known_at=known_at,
        )
        for row, change, label in zip(rows, changes, labelled["label"], strict=True)
    ]
