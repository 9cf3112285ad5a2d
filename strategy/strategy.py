"""What the engine knows of a strategy: a batch form, a step form, and its numbers."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol, Self

from strategy.parameters import Parameters
from strategy.signals import Rejection, Signal

Rows = tuple[list[Signal], list[Rejection]]


class State(Protocol):
    """What one step hands to the next; constructed with a session and an underlying."""

    def __init__(self, session: date, underlying: str) -> None:
        """Start a session."""

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON values."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Return the state that `to_json` described."""


@dataclass(frozen=True)
class Strategy:
    """One set of rules in its two forms, which give the same rows.

    Attributes:
        name: As stored with every signal.
        version: Of the code: another one whenever the same inputs may give other rows.
        defaults: Its numbers.
        reads: Which frames it takes: `build_ups` (`db.market.frames.read_frames`) or `minutes`
            (`db.market.minutes.read_minutes`).
        evaluate: Frames and numbers to the rows of all their sessions and underlyings.
        intervals: Frames to what `step` takes, each with `session` and `underlying`, by session,
            underlying and time.
        state: Its state's class.
        step: State, interval and numbers to the next state and the interval's rows.
        stepwise: Whether the batch form is made of the steps, which see nothing that comes later.
    """

    name: str
    version: str
    defaults: Parameters
    reads: Literal["build_ups", "minutes"]
    evaluate: Callable[[Any, Any], Rows]
    intervals: Callable[[Any], Iterable[Any]]
    state: type[State]
    step: Callable[[Any, Any, Any], tuple[Any, list[Signal], list[Rejection]]]
    stepwise: bool = False

    @classmethod
    def of_steps(
        cls,
        *,
        name: str,
        version: str,
        defaults: Parameters,
        reads: Literal["build_ups", "minutes"],
        intervals: Callable[[Any], Iterable[Any]],
        state: type[State],
        step: Callable[[Any, Any, Any], tuple[Any, list[Signal], list[Rejection]]],
    ) -> Self:
        """Return a strategy that was written as steps alone; its batch form takes them all."""

        def evaluate(frames: Any, parameters: Any) -> Rows:
            return made.step_through(frames, parameters)

        parts = (name, version, defaults, reads, evaluate, intervals, state, step)
        made = cls(*parts, stepwise=True)
        return made

    def step_through(
        self,
        frames: Any,
        parameters: Parameters,
        restart: Callable[[int], bool] = lambda _: False,
    ) -> Rows:
        """Return what `evaluate` does, one interval after the other.

        Args:
            frames: As `evaluate` takes them.
            parameters: The numbers.
            restart: Whether the state is saved as JSON text and read again before the interval
                at a place.
        """
        states: dict[tuple[date, str], Any] = {}
        signals: list[Signal] = []
        rejections: list[Rejection] = []
        for place, interval in enumerate(self.intervals(frames)):
            key = interval.session, interval.underlying
            state = states.get(key) or self.state(*key)
            if restart(place):
                state = self.state.from_json(json.loads(json.dumps(state.to_json())))
            states[key], more_signals, more_rejections = self.step(state, interval, parameters)
            signals += more_signals
            rejections += more_rejections
        return signals, rejections
