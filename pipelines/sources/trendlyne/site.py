"""Trendlyne's site over HTTPS: one request, as the visitor that we present ourselves as.

Be a polite guest: every request has its place in the budget; the site's own cookies are kept and
its `csrftoken`, if it set one, is sent back.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from pipelines.sources.endpoint import http_failure, is_loopback, send, server_time
from pipelines.sources.politeness import Budget
from pipelines.sources.roles import Payload
from pipelines.sources.trendlyne.cookies import CookieFile
from pipelines.sources.trendlyne.firewall import refusal
from strategy.clock import MarketClock

NAME = "trendlyne"
USER_AGENT = "Mozilla/5.0 (compatible; OptionScalp)"


class Visitor(NamedTuple):
    """How we present ourselves: a browser's `User-Agent`, and its cookies of the site in a file."""

    user_agent: str = USER_AGENT
    cookie_file: Path | None = None


OURSELVES = Visitor()


class Site:
    """A guest of one host."""

    def __init__(
        self, base_url: str, clock: MarketClock, budget: Budget, timeout: float, visitor: Visitor
    ) -> None:
        site = urlsplit(base_url)
        self._origin = f"{site.scheme}://{site.netloc}"
        self._host = site.hostname or ""
        self._clock = clock
        self._budget = budget
        self._timeout = timeout
        self._cookie_file = CookieFile(visitor.cookie_file) if visitor.cookie_file else None
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={
                "Accept": "application/json",
                "User-Agent": visitor.user_agent,
                # Some clients were let through only with these.
                "Origin": self._origin,
                "Referer": f"{self._origin}/",
            },
            timeout=timeout,
            trust_env=not is_loopback(base_url),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, path: str, query: Mapping[str, str], about: Mapping[str, Any]) -> Payload:
        """Ask once; `about` is the question in our words.

        Raises:
            SourceUnavailable: No answer in time, or an error of the server.
            SourceRefused: The server forbids it, or did so often that we pause; or the file of
                cookies cannot be read.
            PayloadInvalid: The answer is larger than any, or packed in another way than asked for.
        """
        async with self._budget.request():
            headers = self._cookies_and_token()
            request = self._client.build_request("GET", path, params=query, headers=headers)
            asked_at = self._clock.now()
            answer = await send(self._client, request, self._timeout)
            received_at = self._clock.now()
            name = f"{request.method} {request.url.raw_path.decode()}"
            status, answered = answer.status, answer.headers
            if refused := refusal(name, status, answered, answer.body):
                raise refused
            if status != httpx.codes.OK:
                raise http_failure(name, status, answered)
            # By whichever clock is behind: what still formed by either is not taken for final.
            asked_at = min(asked_at, server_time(answered, received_at) or asked_at)
            told = {"source": NAME, **about}
            return Payload(NAME, name, told, asked_at, received_at, answer.body)

    def _cookies_and_token(self) -> dict[str, str]:
        """Return the headers that hold cookies; what the site set since wins over the file."""
        told: dict[str, str] = {}
        if self._cookie_file is not None:
            if self._cookie_file.changed():
                self._client.cookies.clear()
            secure = self._origin.startswith("https:")
            told = self._cookie_file.cookies(self._host, secure=secure)
        jar = self._client.cookies.jar
        told |= {cookie.name: cookie.value for cookie in jar if cookie.value is not None}
        headers = {}
        if told:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in told.items())
        if token := told.get("csrftoken"):
            headers["X-CSRFToken"] = token
        return headers
