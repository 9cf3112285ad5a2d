"""Logins of browsers at the chart server, by the hash of their cookie."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection

# Many times what a desk has; who knows the token could fill the disk otherwise.
AT_MOST = 1_000

ADD = """
with gone as (
    delete from login
     where ends <= now() or last_used <= now() - %(idle)s
        or token_hash in (select token_hash from login order by last_used desc offset %(kept)s)
)
insert into login (token_hash, ends) values (%(token_hash)s, now() + %(lasts)s)
on conflict do nothing
"""
# A row is written once a minute at most, however often the login is used.
USE = """
with valid as (
    select token_hash, last_used from login
     where token_hash = any(%(hashes)s) and ends > now() and last_used > now() - %(idle)s
), used as (
    update login set last_used = now() from valid
     where login.token_hash = valid.token_hash
       and valid.last_used < now() - interval '1 minute'
)
select token_hash from valid
"""
END = "delete from login where token_hash = %s"


async def add_login(
    connection: AsyncConnection[Any], token_hash: bytes, lasts: timedelta, idle: timedelta
) -> None:
    """Store a login that ends after a time, and forget those that have ended."""
    await connection.execute(
        ADD, {"token_hash": token_hash, "lasts": lasts, "idle": idle, "kept": AT_MOST - 1}
    )


async def use_logins(
    connection: AsyncConnection[Any], hashes: Collection[bytes], idle: timedelta
) -> set[bytes]:
    """Note that logins are used; return those that have not ended."""
    found = await connection.execute(USE, {"hashes": list(hashes), "idle": idle})
    return {bytes(token_hash) for (token_hash,) in await found.fetchall()}


async def end_login(connection: AsyncConnection[Any], token_hash: bytes) -> None:
    """End a login, if it is there."""
    await connection.execute(END, (token_hash,))
