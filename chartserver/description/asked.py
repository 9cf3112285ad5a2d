"""Query parameters as `chartserver.parameters` takes them."""

import re
from typing import Any

from chartserver import parameters
from chartserver.description.shapes import Schema
from db.pages.change_log import CURSOR
from strategy.contract import UNDERLYINGS

Parameter = dict[str, Any]

INT4_MOST = 2**31 - 1


def _whole(pattern: re.Pattern[str] | str) -> str:
    """Return a pattern that means all of a text, in the words of JSON Schema."""
    source = pattern if isinstance(pattern, str) else pattern.pattern
    unnamed = re.sub(r"[?]P<[a-z_]+>", "", source)
    return "^({})$".format(unnamed.replace(r"\d", "[0-9]"))


def _asked(name: str, schema: Schema, allowed: str, absent: str, **more: Any) -> Parameter:
    """Return a parameter; an empty one counts as absent."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "allowEmptyValue": True,
        "description": f"{allowed}. Absent: {absent}." if absent else f"{allowed}.",
        "schema": schema,
        **more,
    }


def _choice(name: str, values: Any, allowed: str, absent: str = "", default: str = "") -> Parameter:
    schema: Schema = {"type": "string", "enum": list(values)}
    return _asked(name, schema | ({"default": default} if default else {}), allowed, absent)


def _text(name: str, pattern: re.Pattern[str] | str, allowed: str, absent: str = "") -> Parameter:
    return _asked(name, {"type": "string", "pattern": _whole(pattern)}, allowed, absent)


def _count(name: str, allowed: str, absent: str) -> Parameter:
    schema = {"type": "integer", "minimum": 1, "maximum": INT4_MOST}
    return _asked(name, schema, allowed, absent)


def _day(name: str, allowed: str, absent: str) -> Parameter:
    schema = {"type": "string", "format": "date", "pattern": _whole(parameters.DAY)}
    return _asked(name, schema, allowed, absent)


def _moment(name: str, allowed: str, absent: str, *, seconds: bool = False) -> Parameter:
    forms = [parameters.DAY, parameters.TIME, *([parameters.UTC_SECONDS] if seconds else [])]
    pattern = "|".join(form.pattern for form in forms)
    schema = {"type": "string", "format": "indian-time", "pattern": _whole(pattern)}
    return _asked(name, schema, allowed, absent)


TIMES = (
    "a date or time in India, `2026-01-21`, `2026-01-21T09:15`, `2026-01-21T09:15:30`, a time also"
    " with an offset (`Z`, `+05:30`); no other form"
)
SIDE = "a whole number: the strike of that side, before `strike`"
NAMES = "up to 60 letters, digits and `_ . + -`, a space meaning `+`; an unknown one has no rows"

UNDERLYING = _choice(
    "underlying", UNDERLYINGS, "`NIFTY` or `BANKNIFTY`", "the first of `UNDERLYINGS`"
)
ANY_UNDERLYING = _choice(
    "underlying", UNDERLYINGS, "`NIFTY` or `BANKNIFTY`", "of `/api/sessions` and `/stream` all"
)
FROM = _moment("from", TIMES, "with `to`, the rest of its day")
TO = _moment("to", "as `from`; a date includes that day", "with `from`, the rest of its day")
INTERVAL = _choice(
    "interval", parameters.INTERVALS, "`1m`, `3m`, `5m`, `15m` or `1h`", default="1m"
)
EXPIRY = _day(
    "expiry",
    "a date, `2026-01-27`",
    "the nearest, however far, of which contracts were listed or traded in the session",
)
STRIKE = _count("strike", "a whole number, of call and put", "ATM")
CALL = _count("call", SIDE, "`strike`")
PUT = _count("put", SIDE, "`strike`")
SYMBOLS = _asked(
    "symbols",
    {
        "type": "array",
        "items": {"type": "string", "pattern": _whole(parameters.SYMBOL)},
        "minItems": 1,
        "maxItems": parameters.SYMBOLS_AT_MOST,
    },
    f"up to {parameters.SYMBOLS_AT_MOST}, by commas",
    "index, future, call, put; of a stream all of the underlying",
    style="form",
    explode=False,
)
SPEED = _asked(
    "speed",
    {"type": "number", "exclusiveMinimum": 0, "maximum": parameters.SPEED_AT_MOST, "default": 60},
    "market seconds a second, above 0, to 1,000,000; plain digits, up to nine of them after the"
    " point",
    "",
)
AT = _moment("at", "UTC seconds, or as `from`", "now", seconds=True)
STRATEGY = _text("strategy", parameters.NAME, NAMES, "all")
VERSION = _text("version", parameters.NAME, NAMES, "all")
DIRECTION = _choice("direction", parameters.DIRECTIONS, "`BULLISH` or `BEARISH`", "both")
HORIZON = _choice(
    "horizon", parameters.HORIZONS, "`5`, `15`, `30` minutes, `0` for the session's end", "", "15"
)
HISTORY = _choice(
    "history",
    parameters.HISTORIES,
    "which signals count: those that stand (`corrected`), or all as they were then (`known_then`)",
    default="corrected",
)
FILLS = _choice("fills", parameters.FILLS, "spreads in a round trip: `0`, `1` or `2`", "", "1")
BY = _choice("by", parameters.SPLITS, "`time`, `expiry` or `volatility`", "", "time")
SIGNAL_ID = {
    **_text("signal_id", parameters.UUID_FORM, "the id of a signal, a UUID"),
    "required": True,
    "allowEmptyValue": False,
}
SWEEP_ID = _count("sweep_id", "the number of a sweep", "the newest")
SINCE = _text("since", CURSOR, "an `as_of` or the `id` of an event, as it came", "from now on")
LADDER = _asked(
    "ladder",
    {
        "type": "array",
        "items": {
            "type": "string",
            "pattern": _whole(f"({'|'.join(UNDERLYINGS)}):{parameters.DAY.pattern}"),
        },
        "maxItems": parameters.LADDERS_AT_MOST,
    },
    f"`NIFTY:2026-01-27`; up to {parameters.LADDERS_AT_MOST}, each a parameter of its own",
    "none",
    style="form",
    explode=True,
)
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "what `EventSource` sends when it comes back; beats `since`.",
    "schema": {"type": "string", "pattern": _whole(CURSOR)},
}

RANGE = (FROM, TO)
SHOWN = (UNDERLYING, *RANGE, INTERVAL, EXPIRY, STRIKE, CALL, PUT, SYMBOLS)
CHOSEN = (UNDERLYING, *RANGE, STRATEGY, VERSION, DIRECTION)
CASE = (HISTORY, FILLS)
