"""What a first contact finds out, over real sockets against the simulated market."""

import asyncio
import time as wall
from collections.abc import Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from db.archive.source_budget import asked
from optionscalp.stack import free_port
from pipelines.known_sources import KNOWN
from pipelines.probing import contact
from pipelines.probing.outcome import Outcome, Outcomes
from pipelines.probing.run import probe
from pipelines.probing.wording import lines
from pipelines.settings import Settings
from pipelines.sources.declaration import Source
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.probe import Finding
from pipelines.sources.roles import ListedContract, Listing, Opened, Payload
from simulator.account import Plan, make_token
from simulator.faults import Fault
from simulator.generate import generate
from simulator.market import Market
from simulator.past import GeneratedPast
from simulator.server import serve
from simulator.tradingview import Pace
from simulator.upstox.account import access_token
from simulator.upstox.app import UpstoxManner
from strategy.clock import MarketClock
from strategy.session import IST
from tests.pipelines.sources.http_help import serving

DAY = date(2026, 1, 21)
ALL = ("tradingview", "trendlyne", "upstox")
DEFAULT = ("tradingview", "trendlyne")
PAST = UpstoxManner(past=GeneratedPast(7, ("NIFTY", "BANKNIFTY")))


@pytest.fixture(scope="module")
def market() -> Market:
    return generate(DAY, 7)


def at(text: str, day: date = DAY) -> datetime:
    return datetime.combine(day, time.fromisoformat(text), IST).astimezone(UTC)


def always(kind: str, **options: Any) -> Fault:
    return Fault(kind, time(0), time(23, 59), **options)


@pytest.fixture
def contact_at(market: Market, tmp_path: Path, connection: psycopg.Connection):
    """Probe sources of a simulated market at a time of a day; by default everything is well."""

    def make(
        text: str = "10:30:10",
        names: Iterable[str] = ALL,
        *faults: Fault,
        day: date = DAY,
        plan: Plan = Plan(),  # noqa: B008
        counted: bool = True,
        **settings: Any,
    ) -> Outcomes:
        clock = MarketClock(at(text, day), wall.time(), 1.0)
        token = tmp_path / "upstox.token"
        token.write_text(access_token(at("08:30", day)))

        async def run() -> Outcomes:
            async with serve(
                market, clock, pace=Pace(tick=0.02), plan=plan, upstox=PAST, faults=faults
            ) as endpoints:
                chosen = {
                    **endpoints._asdict(),
                    "upstox_token_file": token,
                    "optionscalp_clock": str(clock),
                    "trendlyne_requests_per_second": 500,
                    "tradingview_requests_per_second": 500,
                    **settings,
                }
                configured = Settings(database_url="postgresql://", **chosen)
                return await probe(tuple(names), configured, connection if counted else None)

        return asyncio.run(asyncio.wait_for(run(), 120))

    return make


def of(outcomes: Outcomes, source: str) -> Outcome:
    return next(outcome for outcome in outcomes.each if outcome.source == source)


def finding(outcomes: Outcomes, source: str, topic: str) -> Finding:
    (found,) = [each for each in of(outcomes, source).findings if each.topic == topic]
    return found


def said(outcomes: Outcomes) -> str:
    return "\n".join(f"{line.mark}{line.text}" for line in lines(outcomes, []))


def test_in_an_open_market_everything_that_a_user_wants_to_know_is_told(contact_at, market):
    token = make_token(at("15:45"))
    outcomes = contact_at(tradingview_token=token)

    assert outcomes.verdict == (True, [], [])
    assert [outcome.state for outcome in outcomes.each] == ["ok", "ok", "ok"]
    told = finding(outcomes, "tradingview", "token")
    assert told.found == (
        "good until 2026-01-21 15:45 IST, plan pro_premium, real-time data of: nse"
    )
    real_time = finding(outcomes, "tradingview", "real time")
    assert real_time.found.startswith("yes, as the source says (update_mode streaming); its newest")
    assert real_time.facts["delay_seconds"] == 0
    assert real_time.facts["newest_candle_seconds_ago"] < 60
    depth = finding(outcomes, "tradingview", "one-minute candles").facts
    assert (depth["candles"], depth["sessions"], depth["first"]) == (76, 1, at("09:15"))
    assert finding(outcomes, "tradingview", "candles as they form").found == "NIFTY moves"
    assert finding(outcomes, "tradingview", "option candles").facts["open_interest"] == "none"

    listed = [contract for contract in market.contracts if contract.underlying == "NIFTY"]
    for source in ("trendlyne", "upstox"):
        symbols = finding(outcomes, source, "option symbols").facts
        assert (symbols["options"], symbols["nearest_expiry"]) == (len(listed), date(2026, 1, 27))
        assert symbols["example"] in {contract.symbol for contract in listed}
        assert finding(outcomes, source, "open interest").facts["open_interest"] == "units"
    assert finding(outcomes, "trendlyne", "strike ladder").facts["moment"] == at("10:25")
    volume = finding(outcomes, "trendlyne", "build-up volume")
    assert volume.facts["running_total"] is True
    assert "the day's running total" in volume.found
    assert finding(outcomes, "trendlyne", "whole chain").found == (
        "open interest in units, volume in units"
    )
    assert finding(outcomes, "trendlyne", "quotes").found == "no bid and ask: this ladder has none"

    quotes = finding(outcomes, "upstox", "quotes").facts
    assert quotes["with_bid_and_ask"] == quotes["options"] > 0
    assert finding(outcomes, "upstox", "option candles").facts["open_interest"] == "units"
    assert finding(outcomes, "upstox", "past sessions").facts == {
        "2026-01-20": 375,
        "2025-01-21": 375,
    }
    assert "plan Plus" in finding(outcomes, "upstox", "token").found
    assert token not in said(outcomes)


def test_few_requests_are_sent_and_trendlynes_are_counted_for_all(
    contact_at, connection: psycopg.Connection
):
    outcomes = contact_at("10:30:10", ["trendlyne"], trendlyne_requests_per_session=50)
    sent = asked(connection, "trendlyne", DAY)
    assert sent == len(of(outcomes, "trendlyne").kept) == 6
    assert finding(outcomes, "trendlyne", "allowance").facts == {"left": 44}
    again = contact_at("10:31:10", ["trendlyne"], trendlyne_requests_per_session=8)
    assert asked(connection, "trendlyne", DAY) == 8
    assert not again.verdict.works or of(again, "trendlyne").unasked
    assert "raise TRENDLYNE_REQUESTS_PER_SESSION" in said(again)


def test_without_a_database_the_sources_are_asked_all_the_same(
    contact_at, connection: psycopg.Connection
):
    outcomes = contact_at("10:30:10", DEFAULT, counted=False)
    assert outcomes.verdict.works
    assert finding(outcomes, "trendlyne", "allowance").facts == {"left": 194}
    assert asked(connection, "trendlyne", DAY) == 0


def test_a_delayed_account_is_told(contact_at):
    outcomes = contact_at("10:30:10", DEFAULT, plan=Plan(900.0))
    late = finding(outcomes, "tradingview", "real time")
    assert late.state == "warning"
    assert late.found.startswith(
        "DELAYED 15 min, as the source says (update_mode delayed_streaming_900)"
    )
    assert late.facts["delay_seconds"] == 900
    assert 840 <= late.facts["newest_candle_seconds_ago"] <= 960
    assert "NSE's real-time data" in late.remedy
    assert "NIFTY is NSE_DLY:NIFTY" in finding(outcomes, "tradingview", "symbols").found
    assert outcomes.verdict.works
    assert "But tradingview's candles are late, and so are signals of them." in said(outcomes)
    assert said(outcomes).count(late.remedy) == 1, "each remedy is said once"


def test_beside_a_delayed_source_one_in_real_time_is_named(contact_at):
    outcomes = contact_at("10:30:10", ["tradingview", "upstox"], plan=Plan(900.0))
    assert outcomes.verdict.limits == [
        "tradingview's candles are late, and so are signals of them; upstox's are not: put it first"
        " in SOURCES"
    ]


def test_a_source_behind_its_firewall_takes_nothing_from_the_others(contact_at):
    outcomes = contact_at("10:30:10", DEFAULT, always("waf"))
    assert of(outcomes, "tradingview").state == "ok"
    blocked = of(outcomes, "trendlyne")
    assert (blocked.kept, blocked.unasked) == ([], ("ladders", "build_ups"))
    (error,) = [found for found in blocked.findings if found.state == "error"]
    assert "HTTP 405, x-amzn-waf-action: captcha" in error.found
    assert "open the site once in a browser" in error.remedy
    (problem,) = outcomes.verdict.problems
    assert problem == f"nobody lists contracts. trendlyne: {error.remedy}"
    # Nobody is asked during a pause, and that is told with what began it.
    again = said(contact_at("10:31:10", DEFAULT))
    assert "paused until 10:4" in again


def test_an_ended_token_is_told_before_anybody_is_asked(contact_at):
    outcomes = contact_at("10:30:10", DEFAULT, tradingview_token=make_token(at("10:00")))
    told = finding(outcomes, "tradingview", "token")
    assert (told.state, told.found[:32]) == ("error", "ended at 2026-01-21 10:00 IST, p")
    assert of(outcomes, "tradingview").kept == []
    (problem,) = outcomes.verdict.problems
    assert problem.startswith("nobody has candles of the past. tradingview: copy a new")


@pytest.mark.parametrize("kind", ["token-ended", "refuse-403", "no-answer"])
def test_what_a_source_does_instead_of_answering_has_a_remedy(
    contact_at, kind: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(contact, "QUESTION_SECONDS", 3.0)
    outcomes = contact_at("10:30:10", DEFAULT, always(kind))
    errors = [found for found in of(outcomes, "tradingview").findings if found.state == "error"]
    assert errors
    assert all(found.remedy for found in errors)
    assert of(outcomes, "trendlyne").state == "ok"
    (problem,) = outcomes.verdict.problems
    assert problem.startswith("nobody has candles of the past. tradingview: ")


def test_a_token_that_upstox_refuses_has_its_remedy(contact_at, tmp_path: Path):
    outcomes = contact_at("10:30:10", ["upstox"], always("upstox-401"))
    (problem,) = outcomes.verdict.problems
    assert problem == (
        "nobody lists contracts, nobody has candles of the past. upstox: log in to Upstox again"
        f" and write the new access token into {tmp_path / 'upstox.token'}"
    )


def test_without_a_server_each_source_is_told_down(contact_at):
    port = free_port()
    outcomes = contact_at(
        tradingview_url=f"ws://me:my-password@127.0.0.1:{port}/?token=my-query",
        trendlyne_url=f"http://127.0.0.1:{port}/phoenix/api",
        upstox_url=f"http://127.0.0.1:{port}",
    )
    assert [outcome.state for outcome in outcomes.each] == ["error"] * 3
    assert not outcomes.verdict.works
    assert said(outcomes).count("probe again in some minutes") >= 3
    assert "my-" not in said(outcomes)


def test_one_source_that_fails_for_a_role_does_not_spoil_a_day_that_another_fills(contact_at):
    outcomes = contact_at("10:30:10", ALL, always("waf"), always("refuse-403"))
    assert outcomes.verdict.works
    assert outcomes.verdict.limits == [
        "nobody streams candles: they are asked for again and again, and come later"
    ]


@pytest.mark.parametrize(
    ("text", "day", "next_open"),
    [
        ("08:00:10", DAY, "2026-01-21 09:15"),
        ("18:30:10", DAY, "2026-01-22 09:15"),
        ("11:00:10", date(2026, 1, 25), "2026-01-27 09:15"),  # a Sunday before a holiday
    ],
)
def test_while_the_market_is_closed_it_is_told_what_cannot_be_seen(
    contact_at, text: str, day: date, next_open: str
):
    outcomes = contact_at(text, ALL, day=day)
    assert outcomes.verdict.works
    assert not outcomes.times.is_open
    assert {found.state for each in outcomes.each for found in each.findings} <= {
        *("ok", "warning", "unseen")
    }
    assert finding(outcomes, "upstox", "real time") == Finding(
        "real time",
        "unseen",
        f"cannot be told now: the market is closed: probe again after {next_open} IST",
        facts={"delay_seconds": None, "told_by": None, "newest_candle_seconds_ago": None},
    )
    stream = finding(outcomes, "tradingview", "candles as they form")
    assert stream.state == "unseen"
    assert next_open in said(outcomes)


def test_lots_where_units_belong_are_told(contact_at):
    outcomes = contact_at("10:30:10", ["trendlyne"], always("lots"))
    interest = finding(outcomes, "trendlyne", "open interest")
    assert (interest.state, interest.facts["open_interest"]) == ("error", "lots")
    assert finding(outcomes, "trendlyne", "whole chain").found == (
        "open interest in lots, volume in lots"
    )


def test_a_silent_server_ends_with_the_questions_time(contact_at, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contact, "QUESTION_SECONDS", 0.5)

    async def silent() -> str:
        async with serving(None) as server:
            clock = MarketClock(at("10:30:10"), wall.time(), 1.0)
            settings = Settings(
                database_url="postgresql://",
                trendlyne_url=server.url,
                optionscalp_clock=str(clock),
            )
            return said(await probe(("trendlyne",), settings, None))

    assert "option symbols: no answer within 0.5 s" in asyncio.run(asyncio.wait_for(silent(), 60))


class Paper:
    """A source that nobody here has heard of; it lists, and then fails in a way of its own."""

    async def listings(self, underlying: str, session: date):
        about = {"source": "paper", "kind": "listing", "underlying": underlying}
        now = at("10:30")
        yield Payload("paper", "the file", about, now, now, b"[25500]")

    async def histories(self, requests, taken=None):
        raise ZeroDivisionError("of its own")


def read_paper(about, body, session, received_at):
    if body != b"[25500]":
        raise PayloadInvalid("another file")
    expiry = session + timedelta(days=6)
    return Listing(
        about["underlying"],
        [ListedContract("NIFTY260127C25500", about["underlying"], expiry, 25500, "C")],
    )


def test_a_source_that_declares_no_probe_is_asked_by_its_roles(
    contact_at, monkeypatch: pytest.MonkeyPatch
):
    @asynccontextmanager
    async def opened(office):
        paper = Paper()
        yield Opened(listings=paper, history=paper)

    source = Source("paper", frozenset({"listings", "history"}), opened, read_paper)
    monkeypatch.setitem(KNOWN, "paper", source)
    outcomes = contact_at("10:30:10", ["paper", "tradingview"])
    symbols = finding(outcomes, "paper", "option symbols")
    assert symbols.facts["example"] == "NIFTY260127C25500"
    failed = finding(outcomes, "paper", "one-minute candles")
    assert failed.found == "ZeroDivisionError: of its own"
    assert outcomes.verdict.works, "the others go on"
