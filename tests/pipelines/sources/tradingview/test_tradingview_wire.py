"""Frames to and from text, and what the messages in them mean."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.series import Bar
from pipelines.sources.tradingview.wire import (
    Frame,
    Heartbeat,
    Hello,
    Message,
    decode,
    encode,
    encode_heartbeat,
    exchange_symbol,
    frame,
    merge_bars,
    parse_history,
    parse_quote,
    parse_series,
    pieces,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FRAMES = st.one_of(
    st.builds(Heartbeat, st.integers(0, 10**9).map(lambda n: f"~h~{n}")),
    st.builds(Hello, st.text(), st.none() | st.integers(0, 2**40).map(lambda ms: ms / 1000)),
    st.builds(Message, st.text(), st.lists(JSON, max_size=4)),
)


def text_of(item: Frame) -> str:
    match item:
        case Heartbeat():
            return encode_heartbeat(item)
        case Hello():
            hello = {"session_id": item.session_id}
            if item.server_time is not None:
                hello["timestampMs"] = round(item.server_time * 1000)
            return frame(json.dumps(hello, ensure_ascii=False))
        case Message():
            return encode(item.method, item.params)


def series(*values: list[float | None], session: str = "cs_a", method: str = "du") -> Message:
    points = [{"i": n, "v": list(value)} for n, value in enumerate(values)]
    return Message(method, [session, {"s1": {"s": points, "ns": {}, "t": "s1"}}])


def at(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


@given(st.lists(FRAMES, max_size=6))
@example([Message("~m~3~m~abc", ["~m~9~m~", "₹ निफ्टी", "😀~h~1"]), Heartbeat("~h~1")])
def test_any_list_of_frames_survives_the_round_trip(frames):
    parts = [text_of(item) for item in frames]

    assert decode("".join(parts)) == frames
    assert decode("".join(parts).encode()) == frames
    assert decode("\n".join(parts)) == frames


@given(st.lists(FRAMES, max_size=6))
def test_every_frame_keeps_its_very_text(frames):
    parts = [text_of(item) for item in frames]

    assert [piece.text for piece in pieces("".join(parts))] == parts


@pytest.mark.parametrize(
    ("told", "server_time"),
    [
        ('"timestamp":1768967100', 1768967100.0),
        ('"timestampMs":1768967100250', 1768967100.25),
        ('"timestamp":1768967100,"timestampMs":1768967100250', 1768967100.25),
        ('"release":"x"', None),
    ],
)
def test_a_greeting_tells_the_servers_clock(told, server_time):
    assert decode(frame(f'{{"session_id":"a",{told}}}')) == [Hello("a", server_time)]


def test_a_greeting_with_an_impossible_time_is_invalid():
    with pytest.raises(PayloadInvalid, match=r"hello\.timestamp: 'now' is no number"):
        decode(frame('{"session_id":"a","timestamp":"now"}'))


@given(st.lists(FRAMES, min_size=1, max_size=3), st.data())
def test_a_cut_message_is_never_taken_for_a_whole_one(frames, data):
    parts = [text_of(item) for item in frames]
    boundaries = {len("".join(parts[:n])) for n in range(len(parts) + 1)}
    whole = "".join(parts)
    cut = data.draw(st.integers(1, len(whole) - 1).filter(lambda n: n not in boundaries))

    with pytest.raises(PayloadInvalid):
        decode(whole[:cut])


@given(st.text() | st.binary() | st.lists(JSON).map(json.dumps).map(frame))
def test_anything_else_is_invalid_and_nothing_worse(message):
    try:
        frames = decode(message)
    except PayloadInvalid:
        return
    assert all(isinstance(item, Heartbeat | Hello | Message) for item in frames)


def test_the_length_counts_characters_not_bytes():
    assert frame("₹₹") == "~m~2~m~₹₹"
    assert encode("set_locale", ["en", "₹"]) == '~m~33~m~{"m":"set_locale","p":["en","₹"]}'


def test_a_heartbeat_is_sent_back_as_it_came():
    (beat,) = decode("~m~5~m~~h~07")

    assert beat == Heartbeat("~h~07")
    assert encode_heartbeat(beat) == "~m~5~m~~h~07"


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("hello", "no frame at character 0"),
        ("~m~4~m~~h~1junk", "no frame at character 11"),
        ("~m~99~m~{}", "is cut: 99 characters announced, 2 there"),
        ("~m~-1~m~", "no frame"),
        ("~m~5~m~{'a'}", "is not JSON"),
        ('~m~20~m~{"m":"du","p":[NaN]}', "NaN is not JSON"),
        ("~m~2~m~[]", "unknown kind"),
        ('~m~14~m~{"m":"x","p":1}'.replace("14", "15"), "unknown kind"),
        (frame("[" * 100_000), "is not JSON"),
        (b"~m~2~m~\xff\xfe", "not UTF-8"),
    ],
)
def test_a_malformed_message_says_what_and_where(message, complaint):
    with pytest.raises(PayloadInvalid, match=complaint):
        decode(message)


def test_bars_have_utc_starts_and_their_prices():
    message = series([1768967100.0, 52.5, 53, 52.25, 52.6, 1300.0])

    assert parse_series(message) == [
        Bar(datetime(2026, 1, 21, 3, 45, tzinfo=UTC), 52.5, 53.0, 52.25, 52.6, 1300.0)
    ]


def test_a_missing_volume_is_unknown_not_zero():
    bars = parse_series(series([60, 1, 2, 1, 2], [120, 1, 2, 1, 2, None], [180, 1, 2, 1, 2, 0]))

    assert [bar.volume for bar in bars] == [None, None, 0.0]


def test_an_update_of_something_else_has_no_bars():
    assert parse_series(Message("du", ["cs_a", {"st1": {"st": []}}])) == []
    assert parse_series(Message("du", ["cs_a", {"s1": {"ns": {}, "t": "s1"}}])) == []


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        (["cs_a"], "no object of series"),
        (["cs_a", []], "no object of series"),
        (["cs_a", {"s1": 5}], "s1 holds no list of bars"),
        (["cs_a", {"s1": {"s": {}}}], "s1 holds no list of bars"),
        (["cs_a", {"s1": {"s": [{"i": 0}]}}], r"s\[0\]: no time and four prices"),
        (["cs_a", {"s1": {"s": [{"v": [1, 2, 3, 4]}]}}], "no time and four prices"),
        (["cs_a", {"s1": {"s": [{"v": [1, 2, None, 4, 5]}]}}], r"v\[2\]: None is no number"),
        (["cs_a", {"s1": {"s": [{"v": [1, 2, "3", 4, 5]}]}}], r"v\[2\]: '3' is no number"),
        (["cs_a", {"s1": {"s": [{"v": [1, True, 3, 4, 5]}]}}], r"v\[1\]: True is no number"),
        (["cs_a", {"s1": {"s": [{"v": [1, 10**400, 3, 4, 5]}]}}], "not a finite number"),
        (["cs_a", {"s1": {"s": [{"v": [1e18, 2, 3, 4, 5]}]}}], "is no time"),
        (["cs_a", {"s1": {"s": [{"v": [1, 2, 3, 4, 5, -6]}]}}], "negative volume"),
    ],
)
def test_a_malformed_series_says_what_and_where(params, complaint):
    with pytest.raises(PayloadInvalid, match=complaint):
        parse_series(Message("timescale_update", params))


def test_merged_bars_ascend_and_the_last_word_wins():
    bars = merge_bars(
        [
            series([120, 1, 1, 1, 1, 10], [60, 2, 2, 2, 2, 20], method="timescale_update"),
            Message("series_completed", ["cs_a", "s1", "streaming", "s1"]),
            series([120, 1, 3, 1, 3, 30]),
        ]
    )

    assert [(bar.open_time, bar.close) for bar in bars] == [(at(60), 2.0), (at(120), 3.0)]


def test_archived_messages_are_parsed_per_chart_session():
    shared = "".join(
        encode(*series([60, price, price, price, price], session=session))
        for session, price in (("cs_a", 1), ("cs_b", 2))
    )
    raw = f"{shared}\n{encode(*series([120, 3, 3, 3, 3], session='cs_b'))}".encode()

    assert [bar.close for bar in parse_history(raw, "cs_a")] == [1.0]
    assert [bar.close for bar in parse_history(raw, "cs_b")] == [2.0, 3.0]


def test_a_quote_names_only_what_changed():
    update = parse_quote(
        Message("qsd", ["qs_a", {"n": "NSE:NIFTY", "s": "ok", "v": {"lp": 25000.5, "ch": None}}])
    )

    assert (update.name, update.status, update.values) == ("NSE:NIFTY", "ok", {"price": 25000.5})


@pytest.mark.parametrize(
    "params",
    [
        ["qs_a"],
        ["qs_a", {"s": "ok", "v": {}}],
        ["qs_a", {"n": "NSE:NIFTY", "v": []}],
        ["qs_a", {"n": "NSE:NIFTY", "v": {"lp": "25000"}}],
    ],
)
def test_a_malformed_quote_is_invalid(params):
    with pytest.raises(PayloadInvalid, match="qsd"):
        parse_quote(Message("qsd", params))


def test_symbols_get_their_exchange():
    assert exchange_symbol("NIFTY260127C25000") == "NSE:NIFTY260127C25000"


def test_recorded_quotes_are_read_completely(shared_data: Path):
    frames = decode((shared_data / "payloads" / "tradingview_qsd_frames.txt").read_bytes())

    quotes = [parse_quote(item) for item in frames if isinstance(item, Message)]
    assert len(quotes) == 37
    assert {quote.status for quote in quotes} == {"ok"}
    assert [item for item in frames if isinstance(item, Heartbeat)] == [Heartbeat("~h~1")]
    # Some updates carry the volume alone: the price keeps its last value.
    assert any(set(quote.values) == {"volume"} for quote in quotes)


def test_a_recorded_update_is_read_completely(shared_data: Path):
    text = (shared_data / "payloads" / "tradingview_du_frame.txt").read_text()
    epoch, *numbers = json.loads(text[text.index("{") :])["p"][1]["s1"]["s"][0]["v"]

    (message,) = decode(text)

    assert parse_series(message) == [Bar(at(epoch), *numbers)]
