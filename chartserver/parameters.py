"""Query parameters: checked before anything is read, refused by name with what is allowed.

An empty value counts as absent, as pages leave fields of their URL empty.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from chartserver.errors import ParameterError, RangeError
from db.pages.chain import Ladder
from db.pages.history import Span
from strategy.contract import UNDERLYINGS
from strategy.session import IST

DIRECTIONS = ("BULLISH", "BEARISH")
HORIZONS = {"5": 5, "15": 15, "30": 30, "0": 0}
HISTORIES = ("corrected", "known_then")
FILLS = {"0": 0, "1": 1, "2": 2}
SPLITS = ("time", "expiry", "volatility")
INTERVALS = {"1m": 1, "3m": 3, "5m": 5, "15m": 15, "1h": 60}
RANGE_DAYS = 31
SIGNAL_RANGE_DAYS = 366
SYMBOLS_AT_MOST = 100
SPEED_AT_MOST = 1_000_000
DAY_FORM = "a date such as 2026-01-27"
LADDERS_AT_MOST = 10
TIME_FORMS = "an Indian date or time such as 2026-01-21 or 2026-01-21T09:15"

Parameters = Mapping[str, str]

# No other form of ISO 8601: what reads as another moment than was meant is worse than a refusal.
DAY = re.compile(r"20\d\d-\d\d-\d\d", re.ASCII)
# The plus sign of an offset arrives as a space when it was not encoded.
TIME = re.compile(rf"{DAY.pattern}T\d\d:\d\d(:\d\d)?(Z|[+ -]\d\d:\d\d)?", re.ASCII)
UTC_SECONDS = re.compile(r"[1-9]\d{8}|[1-3]\d{9}", re.ASCII)  # from 1973 to 2096
COUNT = re.compile(r"[1-9]\d{0,9}", re.ASCII)
NUMBER = re.compile(r"\d{1,7}(\.\d{1,9})?", re.ASCII)
# The plus sign of a version arrives as a space when it was not encoded.
NAME = re.compile(r"[A-Za-z0-9_.+ -]{1,60}", re.ASCII)
SYMBOL = re.compile(r"[A-Z0-9!&_-]{1,40}", re.ASCII)
# Python also reads braces, `urn:` and hyphens anywhere.
UUID_FORM = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", re.ASCII)


def _one_of(
    parameters: Parameters, parameter: str, allowed: Iterable[str], default: str = ""
) -> str:
    """Return a parameter's value, or the default, after checking that it is allowed."""
    value, values = parameters.get(parameter) or default, tuple(allowed)
    if value not in values:
        raise ParameterError(parameter, values)
    return value


def _one_of_or_all(parameters: Parameters, parameter: str, allowed: Iterable[str]) -> str | None:
    return _one_of(parameters, parameter, allowed) if parameters.get(parameter) else None


def underlying(parameters: Parameters, default: str) -> str:
    """Return the underlying asked for."""
    return underlying_filter(parameters) or default


def underlying_filter(parameters: Parameters) -> str | None:
    """Return the underlying asked for; None for all."""
    return _one_of_or_all(parameters, "underlying", UNDERLYINGS)


def interval(parameters: Parameters) -> str:
    """Return the candles' interval, a key of `INTERVALS`."""
    return _one_of(parameters, "interval", INTERVALS, "1m")


def direction(parameters: Parameters) -> str | None:
    """Return the direction of signals asked for; None for both."""
    return _one_of_or_all(parameters, "direction", DIRECTIONS)


def horizon(parameters: Parameters) -> int:
    """Return the minutes after which outcomes are looked at; 0 is the session's end."""
    return HORIZONS[_one_of(parameters, "horizon", HORIZONS, "15")]


def history(parameters: Parameters) -> str:
    """Return which signals are counted: those that stand, or all as they were known then."""
    return _one_of(parameters, "history", HISTORIES, "corrected")


def fills(parameters: Parameters) -> int:
    """Return how many spreads are paid in a round trip."""
    return FILLS[_one_of(parameters, "fills", FILLS, "1")]


def split(parameters: Parameters) -> str:
    """Return what signals are split by."""
    return _one_of(parameters, "by", SPLITS, "time")


def name(parameters: Parameters, parameter: str) -> str | None:
    """Return the name of a strategy or a version; None for all. An unknown one has no rows."""
    value = parameters.get(parameter)
    if not value:
        return None
    if not NAME.fullmatch(value):
        raise ParameterError(parameter, "up to 60 letters, digits and _ . + -")
    return value.replace(" ", "+")


def signal_id(parameters: Parameters) -> UUID:
    """Return which signal is asked about."""
    value = parameters.get("signal_id", "")
    if not UUID_FORM.fullmatch(value):
        raise ParameterError("signal_id", "the id of a signal, a UUID")
    return UUID(value)


def day(parameters: Parameters, name: str) -> date | None:
    """Return a date."""
    value = parameters.get(name)
    if not value:
        return None
    try:
        return _date(value)
    except ValueError:
        raise ParameterError(name, DAY_FORM) from None


def whole_number(parameters: Parameters, name: str) -> int | None:
    """Return a positive whole number."""
    value = parameters.get(name)
    if not value:
        return None
    if not COUNT.fullmatch(value) or int(value) >= 2**31:
        raise ParameterError(name, "a positive whole number")
    return int(value)


def speed(parameters: Parameters, default: float = 60.0) -> float:
    """Return market seconds per second."""
    text = parameters.get("speed")
    if not text:
        return default
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    if not 0 < value <= SPEED_AT_MOST:
        raise ParameterError("speed", f"a number above 0 and up to {SPEED_AT_MOST}")
    return value


def symbols(parameters: Parameters) -> list[str] | None:
    """Return the instruments asked for, by commas; None for the usual ones."""
    value = parameters.get("symbols")
    if not value:
        return None
    names = value.split(",")
    if len(names) > SYMBOLS_AT_MOST or not all(SYMBOL.fullmatch(name) for name in names):
        raise ParameterError("symbols", f"up to {SYMBOLS_AT_MOST} symbols separated by commas")
    return list(dict.fromkeys(names))


def ladders(values: Iterable[str]) -> tuple[Ladder, ...]:
    """Return the strike ladders asked for, each once; `ladder` may come several times."""
    given = [value for value in values if value]
    if len(given) > LADDERS_AT_MOST:
        raise ParameterError("ladder", f"up to {LADDERS_AT_MOST} ladders")
    return tuple(sorted({_ladder(value) for value in given}))


def _ladder(value: str) -> Ladder:
    allowed = f"an underlying ({', '.join(UNDERLYINGS)}) and an expiry such as NIFTY:2026-01-27"
    name, _, expiry = value.partition(":")
    if name not in UNDERLYINGS or not DAY.fullmatch(expiry):
        raise ParameterError("ladder", allowed)
    return Ladder(name, _moment("ladder", expiry, allowed).astimezone(IST).date())


def moment(parameters: Parameters, name: str) -> datetime | None:
    """Return an instant: UTC seconds, or an Indian date or time."""
    value = parameters.get(name)
    if not value:
        return None
    if UTC_SECONDS.fullmatch(value):
        return datetime.fromtimestamp(int(value), UTC)
    return _moment(name, value, f"UTC seconds, or {TIME_FORMS}")


def span(parameters: Parameters, limit_days: int = RANGE_DAYS) -> Span | None:
    """Return the times from `from` to `to`; a date as `to` includes that day.

    One of the two alone means the rest of its Indian day. None when both are absent.

    Raises:
        ParameterError: One cannot be read, or they are in the wrong order.
        RangeError: They lie more than `limit_days` apart.
    """
    first, last = parameters.get("from"), parameters.get("to")
    if not first and not last:
        return None
    start = _moment("from", first) if first else None
    stop = _moment("to", last) if last else None
    if stop is not None and last and DAY.fullmatch(last):
        stop += timedelta(days=1)
    if start is None:
        assert stop is not None  # noqa: S101 - one of the two is given
        start = ist_day(stop - timedelta(microseconds=1)).start
    if stop is None:
        stop = ist_day(start).stop
    if stop <= start:
        raise ParameterError("to", "later than from")
    if stop - start > timedelta(days=limit_days):
        raise RangeError(
            f"from and to may lie at most {limit_days} days apart", limit_days=limit_days
        )
    return Span(start, stop)


def day_span(session: date) -> Span:
    """Return an Indian day."""
    start = datetime.combine(session, time(), IST).astimezone(UTC)
    return Span(start, start + timedelta(days=1))


def ist_day(instant: datetime) -> Span:
    """Return the Indian day around an instant."""
    return day_span(instant.astimezone(IST).date())


def _date(value: str) -> date:
    if not DAY.fullmatch(value):
        raise ValueError(value)
    return date.fromisoformat(value)


def _moment(name: str, value: str, allowed: str = TIME_FORMS) -> datetime:
    try:
        if not TIME.fullmatch(value):
            return day_span(_date(value)).start
        found = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        raise ParameterError(name, allowed) from None
    return (found if found.tzinfo else found.replace(tzinfo=IST)).astimezone(UTC)
