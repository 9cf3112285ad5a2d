"""Every parser under answers that a fuzzer spoiled: read, or refused by an error of ours.

By their structure and by their bytes; some hundreds of each question's in CI, 200,000 in the long
form. A seed is a parser's name and a number, so that what fails once can be looked at again.
"""

import gzip
import json
import math
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from random import Random
from typing import Any, NamedTuple

import pytest

from db.archive.raw_payloads import Receipt
from db.archive.words import LONGEST_BYTES
from pipelines.ingest.answers import read
from pipelines.sources import strict_json
from pipelines.sources.errors import PayloadInvalid, SourceError
from pipelines.sources.roles import Ladder
from pipelines.sources.tradingview.charts import series_failure
from pipelines.sources.tradingview.delay import Delay
from pipelines.sources.tradingview.greeting import require_true_clock
from pipelines.sources.tradingview.socket import farewell
from pipelines.sources.tradingview.wire import (
    FAILURES,
    Hello,
    Message,
    decode,
    frame,
    parse_quote,
    parse_resolved,
)
from pipelines.sources.upstox.feed import parse_feed
from pipelines.sources.upstox.fields import complaint
from pipelines.sources.upstox.instruments import contract_rows, future_keys, option_keys
from strategy.clock import MarketClock
from strategy.session import IST
from tests.long import in_full, runs_in_full
from tests.mutations import dumped, mutate_bytes, mutate_json

INPUTS = 200_000 if runs_in_full() else 1000
DAY = date(2026, 1, 21)
RECEIVED = datetime(2026, 1, 21, 10, 6, tzinfo=IST).astimezone(UTC)
FIRST = 1768967100  # 09:15 IST
CALL = "NIFTY260127C25500"


class Parser(NamedTuple):
    """A question of a source: what is answered, how it is packed, and who reads it."""

    name: str
    answer: Any
    read: Callable[[bytes], Any]
    pack: Callable[[Any], bytes] = dumped
    rows: tuple[Any, ...] = ()  # where the answer's rows lie, to make it long


def reading(about: dict[str, Any]) -> Callable[[bytes], Any]:
    """Return what reads an archived answer to a question."""

    def take(body: bytes) -> Any:
        return read(Receipt(1, "simulator", about, RECEIVED, RECEIVED, RECEIVED, body), DAY)

    return take


def trendlyne(body: Any) -> Any:
    return {"head": {"status": "0", "statusDescription": "Success"}, "body": body}


def upstox(data: Any) -> Any:
    return {"status": "success", "data": data}


def frames(messages: Any) -> bytes:
    """Return messages as TradingView frames them, each with its length."""
    return "".join(
        frame(json.dumps(message, separators=(",", ":")))
        for message in (messages if isinstance(messages, list) else [messages])
    ).encode()


def message(method: str, *params: Any) -> Any:
    return {"m": method, "p": list(params)}


def converse(body: bytes) -> None:
    """Do with a message what both clients of TradingView do, but for the socket."""
    delay, now = Delay(), time.time()
    clock = MarketClock(RECEIVED, now, 600.0)  # so fast that minutes make no difference
    for item in decode(body):
        match item:
            case Hello(_, server_time):
                require_true_clock(clock, server_time, now)
            case Message(method, _):
                farewell(item)
                if method == "qsd":
                    delay.quoted(parse_quote(item).values, RECEIVED)
                if method == "symbol_resolved":
                    delay.resolved(parse_resolved(item))
                if method in FAILURES:
                    str(series_failure("NIFTY", 1, item))
    assert delay.seconds is None or 0 <= delay.seconds <= 10**6


def complain(body: bytes) -> None:
    told = complaint(body)
    assert told is None or all(isinstance(part, str) for part in told)


def name_keys(body: bytes) -> list[str]:
    rows = contract_rows(body)
    return [*option_keys(rows, "NIFTY").values(), *future_keys(rows, "NIFTY").values()]


def tell_ticks(body: bytes) -> None:
    content = strict_json.load(body)
    if isinstance(content, dict):
        parse_feed(content)


def points(first: int, number: int) -> list[Any]:
    return [
        {"i": n, "v": [first + 60.0 * n, 25500.5, 25510, 25495, 25501.25, 6500.0]}
        for n in range(number)
    ]


def build_up(n: int) -> dict[str, Any]:
    return {
        "interval": f"09:{15 + 5 * n} TO 09:{20 + 5 * n}",
        "buildup": "Short Covering",
        "close_price": 152.5,
        "open_interest": 65000.0,
        "oi": 65000.0,
        "volume_gross": 130000 * (n + 1),
        "volume_change": 100.0 / n if n else 0.0,
    }


def chain_row(n: int) -> dict[str, Any]:
    return {"callOi": 650.0, "callPrevOi": 65 * n, "putOi": None, "putPrevOi": 130.0}


def market_side(**values: Any) -> dict[str, Any]:
    market = {"ltp": 101.5, "volume": 6500, "oi": 130000.0, "bid_price": 101.45, "bid_qty": 130}
    market |= {"ask_price": 101.55, "ask_qty": 65, "prev_oi": 65000.0}
    return {"instrument_key": "NSE_FO|41", "market_data": market | values}


def strike_row(n: int) -> dict[str, Any]:
    return {
        "expiry": "2026-01-27",
        "strike_price": 25500.0 + 50 * n,
        "underlying_key": "NSE_INDEX|Nifty 50",
        "underlying_spot_price": 25512.35,
        "call_options": market_side(),
        "put_options": market_side(oi=0),
    }


def instrument(n: int, kind: str = "CE") -> dict[str, Any]:
    return {
        "segment": "NSE_FO",
        "expiry": 1769538599000,
        "instrument_type": kind,
        "underlying_symbol": "NIFTY",
        "instrument_key": f"NSE_FO|{51414 + n}",
        "lot_size": 65,
        "tick_size": 5.0,
        "strike_price": 25500.0 + 50 * n,
    }


def candle(n: int) -> list[Any]:
    opened = f"2026-01-21T09:{15 + n}:00+05:30"
    return [opened, 101.5, 102, 100.95, 101.0, 6500, 130000]


NIFTY = {"underlying": "NIFTY", "expiry": "2026-01-27"}
TRENDLYNE = {"source": "trendlyne", **NIFTY}
UPSTOX = {"source": "upstox", **NIFTY}
TRADINGVIEW = {"source": "tradingview", "symbol": CALL, "minutes": 1, "chart": "cs_a"}
INPUT = {
    "tradingDate": "2026-01-21",
    "lastUpdatedDateTime": "2026-01-21T10:05:00+05:30",
    "maxTime": "10:03",
    "expDateList": ["2026-01-27"],
}
COLUMNS = [
    f"{name}_{side}"
    for side in ("call", "put")
    for name in ("current_price", "traded_contracts", "open_interest")
]
BARS = {"s1": {"s": points(FIRST, 3), "ns": {"d": ""}, "t": "s1"}}
LEG = {
    "ltpc": {"ltp": 101.5, "ltt": "1768970000000", "cp": 99.0},
    "marketLevel": {"bidAskQuote": [{"bidQ": "130", "bidP": 101.45, "askQ": "65", "askP": 102}]},
    "marketOHLC": {
        "ohlc": [
            {
                "interval": "I1",
                "open": 1,
                "high": 2,
                "low": 1,
                "close": 2,
                "vol": "650",
                "ts": "1768970000000",
            }
        ]
    },
    "vtt": "6500",
    "oi": 130000.0,
}

PARSERS = [
    Parser(
        "tradingview history",
        [message("timescale_update", "cs_a", BARS), message("series_completed", "cs_a", "s1")],
        reading(TRADINGVIEW | {"kind": "history"}),
        frames,
        (0, "p", 1, "s1", "s"),
    ),
    Parser(
        "tradingview stream",
        [message("du", "cs_a", BARS), message("series_error", "cs_b", "s1", "gone")],
        reading(TRADINGVIEW | {"kind": "stream", "charts": {"cs_a": [CALL, 1], "cs_b": [CALL, 5]}}),
        frames,
        (0, "p", 1, "s1", "s"),
    ),
    Parser(
        "tradingview conversation",
        [
            {"session_id": "<0.1>", "timestamp": 1768970000, "timestampMs": 1768970000123},
            message(
                "qsd",
                "qs_a",
                {
                    "n": "NSE:NIFTY",
                    "s": "ok",
                    "v": {
                        "lp": 25500.5,
                        "lp_time": 1768970000,
                        "volume": 1,
                        "ch": 1.5,
                        "chp": 0.1,
                        "update_mode": "delayed_streaming_900",
                    },
                },
            ),
            message(
                "symbol_resolved",
                "cs_a",
                "symbol_1",
                {"full_name": "NSE:NIFTY", "base_name": ["NSE_DLY:NIFTY"]},
            ),
            message("series_error", "cs_a", "s1", "invalid resolution"),
            message("critical_error", "no session", "wrong data"),
        ],
        converse,
        frames,
        (),
    ),
    Parser(
        "trendlyne search",
        trendlyne({"data": [{"stock_id": 1887, "stock_code": "NIFTY"}]}),
        reading(TRENDLYNE | {"kind": "search"}),
        rows=("body", "data"),
    ),
    Parser(
        "trendlyne expiries",
        trendlyne({"data": {"all_exp_list": ["2026-01-27", "2026-02-03"]}}),
        reading(TRENDLYNE | {"kind": "expiries"}),
        rows=("body", "data", "all_exp_list"),
    ),
    Parser(
        "trendlyne listing",
        trendlyne({"overallData": {"strikePriceList": [25500, 25550.0]}, "inputData": INPUT}),
        reading(TRENDLYNE | {"kind": "listing"}),
        rows=("body", "overallData", "strikePriceList"),
    ),
    Parser(
        "trendlyne chain",
        trendlyne(
            {
                "overallData": {"spotPrice": 25512.35},
                "oiData": {str(25500 + 50 * n): chain_row(n) for n in range(2)},
                "inputData": INPUT,
            }
        ),
        reading(TRENDLYNE | {"kind": "chain"}),
        rows=("body", "oiData"),
    ),
    Parser(
        "trendlyne option chain",
        trendlyne(
            {
                "tableHeaders": [{"unique_name": name} for name in ("strike_price", *COLUMNS)],
                "tableData": [[25500 + 50 * n, 101.5, 650, 1300, 88.0, 65, 130] for n in range(2)],
                "stockLevelData": {"stockCurrentPrice": 25512.35},
            }
        ),
        reading(TRENDLYNE | {"kind": "option_chain"}),
        rows=("body", "tableData"),
    ),
    Parser(
        "trendlyne build-ups",
        trendlyne({"data_v2": [build_up(n) for n in range(3)]}),
        reading(TRENDLYNE | {"kind": "build_ups", "symbol": CALL}),
        rows=("body", "data_v2"),
    ),
    Parser(
        "upstox instruments",
        [instrument(0), instrument(1, "PE"), instrument(2, "FUT"), {"segment": "NSE_EQ"}],
        reading(UPSTOX | {"kind": "instruments"}),
        lambda rows: gzip.compress(dumped(rows), 1),
        (0,),
    ),
    Parser(
        "upstox keys",
        upstox([instrument(0), instrument(2, "FUT")]),
        name_keys,
        rows=("data",),
    ),
    Parser(
        "upstox candles",
        upstox({"candles": [candle(n) for n in range(3)]}),
        reading(UPSTOX | {"kind": "history", "symbol": CALL, "minutes": 1, "newest": 100}),
        rows=("data", "candles"),
    ),
    Parser(
        "upstox chain",
        upstox([strike_row(n) for n in range(2)]),
        reading(UPSTOX | {"kind": "chain"}),
        rows=("data",),
    ),
    Parser(
        "upstox expiries",
        upstox(["2025-12-30", "2026-01-06"]),
        reading(UPSTOX | {"kind": "expiries"}),
        rows=("data",),
    ),
    Parser(
        "upstox complaint",
        {"status": "error", "errors": [{"errorCode": "UDAPI100050", "message": "Invalid token"}]},
        complain,
    ),
    Parser(
        "upstox feed",
        {
            "type": "live_feed",
            "currentTs": "1768970000500",
            "feeds": {
                "NSE_FO|41": {"fullFeed": {"marketFF": LEG}},
                "NSE_INDEX|Nifty 50": {"fullFeed": {"indexFF": LEG}},
            },
        },
        tell_ticks,
    ),
]
by_name = pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.name)


def assert_storable(value: Any, where: str = "answer") -> None:
    """Check that all that an answer says fits the columns that there are for it."""
    if isinstance(value, tuple | list):
        for number, part in enumerate(value):
            names = getattr(value, "_fields", None)
            assert_storable(part, f"{where}.{names[number] if names else number}")
    elif isinstance(value, str):
        assert "\x00" not in value, where
        value.encode()
    elif isinstance(value, float):
        assert math.isnan(value) or abs(value) <= 10**12, where
    elif isinstance(value, int):
        assert abs(value) <= (10**7 if where.endswith("strike") else 10**15), where
    elif isinstance(value, datetime | date):
        assert 1970 <= value.year <= 2100, where
    else:
        assert value is None, where


def outcome(parser: Parser, body: bytes) -> Any:
    """Return what is read, or why nothing is."""
    try:
        return parser.read(body)
    except SourceError as error:
        found = error
    assert len(str(found).encode()) <= LONGEST_BYTES
    assert_storable(str(found))
    return found


@by_name
def test_an_answer_is_read_before_it_is_spoiled(parser: Parser):
    found = outcome(parser, parser.pack(parser.answer))

    assert not isinstance(found, Exception), found
    if isinstance(found, Ladder):
        assert found.refused == ()


@by_name
def test_a_spoiled_answer_is_read_or_refused_and_never_anything_else(parser: Parser):
    refused = 0
    whole = parser.pack(parser.answer)
    for number in range(INPUTS):
        random = Random(f"{parser.name} {number}")
        body = whole
        if number % 3:
            body = parser.pack(mutate_json(random, parser.answer))
        if number % 3 != 1:
            body = mutate_bytes(random, body)
        try:
            found = outcome(parser, body)
            refused += isinstance(found, Exception)
            if not isinstance(found, Exception):
                assert_storable(found)
        except Exception as error:
            error.add_note(f"{parser.name} {number}: {body[:2000]!r}")
            raise
    assert refused >= INPUTS // 20 or parser.read is complain, "hardly anything was spoiled"


def grown(parser: Parser, size: int, row: Callable[[int, Any], Any]) -> bytes:
    """Return an answer of at least so many bytes: its rows again and again, as `row` makes them."""
    whole = parser.answer
    *path, last = parser.rows
    copy = json.loads(json.dumps(whole))
    holder = copy
    for step in path:
        holder = holder[step]
    rows = holder[last]
    kept = list(rows.items()) if isinstance(rows, dict) else list(rows)
    one = len(json.dumps(row(0, kept[0])))
    number = size // max(one, 1) + 1
    made = [row(n, kept[n % len(kept)]) for n in range(number)]
    holder[last] = dict(made) if isinstance(rows, dict) else made
    return parser.pack(copy)


def again(n: int, row: Any) -> Any:
    return (str(n), row[1]) if isinstance(row, tuple) else row


def bad(n: int, row: Any) -> Any:
    return (f"\x00{n}", None) if isinstance(row, tuple) else [["\ud800"], None]


def steps(parser: Parser, body: bytes) -> int:
    """Return how many functions are called to read an answer: no matter how busy a machine is."""
    number = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal number
        number += event in {"call", "c_call"}

    sys.setprofile(note)
    try:
        outcome(parser, body)
    finally:
        sys.setprofile(None)
    return number


def seconds(read: Callable[[bytes], Any], body: bytes) -> float:
    began = time.process_time()
    read(body)
    return time.process_time() - began


@in_full
@pytest.mark.parametrize("row", [again, bad])
@pytest.mark.parametrize(
    "parser",
    [parser for parser in PARSERS if parser.rows and parser.rows != (0,)],
    ids=lambda parser: parser.name,
)
def test_ten_megabytes_take_ten_times_as_much_as_one(parser: Parser, row: Callable):
    few, more, most = (grown(parser, size, row) for size in (10**5, 10**6, 10**7))
    assert 8 < len(more) / len(few) < 12

    assert steps(parser, more) < 12 * steps(parser, few)
    # What a single call does is not seen so: the time of plain JSON, as generously as can be.
    plain = seconds(json.loads, b"[" + b"[1.5,null]," * 10**6 + b"0]")
    assert seconds(partial(outcome, parser), most) < 100 * plain + 1


@by_name
def test_megabytes_of_one_text_or_of_brackets_are_refused_in_words(parser: Parser):
    size = 10**7 if runs_in_full() else 10**6
    for text in (b"\x00" * size, b"[" * size, b'"' + b"9" * size + b'"', b"9" * size):
        found = outcome(parser, text)
        assert isinstance(found, Exception) or parser.read in {complain, tell_ticks}
    told = {
        "status": "error",
        "errors": [{"message": "\x00" * size}],
        "head": {"status": "1", "statusDescription": "\ud800" * size},
    }
    found = outcome(parser, dumped(told))
    assert isinstance(found, PayloadInvalid) or parser.read in {complain, tell_ticks}
