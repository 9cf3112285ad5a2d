"""Messages of Upstox's feed: recorded ones, and made-up ones of the same form."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.series import Bar
from pipelines.sources.upstox.feed import Tick, parse_feed

SENT = datetime(2026, 1, 21, 4, 30, 9, 500000, tzinfo=UTC)
MINUTE = datetime(2026, 1, 21, 4, 29, tzinfo=UTC)


def ms(moment: datetime) -> str:
    return str(round(moment.timestamp() * 1000))


def message(**feeds: Any) -> dict[str, Any]:
    return {"type": "live_feed", "feeds": feeds, "currentTs": ms(SENT)}


def option(**values: Any) -> dict[str, Any]:
    bar = {"interval": "I1", "open": 100.5, "high": 102.0, "low": 100.0, "close": 101.0}
    day = {"interval": "1d", "open": 99.0, "high": 120.0, "low": 90.0, "close": 101.5}
    market = {
        "ltpc": {"ltp": 101.5, "ltt": ms(SENT), "ltq": "65", "cp": 99.0},
        "marketLevel": {
            "bidAskQuote": [
                {"bidQ": "130", "bidP": 101.45, "askQ": "65", "askP": 101.55},
                {"bidQ": "650", "bidP": 101.4, "askQ": "195", "askP": 101.6},
            ]
        },
        "marketOHLC": {"ohlc": [day | {"ts": "1"}, bar | {"vol": "1300", "ts": ms(MINUTE)}]},
        "vtt": "65000",
        "oi": 130000.0,
    }
    return {"fullFeed": {"marketFF": market | values}, "requestMode": "full_d5"}


TICK = Tick(
    key="NSE_FO|51414",
    sent_at=SENT,
    price=101.5,
    traded_at=SENT,
    volume=65000,
    open_interest=130000,
    bid=101.45,
    ask=101.55,
    bid_quantity=130,
    ask_quantity=65,
    minute=Bar(MINUTE, 100.5, 102.0, 100.0, 101.0, 1300.0),
)


def recorded(shared_data, name: str) -> str:
    file = shared_data / "payloads" / name
    if not file.exists():
        pytest.skip("no recorded feed")
    return file.read_text()


def test_recorded_messages_are_read_as_they_stand(shared_data):
    text = recorded(shared_data, "upstox_wss_full_feed_option_2025-12-15.json")
    messages = [json.loads(part) for part in re.split(r"^\++$", text, flags=re.M) if part.strip()]
    ticks = [tick for each in messages for tick in parse_feed(each)]

    told = [(key, feed) for each in messages for key, feed in each["feeds"].items()]
    assert len(messages) > 1
    assert [tick.key for tick in ticks] == [key for key, _ in told]
    assert {tick.key.split("|")[0] for tick in ticks} == {"NSE_INDEX", "NSE_EQ"}
    for tick, (key, feed) in zip(ticks, told, strict=True):
        index = key.startswith("NSE_INDEX")
        full = feed["fullFeed"]["indexFF" if index else "marketFF"]
        assert tick.price == full["ltpc"]["ltp"]
        assert ms(tick.traded_at) == full["ltpc"]["ltt"]
        (bar,) = [row for row in full["marketOHLC"]["ohlc"] if row["interval"] == "I1"]
        assert tick.minute[1:5] == (bar["open"], bar["high"], bar["low"], bar["close"])
        assert ms(tick.minute.open_time) == bar["ts"]
        if index:
            assert (tick.volume, tick.open_interest, tick.minute.volume) == (None, None, None)
        else:
            assert tick.volume == int(full["vtt"])
            assert tick.open_interest == full.get("oi")
            best = full["marketLevel"]["bidAskQuote"][0]
            assert (tick.bid, tick.ask) == (best["bidP"], best["askP"])


def test_recorded_steps_of_open_interest_are_whole_lots(shared_data):
    text = recorded(shared_data, "upstox_wss_oi_steps_NSE_FO_51414_2025-12-15.json")
    steps = json.loads(text)
    ticks = []
    for step in steps:
        last = {"ltp": step["ltp"], "ltt": step["ltt"]}
        feed = option(ltpc=last, vtt=step["vtt"], oi=step["oi"])
        ticks += parse_feed(message(**{"NSE_FO|51414": feed}))
    assert [tick.open_interest for tick in ticks] == [step["oi"] for step in steps]
    assert len({tick.open_interest % 35 for tick in ticks}) == 1
    volumes = [tick.volume for tick in ticks]
    assert volumes == sorted(volumes), "a running total"


def test_a_message_tells_prices_counts_and_the_last_whole_minute():
    assert parse_feed(message(**{"NSE_FO|51414": option()})) == [TICK]


def test_what_is_left_out_is_unknown():
    bare = option(marketLevel={}, marketOHLC={}, vtt=None, oi=None)
    (tick,) = parse_feed(message(**{"NSE_FO|51414": bare}))
    assert tick == Tick("NSE_FO|51414", SENT, 101.5, SENT)
    nobody = option(marketLevel={"bidAskQuote": [{"askP": 0.05, "askQ": "65"}]})
    (tick,) = parse_feed(message(**{"NSE_FO|51414": nobody}))
    assert (tick.bid, tick.bid_quantity, tick.ask, tick.ask_quantity) == (None, None, 0.05, 65)


def test_a_message_about_the_market_has_no_ticks():
    assert parse_feed({"type": "market_info", "marketInfo": {}, "currentTs": "1"}) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"feeds": {}}, "message.currentTs is missing"),
        (message(KEY={"ltpc": {}}), "feeds.KEY.fullFeed is missing"),
        (message(KEY=option(ltpc={})), "feeds.KEY.ltp is missing"),
        (message(KEY=option(oi=-1)), "feeds.KEY.oi: -1 is negative"),
        (message(KEY=option(vtt="many")), "feeds.KEY.vtt: 'many' is no number"),
        (message(KEY=option(oi=0.5)), "feeds.KEY.oi: 0.5 is not whole"),
    ],
)
def test_a_message_of_another_form_is_refused_with_its_place(content, reason):
    with pytest.raises(PayloadInvalid, match=reason):
        parse_feed(content)
