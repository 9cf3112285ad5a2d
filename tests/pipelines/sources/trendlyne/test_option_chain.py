"""The whole chain: columns by name, units by the lot, and nothing made up."""

import json
import re
from datetime import date
from typing import Any

import pytest

from pipelines.sources.errors import ExpiryGone, PayloadInvalid
from pipelines.sources.roles import LadderRow, LadderSide
from pipelines.sources.trendlyne.ladders import parse_option_chain
from pipelines.sources.trendlyne.read import read

EXPIRY = date(2026, 1, 27)
LOT = 65
# As other clients found them, the strike in the middle; most columns are not read.
NAMES = ["current_price_call", "day_change_call", "traded_contracts_call", "open_interest_call"]
NAMES += ["chart_call", "strike_price", "current_price_put", "traded_contracts_put"]
NAMES += ["open_interest_put", "get_built_up_str_put"]


def row(strike: int, call: tuple[Any, Any, Any], put: tuple[Any, Any, Any]) -> dict[str, Any]:
    named = {"strike_price": strike, "chart_call": "", "day_change_call": 1.5}
    for side, values in (("call", call), ("put", put)):
        price, volume, open_interest = values
        named[f"current_price_{side}"] = price
        named[f"traded_contracts_{side}"] = volume
        named[f"open_interest_{side}"] = open_interest
    return named | {"get_built_up_str_put": "Long Build Up"}


ROWS = [
    row(25050, (101.5, 6500, 13000.0), (98.0, 1300, 650)),
    row(25000, (130.0, 19500, 65000), (75.25, 26000, 71500)),
    row(24000, (0, 0, 0), (None, None, None)),
]


def answer(rows: list[dict[str, Any]], names: list[str] = NAMES, **changes: Any) -> bytes:
    body = {
        "tableHeaders": [{"type": "number", "unique_name": name} for name in names],
        "tableData": [[row[name] for name in names] for row in rows],
        "atTheMoney": 25050,
        "stockLevelData": {"stockCurrentPrice": 25048.65},
        "IV": None,
        "futureData": {},
    } | changes
    return json.dumps({"head": {"status": "0"}, "body": body}).encode()


def parsed(*given: Any, **changes: Any):
    return parse_option_chain(answer(*given, **changes), "NIFTY", EXPIRY)


def test_a_whole_chain_is_read_by_the_names_of_its_columns():
    ladder = parsed(ROWS)

    assert ladder[:5] == ("NIFTY", EXPIRY, None, None, 25048.65)
    assert ladder.rows == [
        LadderRow(24000, LadderSide(0, volume=0), None),
        LadderRow(
            25000,
            LadderSide(65000, price=130.0, volume=19500),
            LadderSide(71500, price=75.25, volume=26000),
        ),
        LadderRow(
            25050,
            LadderSide(13000, price=101.5, volume=6500),
            LadderSide(650, price=98.0, volume=1300),
        ),
    ]
    assert ladder.refused == ()
    assert parsed(ROWS, NAMES[::-1]) == ladder
    assert parsed(ROWS, sorted(NAMES)) == ladder
    about = {"kind": "option_chain", "underlying": "NIFTY", "expiry": "2026-01-27"}
    assert read(about, answer(ROWS), date(2026, 1, 21)) == ladder


def in_lots(*names: str) -> list[dict[str, Any]]:
    def scaled(key: str, value: Any) -> Any:
        return value // LOT if value and key.startswith(names) else value

    return [{key: scaled(key, value) for key, value in each.items()} for each in ROWS]


@pytest.mark.parametrize(
    "names",
    [("traded_contracts",), ("open_interest",), ("traded_contracts", "open_interest")],
)
def test_lots_are_told_by_the_lot_for_each_count_apart(names):
    # 1,000 lots of 65 are 65,000 units; as a count it is no multiple of 65.
    assert parsed(in_lots(*names)).rows == parsed(ROWS).rows


def test_counts_of_which_it_is_unclear_are_unknown_and_the_others_stay():
    rows = [ROWS[0] | {"traded_contracts_call": 6501, "traded_contracts_put": 1301}, *ROWS[1:]]

    ladder = parsed(rows)

    assert ladder.refused == ("traded_contracts: units or lots of 65? unclear, so none is known",)
    sides = [side for each in ladder.rows for side in (each.call, each.put) if side]
    assert {side.volume for side in sides} == {None}
    assert [side.open_interest for side in sides] == [0, 65000, 71500, 13000, 650]
    assert ladder.rows[1].call.price == 130.0


def test_without_a_known_lot_no_count_is_known():
    ladder = parse_option_chain(answer(ROWS), "FINNIFTY", EXPIRY)

    assert len(ladder.refused) == 2
    assert ladder.rows[1].call == LadderSide(None, price=130.0)


def test_an_expiry_that_is_not_listed_is_gone():
    with pytest.raises(ExpiryGone, match="NIFTY: expiry 2026-01-27 has no chain: it is not listed"):
        parsed([], [], stockLevelData={}, atTheMoney=None)


@pytest.mark.parametrize("level", [{}, None, {"stockCurrentPrice": None}])
def test_a_chain_without_a_spot_has_none(level):
    assert parsed(ROWS, stockLevelData=level).spot is None


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"tableHeaders": []}, "tableHeaders: strike_price is not there"),
        ({"tableHeaders": [{"unique_name": "strike_price"}] * 2}, "strike_price is twice there"),
        ({"tableHeaders": ["strike_price"]}, "strike_price is not there"),
        ({"tableData": [[1, 2]]}, r"tableData\[0\] is no row of 9 columns"),
        ({"tableData": None}, "tableData is no list"),
        ({"stockLevelData": {"stockCurrentPrice": 0}}, "stockCurrentPrice: 0.0 is no price"),
    ],
)
def test_a_chain_of_another_shape_is_refused(changes, complaint):
    with pytest.raises(PayloadInvalid, match=complaint):
        parsed(ROWS, **changes)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"strike_price": None}, r"tableData\[0\].strike_price: None is no number"),
        ({"current_price_call": -1}, r"tableData\[0\].current_price_call: -1.0 is negative"),
        ({"open_interest_put": -65}, r"tableData\[0\].open_interest_put: -65 is negative"),
        ({"traded_contracts_call": 1.5}, "traded_contracts_call: 1.5 is not whole"),
        ({"open_interest_call": "many"}, "'many' is no number"),
        ({"current_price_call": 1e300}, "no price of this market"),
    ],
)
def test_a_row_with_a_value_that_cannot_be_is_left_out_and_named(changes, complaint):
    ladder = parsed([ROWS[0] | changes, *ROWS[1:]])

    assert ladder.rows == parsed(ROWS[1:]).rows
    assert re.search(complaint, *ladder.refused)
    with pytest.raises(PayloadInvalid, match=complaint):
        parsed([ROWS[0] | changes])


def test_a_strike_cannot_come_twice():
    with pytest.raises(PayloadInvalid, match="tableData: a strike comes twice"):
        parsed([ROWS[0] | {"strike_price": 25000}, *ROWS[1:]])
