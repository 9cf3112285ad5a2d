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
    assert levels(close, underlying, DEFAULTS, 5.0) == expected


@pytest.mark.parametrize(
    ("close", "expected"),
    [
        (16.0, (16.0, 12.8, 20.8, 25.6)),
        (600.0, (600.0, 480.0, 780.0, 960.0)),
        (101.05, (101.05, 80.85, 131.35, 161.7)),
        # A level that is rounded to its entry is a tick away; the stop is never below one.
        (0.1, (0.1, 0.05, 0.15, 0.15)),
        (0.05, (0.05, 0.05, 0.1, 0.1)),
    ],
)
def test_levels_may_be_shares_of_the_premium(close, expected):
    shares = Parameters(level_unit="premium")
    assert levels(close, "NIFTY", shares, 5.0) == expected
    assert levels(close, "BANKNIFTY", shares, 90.0) == expected


@pytest.mark.parametrize(
    ("traded", "expected"),
    [
        (4.0, (16.0, 12.0, 22.0, 28.0)),
        (0.3, (16.0, 15.7, 16.45, 16.9)),
        (0.0, (16.0, 15.95, 16.05, 16.05)),
        (20.0, (16.0, 0.05, 46.0, 76.0)),
    ],
)
def test_levels_may_be_multiples_of_the_contracts_recent_range(traded, expected):
    assert levels(16.0, "NIFTY", Parameters(level_unit="range"), traded) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [(101.05000000001, 101.05), (0.1 + 0.2, 0.3), (99.97, 99.95), (99.98, 100.0), (58400.0, 58400)],
)
def test_prices_land_on_the_tick_grid_without_binary_dust(price, expected):
    assert to_tick(price, 0.05) == expected


def test_every_price_of_the_tick_grid_stays_itself():
    assert all(to_tick(ticks / 20, 0.05) == ticks / 20 for ticks in range(60_000))


def test_equal_numbers_have_the_same_hash_and_other_numbers_another():
    assert DEFAULTS.params_hash() == "b74fe008a9be30e7"
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
        Parameters(level_unit="range"),
        Parameters(stop_share=0.25),
        Parameters(second_target_ranges=4),
    ]
    assert len({DEFAULTS.params_hash(), *(other.params_hash() for other in others)}) == 13


@pytest.mark.parametrize(
    "wrong",
    [
        {"wings": -1},
        {"spike_minimum": 10},
        {"spike_minimum": 0},
        {"spike_factor": 0.0},
        {"tick_size": -0.05},
        {"stop_points": {"NIFTY": 0.0}},
        {"stop_share": 0.0},
        {"stop_share": 1.5},
        {"stop_ranges": -1.0},
        {"first_target_share": 0.7},
        {"first_target_ranges": 4.0},
        {"level_unit": "percent"},
    ],
    ids=str,
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match=r"Parameters|stop_|level_unit"):
        Parameters(**wrong)
