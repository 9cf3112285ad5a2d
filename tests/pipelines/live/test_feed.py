"""The feed over a generated day, from real sockets into a real database."""

import signal
from datetime import UTC, date, datetime, timedelta

import pytest

from db.archive.source_status import read_access
from db.market.frames import Range
from db.server.connection import connect
from db.signals.greeks import coverage
from db.writing.bulk import write
from db.writing.relations import LIVE_CANDLE
from db.writing.rows import Candle
from pipelines.signals.greeks import materialise_greeks
from simulator.generate import generate
from strategy.contract import UNDERLYINGS
from strategy.session import interval_opens, session_hours
from tests.live import FAST, feed, run_session, simulated_market, wait_for_close, wait_for_rows
from tests.long import in_full

DAY = date(2026, 1, 21)
NAMES = ("NIFTY",)
SPEED = 900


@pytest.fixture(scope="module")
def session_database(fresh_database) -> str:
    """A database after one undisturbed session."""
    with fresh_database() as dsn:
        with simulated_market(dsn, DAY, SPEED, *FAST, underlyings=NAMES) as market:
            run_session(market)
        yield dsn


def candles(dsn: str, symbols: tuple[str, ...] = ()) -> dict:
    """Return what is stored, without the times it became known."""
    with connect(dsn) as connection:
        rows = connection.execute(
            "select symbol, open_time, open, high, low, close, volume, final from candle"
            " where interval_minutes = 1 and (%(all)s or symbol = any(%(symbols)s))",
            {"all": not symbols, "symbols": list(symbols)},
        ).fetchall()
    return {row[:2]: row[2:] for row in rows}


def test_every_stored_candle_is_the_markets_own_and_final(session_database: str):
    market = generate(DAY, 7, NAMES)
    stored = candles(session_database)
    assert len({symbol for symbol, _ in stored}) > 20
    for symbol in {symbol for symbol, _ in stored}:
        moments = [moment for name, moment in sorted(stored) if name == symbol]
        assert moments == interval_opens(DAY, 1)
        for candle in market.find(symbol).candles:
            volume = None if symbol in UNDERLYINGS else candle.volume
            prices = (candle.open, candle.high, candle.low, candle.close)
            moment = datetime.fromtimestamp(candle.open_time, UTC)
            assert stored[symbol, moment] == (*prices, volume, True)


def test_every_state_of_a_forming_candle_that_was_stored_is_kept(session_database: str):
    with connect(session_database) as connection:
        kept, outside, late = connection.execute(
            "select count(*), count(*) filter (where forming.open <> candle.open"
            "   or forming.high > candle.high or forming.low < candle.low),"
            " count(*) filter (where forming.known_at >= candle.known_at)"
            " from forming join candle using (symbol, interval_minutes, open_time)"
        ).fetchone()
        written, finals = connection.execute(
            "select (select count(*) from change_log where relation = 'candle'),"
            " (select count(*) from candle)"
            " + (select count(*) from revision where relation = 'candle')"
        ).fetchone()
    assert kept == written - finals > 1_000
    assert (outside, late) == (0, 0)


def test_every_planted_episode_gives_its_signal_or_meets_the_loss_limit(session_database: str):
    market = generate(DAY, 7, NAMES)
    with connect(session_database) as connection:
        found = connection.execute(
            "select underlying, direction, event_time - interval '5 minutes' from signal"
            " where withdrawn_at is null and strategy = 'delta_volume'"
            " union all"
            " select underlying, details ->> 'direction', event_time - interval '5 minutes'"
            " from signal_rejection where reason = 'daily_loss_limit'"
            " and strategy = 'delta_volume'"
        ).fetchall()
    planted = {
        (
            episode.underlying,
            "BULLISH" if episode.option_type == "C" else "BEARISH",
            episode.open_time,
        )
        for episode in market.episodes
    }
    assert len(planted) >= 6
    assert planted <= set(found)


def test_every_traded_option_candle_has_greeks(session_database: str):
    with connect(session_database) as connection:
        whole = Range(DAY, DAY)
        found = coverage(connection, whole, NAMES)
        assert found.greeks > 7_500
        assert (found.without_forward, found.without_volatility) == (0, 0)
        assert materialise_greeks(connection, whole, NAMES) == (0, 0)


def test_build_ups_of_every_cluster_are_complete_and_in_lots(session_database: str):
    with connect(session_database) as connection:
        short = connection.execute(
            "select symbol, count(*) from build_up group by symbol having count(*) <> 75"
        ).fetchall()
        odd = connection.execute(
            "select count(*) from build_up join contract using (symbol)"
            " where open_interest % lot_size <> 0 or volume % lot_size <> 0"
        ).fetchone()
        unparsed = connection.execute(
            "select count(*) from raw_payload where parser_error is not null"
        ).fetchone()
    assert short == []
    assert odd == (0,)
    assert unparsed == (0,)


@in_full
def test_a_feed_killed_in_mid_session_ends_with_the_same_candles(
    session_database: str, database: str, rounds: int
):
    # Slower where it is killed more often, so that the session outlasts all of its feeds.
    with simulated_market(database, DAY, SPEED / rounds, *FAST, underlyings=NAMES) as market:
        for _ in range(3 * rounds):
            with feed(market) as process:
                wait_for_rows(database, 300 // rounds)
                process.send_signal(signal.SIGKILL)
        with feed(market) as process:
            wait_for_close(process)
    assert candles(database) == candles(session_database)
    assert signals(database) == signals(session_database)


@in_full
def test_a_source_cut_off_in_mid_session_leaves_no_wrong_candle(
    session_database: str, database: str
):
    with (
        simulated_market(database, DAY, SPEED, *FAST, underlyings=NAMES) as market,
        feed(market) as process,
    ):
        for _ in range(2):
            wait_for_rows(database, 1_000)
            market.simulator.restart()
        wait_for_close(process)
    assert candles(database) == candles(session_database)
    assert signals(database) == signals(session_database)


@in_full
def test_an_account_that_is_late_all_day_ends_with_the_same_rows_and_says_so(
    session_database: str, database: str
):
    delayed = (*FAST, "--delayed", "900")
    with simulated_market(database, DAY, SPEED, *delayed, underlyings=NAMES) as market:
        run_session(market)
    assert candles(database) == candles(session_database)
    assert signals(database) == signals(session_database)
    with connect(database) as connection:
        assert read_access(connection)["tradingview"].delay_seconds == 900
        early = connection.execute(
            "select symbol, open_time, known_at from candle where final"
            " and known_at < open_time + make_interval(mins => interval_minutes, secs => 900)"
        ).fetchall()
        assert early == []
        newest = connection.execute(
            "select min(known_at - event_time) from signal where withdrawn_at is null"
        ).fetchone()
    assert newest[0] >= timedelta(seconds=900)


def test_ladders_are_kept_while_the_other_source_is_down(session_database: str, database: str):
    with simulated_market(database, DAY, SPEED, minutes_in=30, underlyings=NAMES) as market:
        environment = market.environment | {"TRADINGVIEW_URL": "ws://127.0.0.1:9/nobody"}
        with feed(market._replace(environment=environment)):
            wait_for_rows(database, 600, "chain_oi")
    with connect(database) as connection:
        states = dict(connection.execute("select source, state from source_status").fetchall())
        assert states == {"tradingview": "down", "trendlyne": "up"}
        for empty in ("candle", "build_up", "signal"):
            assert connection.execute(f"select count(*) from {empty}").fetchone() == (0,)
        kept = (
            "select strike, observed_at, call_oi, put_oi, call_prev_oi, put_prev_oi from chain_oi"
        )
        rows = set(connection.execute(kept).fetchall())
    with connect(session_database) as connection:
        assert rows <= set(connection.execute(kept).fetchall())


def signals(dsn: str) -> list:
    with connect(dsn) as connection:
        return connection.execute(
            "select signal_id, entry, reasons::text from signal where withdrawn_at is null"
            " order by signal_id"
        ).fetchall()


def test_a_feed_deletes_the_states_that_are_older_than_told(database: str):
    opens = session_hours(DAY)[0]
    stated = (opens - timedelta(days=2), opens - timedelta(hours=20))
    with connect(database) as connection:
        write(connection, LIVE_CANDLE, [state_of("NIFTY", moment) for moment in stated])
        with simulated_market(database, DAY, 60) as market:
            environment = market.environment | {"FORMING_DAYS": "1"}
            with feed(market._replace(environment=environment)):
                wait_for_rows(database, 100)
        kept = connection.execute("select min(open_time) from forming").fetchone()
    assert kept == (stated[1],)


def state_of(symbol: str, open_time: datetime) -> Candle:
    known_at = open_time + timedelta(seconds=20)
    prices = (25_000.0,) * 4
    return Candle(symbol, 1, open_time, symbol, *prices, None, None, "simulator", known_at, False)


def test_a_second_feed_says_that_one_runs(database: str):
    with simulated_market(database, DAY, 60) as market, feed(market) as first:
        assert "following session" in first.stderr.readline()
        with feed(market) as second:
            assert second.wait(30) == 1
            assert "a feed runs on this database already" in second.stderr.read()
