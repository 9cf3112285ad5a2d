"""Trendlyne's answers, from bytes to rows: what is accepted, and how the rest is refused."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.errors import ExpiryGone, PayloadInvalid, SymbolUnknown, WrongTradingDate
from pipelines.sources.roles import BuildUpRow, BuildUpRows, LadderRow, LadderSide
from pipelines.sources.trendlyne.build_ups import parse_build_ups
from pipelines.sources.trendlyne.ladders import parse_chain, parse_option_chain
from pipelines.sources.trendlyne.parse import parse_expiries, parse_listing, parse_stock_id
from strategy.session import IST

SESSION = date(2026, 1, 21)
COLUMNS = [
    "strike_price",
    *(
        f"{name}_{side}"
        for name in ("current_price", "traded_contracts", "open_interest")
        for side in ("call", "put")
    ),
]
HEAD = {"status": "0", "statusDescription": "Success", "responseCode": None}


def answer(body: Any, **head: Any) -> bytes:
    return json.dumps({"head": HEAD | head, "body": body}).encode()


def build_up(**changes: Any) -> dict[str, Any]:
    row = {
        "interval": "09:15 TO 09:20",
        "buildup": "Short Covering",
        "close_price": 152.5,
        "open_interest": 65000.0,
        "oi_change": -1.5,
        "oi_change_gross": -975.0,
        "volume_gross": 130000.0,
        "volume_change": 0.0,
        "price_range": "150.0 - 153.0",
    } | changes
    return {key: value for key, value in row.items() if value is not ...}


def build_ups(*rows: Any) -> bytes:
    return answer({"data_v2": list(rows)})


def chain(**changes: Any) -> dict[str, Any]:
    def strike(call: float, put: float) -> dict[str, float]:
        return {
            "callOi": call,
            "callPrevOi": call - 65,
            "callOiChange": 65.0,
            "callOiChangeP": 1.0,
            "putOi": put,
            "putPrevOi": put + 130,
            "putOiChange": -130.0,
            "putOiChangeP": -1.0,
        }

    return {
        "overallData": {"spotPrice": 25012.5, "totalCallOiChange": -260.0},
        "oiData": {"25050": strike(1300.0, 2600.0), "25000": strike(650.0, 1950.0)},
        "inputData": {
            "tradingDate": "2026-01-21",
            "lastUpdatedDateTime": "2026-01-21T10:05:00+05:30",
            "minTime": "09:15",
            "maxTime": "10:03",
            "expDateList": ["2026-01-27"],
        },
    } | changes


def test_build_ups_come_sorted_in_utc_with_canonical_labels():
    rows, _ = parse_build_ups(
        build_ups(
            build_up(interval="15:25 TO 15:30", buildup="Long Unwinding"),
            build_up(),
            build_up(interval="09:20 TO 09:25", buildup="Long Build Up"),
            build_up(interval="10:55 TO 11:00", buildup="Short Build Up"),
        ),
        SESSION,
    )

    assert rows[0] == BuildUpRow(
        datetime(2026, 1, 21, 3, 45, tzinfo=UTC),
        datetime(2026, 1, 21, 3, 50, tzinfo=UTC),
        152.5,
        65000,
        130000,
        "short_covering",
    )
    assert [row.source_label for row in rows] == [
        "short_covering",
        "long_build_up",
        "short_build_up",
        "long_unwinding",
    ]
    assert rows[-1].close_time == datetime(2026, 1, 21, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "open_interest"),
    [
        ({"open_interest": ..., "oi": 650}, 650),
        ({"open_interest": 650, "oi": 650.0}, 650),
        ({"open_interest": "12,34,500"}, 1234500),
        ({"open_interest": "1,234,500.0"}, 1234500),
        ({"open_interest": "0"}, 0),
    ],
)
def test_both_names_of_open_interest_and_numbers_in_words_are_read(changes, open_interest):
    ((row,), _) = parse_build_ups(build_ups(build_up(**changes)), SESSION)

    assert row.open_interest == open_interest


def test_no_rows_yet_is_a_valid_answer():
    assert parse_build_ups(build_ups(), SESSION) == BuildUpRows([])


def test_equal_rows_of_an_interval_count_once():
    assert len(parse_build_ups(build_ups(build_up(), build_up(oi_change=7)), SESSION).rows) == 1


def test_a_whole_day_served_in_the_morning_is_the_day_before():
    body = build_ups(build_up(), build_up(interval="15:25 TO 15:30"))

    with pytest.raises(WrongTradingDate, match=r"has 15:25 IST, received at 09:21:00"):
        parse_build_ups(body, SESSION, datetime(2026, 1, 21, 9, 21, tzinfo=IST))
    assert len(parse_build_ups(body, SESSION, datetime(2026, 1, 21, 15, 31, tzinfo=IST)).rows) == 2


def test_the_interval_that_just_began_is_todays_though_clocks_differ_a_little():
    body = build_ups(build_up(), build_up(interval="09:20 TO 09:25"))

    assert (
        len(parse_build_ups(body, SESSION, datetime(2026, 1, 21, 9, 19, 30, tzinfo=IST)).rows) == 2
    )


@pytest.mark.parametrize("label", [None, ""])
def test_a_row_without_a_verdict_is_labelled_none(label):
    ((row,), _) = parse_build_ups(build_ups(build_up(buildup=label)), SESSION)

    assert row.source_label == "none"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"volume_gross": -65}, r"data_v2\[1\].volume_gross: -65 is negative"),
        ({"volume_gross": 1.5}, r"data_v2\[1\].volume_gross: 1.5 is not whole"),
        ({"volume_gross": True}, "True is no number"),
        ({"volume_gross": "1,2"}, "'1,2' is no number"),
        ({"volume_gross": "1e5"}, "'1e5' is no number"),
        ({"volume_gross": ...}, r"data_v2\[1\].volume_gross is missing"),
        ({"open_interest": ...}, r"data_v2\[1\]: neither oi nor open_interest"),
        ({"open_interest": 5, "oi": 6}, "oi and open_interest differ"),
        ({"close_price": ...}, "close_price is missing"),
        ({"close_price": -1}, "close_price: -1.0 is negative"),
        ({"close_price": 10**400}, "not a finite number"),
        ({"buildup": "Neutral"}, r"data_v2\[1\].buildup: unknown label 'Neutral'"),
        ({"buildup": 5}, "unknown label 5"),
        ({"buildup": ...}, "buildup is missing"),
        ({"interval": "09:20"}, r"data_v2\[1\].interval: '09:20' is no interval"),
        ({"interval": "9:15 TO 9:20"}, "is no interval"),
        ({"interval": "25:00 TO 25:05"}, "is no interval"),
        ({"interval": "09:20 TO 09:35"}, "no 5-minute interval"),
        ({"interval": "09:25 TO 09:20"}, "no 5-minute interval"),
        ({"interval": "09:17 TO 09:22"}, "no 5-minute interval"),
        ({"interval": 915}, "915 is no text"),
        ({"interval": "09:20 TO 09:25" * 10**5}, "is no interval"),
        ({"close_price": 1e300}, "no price of this market"),
        ({"volume_gross": 10**19}, "no count of units"),
        ({"volume_gross": "9" * 5000}, "is no number"),
        ({"buildup": "Short Covering\x00" * 10**5}, "unknown label"),
    ],
)
def test_a_bad_row_alone_is_left_out_and_named_by_row_and_field(changes, complaint):
    rows, (reason,) = parse_build_ups(build_ups(build_up(), build_up(**changes)), SESSION)

    assert [row.close for row in rows] == [152.5]
    assert re.search(complaint, reason)
    assert len(reason.encode()) <= 1000
    with pytest.raises(PayloadInvalid, match=complaint.replace("[1\\]", "[0\\]")):
        parse_build_ups(build_ups(build_up(**changes)), SESSION)


def test_of_many_bad_rows_the_first_are_named_and_the_others_counted():
    _, reasons = parse_build_ups(build_ups(build_up(), *[None] * 1000), SESSION)

    assert len(reasons) == 6
    assert reasons[0] == "body.data_v2[1]: None is no object"
    assert reasons[-1] == "and 995 more"


def test_two_different_rows_of_an_interval_are_refused():
    with pytest.raises(PayloadInvalid, match="a second, different row"):
        parse_build_ups(build_ups(build_up(), build_up(close_price=99)), SESSION)


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"<!DOCTYPE html><html>log in</html>", "not JSON .*starts with '<!DOCTYPE html>"),
        (b"", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"head": {"status": "0"}, "body": {"data_v2": [NaN]}}', "not JSON .*NaN"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not an object but list"),
        (answer({}), "body.data_v2 is missing"),
        (answer({"data": []}), "body.data_v2 is missing"),
        (answer({"data_v2": {}}), "body.data_v2 is no list"),
        (answer({"data_v2": [5]}), r"data_v2\[0\]: 5 is no object"),
        (answer(None), "answer.body is no object"),
        (answer({"data_v2": []}, status="1", statusDescription="Oops"), "'1': Oops"),
        (answer({"data_v2": []}, status=0), "head.status is 0"),
        (b'{"head": {}, "body": {}}', "head.status is missing"),
        (b'{"head": [], "body": {}}', "answer.head is no object"),
    ],
)
def test_an_answer_of_another_kind_is_refused(payload, complaint):
    with pytest.raises(PayloadInvalid, match=complaint) as refused:
        parse_build_ups(payload, SESSION)
    assert refused.value.reason == str(refused.value)


def test_a_chain_is_read_strike_by_strike():
    body = parse_chain(answer(chain()), "NIFTY")

    assert body.underlying == "NIFTY"
    assert body.trading_date == SESSION
    assert body.moment == datetime(2026, 1, 21, 4, 30, tzinfo=UTC)
    assert body.spot == 25012.5
    assert body.expiry == date(2026, 1, 27)
    assert body.rows == [
        LadderRow(25000, LadderSide(650, 585), LadderSide(1950, 2080)),
        LadderRow(25050, LadderSide(1300, 1235), LadderSide(2600, 2730)),
    ]


def test_a_chain_over_several_expiries_names_none():
    asked = chain()["inputData"] | {"expDateList": ["2026-01-27", "2026-02-03"]}

    assert parse_chain(answer(chain(inputData=asked)), "NIFTY").expiry is None


@pytest.mark.parametrize(
    ("updated", "until", "moment"),
    [
        ("10:05:00", "15:30", "10:05"),  # the newest there is
        ("10:07:31", "15:30", "10:05"),  # values move every five minutes
        ("13:00:00", "10:05", "10:05"),  # an earlier minute, asked again
        ("13:00:00", "10:03", "10:00"),
        ("13:00:00", "09:19", "09:15"),
        ("15:40:00", "15:30", "15:30"),  # after the close, as recorded
        ("15:40:00", "23:59", "15:30"),
        ("15:40:00", None, "15:30"),
        ("10:05:00", None, "10:05"),
    ],
)
def test_a_chain_is_of_the_last_mark_that_it_can_be_of(updated, until, moment):
    asked = chain()["inputData"] | {"lastUpdatedDateTime": f"2026-01-21T{updated}+05:30"}
    asked |= {"maxTime": until}

    found = parse_chain(answer(chain(inputData=asked)), "NIFTY").moment

    assert found == datetime.fromisoformat(f"2026-01-21T{moment}:00+05:30")
    assert found.tzinfo is UTC


def test_a_side_of_which_nothing_is_known_is_no_side():
    rows = chain()["oiData"]
    rows["25000"] |= {"callOi": None, "callPrevOi": None, "putPrevOi": None, "putOi": 0.0}

    first = parse_chain(answer(chain(oiData=rows)), "NIFTY").rows[0]

    assert first == LadderRow(25000, None, LadderSide(0, None))


def test_a_strike_cannot_come_twice():
    rows = chain()["oiData"]

    with pytest.raises(PayloadInvalid, match="a strike comes twice"):
        parse_chain(answer(chain(oiData=rows | {"25000.0": rows["25000"]})), "NIFTY")


@pytest.mark.parametrize(
    ("part", "changes", "complaint"),
    [
        ("inputData", {"tradingDate": "21-01-2026"}, "inputData.tradingDate: '21-01-2026'"),
        ("inputData", {"tradingDate": None}, "inputData.tradingDate: None is no date"),
        ("inputData", {"lastUpdatedDateTime": "2026-01-21T10:05:00"}, "has no offset"),
        ("inputData", {"lastUpdatedDateTime": "just now"}, "'just now' is no time"),
        ("inputData", {"lastUpdatedDateTime": None}, "None is no text"),
        ("inputData", {"expDateList": None}, "expDateList is no list"),
        ("inputData", {"expDateList": ["soon"]}, r"expDateList\[0\]: 'soon' is no date"),
        ("inputData", {"maxTime": "late"}, "maxTime: 'late' is no time"),
        ("overallData", {"spotPrice": None}, "overallData.spotPrice: None is no number"),
        ("overallData", {"spotPrice": 0}, "overallData.spotPrice: 0.0 is no price"),
        ("inputData", {"tradingDate": "9999-12-31"}, "no day of this century"),
        ("inputData", {"lastUpdatedDateTime": "0001-01-01T00:00:00+05:30"}, "no day of this"),
        ("overallData", {"spotPrice": 1e308}, "no price of this market"),
    ],
)
def test_a_bad_chain_is_refused_by_its_field(part, changes, complaint):
    body = chain()

    with pytest.raises(PayloadInvalid, match=complaint):
        parse_chain(answer(body | {part: body[part] | changes}), "NIFTY")


@pytest.mark.parametrize(
    ("strike", "row", "complaint"),
    [
        ("25050", None, "oiData.25050: None is no object"),
        ("25050", {}, "oiData.25050.callOi is missing"),
        ("ATM", chain()["oiData"]["25000"], "oiData.ATM: 'ATM' is no number"),
        ("1" * 300, chain()["oiData"]["25000"], "is no number"),
        ("-25050", chain()["oiData"]["25000"], "no strike"),
        ("25050", chain()["oiData"]["25000"] | {"callOi": 10**19}, "no count of units"),
        ("25\x00", chain()["oiData"]["25000"], r"oiData.25\\x00: '25\\x00' is no number"),
    ],
)
def test_a_bad_row_of_a_chain_alone_is_left_out_and_named(strike, row, complaint):
    rows = chain()["oiData"]

    ladder = parse_chain(answer(chain(oiData=rows | {strike: row})), "NIFTY")

    rows.pop(strike, None)
    assert ladder.rows == parse_chain(answer(chain(oiData=rows)), "NIFTY").rows
    assert re.search(complaint, *ladder.refused)
    with pytest.raises(PayloadInvalid, match=complaint):
        parse_chain(answer(chain(oiData={strike: row})), "NIFTY")


def test_a_chain_needs_a_head_that_tells_success():
    with pytest.raises(PayloadInvalid, match=r"answer\.head is missing"):
        parse_chain(json.dumps({"body": chain()}).encode(), "NIFTY")
    with pytest.raises(PayloadInvalid, match=r"head\.status is '1': No data"):
        parse_chain(answer(chain(), status="1", statusDescription="No data"), "NIFTY")


def test_a_recorded_chain_is_read_completely(shared_data: Path):
    payload = (shared_data / "payloads" / "trendlyne_live_oi_nifty_2026-01-23.json").read_bytes()

    body = parse_chain(payload, "NIFTY")

    source = json.loads(payload)["body"]
    assert body.trading_date == date(2026, 1, 23)
    # Asked for 09:15, answered for the whole day, updated ten minutes after its end.
    assert body.moment == datetime(2026, 1, 23, 10, 0, tzinfo=UTC)
    assert body.expiry == date(2026, 1, 27)
    assert len(body.rows) == 51
    assert [row.strike for row in body.rows] == sorted(int(strike) for strike in source["oiData"])
    # The totals of the changes are swapped, so the sum over the strikes equals the other side's.
    calls = sum(row.call.open_interest - row.call.previous_open_interest for row in body.rows)
    puts = sum(row.put.open_interest - row.put.previous_open_interest for row in body.rows)
    assert calls == source["overallData"]["totalPutOiChange"]
    assert puts == source["overallData"]["totalCallOiChange"]
    assert all(side.open_interest % 65 == 0 for row in body.rows for side in (row.call, row.put))


def test_a_recorded_chain_lists_every_strike(shared_data: Path):
    payload = (shared_data / "payloads" / "trendlyne_live_oi_nifty_2026-01-23.json").read_bytes()

    listing = parse_listing(payload, "NIFTY", date(2026, 1, 27))

    assert len(listing.contracts) == 2 * 235
    assert listing.contracts[0].symbol == "NIFTY260127C19900"
    assert listing.contracts[-1].symbol == "NIFTY260127P31600"
    with pytest.raises(PayloadInvalid, match="asked for expiry 2026-02-03, answered for '2026"):
        parse_listing(payload, "NIFTY", date(2026, 2, 3))


def test_recorded_expiries_are_read(shared_data: Path):
    name = "trendlyne_expiry_dates_stock_2025-11-28.json"
    payload = (shared_data / "payloads" / name).read_bytes()

    assert parse_expiries(payload) == [date(2025, 12, 30), date(2026, 1, 27), date(2026, 2, 24)]


def test_a_stock_is_found_by_its_exact_code():
    stocks = [
        {"stock_id": 9, "stock_code": "NIFTYBEES"},
        {"stock_id": 1887, "stock_code": "NIFTY"},
    ]

    assert parse_stock_id(answer({"data": stocks}), "NIFTY") == 1887
    with pytest.raises(SymbolUnknown, match="BANKNIFTY is not among the 2"):
        parse_stock_id(answer({"data": stocks}), "BANKNIFTY")
    with pytest.raises(PayloadInvalid, match=r"data\[0\].stock_id is missing"):
        parse_stock_id(answer({"data": [{"stock_code": "NIFTY"}]}), "NIFTY")


@pytest.mark.parametrize(
    "body",
    [
        {"expiryDates": ["2026-02-03", "2026-01-27", "2026-02-03"]},
        {"data": {"all_exp_list": ["2026-01-27", "2026-02-03"]}},
    ],
)
def test_both_shapes_of_expiries_are_read(body):
    assert parse_expiries(answer(body)) == [date(2026, 1, 27), date(2026, 2, 3)]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({}, "body.data is missing"),
        ({"data": {}}, "body.data.all_exp_list is missing"),
        ({"expiryDates": ["0001-01-01"]}, "no day of this century"),
        ({"expiryDates": ["27-jan-2026"]}, r"body.expiryDates\[0\]: '27-jan-2026' is no date"),
    ],
)
def test_other_shapes_of_expiries_are_refused(body, complaint):
    with pytest.raises(PayloadInvalid, match=complaint):
        parse_expiries(answer(body))


def test_an_answer_without_a_head_is_read_where_none_is_known():
    assert parse_expiries(b'{"body": {"expiryDates": []}}') == []


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["25000", "expiryDates", "data", "all_exp_list", "interval", "callOi"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "data_v2": st.lists(ANYTHING | ANYTHING.map(lambda value: build_up(oi=value))),
            "oiData": ANYTHING,
            "inputData": ANYTHING | st.just(chain()["inputData"]),
            "overallData": ANYTHING | st.just(chain()["overallData"]),
            "expiryDates": ANYTHING,
            "data": ANYTHING,
            "tableHeaders": st.lists(
                ANYTHING | st.builds(lambda name: {"unique_name": name}, ANYTHING)
            )
            | st.just([{"unique_name": name} for name in COLUMNS]),
            "tableData": st.lists(ANYTHING | st.lists(ANYTHING, min_size=7, max_size=7)),
            "stockLevelData": ANYTHING,
        },
    )
)
def test_whatever_a_source_sends_is_rows_or_invalid_and_nothing_worse(body):
    payload = answer(body)

    for parse in (
        parse_expiries,
        lambda data: parse_chain(data, "NIFTY"),
        lambda data: parse_listing(data, "NIFTY", date(2026, 1, 27)),
        lambda data: parse_option_chain(data, "NIFTY", date(2026, 1, 27)),
        lambda data: parse_build_ups(data, SESSION),
    ):
        try:
            parse(payload)
        except (PayloadInvalid, ExpiryGone):
            continue


@given(st.permutations(range(75)))
def test_the_order_of_rows_does_not_matter(order):
    start = datetime(2026, 1, 21, 9, 15, tzinfo=IST)
    rows = [
        build_up(
            interval=f"{start + timedelta(minutes=5 * n):%H:%M}"
            f" TO {start + timedelta(minutes=5 * n + 5):%H:%M}",
            close_price=n,
        )
        for n in order
    ]

    parsed = parse_build_ups(build_ups(*rows), SESSION).rows

    assert [row.close for row in parsed] == list(range(75))
    assert parsed[-1].close_time == datetime(2026, 1, 21, 10, 0, tzinfo=UTC)
