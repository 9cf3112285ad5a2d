"""Logins: a random cookie per browser, of which the database has the hash.

The rows are what counts, so that a login can be ended from anywhere and several servers agree. What
one server has seen of them it believes for some seconds, and for as long as the database is away.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from starlette.types import Message, Receive

from chartserver.limits import Limits
from db.pages.logins import add_login, end_login, use_logins
from db.server.reader import Pool, change

logger = logging.getLogger(__name__)

# How soon a login that was ended elsewhere has ended here.
CHECK_SECONDS = 5.0
FORGET_SECONDS = 600.0
COOKIE_BYTES = 32
# A cookie of ours is as long as this; of others nobody is asked.
COOKIE_LENGTH = 43

_OUT = (psycopg.OperationalError, psycopg.InterfaceError)


class Login:
    """What this server knows of a login."""

    __slots__ = ("checked_at", "ended", "streams", "token_hash")

    def __init__(self, token_hash: bytes) -> None:
        self.token_hash = token_hash
        self.checked_at = 0.0
        self.ended = asyncio.Event()
        self.streams = 0

    @property
    def client(self) -> str:
        """Its name among the clients."""
        return f"login {self.token_hash.hex()}"

    @contextmanager
    def stream(self, receive: Receive) -> Iterator[Receive]:
        """Give a stream's `receive`, by which the client leaves when the login ends."""

        async def receive_or_end() -> Message:
            message = asyncio.ensure_future(receive())
            end = asyncio.ensure_future(self.ended.wait())
            try:
                await asyncio.wait((message, end), return_when=asyncio.FIRST_COMPLETED)
                return message.result() if message.done() else {"type": "http.disconnect"}
            finally:
                message.cancel()
                end.cancel()

        self.streams += 1
        try:
            yield receive_or_end
        finally:
            self.streams -= 1


class Logins:
    """Makes, finds and ends logins.

    Args:
        pool: Of connections that may write the table.
        token: `CHART_TOKEN`; the hashes are made with it, so another one ends all logins.
        limits: How long a login lasts.
    """

    def __init__(self, pool: Pool, token: str, limits: Limits) -> None:
        self._pool = pool
        self._key = hashlib.sha256(token.encode()).digest()
        self.lasts = timedelta(days=limits.login_days)
        self._idle = timedelta(days=limits.login_idle_days)
        self._known: dict[bytes, Login] = {}

    async def make(self) -> str:
        """Return the cookie of a new login."""
        cookie = secrets.token_urlsafe(COOKIE_BYTES)
        token_hash = self._hash(cookie)
        await change(self._pool, lambda c: add_login(c, token_hash, self.lasts, self._idle))
        return cookie

    def recall(self, cookie: str) -> Login | None:
        """Return the login of a cookie without asking, where it was looked at a moment ago."""
        login = self._known.get(self._hash(cookie))
        return login if login and _now() - login.checked_at < CHECK_SECONDS else None

    async def find(self, cookie: str) -> Login | None:
        """Return the login of a cookie; None when there is none any more.

        Raises:
            psycopg.OperationalError: The database is out, and nothing is known of the cookie.
        """
        if len(cookie) != COOKIE_LENGTH:
            return None
        token_hash = self._hash(cookie)
        login = self._known.get(token_hash)
        try:
            await self._check({token_hash: login or Login(token_hash)})
        except _OUT:
            if login is None:
                raise
            login.checked_at = _now()  # or every request would wait for the database
            return login
        return self._known.get(token_hash)

    async def end(self, cookie: str) -> None:
        """End the login of a cookie, and its streams."""
        token_hash = self._hash(cookie)
        await change(self._pool, lambda c: end_login(c, token_hash))
        self._forget(token_hash)

    async def run(self) -> None:
        """Look after the logins that have streams open, for ever."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            quiet = _now() - FORGET_SECONDS
            for login in [*self._known.values()]:
                if not login.streams and login.checked_at < quiet:
                    del self._known[login.token_hash]
            watched = {h: login for h, login in self._known.items() if login.streams}
            if watched:
                try:
                    await self._check(watched)
                except _OUT:
                    continue  # they are believed; the hub says that the database is out
                except psycopg.Error:
                    logger.exception("logins cannot be looked at")

    async def _check(self, logins: dict[bytes, Login]) -> None:
        valid = await change(self._pool, lambda c: use_logins(c, logins.keys(), self._idle))
        for token_hash, login in logins.items():
            if token_hash in valid:
                known = self._known.setdefault(token_hash, login)
                known.checked_at = _now()
            else:
                self._forget(token_hash)

    def _forget(self, token_hash: bytes) -> None:
        if login := self._known.pop(token_hash, None):
            login.ended.set()

    def _hash(self, cookie: str) -> bytes:
        return hmac.digest(self._key, cookie.encode(), "sha256")


def _now() -> float:
    return asyncio.get_running_loop().time()
