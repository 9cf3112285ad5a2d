"""A strategy on 1-minute candles from its two functions."""

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeVar

from strategy.continuing import require_next
from strategy.minute_candles.day import Day
from strategy.minute_candles.forms import Outcomes, step_of
from strategy.minute_candles.inputs import days_of
from strategy.minute_candles.interval import Interval, Minute
from strategy.minute_candles.intervals import intervals_of
from strategy.minute_candles.state import State
from strategy.parameters import Parameters
from strategy.signals import Rejection, Signal
from strategy.strategy import Rows, Strategy

Numbers = TypeVar("Numbers", bound=Parameters)


def minute_strategy(
    name: str,
    version: str,
    defaults: Numbers,
    batch: Callable[[Day, Numbers], Outcomes] | None,
    step: Callable[[Any, Minute, Numbers], tuple[Any, Outcomes]] | None,
) -> Strategy:
    """Return a strategy that reads minutes; what all of them need is done here.

    One of the two functions is enough: the other form is made of it.

    Args:
        name: As stored with every signal.
        version: Of the code.
        defaults: Its numbers.
        batch: A whole day of one underlying to its rows; those of one minute in the order in
            which `step` gives them.
        step: What the strategy remembers (None at first), the next minute that holds anything,
            and the numbers, to what it remembers now and the minute's rows. Memory is of JSON
            values, and is replaced, never changed.

    Raises:
        TypeError: There is neither of them.
    """
    advance = _advance(name, version, batch, step)

    def evaluate(frames: Any, numbers: Numbers) -> Rows:
        if batch is None:
            # What steps do not see: rows that are unsorted, twice there or of a wrong type.
            next(days_of(frames.index, frames.options, frames.contracts, name, version), None)
            return strategy.step_through(frames, numbers)
        rows: list[Signal | Rejection] = []
        parts = frames.index, frames.options, frames.contracts
        for day in days_of(*parts, name, numbers.version(version)):
            rows += sorted(batch(day, numbers), key=attrgetter("event_time"))
        return _parted(rows)

    def take(
        state: State, interval: Interval, numbers: Numbers
    ) -> tuple[State, list[Signal], list[Rejection]]:
        interval.check()
        require_next(state, interval)
        minute = interval.minute(name, numbers.version(version))
        if minute is None:
            return state, [], []
        memory, rows = advance(state, minute, numbers)
        after = replace(state, open_time=interval.open_time, memory=memory)
        return after, *_parted(rows)

    strategy = Strategy(
        name=name,
        version=version,
        defaults=defaults,
        reads="minutes",
        evaluate=evaluate,
        intervals=lambda frames: intervals_of(frames.index, frames.options, frames.contracts),
        state=State,
        step=take,
        stepwise=batch is None,
    )
    return strategy


def _advance(
    name: str, version: str, batch: Any, step: Any
) -> Callable[[State, Minute, Any], tuple[Any, Outcomes]]:
    if step is not None:
        return lambda state, minute, numbers: step(state.memory, minute, numbers)
    if batch is not None:
        return step_of(name, version, batch)
    raise TypeError(f"{name}: neither a batch nor a step function")


def _parted(rows: Outcomes) -> Rows:
    signals: list[Signal] = []
    rejections: list[Rejection] = []
    for row in rows:
        if isinstance(row, Signal):
            signals.append(row)
        else:
            rejections.append(row)
    return signals, rejections
