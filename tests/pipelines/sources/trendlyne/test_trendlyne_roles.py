"""What Trendlyne can be to us, asked of the simulated market over real HTTP and read again."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall
from functools import cache

import pytest

from pipelines.settings import Settings
from pipelines.sources.errors import ExpiryGone, PayloadInvalid, SourceRefused, WrongTradingDate
from pipelines.sources.politeness import SharedBudget
from pipelines.sources.trendlyne.client import Trendlyne
from pipelines.sources.trendlyne.read import read
from simulator.faults import Fault
from simulator.generate import generate
from simulator.server import DEFAULT_MANNER, serve
from simulator.trendlyne import Manner
from strategy.clock import MarketClock
from strategy.contract import Contract
from strategy.session import interval_opens, session_hours

pytestmark = pytest.mark.anyio

DAY = date(2026, 1, 21)
EXPIRY = date(2026, 1, 27)
OPEN, CLOSE = session_hours(DAY)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@cache
def market():
    return generate(DAY, 7, ("NIFTY",))


def clock_at(text: str, speed: float = 1e-9) -> MarketClock:
    moment = datetime.fromisoformat(f"{DAY}T{text}+05:30")
    return MarketClock(moment.astimezone(UTC), time.time(), speed)


@asynccontextmanager
async def asking(
    clock, *, faults=(), manner=DEFAULT_MANNER, **settings
) -> AsyncIterator[Trendlyne]:
    async with (
        serve(market(), clock, faults=faults, manner=manner) as endpoints,
        Trendlyne(endpoints.trendlyne_url, clock, **settings) as trendlyne,
    ):
        yield trendlyne


async def answers(payloads):
    """Return the payloads, and what each says."""
    found = [payload async for payload in payloads]
    return found, [read(payload.about, payload.body, DAY, payload.received_at) for payload in found]


def kinds(payloads) -> list[str]:
    return [payload.about["kind"] for payload in payloads]


async def test_a_listing_has_all_strikes_of_the_nearest_expiry():
    async with asking(clock_at("09:05:00")) as trendlyne:
        payloads, said = await answers(trendlyne.listings("NIFTY", DAY))

    assert kinds(payloads) == ["search", "expiries", "listing"]
    assert said[:2] == [None, None]
    near = [contract for contract in market().contracts if contract.expiry == EXPIRY]
    assert {listed.symbol for listed in said[2].contracts} == {each.symbol for each in near}
    assert said[2].contracts[0][1:] == ("NIFTY", EXPIRY, near[0].strike, "C", None, None)


async def test_a_ladder_names_its_session_and_moment():
    async with asking(clock_at("10:09:00")) as trendlyne:
        first, said = await answers(trendlyne.ladder("NIFTY", EXPIRY, None))
        again, earlier = await answers(
            trendlyne.ladder("NIFTY", EXPIRY, datetime(2026, 1, 21, 4, 0, tzinfo=UTC))
        )

    assert kinds(first) == ["search", "chain"]
    assert kinds(again) == ["chain"]
    assert again[0].about["until"] == "09:30"
    for ladder, minutes in ((said[1], 50), (earlier[0], 15)):
        assert (ladder.underlying, ladder.expiry, ladder.trading_date) == ("NIFTY", EXPIRY, DAY)
        assert ladder.moment == OPEN + timedelta(minutes=minutes)
        for row in ladder.rows:
            series = market().series[f"NIFTY260127C{row.strike}"]
            assert row.call.open_interest == series.candles[minutes - 1].oi
            assert row.call.previous_open_interest == series.previous_oi


async def test_after_the_close_a_ladder_is_of_the_close_whatever_was_asked():
    async with asking(clock_at("16:00:00")) as trendlyne:
        _, (_, ladder) = await answers(trendlyne.ladder("NIFTY", EXPIRY, OPEN))

    assert ladder.moment == CLOSE


@pytest.mark.parametrize("in_lots", [False, True])
async def test_the_whole_chain_is_the_same_ladder_with_prices_in_units_or_lots(in_lots):
    async with asking(clock_at("10:09:00"), manner=Manner(in_lots=in_lots)) as trendlyne:
        payload = await trendlyne.option_chain("NIFTY", EXPIRY)
        _, (_, ladder) = await answers(trendlyne.ladder("NIFTY", EXPIRY, None))

    full = read(payload.about, payload.body, DAY, payload.received_at)
    assert (full.trading_date, full.moment, full.refused) == (None, None, ())
    assert full.spot == ladder.spot
    sides = {row.strike: row.call for row in full.rows}
    for row in ladder.rows:
        assert sides[row.strike].open_interest == row.call.open_interest
        candles = market().series[f"NIFTY260127C{row.strike}"].candles[:50]
        assert sides[row.strike].price == candles[-1].close
        assert sides[row.strike].volume == sum(candle.volume for candle in candles)


async def test_an_expiry_without_a_chain_is_gone():
    async with asking(clock_at("10:09:00")) as trendlyne:
        payload = await trendlyne.option_chain("NIFTY", date(2026, 1, 29))

    with pytest.raises(ExpiryGone, match="expiry 2026-01-29 has no chain"):
        read(payload.about, payload.body, DAY, payload.received_at)


def contract() -> Contract:
    return Contract("NIFTY", EXPIRY, market().strikes("NIFTY", EXPIRY)[25], "P")


async def test_build_ups_are_the_candles_of_five_minutes():
    async with asking(clock_at("15:35:00")) as trendlyne:
        payloads, said = await answers(trendlyne.build_ups(contract(), DAY))

    assert kinds(payloads) == ["search", "expiries", "build_ups"]
    rows, refused = said[2]
    candles = market().candles(contract().symbol, 5, CLOSE)
    assert refused == ()
    assert [row.open_time for row in rows] == interval_opens(DAY, 5)
    assert [(row.close, row.open_interest, row.volume) for row in rows] == [
        (candle.close, candle.oi, candle.volume) for candle in candles
    ]


async def test_a_row_without_a_price_leaves_the_others_and_their_volumes():
    fault = Fault("null-price", wall.fromisoformat("09:43"), wall.max)
    async with asking(clock_at("11:03:30"), faults=[fault]) as trendlyne:
        *_, (rows, refused) = (await answers(trendlyne.build_ups(contract(), DAY)))[1]

    candles = market().candles(contract().symbol, 5, OPEN + timedelta(minutes=105))
    assert refused == ("09:40 IST: no price",)
    del candles[5]
    assert [row.volume for row in rows[:20]] == [candle.volume for candle in candles[:20]]


async def test_lists_of_the_session_are_asked_once_by_all_processes():
    archived = {}

    def recall(about):
        return archived.get((about["source"], about["kind"], about["underlying"]))

    clock = clock_at("10:09:00")
    async with asking(clock) as trendlyne:
        async for payload in trendlyne.listings("NIFTY", DAY):
            archived[tuple(payload.about.values())[:3]] = payload.body
    async with asking(clock, recall=recall) as trendlyne:
        ladder, _ = await answers(trendlyne.ladder("NIFTY", EXPIRY, None))
        build_ups, _ = await answers(trendlyne.build_ups(contract(), DAY))

    assert kinds(ladder) == ["chain"]
    assert kinds(build_ups) == ["build_ups"]


async def test_after_the_close_the_list_of_expiries_is_asked_again_for_it_may_have_rolled():
    whole_day = wall.min, wall.max
    async with asking(clock_at("15:45:00"), faults=[Fault("roll", *whole_day)]) as trendlyne:
        trendlyne._expiries["NIFTY"] = (OPEN, [EXPIRY])
        with pytest.raises(ExpiryGone, match="expiry 2026-01-27 is not listed any more"):
            await answers(trendlyne.build_ups(contract(), DAY))
        payloads, said = await answers(trendlyne.listings("NIFTY", DAY))

    assert payloads[-1].about["expiry"] == "2026-02-03"
    assert said[-1].contracts == []


@pytest.mark.parametrize(
    ("kind", "error"),
    [("percent", PayloadInvalid), ("stale-rows", WrongTradingDate)],
)
async def test_rows_that_cannot_be_true_are_refused(kind, error):
    fault = Fault(kind, wall.min, wall.max, target="NIFTY260127*")
    async with asking(clock_at("10:09:00"), faults=[fault]) as trendlyne:
        with pytest.raises(error):
            await answers(trendlyne.build_ups(contract(), DAY))


async def test_a_ladder_of_a_source_whose_clock_is_ahead_is_refused():
    fault = Fault("clock-jump", wall.min, wall.max, amount=600)
    async with asking(clock_at("10:09:00"), faults=[fault]) as trendlyne:
        with pytest.raises(PayloadInvalid, match="one of the clocks is wrong"):
            await answers(trendlyne.ladder("NIFTY", EXPIRY, None))


async def test_the_firewall_pauses_all_processes_for_ten_minutes_and_then_lets_us_in(connection):
    clock = clock_at("10:00:00", speed=300)
    budget = SharedBudget(connection, "trendlyne", clock, 1000)
    async with asking(clock, manner=Manner(allowance=3), budget=budget) as trendlyne:
        for _ in range(3):
            await trendlyne.search("NIFTY")
        with pytest.raises(SourceRefused, match="open the site once in a browser"):
            await trendlyne.search("NIFTY")
        refused_at = clock.now()
        paused = 0
        while reason := await refusal(trendlyne):
            assert "paused until" in reason  # nothing was asked
            paused += 1
    assert paused
    assert clock.now() - refused_at >= timedelta(minutes=9)


async def refusal(trendlyne: Trendlyne) -> str:
    """Return why a question is refused; empty where it is answered."""
    try:
        await trendlyne.search("NIFTY")
    except SourceRefused as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("variable", "value", "complaint"),
    [
        ("TRENDLYNE_COOKIE_FILE", "/none/cookies.txt", "/none/cookies.txt: No such file"),
        ("TRENDLYNE_USER_AGENT", "two\nlines", "copy it from the browser"),
    ],
)
def test_how_we_present_ourselves_is_checked_before_anything_starts(
    monkeypatch, variable, value, complaint
):
    monkeypatch.setenv("DATABASE_URL", "postgresql://")
    assert Settings().visitor.cookie_file is None
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=complaint):
        Settings()
