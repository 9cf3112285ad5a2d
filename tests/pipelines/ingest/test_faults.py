"""The sources' traps, one each, against runs of the schedule: one before, one in, one after it.

Afterwards the tables are those of runs without the fault, or what is missing is told. Nothing is
ever stored that the market did not say.
"""

from datetime import timedelta

import pytest

from db.archive.source_status import read_access
from db.server.connection import connect
from pipelines.sources.errors import (
    ExpiryGone,
    PayloadInvalid,
    SeriesFailed,
    SourceBroken,
    SourceError,
    SourceRefused,
    SourceUnavailable,
)
from simulator.faults import KINDS
from strategy.session import interval_opens
from tests.faulty import (
    AFTER,
    DAY,
    LATEST,
    QUIET,
    UNTIL,
    WITHIN,
    Tables,
    assert_nothing_invented,
    at,
    fault,
    market,
    run,
    tables,
)

CALL = "NIFTY260127C25600"


def snapshots(stored: Tables) -> set:
    return {row[3] for row in stored["chain_oi"]}


def test_the_first_runs_store_what_the_market_says(faultless: Tables):
    for symbol, opened, *_, oi, _change, volume, _label, _source in faultless["build_up"]:
        minutes = [
            candle
            for candle in market().series[symbol].candles
            if 0 <= candle.open_time - opened.timestamp() < 300
        ]
        assert (oi, volume) == (minutes[-1].oi, sum(candle.volume for candle in minutes))
    # Also those of before the first run: they were asked for by their minutes.
    ends = [opened + timedelta(minutes=5) for opened in interval_opens(DAY, 5)]
    assert snapshots(faultless) == {end for end in ends if end <= at("10:10")}


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("http-403", SourceRefused, "answers HTTP 403"),
        ("http-429", SourceRefused, "answers HTTP 429"),
        ("http-500", SourceBroken, "answers HTTP 500"),
        ("slow", SourceUnavailable, "no answer in 1 s"),
        ("error-head", PayloadInvalid, "head.status is '1': Something went wrong"),
        ("empty-answer", PayloadInvalid, "not JSON"),
        ("html", SourceRefused, "a page of the site's firewall (HTTP 200)"),
        ("waf", SourceRefused, "page of the site's firewall (HTTP"),
        ("percent", PayloadInvalid, "is not whole"),
        ("old-shape", PayloadInvalid, "body.data_v2 is missing"),
        ("roll", ExpiryGone, "expiry 2026-01-27 is not listed any more"),
    ],
)
def test_positions_that_do_not_come_are_told_and_come_with_the_next_answer(
    ten: str, faultless: Tables, kind: str, error: type[SourceError], reason: str
):
    amount = 30.0 if KINDS[kind].amount else None
    within = run(ten, WITHIN, fault(kind, amount=amount))
    assert within.errors == {error}
    assert reason in within.down["trendlyne"]
    # An expiry's leaving the list is a good answer; all else that is not data is kept and marked.
    assert any(reason in text for text in within.unparsed) == (error is PayloadInvalid)
    assert_nothing_invented(ten, faultless)
    after = run(ten, AFTER, fault(kind, amount=amount))
    assert (after.errors, after.down) == (set(), {})
    assert tables(ten, UNTIL) == faultless


def test_another_sessions_answers_are_not_written(ten: str, faultless: Tables):
    run(ten, WITHIN, fault("wrong-date"))
    assert_nothing_invented(ten, faultless)
    assert at("10:05") not in snapshots(tables(ten, LATEST))
    assert run(ten, AFTER) == QUIET
    assert tables(ten, UNTIL) == faultless


def test_a_contract_with_percents_for_units_does_not_spoil_the_others(ten: str, faultless: Tables):
    within = run(ten, WITHIN, fault("percent", target=CALL))
    assert within.errors == {PayloadInvalid}
    assert "is not whole" in within.down["trendlyne"]
    newest = {row for row in faultless["build_up"] if row[1] == at("10:00")}
    assert {row[0] for row in newest} > {CALL}
    stored = tables(ten, LATEST)["build_up"]
    assert newest - stored == {row for row in newest if row[0] == CALL}
    run(ten, AFTER)
    assert tables(ten, UNTIL) == faultless


def test_a_row_without_a_price_is_told_and_does_not_spoil_the_others(ten: str, faultless: Tables):
    within = run(ten, WITHIN, fault("null-price", target=CALL))
    assert set(within.unparsed) == {"10:00 IST: no price"}
    newest = {row for row in faultless["build_up"] if row[1] == at("10:00")}
    stored = tables(ten, LATEST)["build_up"]
    assert newest - stored == {row for row in newest if row[0] == CALL}
    assert_nothing_invented(ten, faultless)
    assert run(ten, AFTER).errors == set()
    assert tables(ten, UNTIL) == faultless


def test_rows_in_no_order_twice_or_under_another_name_are_the_same_rows(
    ten: str, faultless: Tables
):
    kinds = ("unordered", "duplicate-row", "oi-name")
    assert run(ten, WITHIN, *map(fault, kinds)) == QUIET
    assert_nothing_invented(ten, faultless)
    assert run(ten, AFTER, *(fault(kind, end="10:20") for kind in kinds)) == QUIET
    assert tables(ten, UNTIL) == faultless


def test_swapped_totals_reach_no_row(faultless: Tables):
    newest = [row for row in faultless["chain_oi"] if row[3] == at("10:10")]
    assert newest
    seen = at("10:10").timestamp()
    for _, expiry, strike, _, *stored, _ in newest:
        series = [market().series[f"NIFTY{expiry:%y%m%d}{kind}{strike}"] for kind in "CP"]
        now = [line.open_interest(seen) for line in series]
        assert stored == [*now, *(line.previous_oi for line in series)]


def test_a_missing_row_stays_missing_and_gives_the_next_no_verdict(ten: str, faultless: Tables):
    for moment in (WITHIN, AFTER):
        run(ten, moment, fault("missing-row", end="16:00"))
    stored = tables(ten, UNTIL)
    gone = {row for row in faultless["build_up"] if row[1] == at("10:00")}
    followers = {row for row in faultless["build_up"] if row[1] == at("10:05")}
    # Its total is there, but not the one before: no volume either.
    without_verdict = {(*row[:6], None, None, "none", row[9]) for row in followers}
    assert stored["build_up"] == (faultless["build_up"] - gone - followers) | without_verdict
    assert stored["signal"] <= faultless["signal"]
    assert stored["chain_oi"] == faultless["chain_oi"]


def test_a_missing_row_that_comes_late_is_written_with_the_next_interval(
    ten: str, faultless: Tables
):
    run(ten, WITHIN, fault("missing-row"))
    assert_nothing_invented(ten, faultless)
    assert run(ten, AFTER) == QUIET
    assert tables(ten, UNTIL) == faultless


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("silence", SourceUnavailable, "no greeting within 1 s"),
        ("late-hello", SourceUnavailable, "no greeting within 1 s"),
        (
            "heartbeats-only",
            SourceUnavailable,
            "came from TradingView, as after the end of a token",
        ),
        ("token-ended", SeriesFailed, "critical_error for NIFTY at 1 minutes: invalid parameters"),
        ("cut", SourceUnavailable, "no close frame received"),
        ("malformed-length", PayloadInvalid, "is cut"),
        ("malformed-json", PayloadInvalid, "is not JSON"),
        ("refuse-403", SourceRefused, "answers HTTP 403"),
        ("refuse-429", SourceRefused, "answers HTTP 429"),
    ],
)
def test_candles_that_do_not_come_are_told_and_come_with_the_next_answer(
    ten: str, faultless: Tables, kind: str, error: type[SourceError], reason: str
):
    within = run(ten, WITHIN, fault(kind))
    assert within.errors == {error}
    assert reason in within.down["tradingview"]
    assert any(reason in text for text in within.unparsed) == (error is PayloadInvalid)
    assert_nothing_invented(ten, faultless)
    after = run(ten, AFTER)
    assert (after.errors, after.down) == (set(), {})
    assert tables(ten, UNTIL) == faultless


def test_a_series_without_an_answer_is_told_and_comes_with_the_next_one(
    ten: str, faultless: Tables
):
    within = run(ten, WITHIN, fault("no-answer", target="NIFTY"))
    assert (within.errors, within.down) == (set(), {})
    assert "no series of" in within.failures["NIFTY"]
    assert_nothing_invented(ten, faultless)
    after = run(ten, AFTER)
    assert (after.errors, after.down) == (set(), {})
    assert tables(ten, UNTIL) == faultless


@pytest.mark.parametrize("kind", ["unknown-symbol", "critical-session"])
def test_a_symbol_that_fails_alone_is_told_and_the_others_are_written(
    ten: str, faultless: Tables, kind: str
):
    within = run(ten, WITHIN, fault(kind, target=CALL))
    assert within.down == {}
    assert set(within.failures) == {CALL}
    stored = tables(ten, LATEST)["candle"]
    missing = {row for row in faultless["candle"] if row[2] < at(LATEST)} - stored
    assert {row[0] for row in missing} == {CALL}
    assert run(ten, AFTER) == QUIET
    assert tables(ten, UNTIL) == faultless


def test_a_connection_that_may_open_few_charts_is_replaced_and_nothing_is_lost(
    ten: str, faultless: Tables
):
    assert run(ten, WITHIN, fault("max-sessions", amount=6)) == QUIET
    assert_nothing_invented(ten, faultless)
    assert run(ten, AFTER, fault("max-sessions", end="10:20", amount=6)) == QUIET
    assert tables(ten, UNTIL) == faultless


def delay(dsn: str) -> int | None:
    with connect(dsn) as connection:
        return read_access(connection)["tradingview"].delay_seconds


@pytest.mark.parametrize("late", [30, 900])
def test_data_that_is_late_is_told_and_nothing_is_final_early(
    ten: str, faultless: Tables, late: int
):
    assert delay(ten) == 0
    assert run(ten, WITHIN, fault("delayed", amount=late)) == QUIET
    assert delay(ten) == late
    assert_nothing_invented(ten, faultless)
    assert run(ten, AFTER) == QUIET
    assert delay(ten) == 0
    assert tables(ten, UNTIL) == faultless


def test_bars_in_no_order_and_twice_are_the_same_bars(ten: str, faultless: Tables):
    assert run(ten, WITHIN, fault("duplicate"), fault("out-of-order")) == QUIET
    assert_nothing_invented(ten, faultless)
    assert run(ten, AFTER) == QUIET
    assert tables(ten, UNTIL) == faultless


@pytest.mark.parametrize("kind", ["empty-history", "short-history"])
def test_bars_a_history_lacks_come_with_the_next_one(ten: str, faultless: Tables, kind: str):
    run(ten, WITHIN, fault(kind))
    assert_nothing_invented(ten, faultless)
    assert run(ten, AFTER) == QUIET
    assert tables(ten, UNTIL) == faultless


def test_a_wrong_close_is_replaced_by_its_correction(ten: str, faultless: Tables):
    run(ten, WITHIN, fault("wrong-close"))
    assert tables(ten, LATEST)["candle"] - faultless["candle"]
    assert run(ten, AFTER) == QUIET
    assert tables(ten, UNTIL) == faultless
