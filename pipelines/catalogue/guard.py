"""Strategies under guard: whatever one of them does wrong is told in one line that names it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pipelines.catalogue.contract import fault_in
from pipelines.catalogue.fault import StrategyFault, problem_of
from pipelines.catalogue.limit import BATCH_SECONDS, STEP_SECONDS, TooLong, within
from strategy.parameters import Parameters
from strategy.proof.compare import differing
from strategy.proof.frames import ended_by
from strategy.proof.subject import MINUTES, ended, lines
from strategy.strategy import Rows, Strategy

LOOKS = 3  # signals whose future is taken away, of what is computed at once


def guarded(strategy: Strategy, file: str = "", *, ours: bool = False) -> Strategy:
    """Return the same strategy; what it does wrong raises a `StrategyFault`.

    Args:
        strategy: Whose forms are called.
        file: Of its module, to tell the line.
        ours: Only failures and the time it takes are looked at: what ours give, and that they do
            not look ahead, the tests prove.
    """
    forms = _Forms(strategy, file, ours=ours)
    return replace(strategy, evaluate=forms.evaluate, step=forms.step)


class _Forms:
    def __init__(self, strategy: Strategy, file: str, *, ours: bool) -> None:
        self._strategy, self._file, self._ours = strategy, file, ours

    def evaluate(self, frames: Any, parameters: Any) -> Rows:
        rows: Rows = self._guard(
            BATCH_SECONDS, parameters, lambda: self._strategy.evaluate(frames, parameters)
        )
        if not self._ours:
            self._require_sound(rows, parameters)
            if not self._strategy.stepwise:
                self._require_blind(frames, parameters, rows)
        return rows

    def step(self, state: Any, interval: Any, parameters: Any) -> tuple[Any, Any, Any]:
        after, signals, rejections = self._guard(
            STEP_SECONDS, parameters, lambda: self._strategy.step(state, interval, parameters)
        )
        if not self._ours and (signals or rejections):
            rows = signals, rejections
            self._require_sound(rows, parameters)
            end = interval.open_time + timedelta(minutes=MINUTES[self._strategy.reads])
            if strange := next(
                (row for part in rows for row in part if row.event_time != end), None
            ):
                self._fail(f"a step gives a row of {strange.event_time}, not of {end}")
        return after, signals, rejections

    def _guard(self, seconds: float, parameters: Parameters, work: Callable[[], Any]) -> Any:
        with self._told(parameters), within(seconds, self._strategy.name):
            return work()

    @contextmanager
    def _told(self, parameters: Parameters) -> Iterator[None]:
        try:
            yield
        except TooLong as error:
            raise StrategyFault(self._strategy.name, str(error)) from error
        except (Exception, SystemExit) as error:
            problem = problem_of(error, self._file, parameters)
            raise StrategyFault(self._strategy.name, problem) from error

    def _require_sound(self, rows: Rows, parameters: Parameters) -> None:
        with self._told(parameters):
            problem = fault_in(self._strategy, parameters, rows)
        if problem:
            self._fail(problem)

    def _require_blind(self, frames: Any, parameters: Parameters, rows: Rows) -> None:
        """Take the future of some signals away: they must stand as they do."""
        length = timedelta(minutes=MINUTES[self._strategy.reads])
        for moment in _some([row.event_time for row in rows[0]]):
            cut = type(frames)(*ended_by(tuple(frames), moment, length))
            without: Rows = self._guard(
                BATCH_SECONDS,
                parameters,
                lambda cut=cut: self._strategy.evaluate(cut, parameters),  # type: ignore[misc]
            )
            if found := differing(lines(ended(rows, moment)), lines(without)):
                self._fail(
                    f"looks into the future: without what came after {moment} the {found.row}"
                    f" {found.symbol or found.underlying} of {found.event_time} differs in"
                    f" {found.column}"
                )

    def _fail(self, problem: str) -> None:
        raise StrategyFault(self._strategy.name, problem)


def _some(moments: list[datetime]) -> list[datetime]:
    """Return the first, the last and one between them."""
    ordered = sorted({*moments})
    places = {round(place * (len(ordered) - 1) / (LOOKS - 1)) for place in range(LOOKS)}
    return [ordered[place] for place in sorted(places)] if ordered else []
