"""What stands above a ladder's rows."""

import random

import pytest

from chartserver.rungs import max_pain, oi_unknown, put_call_ratio, row_objects
from db.pages.chain import Rung

BLANK = Rung(0, "C", "", *(None,) * (len(Rung._fields) - 3))


def rungs(open_interest: dict[int, tuple[int | None, int | None]]) -> list[Rung]:
    return [
        BLANK._replace(strike=strike, option_type=kind, open_interest=units)
        for strike, sides in open_interest.items()
        for kind, units in zip("CP", sides, strict=True)
    ]


def payout(open_interest: dict[int, tuple[int, int]], settled: int) -> int:
    return sum(
        call * max(0, settled - strike) + put * max(0, strike - settled)
        for strike, (call, put) in open_interest.items()
    )


def test_max_pain_is_where_all_options_pay_least():
    chance = random.Random(5)
    for _ in range(300):
        strikes = sorted(chance.sample(range(100, 200), chance.randint(1, 12)))
        found = {strike: (chance.randrange(50), 1 + chance.randrange(50)) for strike in strikes}
        assert max_pain(rungs(found)) == min(strikes, key=lambda k: (payout(found, k), k))


@pytest.mark.parametrize(
    ("open_interest", "expected"),
    [
        ({}, None),
        ({100: (None, None)}, None),
        ({100: (0, 0), 200: (0, 0)}, None),
        ({100: (5, None), 200: (1, 1)}, 200),
        ({100: (5, 1), 200: (None, 9), 300: (1, 1)}, 100),
    ],
    ids=["no strikes", "unknown", "nothing open", "one side unknown", "another side unknown"],
)
def test_max_pain_counts_only_strikes_whose_open_interest_is_known(open_interest, expected):
    assert max_pain(rungs(open_interest)) == expected


@pytest.mark.parametrize(
    ("open_interest", "ratio", "unknown"),
    [
        ({}, None, 0),
        ({100: (4, 6), 200: (4, 2)}, 1.0, 0),
        ({100: (4, 6), 200: (None, 90), 300: (70, None)}, 1.5, 2),
        ({100: (None, None), 200: (None, 5)}, None, 2),
        ({100: (0, 5)}, None, 0),
    ],
    ids=["no strikes", "all known", "some known", "none known", "no calls"],
)
def test_the_put_call_ratio_is_of_strikes_known_of_both_sides(open_interest, ratio, unknown):
    assert put_call_ratio(rungs(open_interest)) == ratio
    assert oi_unknown(rungs(open_interest)) == unknown
    one_sided = rungs(open_interest)[1:]
    assert oi_unknown(one_sided) == unknown + (open_interest.get(100, (None,))[0] is not None)


def test_a_side_that_is_not_listed_is_there_and_says_nothing():
    (row,) = row_objects([BLANK._replace(strike=100, option_type="P", symbol="P100")])
    assert row["call"].keys() == row["put"].keys()
    assert set(row["call"].values()) == {None}
    assert row["put"]["symbol"] == "P100"
