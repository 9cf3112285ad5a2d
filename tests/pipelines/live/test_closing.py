"""What is left to do after a session is done once, however often the feed is killed before."""

import signal
from datetime import date

import psycopg
import pytest

from db.server.connection import advisory_lock, connect
from db.writing.bulk import write
from db.writing.relations import CANDLE
from db.writing.rows import Candle
from pipelines.signals.greeks import GREEKS_LOCK
from tests.live import FAST, Market, feed, run_session, simulated_market

DAY = date(2026, 1, 21)
NAMES = ("NIFTY",)
SPEED = 150
LAST_MINUTES = 350
DERIVED = ("build_up", "greeks", "signal", "signal_rejection", "signal_outcome", "random_outcome")
VALUES = {
    "build_up": "symbol, open_time, close, open_interest, oi_change, volume, label",
    "greeks": "symbol, open_time, implied_volatility, delta",
    # What was given for some seconds, before a late candle took it back, depends on the machine.
    "signal where withdrawn_at is null": "signal_id, entry, reasons::text",
    # Which losing trades a rejection names, those known first, depends on the machine as well.
    "signal_rejection": (
        "strategy, version, event_time, reason, symbol, (details - 'losing_signals')::text"
    ),
    "check_state": "session, asset, check_name",
    # What they came to depends on when each signal was known, and that on the machine.
    "signal_outcome": "signal_id, horizon_minutes",
}
WAITS = """
select count(*) from pg_locks
 where locktype = 'advisory' and not granted and (classid::bigint << 32) | objid::bigint = %s
   and database = (select oid from pg_database where datname = current_database())
"""


@pytest.fixture(scope="module")
def undisturbed(fresh_database) -> dict[str, set[tuple]]:
    """What is derived of the day if nobody is killed."""
    with fresh_database() as dsn:
        with last_minutes(dsn) as market:
            run_session(market)
        found = values(dsn)
    assert all(found.values())
    return found


def last_minutes(dsn: str):
    """The day's market from some minutes before its close on."""
    return simulated_market(dsn, DAY, SPEED, *FAST, minutes_in=LAST_MINUTES, underlyings=NAMES)


def values(dsn: str) -> dict[str, set[tuple]]:
    with connect(dsn) as connection:
        return {
            name: set(connection.execute(f"select {columns} from {name}"))
            for name, columns in VALUES.items()
        }


def everything(dsn: str) -> dict[str, set[tuple]]:
    with connect(dsn) as connection:
        return {
            name: set(connection.execute(f"select {name}::text from {name}")) for name in DERIVED
        }


def start_again(market: Market) -> str:
    """Start the feed after the session; return what it said until it waits for the next one."""
    return "".join(run_session(market))


def closed_at(dsn: str) -> list:
    with connect(dsn) as connection:
        return connection.execute("select session, closed_at from session_closed").fetchall()


def test_a_feed_killed_in_its_closing_work_does_all_of_it_at_the_next_start(
    undisturbed: dict[str, set[tuple]], database: str
) -> None:
    with last_minutes(database) as market, connect(database) as connection:
        # Whoever computes greeks waits for us, and the closing work begins with them.
        with advisory_lock(connection, GREEKS_LOCK) as held, feed(market) as process:
            assert held
            while connection.execute(WAITS, (GREEKS_LOCK,)).fetchone() == (0,):
                assert process.poll() is None
                connection.execute("select pg_sleep(0.05)")
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert closed_at(database) == []
        assert values(database)["greeks"] == set()
        assert "session 2026-01-21 was not closed" in start_again(market)
        assert [session for session, _ in closed_at(database)] == [DAY]
        assert values(database) == undisturbed


def test_what_follows_no_more_goes_and_what_is_missing_comes_at_the_next_start(database: str):
    """Told by a note that the work was done, and by changes in the log since."""
    with last_minutes(database) as market:
        run_session(market)
        before, when = everything(database), closed_at(database)
        assert "was not closed" not in start_again(market), "nothing changed since"
        assert closed_at(database) == when

        with connect(database) as connection:
            connection.execute("delete from session_closed")
            connection.execute("delete from build_up where open_time > '2026-01-21 08:00Z'")
            connection.execute("delete from greeks where open_time > '2026-01-21 08:00Z'")
            connection.execute("delete from signal_outcome")
            connection.execute(
                "insert into signal_rejection"
                " select strategy, version, underlying, session, event_time + interval '7 s',"
                " 'missing_rows', '', '{}' from signal"
            )
        assert everything(database) != before
        assert "was not closed" in start_again(market)
        assert everything(database) == before

        ((_, first),) = closed_at(database)
        with connect(database) as connection:
            write(connection, CANDLE, [changed(connection)])
        assert "was not closed" in start_again(market)
        ((_, again),) = closed_at(database)
        assert again > first


def changed(connection: psycopg.Connection) -> Candle:
    """Another volume of the session's last option candle."""
    row = connection.execute(
        "select symbol, interval_minutes, open_time, underlying, open, high, low, close,"
        " volume + 65, open_interest, source, now(), final from candle"
        " where symbol <> underlying order by open_time desc limit 1"
    ).fetchone()
    return Candle(*row)
