"""The rows of recorded days, read from files, into `contract`, `candle` and `build_up`."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd
from psycopg import Connection

from db.market.recorded import imported_candles, stored_build_ups
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CONTRACT
from db.writing.rows import BuildUp, Candle, Contract
from pipelines.recorded.files import Parsed, RejectedRow
from strategy.build_up import label_build_ups
from strategy.contract import UNDERLYINGS, lot_size, parse_symbol
from strategy.session import IST

SOURCE = "import"
INTERVAL = ["symbol", "underlying", "interval_minutes", "ts", "close", "volume", "oi"]
WRITE_ROWS = 50_000


class ImportReport(NamedTuple):
    """What an import found and changed."""

    rows: int
    candles: int
    build_ups: int
    contracts: int
    rejected: list[RejectedRow]


def import_rows(
    connection: Connection[Any],
    parsed: Parsed,
    progress: Callable[[int], None] = lambda _: None,
    source: str = SOURCE,
) -> ImportReport:
    """Write checked rows; a second import of the same rows changes nothing.

    Args:
        connection: In autocommit mode.
        parsed: From `read_file`.
        progress: Called with the number of rows done so far.
        source: What to store as source: the demo's rows stay told apart from real ones.
    """
    rows = parsed.rows
    contracts = write(connection, CONTRACT, contract_rows(rows, source))
    # Before the candles are written: a file's own rows need not be read again.
    labelled = build_up_rows(five_minutes(*_with_stored(connection, rows, source), source), source)
    candles = done = 0
    for start in range(0, len(rows), WRITE_ROWS):
        part = rows.iloc[start : start + WRITE_ROWS]
        candles += write(connection, CANDLE, candle_rows(part, source))
        done += len(part)
        progress(done)
    build_ups = write(connection, BUILD_UP, labelled)
    return ImportReport(len(rows), candles, build_ups, contracts, parsed.rejected)


def candle_rows(rows: pd.DataFrame, source: str = SOURCE) -> list[Candle]:
    """Return candle rows; an imported value was known at its interval's end."""
    return [
        Candle(
            symbol=row.symbol,
            interval_minutes=int(row.interval_minutes),
            open_time=row.ts.to_pydatetime(),
            underlying=row.underlying,
            open=row.open,
            high=row.high,
            low=row.low,
            close=row.close,
            # An index trades nothing itself; sources send its constituents' volume.
            volume=None if row.symbol in UNDERLYINGS else _whole(row.volume),
            open_interest=_whole(row.oi),
            source=source,
            known_at=row.ts.to_pydatetime() + timedelta(minutes=int(row.interval_minutes)),
            final=True,
        )
        for row in _records(rows)
    ]


def _records(rows: pd.DataFrame) -> Iterator[Any]:
    yield from rows.itertuples()


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def contract_rows(rows: pd.DataFrame, source: str = SOURCE) -> list[Contract]:
    """Return the options of the rows with the sessions they were seen in.

    Nobody listed them: each was known with its first row.
    """
    options = rows[rows["option_type"].notna()]
    known = options["ts"] + pd.to_timedelta(options["interval_minutes"], unit="min")
    seen = pd.DataFrame({"ts": options["ts"], "known": known}).groupby(options["symbol"])
    spans = seen.agg(first=("ts", "min"), last=("ts", "max"), known=("known", "min"))
    found = []
    for symbol, *span in spans.itertuples(name=None):
        contract = parse_symbol(str(symbol))
        if contract is not None:
            lot = lot_size(contract.underlying, contract.expiry)
            first, last, listed_at = (moment.to_pydatetime() for moment in span)
            days = (first.astimezone(IST).date(), last.astimezone(IST).date())
            found.append(Contract(str(symbol), *contract, lot, *days, source, listed_at))
    return found


def _with_stored(
    connection: Connection[Any], rows: pd.DataFrame, source: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a file's rows with what earlier files had of their sessions, and the build-ups stored.

    A file may end in the middle of a session, or begin there.
    """
    options = rows[rows["option_type"].notna() & rows["oi"].notna()]
    symbols: dict[date, set[str]] = {}
    for session, symbol in zip(
        options["ts"].dt.tz_convert(IST).dt.date, options["symbol"], strict=True
    ):
        symbols.setdefault(session, set()).add(symbol)
    candles: list[tuple[Any, ...]] = []
    build_ups: list[tuple[Any, ...]] = []
    for session, names in symbols.items():
        candles += imported_candles(connection, session, sorted(names), source)
        build_ups += stored_build_ups(connection, session, sorted(names))
    earlier = _frame(candles, INTERVAL)
    return _first_of([options[INTERVAL], earlier]), _frame(build_ups, [*INTERVAL, "source"])


def _frame(rows: list[tuple[Any, ...]], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns)
    kinds = dict.fromkeys(("interval_minutes", "close", "volume", "oi"), "Float64")
    return frame.astype({**kinds, "ts": "datetime64[us, UTC]"})


def _first_of(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all, one per key: that of the first part that has it."""
    rows = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    rows = rows.drop_duplicates(["symbol", "interval_minutes", "ts"])
    return rows.sort_values(["symbol", "ts"], ignore_index=True)


def five_minutes(rows: pd.DataFrame, stored: pd.DataFrame, source: str = SOURCE) -> pd.DataFrame:
    """Return 5-minute rows with their source, stored build-ups included.

    Args:
        rows: Of options, with open interest, of 5 minutes or one. A 5-minute row is built only
            from five minutes; fewer would understate its volume, which is unknown where one of
            theirs is.
        stored: Build-ups of the same sessions; those received live win over the rows.
        source: Whose rows they are.
    """
    recorded = rows[rows["interval_minutes"] == 5]
    minutes = rows[rows["interval_minutes"] == 1].sort_values(["symbol", "ts"])
    buckets = minutes.groupby(["symbol", "underlying", minutes["ts"].dt.floor("5min")])
    built = buckets.agg(
        close=("close", "last"),
        volume=("volume", "sum"),
        known=("volume", "count"),
        oi=("oi", "last"),
        number=("ts", "size"),
    ).reset_index()
    built["volume"] = built["volume"].mask(built["known"] < built["number"])
    built = built[built["number"] == 5].assign(interval_minutes=5.0)
    live = stored["source"] != source
    ours = [part[INTERVAL].assign(source=source) for part in (recorded, built)]
    return _first_of([stored[live], *ours, stored[~live]])


def build_up_rows(rows: pd.DataFrame, source: str = SOURCE) -> list[BuildUp]:
    """Return build-ups of 5-minute rows, labelled, known at their interval's end.

    Rows that were received live give changes to those after them, and are left as they are.
    """
    frame = rows.rename(columns={"ts": "open_time", "oi": "open_interest"})
    frame = frame.astype({"close": "float64", "open_interest": "Int64"})
    labelled = label_build_ups(frame)
    built = []
    for row in _records(labelled[labelled["source"] == source]):
        open_time = row.open_time.to_pydatetime()
        close_time = open_time + timedelta(minutes=5)
        built.append(
            BuildUp(
                symbol=row.symbol,
                open_time=open_time,
                underlying=row.underlying,
                close_time=close_time,
                close=row.close,
                open_interest=_whole(row.open_interest),
                oi_change=_whole(row.oi_change),
                volume=_whole(row.volume),
                label=row.label,
                source=source,
                known_at=close_time,
            )
        )
    return built
