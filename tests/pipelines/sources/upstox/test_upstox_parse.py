"""Upstox's answers, recorded ones and made-up ones of the same form, through the parser."""

import gzip
import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.roles import Bars, LadderSide, ListedContract, Listing
from pipelines.sources.series import Bar
from pipelines.sources.upstox.chain import parse_chain
from pipelines.sources.upstox.fields import complaint
from pipelines.sources.upstox.instruments import future_keys, instrument_rows, option_keys
from pipelines.sources.upstox.parse import parse_candles, read
from strategy.session import IST

DAY = date(2026, 1, 21)
CALL = "NIFTY260127C25500"
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)


def success(data: Any) -> bytes:
    return json.dumps({"status": "success", "data": data}).encode()


def candles(*rows: list[Any]) -> bytes:
    return success({"candles": list(rows)})


def side(**values: Any) -> dict[str, Any]:
    market = {"ltp": 101.5, "volume": 6500, "oi": 130000.0, "close_price": 99.0}
    market |= {"bid_price": 101.45, "bid_qty": 130, "ask_price": 101.55, "ask_qty": 65}
    return {
        "instrument_key": "NSE_FO|41",
        "market_data": market | {"prev_oi": 65000.0} | values,
        "option_greeks": {"vega": 0, "theta": 0, "gamma": 0, "delta": 0.5, "iv": 12.1},
    }


def strike(strike_price: float, call: Any, put: Any, **values: Any) -> dict[str, Any]:
    row = {"expiry": "2026-01-27", "pcr": 1.0, "strike_price": strike_price}
    row |= {"underlying_key": "NSE_INDEX|Nifty 50", "underlying_spot_price": 25512.35}
    return row | {"call_options": call, "put_options": put} | values


def instrument(kind: str, **values: Any) -> dict[str, Any]:
    row = {
        "segment": "NSE_FO",
        "name": "NIFTY",
        "exchange": "NSE",
        "expiry": 1769538599000,
        "instrument_type": kind,
        "asset_symbol": "NIFTY",
        "underlying_symbol": "NIFTY",
        "instrument_key": "NSE_FO|51414",
        "lot_size": 65,
        "freeze_quantity": 1800.0,
        "exchange_token": "51414",
        "minimum_lot": 65,
        "tick_size": 5.0,
        "trading_symbol": "NIFTY 25500 CE 27 JAN 26",
        "strike_price": 25500.0,
    }
    return row | values


def test_the_recorded_chain_is_read_as_it_stands(shared_data):
    file = shared_data / "payloads" / "upstox_option_chain_nifty_2024-06-27.json"
    if not file.exists():
        pytest.skip("no recorded chain")
    body = file.read_bytes()
    about = {"kind": "chain", "underlying": "NIFTY", "expiry": "2024-06-27"}
    ladder = read(about, body, date(2024, 6, 21))

    recorded = json.loads(body)["data"]
    assert (ladder.underlying, ladder.expiry) == ("NIFTY", date(2024, 6, 27))
    assert (ladder.moment, ladder.trading_date) == (None, None), "no time stands in it"
    assert ladder.spot == 23868.8
    assert ladder.refused == ()
    assert [row.strike for row in ladder.rows] == [row["strike_price"] for row in recorded]
    assert len(ladder.rows) == 115
    for row, told in zip(ladder.rows, recorded, strict=True):
        for mine, name in ((row.call, "call_options"), (row.put, "put_options")):
            market = told[name]["market_data"]
            assert mine.open_interest == market["oi"]
            assert mine.previous_open_interest == market["prev_oi"]
            assert mine.volume == market["volume"]
            assert (mine.price or 0) == market["ltp"]
            assert (mine.bid or 0, mine.ask or 0) == (market["bid_price"], market["ask_price"])
            assert (mine.bid_quantity, mine.ask_quantity) == (market["bid_qty"], market["ask_qty"])
    first = ladder.rows[0].call
    assert first == LadderSide(133025, 228225, 8868.0, 96750, 8831.0, 8864.5, 100, 25)
    counts = [s.open_interest for row in ladder.rows for s in (row.call, row.put)]
    assert all(count % 25 == 0 for count in counts), "units: multiples of the lot"


def test_a_chain_is_a_ladder_with_bid_and_ask():
    body = success([strike(25550, side(oi=0), side()), strike(25500.0, side(), side(ltp=88))])
    ladder = read({"kind": "chain", "underlying": "NIFTY", "expiry": "2026-01-27"}, body, DAY)

    assert ladder.spot == 25512.35
    assert [row.strike for row in ladder.rows] == [25500, 25550]
    assert ladder.rows[0].put == LadderSide(130000, 65000, 88.0, 6500, 101.45, 101.55, 130, 65)
    assert ladder.rows[1].call.open_interest == 0, "zero is zero where others have some"


def test_what_a_chain_does_not_know_is_none_and_what_is_zero_is_zero():
    nothing = side(ltp=0, volume=0, oi=None, bid_price=0, bid_qty=0, ask_price=None, ask_qty=None)
    body = success([strike(25500, nothing, None), strike(25550, side(), {"market_data": None})])
    first, second = parse_chain(body, "NIFTY").rows

    assert first.call == LadderSide(None, 65000, None, 0, None, None, 0, None)
    assert (first.put, second.put) == (None, None)


def test_a_chain_without_any_open_interest_does_not_know_it():
    body = success([strike(25500, side(oi=0), side(oi=0)), strike(25550, side(oi=0.0), None)])
    rows = parse_chain(body, "NIFTY").rows
    assert [s and s.open_interest for row in rows for s in (row.call, row.put)] == [None] * 4
    assert rows[0].call.price == 101.5


def test_an_expiry_that_is_not_listed_has_an_empty_ladder():
    ladder = read(
        {"kind": "chain", "underlying": "NIFTY", "expiry": "2026-01-27"}, success([]), DAY
    )
    assert (ladder.rows, ladder.expiry, ladder.spot) == ([], None, None)


def test_a_strike_that_cannot_be_used_is_told_and_the_others_count():
    bad = [
        strike(25500, side(oi="many"), side()),
        strike(25525.5, side(), side()),
        strike(25550, side(volume=-1), side()),
        strike(1e308, side(), side()),
        strike(25600, side(oi=10**19), side(), expiry="2026-01-27"),
        strike(25600, side(ltp=1e308), side(), expiry="9999-12-31"),
        "row",
    ]
    ladder = parse_chain(success([*bad[:4], strike(25650, side(), side()), *bad[4:]]), "NIFTY")
    assert [row.strike for row in ladder.rows] == [25650]
    assert [text.split(":")[0] for text in ladder.refused] == [
        "data[0].call_options.market_data.oi",
        "data[1].strike_price",
        "data[2].call_options.market_data.volume",
        "data[3].strike_price",
        "data[5].call_options.market_data.oi",
        "and 2 more",
    ]
    with pytest.raises(PayloadInvalid, match=r"market_data.oi: 'many' is no number"):
        parse_chain(success(bad), "NIFTY")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([strike(25500, side(), side(), underlying_key="NSE_INDEX|Nifty Bank")], "is not NIFTY's"),
        ([strike(25500, side(), side(), expiry="2026-02-03")], "where 2026-01-27 was asked"),
        ([strike(1, side(), side()), strike(2, side(), side(), expiry="2026-02-03")], "2 expiries"),
        ([strike(1, side(), side()), strike(1, side(oi=1), side())], "a second, different row"),
        ([{"expiry": "2026-01-27"}], "data[0].underlying_key is missing"),
        ({}, "data is no list"),
        (["row"], "data[0] is no object"),
    ],
)
def test_another_chain_than_the_one_asked_for_is_refused(data, reason):
    about = {"kind": "chain", "underlying": "NIFTY", "expiry": "2026-01-27"}
    with pytest.raises(PayloadInvalid, match=reason.replace("[", r"\[")):
        read(about, success(data), DAY)


def test_candles_come_ascending_with_their_open_interest():
    body = candles(
        ["2026-01-21T09:16:00+05:30", 101, 103.5, 100.05, 102, 1300, 130000],
        ["2026-01-21T09:15:00+05:30", 100.5, 101, 100, 101, 650, 129935],
    )
    about = {"kind": "history", "symbol": CALL, "minutes": 1, "newest": None}
    assert read(about, body, DAY) == Bars(
        CALL,
        1,
        [
            Bar(OPEN, 100.5, 101.0, 100.0, 101.0, 650.0, 129935),
            Bar(OPEN + timedelta(minutes=1), 101.0, 103.5, 100.05, 102.0, 1300.0, 130000),
        ],
    )
    newest = read(about | {"newest": 1}, body, DAY)
    assert [bar.volume for bar in newest.bars] == [1300.0]
    assert len(read(about | {"newest": 5}, body, DAY).bars) == 2


def test_an_index_has_no_volume_and_no_open_interest_whatever_is_sent():
    body = candles(["2026-01-21T09:15:00+05:30", 25500, 25510, 25490, 25501.5, 0, 0])
    (bar,) = parse_candles(body, "NIFTY", 1).bars
    assert (bar.volume, bar.open_interest) == (None, None)


def test_open_interest_that_is_zero_throughout_is_unknown_and_a_single_zero_is_zero():
    row = ["2026-01-21T09:15:00+05:30", 1, 1, 1, 1, 65]
    later = ["2026-01-21T09:16:00+05:30", 1, 1, 1, 1, 65]
    assert [bar.open_interest for bar in parse_candles(candles([*row, 0]), CALL, 1).bars] == [None]
    both = parse_candles(candles([*row, 0], [*later, 130]), CALL, 1).bars
    assert [bar.open_interest for bar in both] == [0, 130]
    short = parse_candles(candles(row), CALL, 1).bars
    assert [(bar.volume, bar.open_interest) for bar in short] == [(65.0, None)]


def test_a_price_or_count_that_is_null_is_not_made_up():
    body = candles(["2026-01-21T09:15:00+05:30", 1, None, 1, 1, None, None])
    (bar,) = parse_candles(body, CALL, 1).bars
    assert math.isnan(bar.high)
    assert (bar.volume, bar.open_interest) == (None, None)


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (["2026-01-21T09:15:00", 1, 1, 1, 1, 1, 1], r"\[0\]: .* has no offset"),
        (["soon", 1, 1, 1, 1, 1, 1], r"\[0\]: 'soon' is no time"),
        ([1769000000, 1, 1, 1, 1, 1, 1], "is no time"),
        (["2026-01-21T09:15:00+05:30", 1, "1", 1, 1, 1, 1], r"\[2\]: '1' is no number"),
        (["2026-01-21T09:15:00+05:30", 1, 1, 1, 1, -1, 1], r"\[5\]: -1 is no count"),
        (["2026-01-21T09:15:00+05:30", 1, 1, 1, 1, 1, 0.5], r"\[6\]: 0.5 is no count"),
        (["2026-01-21T09:15:00+05:30", 1, 1, 1, 1], "5 values where 7 belong"),
        ("row", "is no list"),
    ],
)
def test_a_candle_of_another_form_is_refused_with_its_place(row, place):
    with pytest.raises(PayloadInvalid, match=r"data\.candles\[0\].*" + place):
        parse_candles(candles(row), CALL, 1)


def test_two_different_candles_of_one_minute_are_refused():
    row = ["2026-01-21T09:15:00+05:30", 1, 1, 1, 1, 65, 65]
    assert len(parse_candles(candles(row, row), CALL, 1).bars) == 1
    with pytest.raises(PayloadInvalid, match="a second, different"):
        parse_candles(candles(row, [*row[:5], 130, 65]), CALL, 1)


PRICES = st.floats(0, 1e6, allow_nan=False)
COUNTS = st.integers(0, 10**9)


@given(
    st.dictionaries(st.integers(0, 374), st.tuples(PRICES, PRICES, PRICES, PRICES, COUNTS, COUNTS)),
    st.randoms(),
)
def test_in_whatever_order_candles_come_they_are_ascending_and_complete(minutes, random):
    rows = [
        [(OPEN + timedelta(minutes=minute)).astimezone(IST).isoformat(), *values]
        for minute, values in minutes.items()
    ]
    random.shuffle(rows)
    bars = parse_candles(candles(*rows, *rows[:2]), CALL, 1).bars
    assert [bar.open_time for bar in bars] == [OPEN + timedelta(minutes=m) for m in sorted(minutes)]
    assert [bar[1:6] for bar in bars] == [minutes[m][:5] for m in sorted(minutes)]
    known = any(values[5] for values in minutes.values())
    assert all((bar.open_interest is not None) == known for bar in bars)


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_options_are_found_among_all_instruments_zipped_or_not(pack):
    rows = [
        {"segment": "NSE_INDEX", "instrument_key": "NSE_INDEX|Nifty 50", "trading_symbol": "NIFTY"},
        {"segment": "NSE_EQ", "instrument_type": "EQ", "trading_symbol": "NIFTYBEES"},
        instrument("FUT", instrument_key="NSE_FO|1", strike_price=0.0, tick_size=10.0),
        instrument("PE", instrument_key="NSE_FO|2"),
        instrument("CE", instrument_key="NSE_FO|3", tick_size=0.05),
        instrument("CE", instrument_key="NSE_FO|4", expiry=1768933799000),  # on the 20th
        instrument("CE", instrument_key="NSE_FO|5", strike_price=25512.5),
        instrument("CE", instrument_key="NSE_FO|6", underlying_symbol="NIFTYNXT50"),
    ]
    body = pack(json.dumps(rows).encode())
    listing = read({"kind": "instruments", "underlying": "NIFTY"}, body, DAY)

    expiry = date(2026, 1, 27)
    assert listing == Listing(
        "NIFTY",
        [
            ListedContract(CALL, "NIFTY", expiry, 25500, "C", 65, 0.05),
            ListedContract("NIFTY260127P25500", "NIFTY", expiry, 25500, "P", 65, 0.05),
        ],
    )
    found = instrument_rows(body)
    assert option_keys(found, "NIFTY")[CALL] == "NSE_FO|3"
    assert future_keys(found, "NIFTY") == {expiry: "NSE_FO|1"}


def test_contracts_that_expired_have_a_date_and_it_is_in_their_key():
    row = instrument("CE", instrument_key="NSE_FO|47983|20-01-2026", expiry="2026-01-20")
    about = {"kind": "expired-options", "underlying": "NIFTY", "expiry": "2026-01-20"}
    listing = read(about, success([row]), date(2026, 1, 19))
    assert [contract.symbol for contract in listing.contracts] == ["NIFTY260120C25500"]
    assert read(about, success([]), date(2026, 1, 19)) == Listing("NIFTY", [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>Sorry</html>", "not JSON .*: starts with '<html>Sorry"),
        (b"", "not JSON"),
        (b"\x1f\x8bbroken", "not gzip"),
        (b"[]", "no options of NIFTY among the instruments"),
        (b"{}", "instruments is no list"),
        (json.dumps([instrument("CE", expiry=None)]).encode(), "NSE_FO.51414.expiry"),
        (json.dumps([instrument("CE", strike_price="?")]).encode(), "strike_price: '.' is no num"),
    ],
)
def test_a_file_that_is_no_list_of_instruments_is_refused(body, reason):
    with pytest.raises(PayloadInvalid, match=reason):
        read({"kind": "instruments", "underlying": "NIFTY"}, body, DAY)


def test_an_answer_that_leads_on_is_still_checked():
    assert read({"kind": "expiries"}, success(["2026-01-20", "2026-01-13"]), DAY) is None
    with pytest.raises(PayloadInvalid, match=r"data\[0\]: 'soon' is no date"):
        read({"kind": "expiries"}, success(["soon"]), DAY)


def test_an_error_is_told_with_the_sources_own_words():
    error = {"errorCode": "UDAPI100050", "message": "Invalid token used to access API"}
    body = json.dumps({"status": "error", "errors": [error]}).encode()
    assert complaint(body) == ("UDAPI100050", "Invalid token used to access API")
    assert complaint(b'{"status": "error"}') == ("", "an error without a reason")
    assert complaint(success([])) is None
    assert complaint(b"<html>") is None
    with pytest.raises(PayloadInvalid, match="UDAPI100050: Invalid token"):
        parse_candles(body, CALL, 1)
