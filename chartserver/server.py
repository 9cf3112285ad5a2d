"""The socket and the uvicorn server around the application."""

import asyncio
import errno
import logging
import os
import resource
import socket
from functools import partial
from typing import cast

import uvicorn
from starlette.applications import Starlette

from chartserver.errors import SettingsError
from chartserver.headers import SafeHeaders
from chartserver.protocol import Door, LimitedProtocol
from chartserver.settings import Settings

BACKLOG = 2048
# The kernel drops peers that acknowledge nothing for so long; ended streams wait for them.
DEAD_PEER_MILLISECONDS = 60_000
GRACEFUL_SECONDS = 2
# Open files that are no clients' connections: the database's, the log, files of pages.
OTHER_FILES = 100
EXPECTED = ("returned without completing response", "Invalid HTTP request")


class Server(uvicorn.Server):
    """Ends the streams first when it stops: uvicorn would wait for them."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        most = min(settings.connections, _allow_files(settings.connections + OTHER_FILES))
        door = Door(settings, most, settings.proxy_networks)
        super().__init__(
            uvicorn.Config(
                SafeHeaders(app),
                log_config=None,
                # Tokens may stand in addresses; nothing of them is logged.
                access_log=False,
                server_header=False,
                http=cast("type[asyncio.Protocol]", partial(LimitedProtocol, door)),
                ws="none",
                proxy_headers=bool(settings.trusted_proxy),
                forwarded_allow_ips=list(settings.trusted_proxy),
                timeout_graceful_shutdown=GRACEFUL_SECONDS,
            )
        )
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, end the streams, finish the other answers."""
        if hub := getattr(self._app.state, "hub", None):
            hub.stop()
        await super().shutdown(sockets)


def bind(settings: Settings) -> socket.socket:
    """Return the listening socket.

    Raises:
        SettingsError: The address is in use or not of this machine.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        sock = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        # A name that is none has a negative number.
        named = (error.errno or 0) >= 0
        reason = os.strerror(error.errno or 0) if named else "there is no such name"
        remedy = "stop the other program or set CHART_PORT"
        if not named or error.errno == errno.EADDRNOTAVAIL:
            remedy = "set CHART_HOST to an address of this machine, 127.0.0.1 or 0.0.0.0"
        raise SettingsError(
            f"cannot listen on {settings.host} port {settings.port}: {reason}; {remedy}"
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MILLISECONDS)
    return sock


def drop_expected(record: logging.LogRecord) -> bool:
    """Filter out uvicorn's words on streams that were ended on purpose, and on any peer's noise."""
    text = str(record.msg)
    return not any(words in text for words in EXPECTED)


def _allow_files(wanted: int) -> int:
    """Let this process open so many files where it may; return how many clients that leaves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft - OTHER_FILES
