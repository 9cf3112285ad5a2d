"""The sources' traps, one each, against runs of the schedule: one before, one in, one after it.

Afterwards the tables are those of runs without the fault, or what is missing is told. Nothing is
ever stored that the market did not say.
"""

import asyncio
from collections.abc import Iterator

import pytest

from pipelines.errors import (
    ExpiryGone,
    PayloadInvalid,
    SourceError,
    SourceRefused,
    SourceUnavailable,
)
from simulator.faults import KINDS, Fault
from tests import faulty
from tests.faulty import QUIET, Tables, Told, at, copied, market, minute_run, tables

BEFORE, WITHIN, AFTER = "10:00:30", "10:05:30", "10:10:30"
UNTIL = "10:10"  # what must be there at the end
LATEST = "10:05"  # what must be there within the fault at most
CALL = "NIFTY260127C25600"


def fault(kind: str, *, end: str = "10:09", **options: object) -> Fault:
    return faulty.fault(kind, "10:04", end, **options)


def run(dsn: str, moment: str, *faults: Fault) -> Told:
    return asyncio.run(minute_run(dsn, moment, *faults))


@pytest.fixture(scope="module")
def morning(fresh_database) -> Iterator[str]:
    """A database after the run before the fault, to be copied."""
    with fresh_database() as dsn:
        assert run(dsn, BEFORE) == QUIET
        yield dsn


@pytest.fixture
def database(server_dsn: str, morning: str) -> Iterator[str]:
    with copied(server_dsn, morning) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def faultless(server_dsn: str, morning: str) -> Tables:
    """What the same runs store without any fault."""
    with copied(server_dsn, morning) as dsn:
        assert run(dsn, WITHIN) == QUIET
        assert run(dsn, AFTER) == QUIET
        stored = tables(dsn, UNTIL)
    assert all(stored.values())
    return stored


def assert_nothing_invented(dsn: str, faultless: Tables):
    for name, rows in tables(dsn, LATEST).items():
        assert rows <= faultless[name], name
    assert faulty.known_too_early(dsn) == []


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
    assert snapshots(faultless) == {at("10:00"), at("10:05"), at("10:10")}


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("http-403", SourceRefused, "answers HTTP 403"),
        ("http-429", SourceRefused, "answers HTTP 429"),
        ("http-500", SourceUnavailable, "answers HTTP 500"),
        ("slow", SourceUnavailable, "no answer in 1.5 s"),
        ("error-head", PayloadInvalid, "head.status is '1': Something went wrong"),
        ("empty-answer", PayloadInvalid, "not JSON"),
        ("html", PayloadInvalid, "starts with '<!DOCTYPE html>"),
        ("percent", PayloadInvalid, "is not whole"),
        ("old-shape", PayloadInvalid, "body.data_v2 is missing"),
        ("roll", ExpiryGone, "expiry 2026-01-27 is not listed any more"),
    ],
)
def test_positions_that_do_not_come_are_told_and_come_with_the_next_answer(
    database: str, faultless: Tables, kind: str, error: type[SourceError], reason: str
):
    amount = 60.0 if KINDS[kind].amount else None
    within = run(database, WITHIN, fault(kind, amount=amount))
    assert within.errors == {error}
    assert reason in within.down["trendlyne"]
    # An expiry's leaving the list is a good answer; all else that is not data is kept and marked.
    assert any(reason in text for text in within.unparsed) == (error is PayloadInvalid)
    assert_nothing_invented(database, faultless)
    after = run(database, AFTER, fault(kind, amount=amount))
    assert (after.errors, after.down) == (set(), {})
    stored = tables(database, UNTIL)
    lost = faultless["chain_oi"] - stored["chain_oi"]
    assert stored | {"chain_oi": stored["chain_oi"] | lost} == faultless
    assert {row[3] for row in lost} <= {at("10:05")}


def test_another_sessions_answers_are_not_written(database: str, faultless: Tables):
    run(database, WITHIN, fault("wrong-date"))
    assert_nothing_invented(database, faultless)
    assert at("10:05") not in snapshots(tables(database, LATEST))
    assert run(database, AFTER) == QUIET
    stored = tables(database, UNTIL)
    assert stored["build_up"] == faultless["build_up"]


def test_a_contract_with_percents_for_units_does_not_spoil_the_others(
    database: str, faultless: Tables
):
    within = run(database, WITHIN, fault("percent", target=CALL))
    assert within.errors == {PayloadInvalid}
    assert "is not whole" in within.down["trendlyne"]
    newest = {row for row in faultless["build_up"] if row[1] == at("10:00")}
    assert {row[0] for row in newest} > {CALL}
    stored = tables(database, LATEST)["build_up"]
    assert newest - stored == {row for row in newest if row[0] == CALL}
    run(database, AFTER)
    assert tables(database, UNTIL) == faultless


def test_rows_in_no_order_twice_or_under_another_name_are_the_same_rows(
    database: str, faultless: Tables
):
    kinds = ("unordered", "duplicate-row", "oi-name")
    assert run(database, WITHIN, *map(fault, kinds)) == QUIET
    assert_nothing_invented(database, faultless)
    assert run(database, AFTER, *(fault(kind, end="10:20") for kind in kinds)) == QUIET
    assert tables(database, UNTIL) == faultless


def test_swapped_totals_reach_no_row(faultless: Tables):
    newest = [row for row in faultless["chain_oi"] if row[3] == at("10:10")]
    assert newest
    seen = at("10:10").timestamp()
    for _, expiry, strike, _, *stored, _ in newest:
        series = [market().series[f"NIFTY{expiry:%y%m%d}{kind}{strike}"] for kind in "CP"]
        now = [line.open_interest(seen) for line in series]
        assert stored == [*now, *(line.previous_oi for line in series)]


def test_a_missing_row_stays_missing_and_gives_the_next_no_verdict(
    database: str, faultless: Tables
):
    for moment in (WITHIN, AFTER):
        run(database, moment, fault("missing-row", end="16:00"))
    stored = tables(database, UNTIL)
    gone = {row for row in faultless["build_up"] if row[1] == at("10:00")}
    followers = {row for row in faultless["build_up"] if row[1] == at("10:05")}
    without_verdict = {(*row[:6], None, row[7], "none", row[9]) for row in followers}
    assert stored["build_up"] == (faultless["build_up"] - gone - followers) | without_verdict
    assert stored["signal"] <= faultless["signal"]
    assert stored["chain_oi"] == faultless["chain_oi"]


def test_a_missing_row_that_comes_late_is_written_with_the_next_interval(
    database: str, faultless: Tables
):
    run(database, WITHIN, fault("missing-row"))
    assert_nothing_invented(database, faultless)
    assert run(database, AFTER) == QUIET
    assert tables(database, UNTIL) == faultless


@pytest.mark.parametrize(
    ("kind", "error", "reason"),
    [
        ("silence", SourceUnavailable, "no greeting within 1.5 s"),
        ("late-hello", SourceUnavailable, "no greeting within 1.5 s"),
        ("no-answer", SourceUnavailable, "no series of"),
        ("cut", SourceUnavailable, "no close frame received"),
        ("malformed-length", PayloadInvalid, "is cut"),
        ("malformed-json", PayloadInvalid, "is not JSON"),
        ("refuse-403", SourceRefused, "answers HTTP 403"),
        ("refuse-429", SourceRefused, "answers HTTP 429"),
    ],
)
def test_candles_that_do_not_come_are_told_and_come_with_the_next_answer(
    database: str, faultless: Tables, kind: str, error: type[SourceError], reason: str
):
    target = "NIFTY" if kind == "no-answer" else "*"
    within = run(database, WITHIN, fault(kind, target=target))
    assert within.errors == {error}
    assert reason in within.down["tradingview"]
    assert any(reason in text for text in within.unparsed) == (error is PayloadInvalid)
    assert_nothing_invented(database, faultless)
    after = run(database, AFTER)
    assert (after.errors, after.down) == (set(), {})
    assert tables(database, UNTIL) == faultless


def test_a_symbol_the_source_forgot_is_told_and_the_others_are_written(
    database: str, faultless: Tables
):
    within = run(database, WITHIN, fault("unknown-symbol", target=CALL))
    assert set(within.failures) == {CALL}
    stored = tables(database, LATEST)["candle"]
    missing = {row for row in faultless["candle"] if row[2] < at(LATEST)} - stored
    assert {row[0] for row in missing} == {CALL}
    assert run(database, AFTER) == QUIET
    assert tables(database, UNTIL) == faultless


def test_bars_in_no_order_and_twice_are_the_same_bars(database: str, faultless: Tables):
    assert run(database, WITHIN, fault("duplicate"), fault("out-of-order")) == QUIET
    assert_nothing_invented(database, faultless)
    assert run(database, AFTER) == QUIET
    assert tables(database, UNTIL) == faultless


@pytest.mark.parametrize("kind", ["empty-history", "short-history"])
def test_bars_a_history_lacks_come_with_the_next_one(database: str, faultless: Tables, kind: str):
    run(database, WITHIN, fault(kind))
    assert_nothing_invented(database, faultless)
    assert run(database, AFTER) == QUIET
    assert tables(database, UNTIL) == faultless


def test_a_wrong_close_is_replaced_by_its_correction(database: str, faultless: Tables):
    run(database, WITHIN, fault("wrong-close"))
    assert tables(database, LATEST)["candle"] - faultless["candle"]
    assert run(database, AFTER) == QUIET
    assert tables(database, UNTIL) == faultless
