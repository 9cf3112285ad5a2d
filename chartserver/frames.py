"""Rows as the JSON objects of the stream, and events as the bytes that leave the socket."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from chartserver.payload import Payload
from db.pages.chain import Ladder
from db.pages.change_log import Change, Cursor
from db.pages.history import ShownSignal
from db.writing.rows import BuildUp, Candle

PING = Payload(b": ping\n\n")
HELLO = b"retry: 1000\n\n"
END = b"event: end\ndata: {}\n\n"

_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
dumps = _encoder.encode


def seconds(moment: datetime) -> int:
    """Return whole UTC seconds."""
    return int(moment.timestamp())


def known(moment: datetime) -> int:
    """Return the first whole UTC second at which something was known."""
    return math.ceil(moment.timestamp())


def number(value: float | None) -> float | None:
    """Return a value that JSON has: None for none."""
    # A stored NaN or infinity is no JSON, and one bad row must not stop the stream.
    return value if value is None or math.isfinite(value) else None


def hours_object(session: date, opens: datetime, closes: datetime) -> dict[str, Any]:
    """Return the hours of a session."""
    return {"session": session.isoformat(), "open": seconds(opens), "close": seconds(closes)}


def candle_object(row: Candle) -> dict[str, Any]:
    """Return a candle as the stream sends it."""
    return {
        "symbol": row.symbol,
        "interval": row.interval_minutes,
        "t": seconds(row.open_time),
        "o": number(row.open),
        "h": number(row.high),
        "l": number(row.low),
        "c": number(row.close),
        "v": row.volume,
        "oi": row.open_interest,
        "final": row.final,
    }


def build_up_object(row: BuildUp) -> dict[str, Any]:
    """Return a build-up as the stream sends it."""
    return {
        "symbol": row.symbol,
        "t": seconds(row.open_time),
        "close": number(row.close),
        "oi": row.open_interest,
        "oi_change": row.oi_change,
        "volume": row.volume,
        "label": row.label,
    }


def signal_object(row: ShownSignal) -> dict[str, Any]:
    """Return a signal as the stream and all answers send it."""
    return {
        **{
            name: number(value) if isinstance(value, float) else value
            for name, value in row._asdict().items()
        },
        "signal_id": str(row.signal_id),
        "session": row.session.isoformat(),
        "event_time": seconds(row.event_time),
        "known_at": known(row.known_at),
        "input_watermark": seconds(row.input_watermark),
        "withdrawn_at": known(row.withdrawn_at) if row.withdrawn_at else None,
        "withdrawn": row.withdrawn_at is not None,
        "iv": row.iv,
        "delta": row.delta,
    }


def event(name: str, data: object, cursor: Cursor | None = None) -> bytes:
    """Return one event; with a cursor, a client resumes after it."""
    last = f"\nid: {cursor}" if cursor else ""
    return f"event: {name}\ndata: {dumps(data)}{last}\n\n".encode()


def row_event(row: Candle | BuildUp | ShownSignal, cursor: Cursor | None = None) -> bytes:
    """Return a row as an event of its kind."""
    if isinstance(row, Candle):
        return event("candle", candle_object(row), cursor)
    if isinstance(row, BuildUp):
        return event("build_up", build_up_object(row), cursor)
    return event("signal", signal_object(row), cursor)


class Frame(NamedTuple):
    """One event of the log, encoded."""

    seq: int
    underlying: str
    payload: bytes


class Batch:
    """Frames that became visible together; their joined bytes are made once for all clients.

    Attributes:
        cursor: Everything up to it has been sent with this batch.
        frames: One per row.
        ladders: An event per strike ladder that changed, to follow the frames.
    """

    __slots__ = ("_joined", "cursor", "frames", "ladders")

    def __init__(
        self,
        cursor: Cursor,
        frames: Iterable[Frame],
        ladders: Mapping[Ladder, bytes] = MappingProxyType({}),
    ) -> None:
        self.cursor = cursor
        self.frames = tuple(frames)
        self.ladders = ladders
        self._joined: dict[tuple[str | None, Sequence[Ladder]], Payload] = {}

    def beside(self, ladders: Mapping[Ladder, bytes]) -> "Batch":
        """Return the same frames with other ladders."""
        return Batch(self.cursor, self.frames, ladders)

    def payload(self, underlying: str | None, ladders: Sequence[Ladder] = ()) -> Payload:
        """Return what all clients of an underlying (None: of all) share.

        Args:
            underlying: Whose rows.
            ladders: Which ladders they watch, as a tuple.
        """
        key = (underlying, ladders)
        if key not in self._joined:
            self._joined[key] = self.after(0, underlying, ladders)
        return self._joined[key]

    def holds(self, underlying: str | None, ladders: Sequence[Ladder] = ()) -> bool:
        """Whether there is anything for such clients."""
        return self.payload(underlying, ladders).events > 0

    def after(self, seq: int, underlying: str | None, ladders: Sequence[Ladder] = ()) -> Payload:
        """Return the frames beyond a number, and ladders, for one client."""
        chosen = [
            frame.payload
            for frame in self.frames
            if frame.seq > seq and underlying in {None, frame.underlying}
        ]
        chosen += [self.ladders[ladder] for ladder in ladders if ladder in self.ladders]
        return Payload(b"".join(chosen), len(chosen))


def encode(changes: Iterable[Change], upto: Cursor) -> Batch:
    """Return changes of the log as a batch that ends at a cursor."""
    return Batch(
        upto,
        (
            Frame(seq, row.underlying, row_event(row, upto._replace(seq=seq)))
            for seq, row in changes
        ),
    )
