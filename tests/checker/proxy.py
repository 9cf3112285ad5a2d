"""A TCP proxy that delays and cuts connections at random, and goes silent when told to."""

import asyncio
import random
from asyncio import StreamReader, StreamWriter
from contextlib import suppress

LIFE_SECONDS = 8.0
DELAY_SECONDS = 0.05
PIECE = 65_536


class Link:
    """One connection and its fate."""

    def __init__(self, near: StreamWriter, far: StreamWriter, chance: random.Random) -> None:
        self._ends, self._chance, self._breaking = (near, far), chance, False
        self._lives = chance.expovariate(1 / LIFE_SECONDS)
        self._delay = chance.choice([0.0, chance.uniform(0, DELAY_SECONDS)])
        self.held = 0.0  # seconds that each piece is kept back
        self.silent = False

    async def carry(self, ends: tuple[StreamReader, StreamReader]) -> None:
        """Pass bytes both ways until the connection ends or its time is over."""
        near, far = self._ends
        ways = [
            asyncio.ensure_future(self._pass(ends[0], far)),
            asyncio.ensure_future(self._pass(ends[1], near)),
        ]
        try:
            async with asyncio.timeout(self._lives) as time:
                self._time = time
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self._breaking = True
            with suppress(TimeoutError):
                async with asyncio.timeout(LIFE_SECONDS):
                    await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self.cut()

    async def _pass(self, source: StreamReader, target: StreamWriter) -> None:
        with suppress(OSError):
            while piece := await source.read(PIECE):
                if delay := self._delay + self.held:
                    await asyncio.sleep(delay)
                if self._breaking:  # in the middle of what comes next, which arrives so far
                    target.write(piece[: self._chance.randrange(len(piece))])
                    target.close()
                    return
                if not self.silent:
                    target.write(piece)
                    await target.drain()

    def fall_silent(self) -> None:
        """Carry nothing any more and tell neither end: only its own patience ends this."""
        self.silent = True
        self._time.reschedule(None)

    def cut(self) -> None:
        """Break it in the middle of whatever is under way."""
        for end in self._ends:
            end.transport.abort()


class Proxy:
    """Stands between the clients and a port; one per event loop.

    Args:
        chance: Decides how long each connection lives and how slow it is.
    """

    def __init__(self, port: int, chance: random.Random) -> None:
        self._port, self._chance = port, chance
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self.held = 0.0
        self.url = ""

    async def start(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: StreamReader, near: StreamWriter) -> None:
        try:
            other, far = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            near.transport.abort()
            return
        link = Link(near, far, self._chance)
        link.held = self.held
        self._links.add(link)
        try:
            await link.carry((reader, other))
        finally:
            self._links.discard(link)

    def cut(self) -> None:
        """Cut all connections."""
        for link in self._links:
            link.cut()

    def half_open(self) -> None:
        """Let every second connection fall silent."""
        for link in list(self._links)[::2]:
            link.fall_silent()

    def hold(self, seconds: float) -> None:
        """Keep every piece back for so long."""
        self.held = seconds
        for link in self._links:
            link.held = seconds

    async def stop(self) -> None:
        """Cut everything and take no more."""
        if self._server is not None:
            self._server.close()
        self.cut()
