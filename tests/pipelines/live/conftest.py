"""What the live feed stores of the last minutes of a session where nothing goes wrong."""

import pytest

from tests.faulty import Tables, followed, known_too_early, told_by_tables


@pytest.fixture(scope="session")
def undisturbed(fresh_database) -> Tables:
    """What the feed stores without any fault."""
    with fresh_database() as dsn:
        stored = followed(dsn)
        assert told_by_tables(dsn) == ({}, [])
        assert known_too_early(dsn) == []
    assert all(stored.values())
    return stored
