"""The firewall before Trendlyne, over real HTTP."""

import asyncio
from datetime import time, timedelta

import pytest

from simulator.faults import Fault
from simulator.trendlyne import Manner

EXPIRIES = "/fno/get-expiry-dates/?mtype=options&stock_id=1887"


def answers(playing, market, clock, count, **settings):
    """Return the answers to so many questions, asked one after the other."""

    async def scenario():
        async with playing(market, clock, **settings) as (_, http, _):
            return [await http.get(EXPIRIES) for _ in range(count)]

    return asyncio.run(scenario())


def test_after_so_many_requests_a_client_gets_a_page_instead(market, clock_at, playing):
    told = answers(playing, market, clock_at("10:00:00"), 8, manner=Manner(allowance=3))
    assert [answer.status_code for answer in told] == [200] * 3 + [405, 405, 405, 202, 405]
    for answer in told[:3]:
        assert "x-amzn-waf-action" not in answer.headers
    for answer in told[3:]:
        action = "challenge" if answer.status_code == 202 else "captcha"
        assert answer.headers["x-amzn-waf-action"] == action
        assert answer.headers["content-type"].startswith("text/html")
        assert "Human Verification" in answer.text


def test_ten_market_minutes_later_the_allowance_is_there_again(market, clock_at, playing):
    async def scenario():
        clock = clock_at("10:00:00", speed=600)
        async with playing(market, clock, manner=Manner(allowance=2)) as (_, http, _):

            async def passes():
                return (await http.get(EXPIRIES)).headers.get("x-amzn-waf-action") is None

            assert await passes()
            assert await passes()
            refused_at = clock.now()
            while not await passes():
                pass
            assert clock.now() - refused_at >= timedelta(minutes=10)
            assert await passes()
            assert not await passes()

    asyncio.run(scenario())


@pytest.mark.parametrize(("target", "status"), [("NIFTY", 405), ("BANKNIFTY", 200)])
def test_a_fault_lets_the_firewall_refuse_in_a_window(market, clock_at, playing, target, status):
    fault = Fault("waf", time(10), time(10, 5), times=2, target=target)
    told = answers(playing, market, clock_at("10:00:00"), 3, faults=[fault])
    assert [answer.status_code for answer in told] == [status, status, 200]
