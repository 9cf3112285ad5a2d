"""TradingView's websocket frames, to and from text. Pure.

A message holds frames `~m~<length>~m~<payload>`; the length counts characters. A payload is JSON
or a heartbeat `~h~<n>`. Seen in recordings of January 2026 and in tvDatafeed's conversation.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pipelines.sources import limits, strict_json
from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.refused import Refused
from pipelines.sources.series import Bar as Bar
from pipelines.sources.strict_json import number, shown

EXCHANGE = "NSE:"
SERIES = "s1"
BAR_METHODS = ("timescale_update", "du")
DATA_METHODS = (*BAR_METHODS, "qsd")
NUMBERS = {
    "lp": "price",
    "volume": "volume",
    "ch": "change",
    "chp": "change_percent",
    "lp_time": "price_time",
}
QUOTE_FIELDS = (*NUMBERS, "update_mode")
# What these say names a chart or quote session first: that one is over, the others are not.
SESSION_ERRORS = ("critical_error", "protocol_error")
FAILURES = ("symbol_error", "series_error", *SESSION_ERRORS)  # of a chart session
SESSION_PREFIXES = ("cs_", "qs_")

_HEADER = re.compile(r"~m~([0-9]{1,9})~m~")
_HEARTBEAT = re.compile(r"~h~[0-9]+")


class Heartbeat(NamedTuple):
    """A sign of life that has to be sent back as it came."""

    payload: str


class Hello(NamedTuple):
    """The server's first frame; `server_time` is its clock in epoch seconds, None if not told."""

    session_id: str
    server_time: float | None = None


class Message(NamedTuple):
    """A method call, in either direction."""

    method: str
    params: list[Any]

    @property
    def session(self) -> str | None:
        """The chart or quote session the message belongs to, if any."""
        first = self.params[0] if self.params else None
        return first if isinstance(first, str) else None

    @property
    def ends_session(self) -> bool:
        """Whether it ends the one chart or quote session that it names."""
        named = (self.session or "").startswith(SESSION_PREFIXES)
        return self.method in SESSION_ERRORS and named


Frame = Heartbeat | Hello | Message


class Piece(NamedTuple):
    """A frame and the very text that carried it, its length included."""

    frame: Frame
    text: str


class QuoteUpdate(NamedTuple):
    """A partial change of one quote: only the fields that were sent, by `Quote`'s names."""

    name: str
    status: str
    values: Mapping[str, Any]


def exchange_symbol(symbol: str) -> str:
    """Return TradingView's name of a canonical symbol."""
    return EXCHANGE + symbol


def frame(payload: str) -> str:
    """Return the frame that carries a payload."""
    return f"~m~{len(payload)}~m~{payload}"


def encode(method: str, params: list[Any]) -> str:
    """Return the frame of a method call."""
    return frame(json.dumps({"m": method, "p": params}, separators=(",", ":"), ensure_ascii=False))


def encode_heartbeat(heartbeat: Heartbeat) -> str:
    """Return the answer to a heartbeat: the same frame again."""
    return frame(heartbeat.payload)


def decode(message: str | bytes) -> list[Frame]:
    """Return the frames of a message, or of several archived ones, one a line.

    Raises:
        PayloadInvalid: The text is not a whole number of frames of the known kinds.
    """
    return [piece.frame for piece in pieces(message)]


def pieces(message: str | bytes) -> list[Piece]:
    """Return the frames of a message with their texts; raises as `decode` does."""
    text = message if isinstance(message, str) else _text(message)
    found: list[Piece] = []
    place = 0
    while place < len(text):
        header = _HEADER.match(text, place)
        if header is None:
            raise PayloadInvalid(f"no frame at character {place}: {text[place : place + 40]!r}")
        end = header.end() + int(header[1])
        if end > len(text):
            raise PayloadInvalid(
                f"frame at character {place} is cut: {header[1]} characters announced,"
                f" {len(text) - header.end()} there"
            )
        found.append(Piece(_frame(text[header.end() : end], place), text[place:end]))
        place = end
        if text.startswith("\n", place):  # between archived messages
            place += 1
    return found


def words(params: Iterable[Any]) -> str:
    """Return what a message says beside its method, for a person."""
    return " ".join(part if isinstance(part, str) else shown(part) for part in params)


def parse_series(message: Message, name: str = SERIES, refused: Refused | None = None) -> list[Bar]:
    """Return the bars of one series in a `timescale_update` or `du` message, in the order sent.

    Args:
        message: The message.
        name: Of the series.
        refused: Where bars that are none are noted; without it the first one is raised.

    Raises:
        PayloadInvalid: The message is not of the documented form.
    """
    if len(message.params) < 2 or not isinstance(message.params[1], dict):
        raise PayloadInvalid(f"{message.method}: no object of series")
    series = message.params[1].get(name, {})
    points = series.get("s", []) if isinstance(series, dict) else None
    if not isinstance(points, list):
        raise PayloadInvalid(f"{message.method}: {name} holds no list of bars")
    bars = []
    for n, point in enumerate(points):
        try:
            bars.append(_bar(point, f"{message.method}.{name}.s[{n}]"))
        except PayloadInvalid as error:
            if refused is None:
                raise
            refused.add(error)
    return bars


def merge_bars(messages: Iterable[Message], refused: Refused | None = None) -> list[Bar]:
    """Return the bars of a chart session's messages, ascending; the newest word on each wins."""
    bars = {
        bar.open_time: bar
        for message in messages
        if message.method in BAR_METHODS
        for bar in parse_series(message, refused=refused)
    }
    return [bars[moment] for moment in sorted(bars)]


def parse_history(raw: bytes, chart_session: str, refused: Refused | None = None) -> list[Bar]:
    """Return the bars that archived messages hold for one chart session.

    Raises:
        PayloadInvalid: The bytes are not messages of the documented form; without `refused` also
            for a single bar that is none.
    """
    frames = decode(raw)
    return merge_bars(
        (item for item in frames if isinstance(item, Message) and item.session == chart_session),
        refused,
    )


def parse_quote(message: Message) -> QuoteUpdate:
    """Return what a `qsd` message tells; fields it leaves out keep their last value.

    Raises:
        PayloadInvalid: The message is not of the documented form.
    """
    body = message.params[1] if len(message.params) > 1 else None
    if not isinstance(body, dict) or not isinstance(body.get("n"), str):
        raise PayloadInvalid("qsd: no name")
    values = body.get("v", {})
    if not isinstance(values, dict):
        raise PayloadInvalid(f"qsd {body['n']}: values are no object")
    found: dict[str, Any] = {
        field: number(values[key], f"qsd {body['n']}.{key}")
        for key, field in NUMBERS.items()
        if values.get(key) is not None
    }
    if "price_time" in found:
        limits.moment(found["price_time"], f"qsd {body['n']}.lp_time")
    if isinstance(mode := values.get("update_mode"), str):
        found["update_mode"] = mode
    return QuoteUpdate(body["n"], str(body.get("s", "ok")), found)


def parse_resolved(message: Message) -> Mapping[str, Any]:
    """Return what a `symbol_resolved` message tells of its symbol.

    Raises:
        PayloadInvalid: The message is not of the documented form.
    """
    described = message.params[2] if len(message.params) > 2 else None
    if not isinstance(described, dict):
        raise PayloadInvalid("symbol_resolved: no object")
    return described


def _text(message: bytes) -> str:
    try:
        return message.decode()
    except UnicodeDecodeError as error:
        raise PayloadInvalid(f"not UTF-8: {error}") from error


def _frame(payload: str, place: int) -> Frame:
    if _HEARTBEAT.fullmatch(payload):
        return Heartbeat(payload)
    try:
        body = strict_json.load(payload)
    except PayloadInvalid as error:
        raise PayloadInvalid(f"frame at character {place} is {error}") from error
    if isinstance(body, dict):
        if isinstance(body.get("m"), str) and isinstance(body.get("p", []), list):
            return Message(body["m"], body.get("p", []))
        if "m" not in body and isinstance(body.get("session_id"), str):
            return Hello(body["session_id"], _server_time(body))
    raise PayloadInvalid(f"frame at character {place} is of an unknown kind: {payload[:80]!r}")


def _server_time(hello: dict[str, Any]) -> float | None:
    if "timestampMs" in hello:
        seconds = number(hello["timestampMs"], "hello.timestampMs") / 1000
    elif "timestamp" in hello:
        seconds = number(hello["timestamp"], "hello.timestamp")
    else:
        return None
    limits.moment(seconds, "hello")
    return seconds


def _bar(point: Any, where: str) -> Bar:
    values = point.get("v") if isinstance(point, dict) else None
    if not isinstance(values, list) or len(values) < 5:
        raise PayloadInvalid(f"{where}: no time and four prices")
    numbers = [number(value, f"{where}.v[{n}]") for n, value in enumerate(values[:5])]
    volume = None
    if len(values) > 5 and values[5] is not None:
        volume = number(values[5], f"{where}.v[5]")
        if volume < 0:
            raise PayloadInvalid(f"{where}.v[5]: negative volume {volume}")
        if volume > limits.MOST_UNITS:
            raise PayloadInvalid(f"{where}.v[5]: {volume:g} is no volume of this market")
    open_time = limits.moment(numbers[0], f"{where}.v[0]")
    first, high, low, last = (
        limits.price(found, f"{where}.v[{n}]") for n, found in enumerate(numbers[1:], 1)
    )
    return Bar(open_time, first, high, low, last, volume)
