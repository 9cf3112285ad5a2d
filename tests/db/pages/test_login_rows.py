"""Logins: valid until they end, are not used, or are deleted; nobody else's to read."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection

import db.pages.logins
from db.pages.logins import add_login, end_login, use_logins
from db.server.reader import change, reader_pool

MONTH, WEEK = timedelta(days=30), timedelta(days=7)


def done(dsn: str, *steps: Callable[[AsyncConnection[Any]], Awaitable[Any]]) -> list[Any]:
    """What each step gives, each in a transaction of its own from the reader's pool."""

    async def run() -> list[Any]:
        async with reader_pool(dsn) as pool:
            return [await change(pool, step) for step in steps]

    return asyncio.run(run())


def add(token_hash: bytes) -> Callable[[AsyncConnection[Any]], Awaitable[Any]]:
    return lambda connection: add_login(connection, token_hash, MONTH, WEEK)


def use(*hashes: bytes) -> Callable[[AsyncConnection[Any]], Awaitable[Any]]:
    return lambda connection: use_logins(connection, hashes, WEEK)


def test_a_login_is_valid_until_it_is_ended(database):
    *_, before, _, after = done(
        database, add(b"a"), add(b"b"), use(b"a", b"b", b"c"), lambda c: end_login(c, b"a"),
        use(b"a", b"b"),
    )  # fmt: skip
    assert (before, after) == ({b"a", b"b"}, {b"b"})


@pytest.mark.parametrize("past", ["ends = now()", "last_used = now() - interval '7 days 1 minute'"])
def test_a_login_ends_by_itself_and_is_forgotten_at_the_next(database, connection, past):
    done(database, add(b"a"))
    assert connection.execute(f"update login set {past}").rowcount == 1
    found, _ = done(database, use(b"a"), add(b"b"))
    assert found == set()
    assert connection.execute("select token_hash from login").fetchall() == [(b"b",)]


def test_using_a_login_is_written_once_a_minute(database, connection):
    done(database, add(b"a"))
    marked = "update login set last_used = now() - interval '{}' returning last_used"
    (seconds_ago,) = connection.execute(marked.format("59 seconds")).fetchone()
    done(database, use(b"a"))
    assert connection.execute("select last_used from login").fetchone() == (seconds_ago,)
    (minutes_ago,) = connection.execute(marked.format("2 minutes")).fetchone()
    done(database, use(b"a"))
    assert connection.execute("select last_used > %s from login", (minutes_ago,)).fetchone()[0]


def test_the_least_used_give_way_to_new_ones(database, connection, monkeypatch):
    monkeypatch.setattr(db.pages.logins, "AT_MOST", 2)
    done(database, add(b"a"), add(b"b"), use(b"a"))
    connection.execute("update login set last_used = now() - interval '1 day' where token_hash='a'")
    done(database, add(b"c"))
    assert {bytes(h) for (h,) in connection.execute("select token_hash from login")} == {b"b", b"c"}


@pytest.mark.parametrize("role", ["optionscalp_reader", "optionscalp_writer"])
def test_who_reads_or_writes_the_market_does_not_see_logins(connection, role):
    connection.execute(f"set role {role}")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select from login")
