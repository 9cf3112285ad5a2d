"""Generated sessions, and strategies that choose at random: whoever calls one skilled is fooled.

Sessions have drift on some days and noise that is larger after the open. Option prices follow their
index. Signals overlap, come in bursts, or keep to some days; what becomes of them and of the random
entries beside them is computed by the program's own code.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from pipelines.signals.judging import Day, Judged, judge
from strategy.frames import MICROSECONDS_PER_MINUTE, Floats, Ints, microseconds
from strategy.random_entries import Ladder
from strategy.series import Series
from strategy.session import session_hours, sessions_between
from strategy.signals import Moment, Signal, signal_id

STRIKE = 25_000
EXPIRY = date(2026, 6, 30)
SYMBOLS = {kind: f"NIFTY{EXPIRY:%y%m%d}{kind}{STRIKE}" for kind in "CP"}
LOTS = dict.fromkeys(SYMBOLS.values(), 65)
DAYS = sessions_between(date(2025, 11, 3), date(2026, 6, 15))
SESSIONS = 40
TREND_EVERY = 3  # so that fourteen of forty sessions have one
MINUTES = 375


class Generated(NamedTuple):
    """One session: its candles, and whether it has a trend."""

    session: date
    day: Day
    trend: bool


Chooser = Callable[[np.random.Generator, Generated], list[tuple[int, str]]]  # minutes and sides


def generated(rng: np.random.Generator, number: int) -> Generated:
    """Return a session: moves of 5 points of premium a minute, twice that in the first hour."""
    session = DAYS[number]
    trend = number % TREND_EVERY == 0
    noise = np.where(np.arange(MINUTES) < 60, 20.0, 10.0)
    drift = rng.choice([-1.0, 1.0]) if trend else 0.0
    moves = rng.normal(drift, noise)
    levels = np.concatenate([[0.0], np.cumsum(moves)])
    series = {("NIFTY", session): _series(session, STRIKE + levels, rng)}
    for kind, sign in (("C", 0.5), ("P", -0.5)):
        prices = np.maximum(1_000 + sign * levels, 1.0)
        series[SYMBOLS[kind], session] = _series(session, prices, rng)
    return Generated(session, Day({"NIFTY": Ladder(EXPIRY, [STRIKE])}, series, LOTS, {}), trend)


def _series(session: date, levels: Floats, rng: np.random.Generator) -> Series:
    opened, closed = levels[:-1], levels[1:]
    beyond = np.abs(rng.normal(0, 1.5, (2, len(opened))))
    high = np.maximum(opened, closed) + beyond[0]
    low = np.minimum(opened, closed) - beyond[1]
    start = microseconds(session_hours(session)[0])
    bounds: Ints = start + np.arange(len(opened) + 1) * MICROSECONDS_PER_MINUTE
    return Series(bounds, opened, high, low, closed, bounds[1:])


def uniform(rng: np.random.Generator, _: Generated) -> list[tuple[int, str]]:
    """Five signals at any time."""
    return _sides(rng, rng.choice(np.arange(5, MINUTES - 40), 5, replace=False))


def first_hour(rng: np.random.Generator, _: Generated) -> list[tuple[int, str]]:
    """Five signals while prices move most."""
    return _sides(rng, rng.choice(np.arange(2, 60), 5, replace=False))


def bursts(rng: np.random.Generator, _: Generated) -> list[tuple[int, str]]:
    """Five signals on one side, minute after minute: hardly more than one."""
    start, side = int(rng.integers(5, MINUTES - 50)), str(rng.choice(["C", "P"]))
    return [(start + at, side) for at in range(5)]


def trend_days(rng: np.random.Generator, session: Generated) -> list[tuple[int, str]]:
    """Ten signals, all of them on days with a trend."""
    return _sides(rng, rng.choice(np.arange(5, 300), 10, replace=False)) if session.trend else []


CHOOSERS: dict[str, Chooser] = {
    chooser.__name__: chooser for chooser in (uniform, first_hour, bursts, trend_days)
}


def _sides(rng: np.random.Generator, minutes: Ints) -> list[tuple[int, str]]:
    return [(int(minute), str(rng.choice(["C", "P"]))) for minute in sorted(minutes)]


def signals_of(
    session: Generated, strategy: str, chosen: list[tuple[int, str]]
) -> Iterator[Signal]:
    """Yield what a chooser wants to buy: stop 20 points below, target 30 above."""
    index = session.day.series["NIFTY", session.session]
    for minute, kind in chosen:
        symbol = SYMBOLS[kind]
        event_time = index.moment(minute)
        entry = float(session.day.series[symbol, session.session].close[minute - 1])
        moment = Moment(strategy, "1", "NIFTY", session.session, event_time)
        yield Signal(
            *(signal_id(moment, symbol), *moment, symbol),
            *("BULLISH" if kind == "C" else "BEARISH", "random", STRIKE, float(STRIKE), None),
            *([STRIKE], entry, max(entry - 20, 0.05), entry + 30, None, "market", {}, "0" * 16),
            *(event_time, event_time + timedelta(seconds=20)),
        )


def judged(
    seed: int, sessions: int = SESSIONS, choosers: Iterable[str] = CHOOSERS
) -> Iterator[tuple[Signal, Judged]]:
    """Yield the signals of choosers over a seed's sessions, each with what became of it.

    Strategies are called after the chooser and the seed.
    """
    rng = np.random.default_rng(seed)
    for number in range(sessions):
        session = generated(rng, number)
        for name in choosers:
            chosen = CHOOSERS[name](rng, session)
            for signal in signals_of(session, f"{name} {seed}", chosen):
                yield signal, judge([signal], session.day)
