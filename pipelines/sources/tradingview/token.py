"""A user's token: what it says of itself, and the file that may bring another one while we run.

A token is a JWT; its claims `exp`, `plan` and `perm` were seen in recordings of December 2025. Its
signature is the source's business. Nothing here writes a token anywhere.
"""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self

from pipelines.sources.jwt import claims_of, moment_of
from pipelines.sources.secret_file import read_secret

HOW_TO_RENEW = (
    "copy a new `auth_token` from a browser that is logged in to tradingview.com into"
    " TRADINGVIEW_TOKEN_FILE"
)


class Token(NamedTuple):
    """A token and what it says; None where it says nothing, or is no JWT.

    `ends_at` is UTC. `permissions` are the exchanges whose real-time data the account may see.
    """

    text: str
    ends_at: datetime | None = None
    plan: str | None = None
    permissions: frozenset[str] | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Return a token with what can be read from it."""
        claims = claims_of(text)
        plan, permissions = claims.get("plan"), claims.get("perm")
        return cls(
            text,
            moment_of(claims.get("exp")),
            plan if isinstance(plan, str) else None,
            frozenset(filter(None, permissions.split(",")))
            if isinstance(permissions, str)
            else None,
        )

    def __repr__(self) -> str:
        return f"Token(ends_at={self.ends_at}, plan={self.plan}, permissions={self.permissions})"


def own_token(text: str) -> Token:
    """Return a token with what can be read from it.

    Raises:
        ValueError: By its issuer it is of another service, which is not to be sent to this one.
    """
    claims = claims_of(text)
    if claims.get("iss") and not claims.keys() & {"plan", "perm", "user_id"}:
        raise ValueError(f"holds the token of another service, not TradingView's: {HOW_TO_RENEW}")
    return Token.of(text)


class TokenFile:
    """A file that holds a token and nothing else; read again when it changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._token: Token | None = None

    def read(self) -> Token:
        """Return the token in the file.

        Raises:
            ValueError: The file cannot be read or holds none.
        """
        try:
            found = self.path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if self._token is None or stamp != self._stamp:
                self._token, self._stamp = _own(self.path), stamp
        except OSError as error:
            raise ValueError(
                f"{self.path} cannot be read: {error.strerror}: {HOW_TO_RENEW}"
            ) from None
        return self._token


def _own(path: Path) -> Token:
    text = token_in(path)
    try:
        return own_token(text)
    except ValueError as error:
        raise ValueError(f"{path} {error}") from None


def token_in(path: Path) -> str:
    """Return the one word that a file holds.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds none, or more than one.
    """
    try:
        words = read_secret(path).split()
    except UnicodeDecodeError:
        raise ValueError(f"{path} holds no text: {HOW_TO_RENEW}") from None
    if len(words) != 1:
        raise ValueError(f"{path} has to hold one token and nothing else: {HOW_TO_RENEW}")
    return words[0]
