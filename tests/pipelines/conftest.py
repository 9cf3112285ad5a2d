"""A database as the first run of a morning leaves it, to play faults on."""

from collections.abc import Iterator

import pytest

from tests.faulty import AFTER, BEFORE, QUIET, UNTIL, WITHIN, Tables, copied, run, tables


@pytest.fixture(scope="session")
def morning(fresh_database) -> Iterator[str]:
    """A database after the run before the faults, to be copied."""
    with fresh_database() as dsn:
        assert run(dsn, BEFORE) == QUIET
        yield dsn


@pytest.fixture
def ten(server_dsn: str, morning: str) -> Iterator[str]:
    """A copy of that database: it is ten o'clock."""
    with copied(server_dsn, morning) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def faultless(server_dsn: str, morning: str) -> Tables:
    """What the runs around a fault store without it."""
    with copied(server_dsn, morning) as dsn:
        assert run(dsn, WITHIN) == QUIET
        assert run(dsn, AFTER) == QUIET
        stored = tables(dsn, UNTIL)
    assert all(stored.values())
    return stored
