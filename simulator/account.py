"""What an account may see: how late, until when, and by how many chart sessions. Pure.

A user's token is a JWT whose claims `exp`, `plan` and `perm` were seen in December 2025; who shows
none, or one without `nse` in `perm`, has an account without its own real-time data.
"""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from simulator.faults import Faults

REAL_TIME = "nse"
# So many chart sessions a connection, deleted ones included, as users of other clients report.
CHART_SESSIONS = 200


class Plan(NamedTuple):
    """How late an account without real-time data is, and how many chart sessions it may open."""

    delay_seconds: float = 0.0
    chart_sessions: int = CHART_SESSIONS


class Account:
    """One connection's account: nobody's until a token says whose."""

    def __init__(self, plan: Plan, faults: Faults) -> None:
        self._plan = plan
        self._faults = faults
        self._claims: dict[str, Any] = {}

    def show(self, token: str) -> None:
        """Take the token a client shows."""
        self._claims = claims(token)

    def ended(self, now: datetime) -> bool:
        """Tell whether the token is over: then only heartbeats come."""
        end = self._claims.get("exp")
        over = isinstance(end, int | float) and now.timestamp() >= end
        return over or self._faults.strike("token-ended", now)

    def delay(self, now: datetime) -> timedelta:
        """Return how late this account sees the market."""
        if fault := self._faults.find("delayed", now):
            return timedelta(seconds=fault.amount or 0)
        real_time = REAL_TIME in str(self._claims.get("perm", "")).split(",")
        return timedelta() if real_time else timedelta(seconds=self._plan.delay_seconds)

    def chart_sessions(self, now: datetime) -> int:
        """Return how many chart sessions one connection may open."""
        fault = self._faults.find("max-sessions", now)
        return int(fault.amount or 0) if fault else self._plan.chart_sessions


def make_token(
    ends_at: datetime, plan: str = "pro_premium", permissions: tuple[str, ...] = (REAL_TIME,)
) -> str:
    """Return a token as a user copies it; nobody checks its signature here."""
    started = ends_at - timedelta(hours=4)
    parts = (
        {"alg": "RS512", "kid": "GZxU", "typ": "JWT"},
        {
            "user_id": 1,
            "exp": int(ends_at.astimezone(UTC).timestamp()),
            "iat": int(started.astimezone(UTC).timestamp()),
            "plan": plan,
            "ext_hours": 1,
            "perm": ",".join(permissions),
        },
    )
    texts = (json.dumps(part, separators=(",", ":")).encode() for part in parts)
    return ".".join([*map(_encoded, texts), _encoded(b"simulated")])


def claims(token: str) -> dict[str, Any]:
    """Return what a token says; nothing where it is no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return body if isinstance(body, dict) else {}


def _encoded(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()
