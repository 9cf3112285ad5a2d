"""Which parameters an address takes: others are refused, as a misspelt one would be overlooked."""

from collections import Counter

from starlette.datastructures import QueryParams
from starlette.types import ASGIApp, Receive, Scope, Send

from chartserver.description.operations import TAKEN
from chartserver.errors import ParameterError, RequestError, refusal

# The login's, not the address's; whether it is good was seen before.
TOKEN = "token"  # noqa: S105 - a name


class KnownParameters:
    """ASGI middleware: refuses parameters that the address does not take, or takes only once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and scope["path"] in TAKEN:
            try:
                _check(QueryParams(scope["query_string"]), TAKEN[scope["path"]])
            except RequestError as error:
                await refusal(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _check(query: QueryParams, taken: dict[str, bool]) -> None:
    """Check the names; `taken` tells of each whether it may come several times.

    Raises:
        ParameterError: One is unknown, or comes twice.
    """
    for name, times in Counter(name for name, _ in query.multi_items()).items():
        if name == TOKEN:
            continue
        if name not in taken:
            raise ParameterError(name[:60], f"left out: this takes {', '.join(taken)}")
        if times > 1 and not taken[name]:
            raise ParameterError(name, "given once")
