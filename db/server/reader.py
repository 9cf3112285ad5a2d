"""Asynchronous connections that read: UTC, one snapshot per transaction, no writing unasked."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from db.server.connection import PATIENCE

OPTIONS = (
    "-c default_transaction_read_only=on"
    " -c default_transaction_isolation=repeatable\\ read"
    " -c timezone=UTC"
)
WRITING = "set transaction isolation level read committed, read write"
POOL_SIZE = 6
CHECKOUT_SECONDS = 3.0

Pool = AsyncConnectionPool[AsyncConnection[Any]]
Result = TypeVar("Result")


def reader_dsn(dsn: str, name: str = "optionscalp chart") -> str:
    """Return a connection string whose transactions are REPEATABLE READ READ ONLY, in UTC."""
    known = conninfo_to_dict(dsn)
    return make_conninfo(
        dsn,
        options=f"{known.get('options', '')} {OPTIONS}".strip(),
        **{key: known.get(key, value) for key, value in PATIENCE.items()},
        application_name=known.get("application_name", name),
    )


async def connect_reader(dsn: str) -> AsyncConnection[Any]:
    """Open one autocommit connection; it stands outside any pool, as LISTEN needs."""
    return await AsyncConnection.connect(reader_dsn(dsn, "optionscalp hub"), autocommit=True)


def reader_pool(dsn: str, size: int = POOL_SIZE) -> Pool:
    """Return a closed pool; each connection taken from it reads one snapshot."""
    return AsyncConnectionPool(
        reader_dsn(dsn), min_size=1, max_size=size, timeout=CHECKOUT_SECONDS, open=False
    )


async def read(pool: Pool, query: Callable[[AsyncConnection[Any]], Awaitable[Result]]) -> Result:
    """Run reads in one snapshot; once more when the pooled connection had died.

    Raises:
        psycopg.OperationalError: The database is out (`PoolTimeout` is one).
    """
    try:
        return await _read_once(pool, query)
    except PoolTimeout:
        raise
    except (psycopg.OperationalError, psycopg.InterfaceError):
        await pool.check()
        return await _read_once(pool, query)


async def change(pool: Pool, query: Callable[[AsyncConnection[Any]], Awaitable[Result]]) -> Result:
    """Run a transaction that may write; once more when the pooled connection had died.

    It sees what others commit meanwhile, so that two that touch one row wait and do not fail.

    Raises:
        psycopg.OperationalError: The database is out (`PoolTimeout` is one).
    """

    async def run(connection: AsyncConnection[Any]) -> Result:
        await connection.execute(WRITING)
        return await query(connection)

    return await read(pool, run)


async def _read_once(
    pool: Pool, query: Callable[[AsyncConnection[Any]], Awaitable[Result]]
) -> Result:
    async with pool.connection() as connection:
        return await query(connection)
