"""One thread beside the event loop, with a connection of its own, for what computes long."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeVar

from psycopg import Connection

from db.server.connection import connect

Result = TypeVar("Result")


class Aside:
    """Does one thing after the other, so that candles and ladders never wait for signals."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._thread = ThreadPoolExecutor(1, "aside")
        self._connection: Connection[Any] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait until what was begun is done."""
        await asyncio.to_thread(self._thread.shutdown)
        if self._connection is not None:
            self._connection.close()

    async def do(self, work: Callable[[Connection[Any]], Result]) -> Result:
        """Return what work on the thread's connection returns, or raise what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[Connection[Any]], Result]) -> Result:
        if self._connection is None:
            self._connection = connect(self._dsn, application_name="optionscalp signals")
        return work(self._connection)
