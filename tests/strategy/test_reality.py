"""The best of many against what luck shows, walked forward, and judged on what nobody has seen."""

from math import sqrt

import numpy as np
import pytest

from strategy.holdout import FEWEST_SESSIONS, judge, level_of
from strategy.reality import deflated_sharpe, expected_best, reality_check, sharpe
from strategy.walk_forward import Tallies, walk_forward
from tests.long import in_full

FIT, HELD, VERSIONS = 60, 20, 24


def coins(rng: np.random.Generator, versions: int, sessions: int) -> np.ndarray:
    """Trades that end at a stop of 20 or a target of 30, as often as makes nothing."""
    trades = rng.integers(0, 6, (versions, sessions, 1)) > np.arange(5)
    return (trades * rng.choice([-20.0, 30.0], trades.shape, p=[0.6, 0.4])).sum(axis=2)


def bursts(rng: np.random.Generator, versions: int, sessions: int) -> np.ndarray:
    """All trades of a session stand or fall together, five times as large on some days."""
    sizes = rng.choice([1.0, 5.0], (1, sessions), p=[0.8, 0.2])
    return sizes * rng.standard_normal((versions, sessions)) * 20


def alike(rng: np.random.Generator, versions: int, sessions: int) -> np.ndarray:
    """Versions that differ little from each other."""
    common = rng.standard_normal((1, sessions))
    return 20 * (common + 0.3 * rng.standard_normal((versions, sessions)))


def heavy(rng: np.random.Generator, versions: int, sessions: int) -> np.ndarray:
    """Now and then a session like no other."""
    return 10 * rng.standard_t(3, (versions, sessions))


KINDS = (coins, bursts, alike, heavy)


def passes(kind, sweeps: int, seed: int, edge: float = 0.0) -> int:
    """How many sweeps' best versions, registered, pass a holdout that they were not chosen on."""
    rng = np.random.default_rng(seed)
    passed = 0
    for _ in range(sweeps):
        points = kind(rng, VERSIONS, FIT + HELD)
        points[0] += edge * points.std()
        best = np.argmax(points[:, :FIT].mean(axis=1))
        judged = judge(points[best, FIT:], look=1)
        passed += judged is not None and judged.better
    return passed


@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_sweeps_on_noise_pass_the_holdout_in_at_most_fifty(kind):
    assert passes(kind, 1000, seed=1) <= 50


@in_full
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(2, 12))
def test_other_thousands_do_neither(kind, seed: int):
    assert passes(kind, 1000, seed) <= 50


def test_what_has_an_edge_passes_the_holdout():
    assert passes(bursts, 200, seed=1, edge=1.0) > 160


def test_levels_of_any_number_of_looks_add_up_to_less_than_five_percent():
    assert level_of(1) == 0.025
    assert sum(map(level_of, range(1, 10_000))) < 0.05


def test_the_hundredth_version_on_the_same_sessions_passes_no_oftener_than_luck():
    """A person who registers one noise version after another until one passes."""
    rng = np.random.default_rng(3)
    passed = 0
    for _ in range(300):
        versions = bursts(rng, 30, HELD)
        looks = [judge(one, look) for look, one in enumerate(versions, 1)]
        passed += any(one is not None and one.better for one in looks)
    assert passed <= 15


def test_a_judgement_is_students_t_by_session():
    differences = np.array([3.0, -1, 2, 5, -2, 4, 1, 0, 6, 2])
    judged = judge(differences, look=1)
    assert judged.mean == pytest.approx(2.0)
    # Deviation 2.582, so that the error of the mean is 0.8165 and t is 2.449 with 9 degrees.
    assert judged.p_value == pytest.approx(0.0184, abs=1e-4)
    assert judged.low == pytest.approx(2.0 - 2.262157 * 0.8164966, abs=1e-5)
    assert judged.better
    assert not judge(differences, look=2).better


def test_too_few_sessions_and_equal_ones_tell_nothing():
    assert judge(np.arange(FEWEST_SESSIONS - 1.0), look=1) is None
    assert judge(np.ones(FEWEST_SESSIONS), look=1) is None


def test_the_best_of_many_without_skill_is_expected_where_draws_have_it():
    draws = np.random.default_rng(4).standard_normal((4000, 50)).max(axis=1)
    assert expected_best(50, 1.0) == pytest.approx(draws.mean(), abs=0.05)
    assert expected_best(50, 0.04) == pytest.approx(0.2 * expected_best(50, 1.0))
    assert expected_best(1, 1.0) == 0.0


def test_a_deflated_ratio_is_what_the_formula_gives_by_hand():
    points = np.array([1.0, 3.0, -2.0, 4.0, 0.0, 2.0])
    ratio = sharpe(points)
    assert ratio == pytest.approx((8 / 6) / np.std(points, ddof=1))
    moved = (points - points.mean()) / points.std()
    skew, kurtosis = (moved**3).mean(), (moved**4).mean()
    z = (ratio - 0.3) * sqrt(5) / sqrt(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2)
    assert z == pytest.approx(0.6203, abs=0.0001)
    assert deflated_sharpe(points, 0.3) == pytest.approx(0.7325, abs=0.0001)
    assert deflated_sharpe(points[:4], 0.3) is None
    assert sharpe(np.ones(9)) is None


def test_the_more_was_tried_the_less_a_ratio_is_worth():
    points = np.random.default_rng(5).standard_normal(60)
    points = (points - points.mean()) / points.std() + 0.35
    worth = [deflated_sharpe(points, expected_best(tried, 1 / 60)) for tried in (1, 10, 1000)]
    assert worth == sorted(worth, reverse=True)
    assert worth[0] > 0.95 > worth[2]


@pytest.mark.parametrize("kind", KINDS)
def test_a_reality_check_calls_noise_more_than_luck_in_few_cases(kind):
    rng = np.random.default_rng(6)
    found = [reality_check(kind(rng, VERSIONS, FIT)) for _ in range(100)]
    assert sum(p <= 0.05 for p in found) <= 12


def test_a_reality_check_finds_an_edge_among_noise():
    points = np.random.default_rng(7).standard_normal((VERSIONS, FIT))
    points[3] += 0.7
    assert reality_check(points) < 0.01
    assert reality_check(points[:, :4]) is None
    assert reality_check(np.zeros((2, 30))) is None


def tallies(*points: list[float], entered: list[list[int]] | None = None) -> Tallies:
    totals = np.array(points)
    counts = np.ones_like(totals, dtype=np.int64) if entered is None else np.array(entered)
    return Tallies(counts, totals)


def test_a_walk_chooses_by_the_mean_per_trade_and_judges_on_what_comes_next():
    given = tallies(
        [4, 4, 1, 1, -9, 2, 7],
        [1, 1, 5, 5, 3, 2, -7],
        entered=[[4, 4, 1, 1, 1, 1, 1], [1, 1, 1, 1, 3, 1, 1]],
    )
    walk = walk_forward(given, fit=2, judge=2)
    # A trade: 1 against 1, and the first counts; 1 against 5; -4 against 1.25.
    assert [one.chosen for one in walk.windows] == [0, 1, 1]
    assert [one.fit_mean for one in walk.windows] == [1.0, 5.0, 1.25]
    assert [one.judged for one in walk.windows] == [(2, 4), (4, 6), (6, 7)]
    assert list(walk.points) == [1, 1, 3, 2, -7]
    assert list(walk.entered) == [1, 1, 3, 1, 1]
    assert [one.points for one in walk.windows] == [2, 5, -7]
    assert [one.luck_points for one in walk.windows] == [6, -1, 0]
    assert walk.luck_points == 5
    assert list(walk.places) == [2, 3, 4, 5, 6]


def test_what_luck_gives_a_walk_is_what_all_choices_give_together():
    given = tallies([0, 1, 2, 3], [0, 5, 4, 3])
    walk = walk_forward(given, fit=1, judge=3)
    # Two choices, 6 and 12; equal in the fit, so that the first counts.
    assert (walk.low[-1], walk.high[-1]) == (6, 12)
    assert walk.points.sum() == 6
    assert walk.chance == 1.0
    other = walk_forward(given._replace(points=given.points[::-1]), fit=1, judge=3)
    assert other.chance == pytest.approx(0.5, abs=0.05)


def test_where_nothing_was_entered_nothing_is_chosen_nor_judged():
    given = tallies([0, 0, 3], [0, 0, 3], entered=[[0, 0, 1], [0, 0, 1]])
    walk = walk_forward(given, fit=2, judge=1)
    assert [(one.chosen, one.fit_mean, one.points) for one in walk.windows] == [(None, None, 0.0)]
    assert list(walk.points) == [0]
    assert walk_forward(given, fit=3, judge=1) is None


def test_a_walk_gains_nothing_on_noise_and_gains_on_an_edge():
    rng = np.random.default_rng(8)
    chances = []
    for _ in range(100):
        points = rng.standard_normal((VERSIONS, 100))
        chances.append(walk_forward(tallies(*points), 40, 10).chance)
    assert sum(chance <= 0.05 for chance in chances) <= 12
    points[5] += 1.0
    walk = walk_forward(tallies(*points), 40, 10)
    assert walk.chance < 0.01
    assert walk.points.sum() > walk.high[-1]
