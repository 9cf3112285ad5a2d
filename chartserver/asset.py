"""Answers that do not change while the server runs: bytes with their encodings and validators."""

import hashlib
from collections.abc import Container, Mapping

from starlette.requests import Request
from starlette.responses import Response

# The smallest first; a client that weighs them alike gets it.
ENCODINGS = ("br", "gzip", "identity")


class Asset:
    """One resource in several encodings, each with an entity tag of its own."""

    def __init__(
        self, bodies: Mapping[str, bytes], media_type: str, headers: Mapping[str, str]
    ) -> None:
        self._bodies = bodies
        self._headers = {
            "Content-Type": media_type,
            "Vary": "Accept-Encoding",
            **headers,
        }
        self._tag = hashlib.sha256(bodies["identity"]).hexdigest()[:32]

    def respond(self, request: Request) -> Response:
        """Return the resource in the best encoding that the client takes, or 304."""
        encoding = chosen(request.headers.get("accept-encoding", ""), self._bodies)
        headers = {**self._headers, "ETag": f'"{self._tag}-{encoding}"'}
        if encoding != "identity":
            headers["Content-Encoding"] = encoding
        if _is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(self._bodies[encoding], 200, headers)


def chosen(accepted: str, available: Container[str]) -> str:
    """Return the encoding that an `Accept-Encoding` header likes best; identity is always there."""
    weights = dict(map(_weight, accepted.lower().split(",")))
    rest = weights.get("*", 0.0)
    best, most = "identity", 0.0
    for encoding in ENCODINGS[:-1]:
        weight = weights.get(encoding, rest)
        if encoding in available and weight > most:
            best, most = encoding, weight
    return "identity" if weights.get("identity", 0.0) > most else best


def _weight(item: str) -> tuple[str, float]:
    name, _, parameter = item.partition(";")
    try:
        return name.strip(), float(parameter.partition("=")[2] or 1)
    except ValueError:
        return name.strip(), 0.0


def _is_known(known: str, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    return etag in tags or tags == ["*"]
