"""A table that somebody locks: the feed says so and ends, and the next one goes on."""

import asyncio
from contextlib import suppress
from datetime import date

import pytest

from db.server.connection import connect
from pipelines.live.aside import Aside, AsideEndedError
from pipelines.live.place import Place
from tests.live import feed, simulated_market, wait_for_rows

DAY = date(2026, 1, 21)
HANGING = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"


def test_a_feed_that_cannot_write_says_why_and_the_next_one_goes_on(database: str):
    with simulated_market(database, DAY, 60, underlyings=["NIFTY"]) as market:
        with feed(market) as process, connect(database) as other:
            wait_for_rows(database, 100)
            with other.transaction():
                other.execute("lock table candle in access exclusive mode")
                told = [line for line in process.stderr if "a question took too long" in line]
                assert process.wait() == 1
            assert len(told) == 1
            assert "`optionscalp doctor` names who keeps it waiting" in told[0]
        with feed(market):
            wait_for_rows(database, 100)


def hang(place: Place) -> None:
    place.connection.execute("select pg_sleep(3600)")


def wait_until_it_hangs(database: str) -> None:
    with connect(database) as looking:
        while not looking.execute(HANGING).fetchone()[0]:
            pass


def test_a_feed_that_is_stopped_while_it_ends_waits_for_nothing_beside_it(database: str):
    async def run() -> None:
        aside = await Aside(database).__aenter__()
        working = asyncio.create_task(aside.do(hang))
        await asyncio.to_thread(wait_until_it_hangs, database)
        ending = asyncio.create_task(aside.__aexit__(None, None, None))
        await asyncio.sleep(0)
        ending.cancel()
        with suppress(asyncio.CancelledError):
            await ending
        with pytest.raises(AsideEndedError):
            await working

    asyncio.run(run())
