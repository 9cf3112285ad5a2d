"""Whole days whose sources refuse or die: what is stored is right, and what is missing is named."""

import time
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from signal import SIGKILL
from threading import Thread

import pytest

from db.server.connection import connect
from pipelines.checks.check import Look
from pipelines.checks.gaps import CHECKS
from pipelines.ingest.rebuild import rebuild
from simulator.upstox.account import access_token
from strategy.contract import UNDERLYINGS
from strategy.session import IST, session_hours
from tests.live import Market, Simulator, feed, optionscalp, simulated_market, wait_for_close
from tests.long import in_full

pytestmark = [in_full, pytest.mark.timeout(1800)]

DAY = date(2026, 1, 21)
OPEN, CLOSE = session_hours(DAY)
INTERVAL = timedelta(minutes=5)


def gaps(dsn: str, names: tuple[str, ...]) -> dict[str, dict]:
    """Return what the checks say is missing, by asset, of those that fail."""
    with connect(dsn) as connection:
        look = Look(connection, DAY, names, CLOSE + timedelta(hours=1))
        found = {check.asset: check.find(look) for check in CHECKS}
    return {asset: finding.details for asset, finding in found.items() if not finding.passed}


def without_ladders(dsn: str, underlying: str) -> list[str]:
    """Return the ends of intervals without a ladder, in India's time, by a plain reading."""
    with connect(dsn) as connection:
        rows = connection.execute(
            "select distinct observed_at from chain_oi where underlying = %s", (underlying,)
        ).fetchall()
    there = {moment for (moment,) in rows}
    due = [OPEN + INTERVAL * count for count in range(1, (CLOSE - OPEN) // INTERVAL + 1)]
    return [f"{moment.astimezone(IST):%H:%M}" for moment in due if moment not in there]


def assert_nothing_is_wrong(dsn: str, home: Path, names: Iterable[str]) -> None:
    """Check that signals are those of a batch, and rows what the archive gives again."""
    environment = {"DATABASE_URL": dsn, "UNDERLYINGS": ",".join(names)}
    result = optionscalp("parity", "--session", str(DAY), home=home, **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    with connect(dsn) as connection:
        report = rebuild(connection, DAY)
        assert {name: table for name, table in report.tables.items() if table.new} == {}
        assert report.unexplained == 0
        assert connection.execute("select count(*) > 0 from signal").fetchone() == (True,)


def with_token(market: Market, folder: Path, sources: str) -> Market:
    token = folder / "upstox.token"
    token.write_text(access_token(OPEN))
    more = {"SOURCES": sources, "UPSTOX_TOKEN_FILE": str(token)}
    return market._replace(environment=market.environment | more)


def follow(market: Market, log: list[str]) -> None:
    with feed(market) as process:
        log += wait_for_close(process)


@pytest.mark.parametrize(("allowance", "costs"), [(130, False), (153, True)])
def test_a_firewall_pauses_the_day_and_the_ladders_that_it_costs_are_named(
    database: str, tmp_path: Path, allowance: int, costs: bool
):
    # In the session a missed ladder is asked for again by its minute; after it nobody can.
    log: list[str] = []
    manner = ("--allowance", str(allowance))
    with simulated_market(database, DAY, 200, *manner, minutes_in=-10) as market:
        follow(market, log)
    with connect(database) as connection:
        (asked,) = connection.execute(
            "select sum(asked) from source_budget where source = 'trendlyne'"
        ).fetchone()
    print(f"{asked} requests")
    assert asked <= 200
    assert any("trendlyne refuses" in line and "firewall" in line for line in log)
    assert any("paused until" in line for line in log)
    missing = {name: without_ladders(database, name) for name in UNDERLYINGS}
    print(missing)
    assert any(missing.values()) == costs
    told = gaps(database, UNDERLYINGS).get("chain_oi", {})
    assert {name: told.get(f"{name}_without", []) for name in UNDERLYINGS} == missing
    assert max(map(len, missing.values())) <= 3  # ten minutes
    assert_nothing_is_wrong(database, tmp_path, UNDERLYINGS)


def test_a_broker_alone_is_enough_for_a_day(database: str, tmp_path: Path):
    with simulated_market(database, DAY, 60, minutes_in=-10) as market:
        follow(with_token(market, tmp_path, "upstox"), [])
    with connect(database) as connection:
        sources = {row[0] for row in connection.execute("select source from source_status")}
    assert sources == {"upstox"}
    # A market at sixty times its pace is over an interval's end in two seconds.
    told = gaps(database, UNDERLYINGS)
    ladders = told.pop("chain_oi", {})
    missing = {name: without_ladders(database, name) for name in UNDERLYINGS}
    print(missing)
    assert {name: ladders.get(f"{name}_without", []) for name in UNDERLYINGS} == missing
    assert told == {}
    assert_nothing_is_wrong(database, tmp_path, UNDERLYINGS)


def test_each_of_three_sources_may_be_gone_for_an_hour(database: str, tmp_path: Path):
    names = ("NIFTY",)
    speed = 60
    with ExitStack() as running:
        market = running.enter_context(
            simulated_market(database, DAY, speed, minutes_in=-10, underlyings=names)
        )
        market = with_token(market, tmp_path, "upstox,tradingview,trendlyne")
        # A process each, so that one can die alone.
        apart = [market.simulator, market.simulator.twin(), market.simulator.twin()]
        for twin in apart[1:]:
            running.callback(twin.stop)
        addresses = zip(
            ("TRADINGVIEW_URL", "TRENDLYNE_URL", "UPSTOX_URL"),
            (simulator.urls[place] for place, simulator in enumerate(apart)),
            strict=True,
        )
        market = market._replace(environment=market.environment | dict(addresses))
        killer = Thread(target=kill_in_turn, args=(market, apart))
        killer.start()
        log: list[str] = []
        follow(market, log)
        killer.join()
    missing = without_ladders(database, "NIFTY")
    told = gaps(database, names)
    print(missing, told)
    assert told.get("chain_oi", {}).get("NIFTY_without", []) == missing
    assert_nothing_is_wrong(database, tmp_path, names)


def kill_in_turn(market: Market, simulators: list[Simulator]) -> None:
    """Kill one after the other at a quarter past, for an hour of the market."""
    for turn, simulator in enumerate(simulators):
        begin = OPEN + timedelta(minutes=45 + 90 * turn)
        time.sleep(market.clock.seconds_until(begin))
        simulator.stop(SIGKILL)
        time.sleep(market.clock.seconds_until(begin + timedelta(hours=1)))
        simulator.restart()
