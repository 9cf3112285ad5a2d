"""`CHART_TOKEN`: asked for once by a browser, which then has a login; sent along by programs."""

import hashlib
import hmac
import math
from urllib.parse import parse_qs, urlencode

import psycopg
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chartserver.attempts import Attempts
from chartserver.clients import CLIENT, STREAMS, Shares, address_of
from chartserver.errors import DATABASE_OUT, TooManyError, database_out, error_response, refusal
from chartserver.form import ask, local, reload_here
from chartserver.lifespan import State
from chartserver.logins import Login

COOKIE = "chart_login"
LOGIN = "/token"
LOGOUT = "/logout"
FORM_BYTES = 4096
NEEDED = "This page needs its token."


class RequireToken:
    """ASGI middleware: a login's cookie must come along, or `Authorization: Bearer` and the token.

    `?token=` and the form make a login. Who is wrong too often waits before the next try counts.
    """

    def __init__(self, app: ASGIApp, token: str, shares: Shares) -> None:
        self._app = app
        self._digest = _digest(token)
        self._shares = shares
        self._attempts = Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer it."""
        if scope["type"] != "http" or scope["path"] == "/healthz":
            await self._app(scope, receive, send)
            return
        request: Request[State] = Request(scope, receive)
        try:
            found = await self._look(request)
        except TooManyError as error:
            found = refusal(error)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            found = database_out(error)
        if isinstance(found, Login):
            await self._pass(found, scope, receive, send)
        else:
            await (found or self._app)(scope, receive, send)

    async def _pass(self, login: Login, scope: Scope, receive: Receive, send: Send) -> None:
        scope[CLIENT] = login.client
        if scope["path"] in STREAMS:
            with login.stream(receive) as until_it_ends:
                await self._app(scope, until_it_ends, send)
        else:
            await self._app(scope, receive, send)

    async def _look(self, request: Request[State]) -> Login | Response | None:
        """Return the login, an answer instead of the one asked for, or None for a program."""
        if request.url.path == LOGIN:
            return await self._log_in(request)
        if request.url.path == LOGOUT:
            return await self._log_out(request)
        given = request.query_params.get("token")
        if given is not None and request.method == "GET" and not self._refused(request, given):
            rest = [(k, v) for k, v in request.query_params.multi_items() if k != "token"]
            # Without the token, so that it stays out of bookmarks and what the page sends on.
            return await self._remember(request, _target(request.url.path, urlencode(rest)))
        if login := await self._login_of(request):
            return login
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        is_program = scheme.lower() == "bearer"
        if is_program and not self._refused(request, bearer.strip()):
            return None
        return self._refusal(request, tried=is_program or given is not None)

    async def _login_of(self, request: Request[State]) -> Login | None:
        cookie = request.cookies.get(COOKIE)
        if not cookie:
            return None
        logins = request.state["logins"]
        if login := logins.recall(cookie):
            return login
        # Asked in the address's turn: cookies are easily invented, and each is a question.
        async with self._shares.turn(address_of(request.scope)):
            return await logins.find(cookie)

    def _refused(self, request: Request[State], given: str) -> bool:
        """Tell whether a token is wrong, or comes too early after wrong ones to be looked at."""
        client = address_of(request.scope)
        if self._attempts.wait(client):
            return True
        if hmac.compare_digest(_digest(given), self._digest):
            self._attempts.succeeded(client)
            return False
        self._attempts.failed(client)
        return True

    def _refusal(self, request: Request[State], *, tried: bool) -> Response:
        wait = math.ceil(self._attempts.wait(address_of(request.scope)))
        wants_page = "text/html" in request.headers.get("accept", "")
        target = _target(request.url.path, request.url.query)
        if wants_page and not tried:
            came_from_elsewhere = request.headers.get("sec-fetch-site") == "cross-site"
            if came_from_elsewhere and request.method == "GET" and COOKIE not in request.cookies:
                return reload_here()
            return ask(_action(target), NEEDED)
        if tried and wait:
            return self._wait(wait, _action(target) if wants_page else None)
        if wants_page:
            return ask(_action(target), "That is not the token.")
        return error_response(
            "a token is needed: open the page once with it, or send Authorization: Bearer",
            401,
            {"WWW-Authenticate": "Bearer"},
        )

    def _wait(self, seconds: int, action: str | None) -> Response:
        words = f"too many wrong tokens from this address: try again in {seconds} s"
        headers = {"Retry-After": str(seconds)}
        if action:
            return ask(action, f"{words[0].upper()}{words[1:]}.", 429, headers)
        return error_response(words, 429, headers)

    async def _log_in(self, request: Request[State]) -> Response:
        target = local(request.query_params.get("next", "/"))
        action = _action(target)
        if request.method != "POST":
            return ask(action, NEEDED)
        body = b""
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > FORM_BYTES:
                    return error_response("the form is too large", 413)
        except ClientDisconnect:
            return Response(status_code=400)
        given = parse_qs(body.decode(errors="replace")).get("token", [""])[0]
        if not self._refused(request, given):
            try:
                return await self._remember(request, target)
            except (psycopg.OperationalError, psycopg.InterfaceError):
                return ask(action, f"{DATABASE_OUT.capitalize()}.", 503, {"Retry-After": "1"})
        if wait := math.ceil(self._attempts.wait(address_of(request.scope))):
            return self._wait(wait, action)
        return ask(action, "That is not the token.")

    async def _log_out(self, request: Request[State]) -> Response:
        if request.method != "POST":
            return error_response("logging out is a POST", 405, {"Allow": "POST"})
        if cookie := request.cookies.get(COOKIE):
            await request.state["logins"].end(cookie)
        response = RedirectResponse(LOGIN, 303)
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return response

    async def _remember(self, request: Request[State], target: str) -> Response:
        logins = request.state["logins"]
        cookie = await logins.make()
        response = RedirectResponse(target, 303)
        response.set_cookie(
            COOKIE,
            cookie,
            max_age=int(logins.lasts.total_seconds()),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response


def _digest(token: str) -> bytes:
    # Of one length, so that comparing does not tell how long the token is.
    return hashlib.sha256(token.encode()).digest()


def _target(path: str, query: str) -> str:
    return local(f"{path}?{query}" if query else path)


def _action(target: str) -> str:
    return f"{LOGIN}?{urlencode({'next': target})}"
