"""Wrong tokens: a few are free, then each doubles the wait, for the one client alone."""

import pytest

import chartserver.attempts
from chartserver.attempts import FORGOTTEN_SECONDS, FREE, LONGEST_SECONDS, Attempts

NOW = 1000.0


@pytest.fixture
def at() -> list[float]:
    return [NOW]


@pytest.fixture
def attempts(at: list[float]) -> Attempts:
    return Attempts(lambda: at[0])


def test_the_first_few_cost_nothing(attempts):
    for _ in range(FREE - 1):
        attempts.failed("a")
        assert attempts.wait("a") == 0


def test_each_further_one_doubles_the_wait_up_to_a_quarter_of_an_hour(attempts, at):
    waits = []
    for _ in range(FREE + 12):
        attempts.failed("a")
        waits.append(attempts.wait("a"))
        at[0] += waits[-1]
        assert attempts.wait("a") == 0
    assert waits[FREE - 1 : FREE + 4] == [1, 2, 4, 8, 16]
    assert waits[-1] == LONGEST_SECONDS


def test_others_do_not_wait(attempts):
    for _ in range(FREE):
        attempts.failed("a")
    assert attempts.wait("b") == 0


def test_the_right_token_or_an_hour_makes_up_for_it(attempts, at):
    for forgive in (
        lambda: attempts.succeeded("a"),
        lambda: at.__setitem__(0, NOW + 2 * FORGOTTEN_SECONDS),
    ):
        for _ in range(FREE):
            attempts.failed("a")
        assert attempts.wait("a") > 0
        forgive()
        attempts.failed("a")
        assert attempts.wait("a") == 0


def test_a_flood_of_clients_takes_no_more_than_its_room(attempts, monkeypatch):
    monkeypatch.setattr(chartserver.attempts, "REMEMBERED", 3)
    for client in ("a", "b", "c", "d"):
        for _ in range(FREE):
            attempts.failed(client)
    assert [attempts.wait(client) > 0 for client in ("a", "b", "c", "d")] == [False] + 3 * [True]
