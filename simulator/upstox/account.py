"""Who may ask, and how often: tokens that end at 03:30, and three windows of requests."""

import base64
import json
from collections import deque
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import NamedTuple

from strategy.session import IST

TOKENS_END = time(3, 30)
ISSUER = "udapi-gateway-service"


class Window(NamedTuple):
    """At most so many requests in so many seconds of the market's time."""

    requests: int
    seconds: float


# Of each account and kind of endpoint, as documented in 2026 for all that is no order.
WINDOWS = (Window(50, 1), Window(500, 60), Window(2000, 1800))


class Claims(NamedTuple):
    """What a token tells about itself."""

    ends_at: datetime
    plus: bool


def token_end(login: datetime) -> datetime:
    """Return when a token ends that was given at a time: at the next half past three in India."""
    local = login.astimezone(IST)
    end = datetime.combine(local.date(), TOKENS_END, IST)
    return end if local < end else end + timedelta(days=1)


def access_token(login: datetime, *, plus: bool = True) -> str:
    """Return a token as a login at that time gives it; `plus` is the paid plan."""
    claims = {
        "sub": "SIMULATED",
        "jti": f"{int(login.timestamp()):x}",
        "isMultiClient": False,
        "isPlusPlan": plus,
        "iat": int(login.timestamp()),
        "iss": ISSUER,
        "exp": int(token_end(login).timestamp()),
    }
    header = {"typ": "JWT", "alg": "HS256"}
    return ".".join((_encoded(header), _encoded(claims), "simulated"))


def read_token(header: str) -> Claims | None:
    """Return the claims of an `Authorization` header; None where there is no token of ours."""
    scheme, _, token = header.partition(" ")
    parts = token.split(".")
    if scheme.lower() != "bearer" or len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        if claims["iss"] != ISSUER:
            return None
        return Claims(datetime.fromtimestamp(claims["exp"], IST), bool(claims["isPlusPlan"]))
    except (ValueError, KeyError, TypeError):
        return None


class Pace:
    """Counts what was asked, and tells when it was too much."""

    def __init__(self, windows: tuple[Window, ...]) -> None:
        self._windows = windows
        self._asked: deque[datetime] = deque()

    def allows(self, now: datetime) -> bool:
        """Count a request at a time; tell whether it keeps within every window."""
        longest = max((window.seconds for window in self._windows), default=0.0)
        # Also what a clock that was set back makes later than now.
        while self._asked and not timedelta(0) <= now - self._asked[0] < timedelta(seconds=longest):
            self._asked.popleft()
        for window in self._windows:
            since = now - timedelta(seconds=window.seconds)
            if sum(moment > since for moment in self._asked) >= window.requests:
                return False
        self._asked.append(now)
        return True


def _encoded(part: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
