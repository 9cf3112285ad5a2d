"""Which names the server answers to.

A page of another site may let its own name lead to this machine and then read what is answered
there as if it were its own. The browser still says by which name it asks.
"""

import ipaddress
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from chartserver.errors import error_response

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
MISDIRECTED = 421


class AllowedHosts:
    """ASGI middleware: refuses requests that name another host than those allowed, at any port.

    Args:
        app: What is guarded.
        names: Names and addresses besides those of loopback.
        bound: The address that the server is bound to. Bound to all of them, it also answers to
            the one that a connection came in by: no name leads there but the address itself.
        setting: The variable that adds names, for the refusal.
    """

    def __init__(
        self,
        app: ASGIApp,
        names: Iterable[str],
        bound: str,
        setting: str = "CHART_ALLOWED_HOSTS",
    ) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | {name.lower().strip("[]") for name in (*names, bound)}
        self._setting = setting
        self._is_everywhere = _is_unspecified(bound)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "lifespan" or self._is_allowed(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            refusal = error_response(
                f"this server does not answer to that name: set {self._setting} to the name"
                " that people open",
                MISDIRECTED,
            )
            await refusal(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            return False
        host = host_name(given[0].decode("latin-1"))
        own = scope["server"][0] if self._is_everywhere and scope["server"] else None
        return host in self._names or (own is not None and host == own)


def host_name(header: str) -> str:
    """Return a `Host` header without port and brackets, in small letters."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].removesuffix(".")


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
