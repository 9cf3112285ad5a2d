"""TradingView's frames: `~m~<length>~m~<payload>`, several in one message."""

import json
from datetime import datetime
from typing import Any

MARK = "~m~"
HEARTBEAT = "~h~"


class FrameError(ValueError):
    """The text is not a sequence of frames."""


def encode(method: str, params: list[Any], at: datetime | None = None) -> str:
    """Return a method call as one frame; answers of chart sessions tell the time beside it."""
    call: dict[str, Any] = {"m": method, "p": params}
    if at is not None:
        call |= {"t": int(at.timestamp()), "t_ms": int(at.timestamp() * 1000)}
    return frame(json.dumps(call, separators=(",", ":")))


def frame(payload: str) -> str:
    """Return a payload as one frame."""
    return f"{MARK}{len(payload)}{MARK}{payload}"


def split(message: str) -> list[str]:
    """Return the payloads of a message's frames.

    Raises:
        FrameError: A frame is malformed or cut.
    """
    payloads = []
    while message:
        empty, length, rest = [*message.split(MARK, 2), "", ""][:3]
        if empty or not length.isdecimal() or len(rest) < int(length):
            raise FrameError(f"not a frame: {message[:40]!r}")
        payloads.append(rest[: int(length)])
        message = rest[int(length) :]
    return payloads


def parse_call(payload: str) -> tuple[str, list[Any]]:
    """Return method and parameters of a payload.

    Raises:
        FrameError: It is not a method call.
    """
    try:
        call = json.loads(payload)
        method, params = call["m"], call["p"]
    except (ValueError, KeyError, TypeError):
        raise FrameError(f"not a method call: {payload[:40]!r}") from None
    if not isinstance(method, str) or not isinstance(params, list):
        raise FrameError(f"not a method call: {payload[:40]!r}")
    return method, params
