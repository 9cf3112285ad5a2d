"""Frames as the service sent them, read by our parser; and made-up ones of the same form.

The recordings are of public repositories and stay outside this one: those tests skip without them.
"""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.sources.errors import ConnectionWornOut, SeriesFailed, SymbolUnknown
from pipelines.sources.tradingview.charts import series_failure
from pipelines.sources.tradingview.delay import Delay, announced_seconds, is_delayed_twin
from pipelines.sources.tradingview.socket import farewell
from pipelines.sources.tradingview.wire import (
    BAR_METHODS,
    NUMBERS,
    Heartbeat,
    Hello,
    Message,
    decode,
    encode,
    frame,
    parse_quote,
    parse_resolved,
    parse_series,
)
from strategy.session import IST

PAYLOADS = "payloads"
PRINTED = re.compile(
    r"NSE:(?P<symbol>\S+) -> price=(?P<price>\S+), change=(?P<change>\S+),"
    r" change_percentage=(?P<change_percent>\S+), volume=(?P<volume>\S+)"
)
BAR = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)  (NSE:\S+) +(\S+) +(\S+) +(\S+) +(\S+) +(\S+)$")


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> Path:
    folder = shared_data / PAYLOADS
    if not folder.is_dir():
        pytest.skip("no recorded answers")
    return folder


def messages(path: Path) -> list[Message]:
    return [call for call in decode(path.read_text().rstrip("\n")) if isinstance(call, Message)]


def named(calls: list[Message], method: str) -> list[Message]:
    return [call for call in calls if call.method == method]


def test_a_paid_accounts_morning_is_read_whole(recorded: Path):
    frames = decode((recorded / "tradingview_nse_frames_2025-12-18.txt").read_text().rstrip("\n"))
    hello, *others = frames
    assert isinstance(hello, Hello)
    assert hello.server_time == 1766031047.438
    assert sum(isinstance(item, Heartbeat) for item in others) == 9
    calls = [item for item in others if isinstance(item, Message)]
    for resolved in named(calls, "symbol_resolved"):
        told = parse_resolved(resolved)
        assert told["alternatives"] == ["NSE_DLY:JUNIPER"]
        assert not is_delayed_twin(told)
    (daily, *_) = named(calls, "timescale_update")
    bars = parse_series(daily, "sds_1")
    assert (len(bars), bars[0].volume, bars[-1].open_time.astimezone(IST).date().isoformat()) == (
        300,
        90305.0,
        "2025-12-18",
    )
    quotes = [parse_quote(call) for call in named(calls, "qsd")]
    modes = {
        item.name: item.values["update_mode"] for item in quotes if "update_mode" in item.values
    }
    assert modes["NSE:CNX500"] == "streaming"
    assert announced_seconds(modes["XETR:SAP"]) == 900
    assert {item.values.get("price_time") for item in quotes} == {None, 1766031015.0, 1766031028.0}
    assert [farewell(call) for call in calls] == [None] * len(calls)


def test_a_delayed_listing_is_known_by_its_base_name(recorded: Path):
    calls = messages(recorded / "tradingview_nse_frames_2025-12-18.txt")
    told = {call.params[1]["n"]: call.params[1]["v"] for call in named(calls, "qsd")}
    late = [name for name, values in told.items() if is_delayed_twin(with_nse(values))]
    assert late == ["XETR:SAP"]


def with_nse(values: dict) -> dict:
    """The same of our exchange: another's delayed listings have its own name before `_DLY`."""
    bases = [re.sub(r"^\w+?_DLY:", "NSE_DLY:", name) for name in values.get("base_name", [])]
    return values | {"base_name": bases}


def test_quotes_without_an_account_are_read_and_merged_as_they_were_printed(recorded: Path):
    lines = (recorded / "tradingview_quotes_anonymous_2026-01-21.txt").read_text().splitlines()
    printed = [match for line in lines if (match := PRINTED.fullmatch(line))]
    framed = [line.partition("message: ")[2] for line in lines if "~m~" in line]
    assert len(printed) >= 40
    assert len(framed) >= 10
    for match in printed:
        printed_values = match.groupdict().items()
        told = {
            name: float(text)
            for name, text in printed_values
            if text != "None" and name != "symbol"
        }
        values = {field: told[name] for field, name in NUMBERS.items() if name in told}
        call = Message("qsd", ["qs_a", {"n": f"NSE:{match['symbol']}", "s": "ok", "v": values}])
        (received,) = decode(encode(call.method, call.params))
        assert parse_quote(received).values == told
        assert told["volume"] > 0
    for text in framed:
        calls = [item for item in decode(text) if isinstance(item, Message)]
        assert calls
        for call in calls:
            assert parse_quote(call).values["volume"] > 0


def test_quote_frames_tell_an_options_running_volume_and_an_indexs(recorded: Path):
    calls: list[Message] = []
    beats = 0
    for line in (recorded / "tradingview_qsd_frames.txt").read_text().splitlines():
        for item in decode(line):
            beats += isinstance(item, Heartbeat)
            calls += [item] if isinstance(item, Message) else []
    assert beats == 1
    totals: dict[str, list[float]] = {}
    for call in calls:
        update = parse_quote(call)
        totals.setdefault(update.name, []).append(update.values["volume"])
    assert set(totals) == {
        "NSE:NIFTY",
        "NSE:BANKNIFTY",
        "NSE:NIFTY260127C25450",
        "NSE:BANKNIFTY260127C59500",
    }
    assert all(found == sorted(found) for found in totals.values())
    assert all(volume % 65 == 0 for volume in totals["NSE:NIFTY260127C25450"])


def test_an_update_of_a_series_is_one_bar(recorded: Path):
    (call,) = messages(recorded / "tradingview_du_frame.txt")
    assert call.method in BAR_METHODS
    (bar,) = parse_series(call)
    assert bar[1:6] == (1721.18, 1721.75, 1721.17, 1721.74, 229.7826)
    assert bar.open_time == datetime(2022, 9, 13, 6, 29, tzinfo=UTC)


def test_errors_name_the_session_that_they_end(recorded: Path):
    lines = (recorded / "tradingview_error_and_status_frames.txt").read_text().splitlines()
    frames = [decode(frame(line))[0] for line in lines]
    symbol, chart, quotes, completed, hello = frames
    assert isinstance(hello, Hello)
    assert hello.server_time == 1666351503.272
    assert [call.ends_session for call in frames[:4]] == [False, True, True, False]
    assert [farewell(call) for call in frames[:4]] == [None] * 4
    assert isinstance(series_failure("X", 1, symbol), SymbolUnknown)
    assert isinstance(series_failure("X", 1, chart), SeriesFailed)
    assert quotes.session == "qs_rfcyvedtgukx"
    assert completed.params[4] == {"rt_update_period": 0, "data_completed": "limit"}


def test_printed_histories_agree_with_bars_of_the_same_values(recorded: Path):
    text = (recorded / "tvdatafeed_history_anonymous_2026-01-20.txt").read_text()
    rows = [match for line in text.splitlines() if (match := BAR.fullmatch(line.rstrip()))]
    assert {row[2] for row in rows} == {"NSE:NIFTY260120C25450"}, "those printed in one piece"
    points = [
        {"i": n, "v": [moment(row[1]).timestamp(), *map(float, row.groups()[2:])]}
        for n, row in enumerate(rows)
    ]
    call = Message("timescale_update", ["cs_a", {"s1": {"s": points, "ns": {}, "t": "s1"}}])
    (received,) = decode(encode(call.method, call.params))
    bars = parse_series(received)
    assert [bar.open_time.astimezone(IST).strftime("%F %T") for bar in bars] == [r[1] for r in rows]
    assert all(bar.volume % 65 == 0 for bar in bars), "whole lots"
    assert [bar.close for bar in bars] == [float(row[6]) for row in rows]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=IST)


# Made up, of the recorded form: what a paid account, a delayed one and a refusing service send.
RESOLVED = {
    "source2": {"country": "IN", "exchange-type": "exchange", "id": "NSE"},
    "currency_code": "INR",
    "pro_perm": "",
    "full_name": "NSE:SAMPLE",
    "pro_name": "NSE:SAMPLE",
    "base_name": ["NSE:SAMPLE"],
    "alternatives": ["NSE_DLY:SAMPLE"],
    "aliases": ["NSE_EOD:SAMPLE"],
    "session": "0915-1530",
    "timezone": "Asia/Kolkata",
}
QUOTE = {
    "update_mode": "streaming",
    "lp": 1250.5,
    "lp_time": 1768967130,
    "volume": 2851.0,
    "pro_perm": "",
    "base_name": ["NSE:SAMPLE"],
    "rchp": None,
}


def sent(method: str, params: list, at: float = 1768967131.25) -> str:
    """A frame with the times that the service adds to a chart's answers."""
    call = {"m": method, "p": params, "t": int(at), "t_ms": int(at * 1000)}
    return frame(json.dumps(call, separators=(",", ":")))


def test_frames_of_a_paid_account():
    text = "".join(
        [
            sent("series_loading", ["cs_a", "sds_1", "s1"]),
            sent("symbol_resolved", ["cs_a", "sds_sym_1", RESOLVED]),
            encode("qsd", ["qs_a", {"n": "NSE:SAMPLE", "s": "ok", "v": QUOTE}]),
            sent("series_completed", ["cs_a", "sds_1", "streaming", "s1", {"rt_update_period": 0}]),
            encode("du", ["cs_a", {"Xo2Dq9": {"node": "study-8", "st": [], "t": "s1_st1"}}]),
        ]
    )
    loading, resolved, quote, completed, study = decode(text)
    assert (loading.method, completed.params[3]) == ("series_loading", "s1")
    assert parse_series(study) == [], "a study's news is no bar"
    delay = Delay()
    delay.resolved(parse_resolved(resolved))
    assert delay.seconds is None
    delay.quoted(parse_quote(quote).values, datetime.fromtimestamp(1768967131, UTC))
    assert (delay.seconds, delay.newest) == (0, datetime.fromtimestamp(1768967130, UTC))


def test_frames_of_a_delayed_account():
    twin = {"full_name": "NSE_DLY:SAMPLE", "base_name": ["NSE_DLY:SAMPLE"], "pro_perm": "nse"}
    late = {"update_mode": "delayed_streaming_900", "lp_time": 1768966230, **twin}
    (resolved,) = decode(sent("symbol_resolved", ["cs_a", "sds_sym_1", RESOLVED | twin]))
    (quote,) = decode(encode("qsd", ["qs_a", {"n": "NSE:SAMPLE", "s": "ok", "v": QUOTE | late}]))
    for tell in (
        lambda delay: delay.resolved(parse_resolved(resolved)),
        lambda delay: delay.quoted(parse_quote(quote).values, datetime.now(UTC)),
    ):
        delay = Delay()
        tell(delay)
        assert delay.seconds == 900


@pytest.mark.parametrize(
    ("params", "ends_session"),
    [
        (["cs_a", "invalid parameters", 'method: create_series. args: "[s1, s1]"'], True),
        (["qs_a", "invalid_parameters", "quote_add_symbols"], True),
        (["invalid parameters"], False),
    ],
)
def test_a_critical_error_ends_what_it_names(params: list[str], ends_session: bool):
    call = Message("critical_error", params)
    assert call.ends_session == ends_session
    assert (farewell(call) is None) == ends_session


@pytest.mark.parametrize("params", [["max sessions rate reached"], ["cs_a", "Max sessions rate"]])
def test_one_chart_session_too_many_is_the_connections_end(params: list[str]):
    assert isinstance(farewell(Message("protocol_error", params)), ConnectionWornOut)
