"""The user's access token: a file that may change while we run, and what the token tells.

A token is a JWT whose claims `iss`, `exp` and `isPlusPlan` tell by whom it is, until when and for
which plan it is good (seen in tokens that others published, 2025 and 2026). It ends at 03:30 in
India, whenever it was made; a long-lived one for analytics tells its own end the same way.
"""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pipelines.sources.errors import SourceRefused
from pipelines.sources.jwt import claims_of, moment_of
from pipelines.sources.secret_file import read_secret
from strategy.session import IST

VARIABLE = "UPSTOX_TOKEN_FILE"
ISSUER = "udapi-gateway-service"
ENDED = "the Upstox token ended"
RENEW = "log in to Upstox again and write the new access token into"


class Claims(NamedTuple):
    """What a token tells about itself; None where it does not."""

    ends_at: datetime | None
    plus: bool | None


class TokenFile:
    """Reads the token anew for every request, so that a new one counts at once."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"TokenFile({str(self._path)!r})"

    @property
    def renewal(self) -> str:
        """Return what to do for a new token."""
        return f"{RENEW} {self._path}"

    def words(self) -> list[str]:
        """Return what the file holds, good or not, so that nothing shows it; never raises."""
        try:
            return read_secret(self._path).split() if self._path else []
        except (OSError, UnicodeDecodeError):
            return []

    def read(self, now: datetime) -> str:
        """Return the token.

        Raises:
            SourceRefused: There is no file or no token in it, or the token has ended; the text says
                what to do and never holds the token.
        """
        if self._path is None:
            raise SourceRefused(f"Upstox wants a token: set {VARIABLE} to the file that holds it")
        try:
            text = read_secret(self._path).strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise SourceRefused(
                f"{VARIABLE}: cannot read {self._path}: {reason}; {RENEW} that file"
            ) from None
        if not text or not text.isascii() or not text.isprintable() or " " in text:
            raise SourceRefused(
                f"{VARIABLE}: {self._path} must hold the access token and nothing else; {RENEW} it"
            )
        if _is_anothers(text):
            raise SourceRefused(
                f"{VARIABLE}: {self._path} holds the token of another service, not Upstox's;"
                f" {RENEW} it"
            )
        ends_at = claims(text).ends_at
        if ends_at is not None and ends_at <= now:
            raise SourceRefused(
                f"{ENDED} at {ends_at.astimezone(IST):%H:%M IST on %Y-%m-%d}: {self.renewal}"
            )
        return text


def claims(token: str) -> Claims:
    """Return what a token tells; nothing where it is no JWT. The signature is not ours to check."""
    found = claims_of(token)
    plus = found.get("isPlusPlan")
    return Claims(moment_of(found.get("exp")), plus if isinstance(plus, bool) else None)


def _is_anothers(token: str) -> bool:
    """Tell whether a token says of itself that it is not of Upstox: it is not to be sent there."""
    found = claims_of(token)
    return bool(found) and found.get("iss") != ISSUER and "isPlusPlan" not in found
