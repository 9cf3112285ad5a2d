"""The writers' processes: started, listened to, killed and paused."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

from tests.checker.batches import rows
from tests.checker.history import Key, Written

REPOSITORY = Path(__file__).parent.parent.parent


class Writer:
    """One writer through all its lives: what it sends off and what is acknowledged.

    Args:
        dsn: Where it writes.
        name: Whose batches.
        written: Where it is noted.
        news: Called after each of its lines.
    """

    def __init__(self, dsn: str, name: str, written: Written, news: Callable[[], object]) -> None:
        self._dsn, self._name, self._written, self._news = dsn, name, written, news
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.sent = self.stored = -1
        self.failures = 0
        self.complaint = ""

    async def start(self) -> None:
        """Start it where it stopped; what was not acknowledged is not sent again."""
        command = [sys.executable, "-m", "tests.checker.writer"]
        arguments = [self._dsn, self._name, str(self.sent + 1)]
        self._process = await asyncio.create_subprocess_exec(
            *command, *arguments, stdout=PIPE, cwd=REPOSITORY
        )
        self._reading = asyncio.create_task(self._read(self._process))

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            word, number, *rest = line.decode().split(maxsplit=2)
            self._take(word, int(number), "".join(rest))
            self._news()

    def _take(self, word: str, number: int, rest: str) -> None:
        if word == "sent":
            self.sent = number
            self._written.send(rows(self._name, number))
        elif word == "stored":
            self.stored = number
            self._written.acknowledge(rows(self._name, number))
        else:
            self.failures += 1
            self.complaint = rest

    async def kill(self) -> None:
        """End it at once; return when all it said has been read."""
        if self._process is None or self._reading is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._reading
        await self._process.wait()

    def signal(self, which: signal.Signals) -> None:
        """Send its process a signal."""
        assert self._process is not None
        os.kill(self._process.pid, which)

    def newest(self) -> tuple[Key, int]:
        """Return a row, and its version, that comes with the newest acknowledged batch."""
        key = list(rows(self._name, self.stored))[1]
        return key, self._written.acknowledged[key]
