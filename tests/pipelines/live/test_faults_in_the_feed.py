"""Faults of the stream, against the live feed on the last minutes of a session.

The feed begins at 15:19, when everything before has to come from histories, and ends by itself.
"""

from datetime import UTC, datetime

import pytest

from db.server.connection import connect
from strategy.session import interval_opens
from tests.faulty import (
    DAY,
    Tables,
    at,
    fault,
    followed,
    known_too_early,
    market,
    told_by_tables,
)


def test_without_a_fault_the_feed_stores_every_minute_of_the_market(undisturbed: Tables):
    by_symbol: dict[str, dict] = {}
    for symbol, _, opened, _, *values, _, _ in undisturbed["candle"]:
        by_symbol.setdefault(symbol, {})[opened] = values
    for symbol, rows in by_symbol.items():
        assert sorted(rows) == interval_opens(DAY, 1)
        for candle in market().series[symbol].candles:
            volume = None if symbol == "NIFTY" else candle.volume
            opened = datetime.fromtimestamp(candle.open_time, UTC)
            assert rows[opened] == [*candle[2:6], volume]


def test_connections_that_break_and_histories_that_lack_bars_lose_and_change_nothing(
    database: str, undisturbed: Tables
):
    stored = followed(
        database,
        fault("cut", "15:21", "15:23", times=1),
        fault("malformed-length", "15:22:30", "15:25", times=1),
        fault("malformed-json", "15:25", "15:29:30", times=1),
        fault("short-history", "15:21", "15:27:30"),
    )
    down, unparsed = told_by_tables(database)
    assert stored == undisturbed
    assert down == {}
    assert sum("is cut" in reason for reason in unparsed) == 1
    assert sum("is not JSON" in reason for reason in unparsed) == 1


def test_series_that_fail_alone_and_connections_that_are_used_up_are_asked_for_again(
    database: str, undisturbed: Tables
):
    stored = followed(
        database,
        fault("max-sessions", "15:19", "15:21", amount=6),
        fault("critical-session", "15:22", "15:23", times=2),
        fault("critical-session", "15:24", "15:26", target="NIFTY260127?25600"),
    )
    assert stored == undisturbed
    assert told_by_tables(database) == ({}, [])
    assert known_too_early(database) == []


@pytest.mark.parametrize("kind", ["heartbeats-only", "token-ended"])
def test_heartbeats_without_data_make_nothing_final_and_end_the_connection(
    database: str, undisturbed: Tables, kind: str, caplog: pytest.LogCaptureFixture
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.live.stream.MUTE_WALL_SECONDS", 0.5)
        stored = followed(database, fault(kind, "15:21", "15:27"))
    assert "came from TradingView, as after the end of a token" in caplog.text
    assert stored == undisturbed
    assert known_too_early(database) == []


def test_updates_twice_in_no_order_and_corrected_end_as_the_market_says(
    database: str, undisturbed: Tables
):
    stored = followed(
        database,
        fault("duplicate", "15:20", "15:22"),
        fault("out-of-order", "15:22", "15:24"),
        fault("wrong-close", "15:24", "15:27"),
    )
    assert stored == undisturbed
    assert known_too_early(database) == []


def test_no_message_of_the_stream_ends_the_feed_and_nothing_is_lost(
    database: str, undisturbed: Tables
):
    stored = followed(database, fault("poison", "15:20", "15:28", amount=2))
    down, unparsed = told_by_tables(database)
    assert stored == undisturbed
    assert down == {}
    assert unparsed
    assert known_too_early(database) == []
    with connect(database) as connection:
        assert connection.execute("select * from feed_fault").fetchall() == []


def test_no_answer_of_the_other_source_ends_the_feed_and_candles_go_on(
    database: str, undisturbed: Tables
):
    # After the close ladders of before are asked for once more, by their minute.
    stored = followed(database, fault("http-poison", "15:19", "15:29", amount=3))
    _, unparsed = told_by_tables(database)
    assert stored == undisturbed
    assert unparsed
    with connect(database) as connection:
        meanwhile = "select count(*) > 10 from candle where final and known_at between %s and %s"
        window = (at("15:21"), at("15:28"))
        assert connection.execute(meanwhile, window).fetchone() == (True,)
        assert connection.execute("select * from feed_fault").fetchall() == []
