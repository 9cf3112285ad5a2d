"""Nothing that is a secret stands in a text that others may see. Pure.

Two nets, one behind the other. What was given to this program as a secret is known: no twelve
characters of it in a row stay, however it was cut or escaped. What only looks like a secret goes
as well: tokens of the usual form, headers that carry them, passwords in addresses.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote

MARK = "[secret]"
# Shorter ones would take ordinary words away, and cannot be told from them.
LEAST = 6
RUN = 12

_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{6,}(\.[A-Za-z0-9_-]*){0,2}")
_HEADER = re.compile(
    r"\b((?:proxy-)?authorization|(?:set-)?cookie|x-csrftoken)\b([\"']?\s*[:=]\s*)[^\r\n]+", re.I
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}", re.I)
_IN_ADDRESS = re.compile(r"(://)[^/\s@]*:[^/\s@]*@")
_NAMED = re.compile(
    r"\b(password|passwd|client_secret|api_?key|csrftoken|sessionid|(?:access|auth|refresh)_token)"
    r"([\"']?\s*[:=]\s*[\"']?)[^\s\"'&;,]{4,}",
    re.I,
)
_PATTERNS = (
    (_JWT, MARK),
    (_HEADER, rf"\1\2{MARK}"),
    (_BEARER, rf"\1 {MARK}"),
    (_IN_ADDRESS, rf"\1{MARK}@"),
    (_NAMED, rf"\1\2{MARK}"),
)


class Redaction:
    """Takes secrets out of texts, values for JSON and bytes."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        given = {secret.strip() for secret in secrets}
        forms = {form for secret in given for form in (secret, quote(secret, ""), unquote(secret))}
        self._forms = sorted((form for form in forms if len(form) >= LEAST), key=len, reverse=True)
        long = [form for form in self._forms if len(form) > RUN]
        self._runs = {form[n : n + RUN] for form in long for n in range(len(form) - RUN + 1)}

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        for form in self._forms:
            text = text.replace(form, MARK)
        return self._without_runs(text)

    def value(self, value: Any) -> Any:
        """Return what JSON will hold, without secrets in its texts and names."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(name)): self.value(each) for name, each in value.items()}
        if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
            return [self.value(each) for each in value]
        return value if value is None or isinstance(value, int | float) else self.text(str(value))

    def body(self, body: bytes) -> bytes:
        """Return an answer's bytes, the same unless it repeats a secret."""
        text = body.decode("latin-1")
        for form in self._forms:
            text = text.replace(form.encode().decode("latin-1"), MARK)
        return _JWT.sub(MARK, text).encode("latin-1")

    def _without_runs(self, text: str) -> str:
        covered = [False] * len(text)
        for n in range(len(text) - RUN + 1):
            if text[n : n + RUN] in self._runs:
                covered[n : n + RUN] = [True] * RUN
        parts: list[str] = []
        for n, character in enumerate(text):
            if not covered[n]:
                parts.append(character)
            elif not n or not covered[n - 1]:
                parts.append(MARK)
        return "".join(parts)
