"""Traps that look like good answers: each has to be healed or told, and never to be stored."""

from datetime import datetime, timedelta

import pytest

from db.server.connection import connect
from simulator.trendlyne import Manner
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
    follow,
    market,
    run,
    tables,
)

CLOSED = "15:51:00"


def assert_candles_are_the_markets(dsn: str) -> None:
    true = {
        (symbol, candle.open_time): (
            *candle[2:6],
            None if symbol == "NIFTY" else candle.volume,
        )
        for symbol, series in market().series.items()
        for candle in series.candles
    }
    for symbol, _, opened, _, *values, _, _ in tables(dsn, "15:30")["candle"]:
        assert tuple(values) == true[symbol, int(opened.timestamp())], (symbol, opened)


@pytest.mark.parametrize("kind", ["stale-rows", "lots"])
def test_rows_of_another_session_or_unit_are_refused_and_told(
    ten: str, faultless: Tables, kind: str
):
    within = run(ten, WITHIN, fault(kind))
    assert within != QUIET
    assert_nothing_invented(ten, faultless)
    run(ten, AFTER)
    assert tables(ten, UNTIL)["build_up"] == faultless["build_up"]


def test_a_source_that_answers_for_another_session_while_the_market_is_open_is_told(
    ten: str,
):
    assert run(ten, WITHIN, fault("wrong-date")) != QUIET


def test_an_empty_history_of_a_running_session_is_told(ten: str):
    assert run(ten, WITHIN, fault("empty-history")) != QUIET


def test_a_chain_that_did_not_come_is_asked_again_by_its_minute(ten: str, faultless: Tables):
    run(ten, WITHIN, fault("http-500"))
    run(ten, AFTER)
    assert tables(ten, UNTIL)["chain_oi"] == faultless["chain_oi"]


def ladders(dsn: str) -> set[datetime]:
    return {row[3] for row in tables(dsn, UNTIL)["chain_oi"]}


def test_a_ladder_that_was_asked_for_too_early_is_asked_again_by_its_minute(ten: str):
    run(ten, "10:05:05", manner=Manner(lag=240))  # when the source does not have it yet
    assert at("10:05") not in ladders(ten)
    run(ten, "10:15:30")
    assert at("10:05") in ladders(ten)


def test_a_ladder_of_which_a_kill_left_the_archived_answer_alone_is_asked_again(ten: str):
    before = ladders(ten)
    with connect(ten) as connection:
        connection.execute("delete from chain_oi where observed_at = %s", [at("09:30")])
    run(ten, WITHIN)
    assert before < ladders(ten)


def test_before_the_close_every_missed_ladder_is_asked_for(ten: str):
    run(ten, "15:26")  # some minutes later the source answers for the whole day, whatever is asked
    ends = {opened + timedelta(minutes=5) for opened in interval_opens(DAY, 5)}
    assert ladders(ten) >= {end for end in ends if end <= at("15:20")}


def test_a_forming_candles_volume_is_never_the_final_ones(ten: str, faultless: Tables):
    run(ten, WITHIN, fault("no-volume"))
    true = {row[:3]: row[8] for row in faultless["candle"]}
    told = {row[:3]: row[8] for row in tables(ten, LATEST)["candle"]}
    wrong = {key: value for key, value in told.items() if value not in {None, true[key]}}
    assert wrong == {}


def test_volume_that_was_missing_is_asked_again(ten: str, faultless: Tables):
    run(ten, WITHIN, fault("no-volume"))
    run(ten, AFTER)
    assert tables(ten, UNTIL)["candle"] == faultless["candle"]


def test_nothing_counts_as_known_before_it_happened_when_the_sources_clock_is_ahead(
    ten: str, faultless: Tables
):
    within = run(ten, WITHIN, fault("clock-jump", amount=600))
    assert within != QUIET
    assert_nothing_invented(ten, faultless)
    run(ten, AFTER)
    stored = tables(ten, UNTIL)
    assert stored | {"chain_oi": faultless["chain_oi"]} == faultless
    assert stored["chain_oi"] <= faultless["chain_oi"]


def test_a_bar_still_forms_when_the_sources_clock_is_behind(ten: str, faultless: Tables):
    run(ten, WITHIN, fault("clock-jump", amount=-120))
    assert_nothing_invented(ten, faultless)
    run(ten, AFTER)
    assert tables(ten, UNTIL)["candle"] == faultless["candle"]


def test_a_correction_later_than_the_next_run_is_found_by_the_closing_one(ten: str):
    for moment in (WITHIN, AFTER):
        run(ten, moment, fault("wrong-close", end="10:15"))
    run(ten, CLOSED)
    assert_candles_are_the_markets(ten)


def test_a_build_up_missing_before_the_newest_one_is_asked_again(ten: str):
    run(ten, "15:30:30", fault("missing-row", "15:24", "15:35"))
    run(ten, CLOSED)
    moments: dict[str, list] = {}
    for symbol, opened, *_ in sorted(tables(ten, "15:30")["build_up"]):
        moments.setdefault(symbol, []).append(opened)
    assert moments
    assert {symbol: len(found) for symbol, found in moments.items()} == dict.fromkeys(
        moments, len(interval_opens(DAY, 5))
    )


def test_a_silent_stream_makes_no_bar_final_that_it_did_not_see_end(database: str):
    follow(database, fault("silence", "15:22:30", "15:23:40"))
    assert_candles_are_the_markets(database)
