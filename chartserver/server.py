"""The socket and the uvicorn server around the application."""

import logging
import os
import socket

import uvicorn
from starlette.applications import Starlette

from chartserver.errors import SettingsError
from chartserver.settings import Settings

BACKLOG = 2048
# The kernel drops peers that acknowledge nothing for so long; ended streams wait for them.
DEAD_PEER_MILLISECONDS = 60_000
GRACEFUL_SECONDS = 2


class Server(uvicorn.Server):
    """Ends the streams first when it stops: uvicorn would wait for them."""

    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                # Tokens may stand in addresses; nothing of them is logged.
                access_log=False,
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
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise SettingsError(
            f"cannot listen on {settings.host} port {settings.port}: {reason};"
            " stop the other program or set CHART_PORT"
        ) from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MILLISECONDS)
    return sock


def drop_expected(record: logging.LogRecord) -> bool:
    """Filter out uvicorn's complaint about streams that were ended in mid-send on purpose."""
    return "returned without completing response" not in str(record.msg)
