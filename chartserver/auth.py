"""`CHART_TOKEN`: asked for once, then remembered in a cookie that scripts cannot read."""

import hashlib
import hmac
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chartserver.errors import error_response

COOKIE = "chart_token"
LOGIN = "/token"
YEAR_SECONDS = 365 * 24 * 3600
FORM_BYTES = 4096

FORM = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>OptionScalp</title>
<form method="post" action="{action}"><p>{message}</p>
<label>Token <input type="password" name="token" autofocus autocomplete="current-password"></label>
<button>Open</button></form></html>
"""


class RequireToken:
    """ASGI middleware: the cookie, `Authorization: Bearer`, or `?token=` must carry the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token
        # The cookie proves the token without containing it.
        self._proof = hmac.new(token.encode(), b"optionscalp chart", hashlib.sha256).hexdigest()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer it."""
        if scope["type"] != "http" or scope["path"] == "/healthz":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        answer = await self._answer(request)
        await (answer or self._app)(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        """Return None when the request may pass."""
        if request.url.path == LOGIN:
            return await self._login(request)
        given = request.query_params.get("token")
        if given is not None and request.method == "GET" and self._matches(given):
            rest = [(k, v) for k, v in request.query_params.multi_items() if k != "token"]
            # Without the token, so that it stays out of bookmarks and what the page sends on.
            return self._remember(request, _target(request.url.path, urlencode(rest)))
        if self._is_known(request):
            return None
        if "text/html" in request.headers.get("accept", ""):
            return _form(_target(request.url.path, request.url.query), "This page needs its token.")
        return error_response(
            "a token is needed: open the page once with it, or send Authorization: Bearer",
            401,
            {"WWW-Authenticate": "Bearer"},
        )

    async def _login(self, request: Request) -> Response:
        target = _local(request.query_params.get("next", "/"))
        if request.method != "POST":
            return _form(target, "This page needs its token.")
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > FORM_BYTES:
                return error_response("the form is too large", 413)
        given = parse_qs(body.decode(errors="replace")).get("token", [""])[0]
        if self._matches(given):
            return self._remember(request, target)
        return _form(target, "That is not the token.")

    def _is_known(self, request: Request) -> bool:
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._matches(bearer.strip())
        return _equal(request.cookies.get(COOKIE, ""), self._proof)

    def _matches(self, given: str) -> bool:
        return _equal(given, self._token)

    def _remember(self, request: Request, target: str) -> Response:
        response = RedirectResponse(target, 303)
        response.set_cookie(
            COOKIE,
            self._proof,
            max_age=YEAR_SECONDS,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response


def _equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def _target(path: str, query: str) -> str:
    return _local(f"{path}?{query}" if query else path)


def _local(target: str) -> str:
    """Return a path on this server; never another site, whatever a link says."""
    parts = urlsplit(target)
    safe = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if safe and not parts.netloc else "/"


def _form(target: str, message: str) -> Response:
    action = f"{LOGIN}?{urlencode({'next': target})}"
    page = FORM.format(action=escape(action), message=escape(message))
    return HTMLResponse(page, 401, {"Cache-Control": "no-store"})
