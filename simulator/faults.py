"""Faults on purpose: what a source does wrong, when, how often and to whom.

Text form: `KIND[=AMOUNT]@HH:MM-HH:MM[xTIMES][:TARGET]`, in India's time. A target is a symbol as
the source's questions name it, `*` and `?` standing for others. Windows are in the simulator's
market time. Who is asked decides what a kind means; nothing here touches data.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import NamedTuple, Self

from strategy.clock import MarketClock
from strategy.session import IST

_TEXT = re.compile(
    r"(?P<kind>[a-z0-9-]+)(=(?P<amount>-?\d+(\.\d+)?))?"
    r"@(?P<start>\d\d:\d\d(:\d\d)?)-(?P<end>\d\d:\d\d(:\d\d)?)"
    r"(x(?P<times>\d+))?(:(?P<target>[A-Z0-9!*?]+))?"
)


class Kind(NamedTuple):
    """What a kind of fault is; `amount` where it takes a number, `counted` where it takes xN."""

    does: str
    counted: bool = True
    amount: str = ""


TRADINGVIEW = {
    "silence": Kind("nothing is sent, no heartbeats either; what would be is lost", counted=False),
    "cut": Kind("the connection is dropped in the middle of a message"),
    "malformed-length": Kind("a frame announces more characters than come"),
    "malformed-json": Kind("a frame's JSON ends too early"),
    "duplicate": Kind("an update comes twice, and a history's middle bar"),
    "out-of-order": Kind("a bar's last state comes after the next bar; a history is shuffled"),
    "no-volume": Kind("bars have no volume"),
    "empty-history": Kind("a history has no bars"),
    "short-history": Kind("a history lacks every fifth bar and the two newest"),
    "wrong-close": Kind("bars close wrongly and are corrected when the fault ends", counted=False),
    "late-hello": Kind("the greeting waits until the fault ends", counted=False),
    "no-answer": Kind("the request for a series is never answered"),
    "unknown-symbol": Kind("a symbol is not resolved"),
    "heartbeats-only": Kind("nothing but heartbeats comes; what would come is lost", counted=False),
    "token-ended": Kind("no data, and `critical_error` for each new series", counted=False),
    "delayed": Kind("candles and quotes are late, and say so", counted=False, amount="seconds"),
    "critical-session": Kind("`critical_error` ends one chart session, the others go on"),
    "max-sessions": Kind("a connection has so few", counted=False, amount="chart sessions"),
    "poison": Kind(
        "messages that no client may believe, each of another kind", amount="first kind"
    ),
    "refuse-403": Kind("HTTP 403 instead of a websocket"),
    "refuse-429": Kind("HTTP 429 instead of a websocket"),
}
TRENDLYNE = {
    "wrong-date": Kind("chain and build-ups of the session before", counted=False),
    "stale-rows": Kind("build-ups of the session before, while the chain is today's"),
    "percent": Kind("open interest in percent, where units belong"),
    "lots": Kind("open interest and volume in lots, where units belong"),
    "http-403": Kind("HTTP 403"),
    "http-429": Kind("HTTP 429"),
    "http-500": Kind("HTTP 500"),
    "error-head": Kind("HTTP 200 with an error in its head"),
    "empty-answer": Kind("HTTP 200 and no bytes"),
    "html": Kind("HTTP 200 and a page"),
    "waf": Kind("the firewall's page: HTTP 405, sometimes 202, and `x-amzn-waf-action`"),
    "unordered": Kind("rows in no order"),
    "duplicate-row": Kind("a build-up row twice"),
    "missing-row": Kind("the first interval that ends in the window has no row", counted=False),
    "null-price": Kind(
        "the first interval that ends in the window has no price; the whole chain has none",
        counted=False,
    ),
    "oi-name": Kind("`open_interest` alone, without `oi`"),
    "old-shape": Kind("build-ups in `data`, as older clients read them"),
    "roll": Kind("the nearest expiry has left the list", counted=False),
    "http-poison": Kind("answers that no client may believe", amount="first kind"),
    "slow": Kind("an answer takes that long", amount="market seconds"),
}
UPSTOX = {
    "upstox-401": Kind("HTTP 401, as with an ended token"),
    "upstox-429": Kind("HTTP 429, as when asked too often"),
    "upstox-500": Kind("HTTP 500"),
    "upstox-error": Kind("HTTP 200 with an error in the answer"),
    "upstox-html": Kind("HTTP 200 and a page"),
    "upstox-poison": Kind("answers that no client may believe", amount="first kind"),
    "upstox-stale": Kind("today's candles as they were when the fault began", counted=False),
}
CLOCK = {"clock-jump": Kind("the simulator's clock is ahead", counted=False, amount="seconds")}
KINDS = TRADINGVIEW | TRENDLYNE | UPSTOX | CLOCK


@dataclass(frozen=True)
class Fault:
    """One fault: active in [start, end) of India's time, at most `times` times if told."""

    kind: str
    start: time
    end: time
    times: int | None = None
    target: str = "*"
    amount: float | None = None

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise ValueError(f"no fault {self.kind!r}; known: {', '.join(KINDS)}")
        if (self.amount is None) == bool(kind.amount):
            wanted = f"needs ={kind.amount}" if kind.amount else "takes no ="
            raise ValueError(f"fault {self.kind} {wanted}")
        if self.times is not None and not (kind.counted and self.times):
            raise ValueError(f"fault {self.kind} cannot be counted x{self.times}")
        if self.end <= self.start:
            raise ValueError(f"fault {self.kind} ends before it starts")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fault a text describes.

        Raises:
            ValueError: The text is not of the documented form.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"not KIND[=AMOUNT]@HH:MM-HH:MM[xTIMES][:TARGET]: {text!r}")
        return cls(
            match["kind"],
            time.fromisoformat(match["start"]),
            time.fromisoformat(match["end"]),
            int(match["times"]) if match["times"] else None,
            match["target"] or "*",
            float(match["amount"]) if match["amount"] else None,
        )

    def __str__(self) -> str:
        amount = "" if self.amount is None else f"={self.amount:g}"
        times = "" if self.times is None else f"x{self.times}"
        target = "" if self.target == "*" else f":{self.target}"
        window = f"{self.start.isoformat()}-{self.end.isoformat()}"
        return f"{self.kind}{amount}@{window}{times}{target}"

    def covers(self, moment: datetime) -> bool:
        """Tell whether a market time lies in the window."""
        return self.start <= moment.astimezone(IST).time() < self.end


class Faults:
    """The faults of one simulator, and how often each may still happen."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = list(faults)
        self._left = [fault.times for fault in self._faults]
        self._turns: Counter[str] = Counter()

    def find(self, kind: str, now: datetime, target: str = "") -> Fault | None:
        """Return the fault of a kind that happens now to a target, and count it."""
        for place, fault in enumerate(self._faults):
            left = self._left[place]
            if fault.kind != kind or left == 0 or not fault.covers(now):
                continue
            if fault.target != "*" and not fnmatchcase(target, fault.target):
                continue
            if left is not None:
                self._left[place] = left - 1
            return fault
        return None

    def turn(self, kind: str, now: datetime, target: str = "") -> int | None:
        """Return which of its kinds a fault takes now; None where it does not happen."""
        fault = self.find(kind, now, target)
        if fault is None:
            return None
        self._turns[kind] += 1
        return int(fault.amount or 0) + self._turns[kind] - 1

    def strike(self, kind: str, now: datetime, target: str = "") -> bool:
        """Tell whether a fault of a kind happens now to a target, and count it."""
        return self.find(kind, now, target) is not None


class WorldClock(NamedTuple):
    """What time it is for the simulator: the market's, or off by what a fault says."""

    clock: MarketClock
    faults: Faults

    @property
    def speed(self) -> float:
        """Market seconds per second."""
        return self.clock.speed

    def now(self) -> datetime:
        """Return the simulator's market time."""
        now = self.clock.now()
        jump = self.faults.find("clock-jump", now)
        return now + timedelta(seconds=jump.amount or 0) if jump else now

    def elapsed(self) -> datetime:
        """Return the market time as if its clock never stopped: allowances fill up meanwhile."""
        return self.clock._replace(stops_at=None).now()
