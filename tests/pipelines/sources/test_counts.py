"""Whether counts are lots or units, told by the lot; what is both is neither."""

import random

import pytest

from pipelines.sources.counts import units_each

LOT = 65


def units(number: int) -> list[int]:
    return [count * LOT for count in random.Random(-number).sample(range(1, 50_000), number)]


@pytest.mark.parametrize("number", [4, 20, 100, 400])
def test_counts_of_one_kind_are_told(number: int):
    several = [random.Random(seed).randint(1, 50_000) for seed in range(number)]
    assert units_each(several, LOT) == LOT
    assert units_each(units(number), LOT) == 1
    assert units_each([*units(number), *[0, None] * number], LOT) == 1


@pytest.mark.parametrize("share", [0.2, 0.25, 0.5, 0.75])
@pytest.mark.parametrize("number", [20, 100, 400])
def test_units_among_lots_are_not_multiplied(number: int, share: float):
    several = [random.Random(seed).randint(1, 50_000) for seed in range(number)]
    some = int(number * share)
    assert units_each([*units(some), *several[some:]], LOT) is None


@pytest.mark.parametrize("lot", [15, 25, 30, 65, 75])
def test_lots_are_multiples_by_chance_now_and_then(lot: int):
    dice = random.Random(7)
    found = [units_each([dice.randint(1, 50_000) for _ in range(100)], lot) for _ in range(200)]
    assert found.count(lot) >= 199
    assert units_each([1], None) is None
