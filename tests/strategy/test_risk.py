"""Levels on the tick grid, and the hash that names the parameters."""

import pytest

from strategy.delta_volume.parameters import DEFAULTS, Parameters
from strategy.risk import levels, to_tick


@pytest.mark.parametrize(
    ("close", "underlying", "expected"),
    [
        (100.0, "NIFTY", (100.0, 80.0, 130.0, 160.0)),
        (101.05, "NIFTY", (101.05, 81.05, 131.05, 161.05)),
        (100.0, "BANKNIFTY", (100.0, 70.0, 130.0, 160.0)),
        (30.05, "BANKNIFTY", (30.05, 0.05, 60.05, 90.05)),
        (30.0, "BANKNIFTY", (30.0, 0.05, 60.0, 90.0)),
        (7.0, "BANKNIFTY", (7.0, 0.05, 37.0, 67.0)),
        (0.05, "NIFTY", (0.05, 0.05, 30.05, 60.05)),
    ],
)
def test_stop_and_targets_are_points_from_entry_and_never_below_one_tick(
    close, underlying, expected
):
    assert levels(close, underlying, DEFAULTS) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [(101.05000000001, 101.05), (0.1 + 0.2, 0.3), (99.97, 99.95), (99.98, 100.0), (58400.0, 58400)],
)
def test_prices_land_on_the_tick_grid_without_binary_dust(price, expected):
    assert to_tick(price, 0.05) == expected


def test_every_price_of_the_tick_grid_stays_itself():
    assert all(to_tick(ticks / 20, 0.05) == ticks / 20 for ticks in range(60_000))


def test_equal_numbers_have_the_same_hash_and_other_numbers_another():
    assert DEFAULTS.params_hash() == "94d8396a0f13dbb6"
    assert Parameters(stop_points={"BANKNIFTY": 30, "NIFTY": 20}).params_hash() == (
        DEFAULTS.params_hash()
    )
    others = [
        Parameters(wings=2),
        Parameters(spike_factor=2.5),
        Parameters(spike_window=8),
        Parameters(spike_minimum=4),
        Parameters(stop_points={"NIFTY": 21, "BANKNIFTY": 30}),
        Parameters(first_target_points=31),
        Parameters(second_target_points=61),
        Parameters(tick_size=0.1),
        Parameters(losing_trades=3),
    ]
    assert len({DEFAULTS.params_hash(), *(other.params_hash() for other in others)}) == 10


@pytest.mark.parametrize(
    "wrong",
    [
        {"wings": -1},
        {"spike_minimum": 10},
        {"spike_minimum": 0},
        {"spike_factor": 0.0},
        {"tick_size": -0.05},
        {"stop_points": {"NIFTY": 0.0}},
    ],
    ids=str,
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="Parameters"):
        Parameters(**wrong)
