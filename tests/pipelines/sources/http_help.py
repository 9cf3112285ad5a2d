"""A small HTTP server that plays exact bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Server:
    """Answers every request with what `reply` returns; keeps the requests' heads."""

    def __init__(self, reply: Callable[[int], bytes | None]) -> None:
        self.heads: list[str] = []
        self.url = ""
        self._reply = reply

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            answer = self._reply(len(self.heads) - 1)
            if answer is None:
                await reader.read()  # silence until the client gives up
            else:
                writer.write(answer)
                await writer.drain()
        finally:
            writer.close()

    @property
    def requests(self) -> list[str]:
        return [head.split(" HTTP/")[0] for head in self.heads]


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def serving(*answers: bytes | None) -> AsyncIterator[Server]:
    """Serve the answers in turn, the last one again and again."""
    server = Server(lambda n: answers[min(n, len(answers) - 1)])
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        server.url = f"http://127.0.0.1:{port}/phoenix/api"
        yield server
