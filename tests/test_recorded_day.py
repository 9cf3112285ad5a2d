"""A recorded day played live through the simulator ends with the batch command's signals."""

from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pandas as pd
import pytest
from psycopg.rows import dict_row, namedtuple_row

from db.market.frames import Range
from db.server.connection import connect, database_name, with_database
from optionscalp.stack import free_port
from pipelines.recorded.files import read_file
from pipelines.recorded.importer import import_rows
from pipelines.signals.materialise import materialise_signals
from pipelines.signals.outcomes import materialise_outcomes
from strategy.contract import UNDERLYINGS
from strategy.outcomes import HORIZONS
from strategy.session import IST, session_hours
from tests.demo import demo
from tests.live import FAST, grows, run_session, simulated_market
from tests.long import in_full
from tests.strategy import plain_delta_volume as plain
from tests.strategy import plain_trades

FILE = "nifty_banknifty_5m_2026-01-22_2026-02-02.parquet"
EQUAL_COLUMNS = """
signal_id, strategy, version, underlying, session, event_time, symbol, direction, kind, atm_strike,
spot, net_delta_volume, strikes, entry, stop, target1, target2, reasons::text, params_hash,
input_watermark
"""
DAYS = (
    *(date(2026, 1, 22), date(2026, 1, 27), date(2026, 1, 28), date(2026, 1, 29)),
    *(date(2026, 1, 30), date(2026, 2, 1), date(2026, 2, 2)),
)
KILLS = 4
SPEED = 150
# At such speeds a ladder's five minutes are over in two seconds, and after each kill the missed
# ones are asked for again: more requests than a day at the market's own pace needs.
ALLOWANCE = {"TRENDLYNE_REQUESTS_PER_SESSION": "1000"}
TICKING = 120  # with Dagster, whose schedules tick once a minute of this computer
ALL_RUNS_ENDED = """
select (count(*) = 0)::integer from runs where status not in ('SUCCESS', 'FAILURE', 'CANCELED')
"""
STANDING = (
    "select " + EQUAL_COLUMNS + " from signal where session = %s and withdrawn_at is null"
    " order by signal_id"
)

# A played contract is listed from its first row on, whenever the feed asked.
LISTED_OTHERWISE = """
select count(first), count(*) filter (where listed_at is distinct from first)
  from contract c
  left join (select symbol, min(open_time + make_interval(mins => interval_minutes)) as first
               from candle group by symbol) k using (symbol)
"""


@pytest.fixture(scope="module")
def batch(server_dsn: str, shared_data: Path, fresh_database) -> str:
    """A database with the recorded sessions and their signals."""
    with fresh_database() as dsn:
        with connect(dsn) as connection:
            parsed = read_file(shared_data / FILE)
            assert parsed.rejected == []
            report = import_rows(connection, parsed)
            assert (report.rows, report.candles) == (133_567, 133_567)
            assert import_rows(connection, parsed)[1:4] == (0, 0, 0)
            sessions = Range(date(2026, 1, 22), date(2026, 2, 2))
            materialise_signals(connection, sessions, UNDERLYINGS, datetime.now(UTC))
        yield dsn


def test_every_recorded_session_has_build_ups_and_signals(batch: str):
    with connect(batch) as connection:
        build_ups = connection.execute(
            "select count(distinct (open_time at time zone 'Asia/Kolkata')::date) from build_up"
        ).fetchone()
        signals = connection.execute(
            "select count(distinct session), count(*) from signal"
        ).fetchone()
        limited = connection.execute(
            "select count(*) from signal_rejection where reason = 'daily_loss_limit'"
        ).fetchone()
    assert build_ups == (7,)
    assert signals[0] >= 6
    assert limited[0] > 5
    assert signals[1] + limited[0] > 40
    assert signals[1] > 30


def plain_inputs(path: Path) -> tuple[list[dict], list[dict], list[dict]]:
    """Build-ups, reference prices and strikes as the plain reading takes them, from the file."""
    rows = [
        {name: None if pd.isna(value) else value for name, value in row.items()}
        for row in pd.read_parquet(path).to_dict("records")
    ]
    build_ups = []
    seen: dict[str, dict] = {}
    prices: dict[tuple[str, datetime], dict] = {}
    for row in sorted(rows, key=itemgetter("ts")):
        row["open_time"] = row["ts"].to_pydatetime()
        row["session"] = row["open_time"].astimezone(IST).date()
        row["known_at"] = row["open_time"] + timedelta(minutes=5)
        if row["expiry"] is None:
            name = "spot" if row["symbol"] == row["underlying"] else "future"
            price = prices.setdefault(
                (row["underlying"], row["open_time"]),
                {name: row[name] for name in ("session", "underlying", "open_time")},
            )
            price |= {name: row["close"], f"{name}_known_at": row["known_at"]}
            continue
        row |= {"open_interest": row["oi"], "strike": int(row["strike"])}
        build_ups.append(row)
        first = {"first_seen": row["session"], "listed_at": row["known_at"]}
        seen.setdefault(row["symbol"], row | first)
    return build_ups, list(prices.values()), list(seen.values())


class Candidate(NamedTuple):
    """What the plain loss limit reads of a candidate."""

    signal_id: UUID
    symbol: str
    session: date
    event_time: datetime
    known_at: datetime
    entry: float
    stop: float
    target1: float
    entry_order: str = "market"


def plainly_limited(
    signals: list[dict], path: Path
) -> tuple[dict[UUID, datetime], dict[UUID, list[UUID]]]:
    """When the signals that stand were known, and by which losers the others were stopped."""
    lines = [
        (
            *(row.symbol, row.ts.astimezone(IST).date(), 5, row.ts),
            *(row.open, row.high, row.low, row.close, row.ts + timedelta(minutes=5)),
        )
        for row in pd.read_parquet(path).sort_values("ts").itertuples()
    ]
    candles = plain_trades.candles_of(lines)
    kept, blocked = {}, {}
    days = {(signal["session"], signal["underlying"]) for signal in signals}
    for day in days:
        candidates = [
            Candidate(*(signal[name] for name in Candidate._fields[:-1]))
            for signal in signals
            if (signal["session"], signal["underlying"]) == day
        ]
        standing, stopped = plain_trades.limit(candidates, candles, losing_trades=2)
        kept |= dict(standing)
        blocked |= {signal_id: losers for signal_id, losers, _ in stopped}
    return kept, blocked


def test_the_stored_signals_equal_a_plain_reading_of_the_file(batch: str, shared_data: Path):
    candidates, against = plain.evaluate(*plain_inputs(shared_data / FILE))
    known, blocked = plainly_limited(candidates, shared_data / FILE)
    assert len(candidates) > 40
    assert len(blocked) > 10
    with connect(batch) as connection, connection.cursor(row_factory=dict_row) as cursor:
        stored = cursor.execute(
            "select * from signal where strategy = 'delta_volume' order by signal_id"
        ).fetchall()
        rejected = cursor.execute(
            "select underlying, session, event_time, reason, nullif(symbol, '') as symbol, details"
            " from signal_rejection where strategy = 'delta_volume'"
        ).fetchall()
    expected = [
        signal | {"known_at": known[signal["signal_id"]]}
        for signal in sorted(candidates, key=lambda signal: str(signal["signal_id"]))
        if signal["signal_id"] in known
    ]
    assert [{name: row[name] for name in candidates[0]} for row in stored] == expected
    names = ("underlying", "session", "event_time", "reason", "symbol")
    limited = [
        signal | {"reason": "daily_loss_limit"}
        for signal in candidates
        if signal["signal_id"] in blocked
    ]
    assert sorted(str({name: row[name] for name in names}) for row in rejected) == sorted(
        str({name: row[name] for name in names}) for row in against + limited
    )
    losers = {
        (row["event_time"], row["symbol"]): row["details"]["losing_signals"]
        for row in rejected
        if row["reason"] == "daily_loss_limit"
    }
    for signal in limited:
        named = losers[signal["event_time"], signal["symbol"]]
        losing = [str(one) for one in blocked[signal["signal_id"]]]
        assert [loser["signal_id"] for loser in named] == losing


def test_computing_again_changes_nothing(batch: str):
    with connect(batch) as connection:
        sessions = Range(date(2026, 1, 22), date(2026, 2, 2))
        stored = materialise_signals(connection, sessions, UNDERLYINGS, datetime.now(UTC))
    assert (stored.written, stored.withdrawn, stored.rejections) == (0, 0, 0)


CANDLES = """
select symbol, (open_time at time zone 'Asia/Kolkata')::date, interval_minutes, open_time,
       open, high, low, close, known_at
  from candle
 where symbol in (select symbol from signal) order by symbol, open_time
"""
SIGNALS = (
    "select signal_id, session, symbol, known_at, entry, stop, target1, entry_order from signal"
)
OUTCOMES = """
select signal_id, horizon_minutes, exit_reason, hit, entered_at, entry_price, exited_at, exit_price,
       mfe_points, mae_points, gross_points
  from signal_outcome_case where history = 'corrected' and fills = 0
"""


def test_outcomes_of_the_recorded_sessions_equal_a_plain_reading_of_their_candles(batch: str):
    sessions = Range(date(2026, 1, 22), date(2026, 2, 2))
    with connect(batch) as connection:
        computed = materialise_outcomes(connection, sessions, UNDERLYINGS)
        candles = plain_trades.candles_of(connection.execute(CANDLES))
        with connection.cursor(row_factory=namedtuple_row) as cursor:
            signals = cursor.execute(SIGNALS).fetchall()
        with connection.cursor(row_factory=dict_row) as cursor:
            stored = {
                (row.pop("signal_id"), row.pop("horizon_minutes")): row
                for row in cursor.execute(OUTCOMES)
            }
        assert materialise_outcomes(connection, sessions, UNDERLYINGS)[4:] == (0, 0)
    found = 0
    for signal in signals:
        close = session_hours(signal.session)[1]
        for minutes in HORIZONS:
            traded = candles[signal.symbol, signal.session]
            expected = plain_trades.outcome(signal, traded, minutes, close)
            row = stored.get((signal.signal_id, minutes))
            assert (row is None) == (expected is None)
            if expected is not None:
                found += 1
                points = [name for name in expected if name.endswith("_points")]
                expected |= {name: rounded(expected[name]) for name in points}
                assert {name: row[name] for name in expected} == expected
    # The recording ends early on most days: what lies behind its end cannot be told.
    assert (found, 4 * len(signals) - found) == (computed.outcomes, computed.unresolved)
    assert sum(minutes == 5 for _, minutes in stored) > 0.75 * len(signals)
    # Of candles of five minutes two begin in the ten after a signal.
    assert computed.outcomes < computed.random < 2 * computed.outcomes


def rounded(points: float | None) -> float | None:
    return None if points is None else round(points, 6)


def standing(dsn: str, day: date) -> list[tuple]:
    with connect(dsn) as connection:
        return connection.execute(STANDING, (day,)).fetchall()


def test_the_live_run_ends_with_the_same_signals(batch: str, database: str, shared_data: Path):
    """Though the index lacks four intervals, which are outages for everybody."""
    day = date(2026, 1, 30)
    with simulated_market(database, day, 1_200, *FAST, "--data", str(shared_data / FILE)) as market:
        run_session(market)
    with connect(database) as connection:
        sources = connection.execute("select distinct source from candle").fetchall()
        late = connection.execute("select count(*) from signal where known_at < event_time")
        assert late.fetchone() == (0,)
        listed, otherwise = connection.execute(LISTED_OTHERWISE).fetchone()
        assert (listed > 50, otherwise) == (True, 0)
    assert len(standing(batch, day)) > 5
    assert standing(database, day) == standing(batch, day)
    assert sources == [("simulator",)]


@in_full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("with_dagster", [False, True], ids=["alone", "with Dagster"])
def test_a_demo_whose_feed_is_killed_four_times_ends_with_the_same_signals(
    batch: str, home: Path, shared_data: Path, with_dagster: bool, day: date
):
    speed = TICKING if with_dagster else SPEED
    recorded = ("--data", str(shared_data / FILE), "--day", str(day), "--speed", str(speed))
    dagster = ("--dagster-port", str(free_port())) if with_dagster else ("--no-dagster",)
    with demo(home, *recorded, *dagster, **ALLOWANCE) as running:
        dsn = running.database()
        for _ in range(KILLS):
            grows(dsn, 1_000_000, 375 * 60 / speed / (KILLS + 1))
            running.part("-m pipelines").kill()
            running.read_until("ended .SIGKILL.")
        wait_until(dsn, "select count(*) from session_closed")
        if with_dagster:
            wait_until(with_database(dsn, f"{database_name(dsn)}_dagster"), ALL_RUNS_ENDED)
        assert standing(dsn, day) == standing(batch, day)


def wait_until(dsn: str, query: str) -> None:
    """Return when a query gives anything but zero; look at whatever is written, or each second."""
    with connect(dsn) as connection:
        connection.execute("listen feed")
        while connection.execute(query).fetchone() == (0,):
            for _ in connection.notifies(timeout=1, stop_after=1):
                pass
