"""Asynchronous connections that read: UTC, one snapshot per transaction, no writing unasked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from db.server.connection import PATIENCE
from db.server.timeouts import PAGES, STATUS, Timeouts, timed_out

OPTIONS = (
    "-c default_transaction_read_only=on"
    " -c default_transaction_isolation=repeatable\\ read"
    " -c timezone=UTC"
)
WRITING = "set transaction isolation level read committed, read write"
POOL_SIZE = 6
CHECKOUT_SECONDS = 3.0
KNOCK_SECONDS = 2.0

Pool = AsyncConnectionPool[AsyncConnection[Any]]
Result = TypeVar("Result")


def reader_dsn(dsn: str, name: str = "optionscalp chart", timeouts: Timeouts = PAGES) -> str:
    """Return a connection string whose transactions are REPEATABLE READ READ ONLY, in UTC."""
    known = conninfo_to_dict(dsn)
    return make_conninfo(
        dsn,
        options=f"{known.get('options', '')} {OPTIONS} {timeouts.options}".strip(),
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
        psycopg.OperationalError: The database is out (`PoolTimeout` is one), or the question took
            too long (`timed_out`).
    """
    try:
        return await _read_once(pool, query)
    except PoolTimeout:
        raise
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        if timed_out(error):
            raise
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


async def answers(connection: AsyncConnection[Any]) -> None:
    """Ask the least that there is to ask."""
    await connection.execute("select")


async def _read_once(
    pool: Pool, query: Callable[[AsyncConnection[Any]], Awaitable[Result]]
) -> Result:
    async with pool.connection() as connection:
        return await query(connection)


class Lookout:
    """One connection that nobody else can keep busy, opened when it is needed.

    Pages that hang take their pool's connections with them; the state is read all the same.
    """

    def __init__(self, dsn: str, timeouts: Timeouts = STATUS) -> None:
        self._dsn = reader_dsn(dsn, "optionscalp status", timeouts)
        self._patience = timeouts.statement.total_seconds() + PATIENCE["connect_timeout"]
        self._connection: AsyncConnection[Any] | None = None

    async def knock(self) -> None:
        """Open another connection, and close it: a server that stops or hangs keeps the old ones.

        Raises:
            psycopg.Error: It is refused.
            TimeoutError: The server says nothing for two seconds.
        """
        async with asyncio.timeout(KNOCK_SECONDS):
            opened = await AsyncConnection.connect(self._dsn, autocommit=True)
        await opened.close()

    async def read(self, query: Callable[[AsyncConnection[Any]], Awaitable[Result]]) -> Result:
        """Run reads in one snapshot; once more when the connection had died since the last ones.

        Raises:
            psycopg.Error: As `read` does.
            TimeoutError: The server is there and says nothing.
        """
        kept = self._connection is not None
        try:
            return await self._once(query)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            if timed_out(error) or not kept:
                raise
        return await self._once(query)

    async def aclose(self) -> None:
        """Leave the server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _once(self, query: Callable[[AsyncConnection[Any]], Awaitable[Result]]) -> Result:
        try:
            async with asyncio.timeout(self._patience):
                if self._connection is None:
                    self._connection = await AsyncConnection.connect(self._dsn, autocommit=True)
                async with self._connection.transaction():
                    return await query(self._connection)
        except BaseException:
            await self.aclose()
            raise
