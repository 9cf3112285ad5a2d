"""Handles that assets, checks and schedules work with.

What a run needs is imported when it runs: the code location starts twice (web server and daemon),
and pandas and the source clients would take up half of that time.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import dagster as dg
from psycopg import Connection

from db.server.connection import connect
from db.server.migrate import require_current
from strategy.clock import MarketClock

if TYPE_CHECKING:
    from pipelines.ingest.desk import Desk
    from pipelines.settings import Settings

T = TypeVar("T")


def market_clock() -> MarketClock:
    """Return the clock that `OPTIONSCALP_CLOCK` names, by default the real market's."""
    return MarketClock.parse(os.environ.get("OPTIONSCALP_CLOCK"))


class Market(dg.ConfigurableResource):
    """The database and the sources, as the environment of the run names them."""

    # How the server's list of connections names a run's.
    application_name: str = "optionscalp dagster"

    def settings(self) -> "Settings":
        """Return this process's settings."""
        from pipelines.settings import Settings

        return Settings()

    @contextmanager
    def connect(self) -> Iterator[Connection[Any]]:
        """Open an autocommit connection.

        Raises:
            DatabaseUnavailableError: No database answers.
            SchemaOutdatedError: It has to be migrated first.
        """
        dsn = self.settings().database_url.get_secret_value()
        with connect(dsn, application_name=self.application_name) as connection:
            require_current(connection)
            yield connection

    def at_desk(self, work: Callable[["Desk"], Awaitable[T]]) -> T:
        """Open the sources and the database, and do asynchronous work with them."""
        from pipelines.ingest.desk import open_desk

        async def run() -> T:
            async with open_desk(self.settings()) as desk:
                return await work(desk)

        return asyncio.run(run())
