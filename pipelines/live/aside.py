"""A process beside the feed for what computes long, or is a user's own code.

Its computing takes no time from the feed's event loop, and nothing that a strategy does there can
hold candles up: one that cannot be interrupted, or ends the process, costs a new process, and is
switched off.
"""

import asyncio
import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Self, TypeVar

from pipelines.catalogue.limit import Watched
from pipelines.live.place import Place, serve

logger = logging.getLogger(__name__)
Result = TypeVar("Result")

LOOK_SECONDS = 0.5  # how often it is looked at while it works
GRACE_SECONDS = 5.0  # beyond a strategy's limit, at which it is interrupted
TRIES = 3  # for work during which the process ended for no reason that we know


class AsideEndedError(Exception):
    """The process beside the feed ended again and again."""


class Aside:
    """Does one thing after the other, so that candles and ladders never wait for signals."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        # Waits for answers; the computing is done elsewhere.
        self._thread = ThreadPoolExecutor(1, "aside")
        self._context = multiprocessing.get_context("spawn")
        self._watched = Watched(self._context.RawArray("c", 64), self._context.RawValue("d", 0.0))
        self._process: SpawnProcess | None = None
        self._pipe: Pipe | None = None
        self._failed: list[tuple[str, str]] = []  # strategies that cost a process, and how
        self._stopping = threading.Event()

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Wait until what was begun is done, but for no strategy."""
        self._stopping.set()
        try:
            await asyncio.to_thread(self._thread.shutdown)
        finally:  # told to stop meanwhile, it would wait for ever for who waits to be asked
            await asyncio.to_thread(self._end)

    async def do(self, work: Callable[[Place], Result]) -> Result:
        """Return what work returns in the other process, or raise what it raises.

        Args:
            work: To be sent there: a module's function, or a partial of one.

        Raises:
            AsideEndedError: The process ended each time.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._do, work)

    def _do(self, work: Callable[[Place], Result]) -> Result:
        for _ in range(TRIES + len(self._failed)):
            pipe = self._pipe or self._start()
            try:
                pipe.send(work)
                while not pipe.poll(LOOK_SECONDS):
                    self._require_at_work()
                answer, error = pipe.recv()
            except (EOFError, OSError):
                self._give_up("ended its process")
                continue
            if error is not None:
                raise error
            found: Result = answer
            return found
        raise AsideEndedError("the process beside the feed ended again and again: see its log")

    def _require_at_work(self) -> None:
        """Raise EOFError after killing a process that a strategy does not let go."""
        strategy, until = self._watched.now()
        if not strategy:
            return
        if self._stopping.is_set() or time.monotonic() > until + GRACE_SECONDS:
            self._kill()
            raise EOFError

    def _give_up(self, how: str) -> None:
        strategy, until = self._watched.now()
        self._kill()
        if self._stopping.is_set():
            raise AsideEndedError("the feed is stopping")
        if strategy:
            how = "took too long, and could not be interrupted" if time.monotonic() > until else how
            self._failed.append((strategy, how))
        else:
            logger.warning("the process beside the feed ended: starting it again")

    def _start(self) -> Pipe:
        self._watched.leave()
        ours, theirs = self._context.Pipe()
        arguments = (self._dsn, theirs, self._watched, tuple(self._failed))
        self._process = self._context.Process(target=serve, args=arguments, name="aside")
        self._process.start()
        theirs.close()
        self._pipe = ours
        return ours

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
        self._end()

    def _end(self) -> None:
        """Let the process end: it does when nobody can ask it any more."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None
        if self._process is not None:
            self._process.join()
            self._process = None
