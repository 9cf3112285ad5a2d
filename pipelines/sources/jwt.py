"""What a token says of itself, where it is a JWT. Its signature is the source's business. Pure."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token; none where it is no JWT."""
    parts = token.split(".")
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def moment_of(claim: object) -> datetime | None:
    """Return the moment that a claim in epoch seconds means, UTC; None where it means none."""
    if isinstance(claim, bool) or not isinstance(claim, int | float):
        return None
    try:
        return datetime.fromtimestamp(claim, UTC)
    except (OverflowError, ValueError, OSError):
        return None
