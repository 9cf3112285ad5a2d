"""What became of a session's signals and of the random entries beside them, in every case."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple
from uuid import UUID

from db.signals.outcomes import OutcomeCase, RandomOutcome, SignalOutcome
from strategy.book import Book
from strategy.fills import SPREADS, USUAL_SPREADS
from strategy.outcomes import Followed, Outcome, followed
from strategy.random_entries import Drawn, Ladder, random_entries
from strategy.series import Key, Series
from strategy.signals import Signal

CORRECTED, KNOWN_THEN = "corrected", "known_then"
_version = attrgetter("strategy", "version", "underlying")


class Day(NamedTuple):
    """What is stored of one session: candles, bid and ask and lots by symbol, strikes."""

    ladders: Mapping[str, Ladder]  # by underlying
    series: Mapping[Key, Series]
    lots: Mapping[str, int]
    books: Mapping[str, Book]


class Judged(NamedTuple):
    """How signals' trades went by horizon, and those of the random entries beside them."""

    followed: Sequence[Followed]
    drawn: Sequence[Drawn]

    def of(self, signal_ids: Collection[UUID]) -> "Judged":
        """Return the part of some signals."""
        return Judged(
            [one for one in self.followed if one.signal.signal_id in signal_ids],
            [one for one in self.drawn if one.draw.beside.signal_id in signal_ids],
        )

    def and_of(self, other: "Judged") -> "Judged":
        """Return both together."""
        return Judged([*self.followed, *other.followed], [*self.drawn, *other.drawn])

    def outcomes(self) -> list[SignalOutcome]:
        """Return the rows of signals with usual fills."""
        return [
            SignalOutcome(signal.signal_id, *measure.outcome(held), measure.lot_size)
            for signal, held, measure in self.followed
        ]

    def random_outcomes(self) -> list[RandomOutcome]:
        """Return the rows of random entries with usual fills."""
        return [_random_row(one) for one in self.drawn]

    def cases(self, history: str) -> Iterator[OutcomeCase]:
        """Yield the rows of a history but for those that `outcomes` has."""
        beside: dict[tuple[UUID, int], list[Drawn]] = defaultdict(list)
        for one in self.drawn:
            beside[one.draw.beside.signal_id, one.held.horizon_minutes].append(one)
        for spreads in SPREADS:
            if (history, spreads) == (CORRECTED, USUAL_SPREADS):
                continue
            for signal, held, measure in self.followed:
                minutes, *values = measure.outcome(held, spreads)
                draws = [
                    one.measure.outcome(one.held, spreads)
                    for one in beside[signal.signal_id, minutes]
                ]
                key = signal.signal_id, minutes, history, spreads
                row = (*key, *values, measure.lot_size, *_together(draws))
                yield OutcomeCase._make(row)


def judge(signals: Sequence[Signal], day: Day) -> Judged:
    """Return what became of signals.

    Args:
        signals: Of the day's session, by strategy, version and underlying.
        day: With the candles of their contracts, of the indices, and of what may be drawn.
    """
    drawn = [
        one
        for (*_, underlying), group in groupby(signals, key=_version)
        if underlying in day.ladders
        for one in random_entries(
            list(group), day.ladders[underlying], day.series, day.lots, day.books
        )
    ]
    return Judged(list(followed(signals, day.series, day.lots, day.books)), drawn)


def judge_histories(
    standing: Sequence[Signal], first_given: Sequence[Signal], day: Day
) -> dict[str, Judged]:
    """Return both histories: of most signals they are the same."""
    corrected = judge(standing, day)
    by_id = {signal.signal_id: signal for signal in standing}
    changed = [signal for signal in first_given if by_id.get(signal.signal_id) != signal]
    same = by_id.keys() - {signal.signal_id for signal in changed}
    known_then = corrected.of(same).and_of(judge(changed, day))
    return {CORRECTED: corrected, KNOWN_THEN: known_then}


def _random_row(one: Drawn) -> RandomOutcome:
    signal, draw = one.draw.beside, one.draw
    minutes, *values = one.measure.outcome(one.held)
    key = signal.strategy, signal.version, signal.underlying, signal.session, draw.number, minutes
    return RandomOutcome._make((*key, signal.signal_id, draw.symbol, *values))


def _together(
    draws: Sequence[Outcome],
) -> tuple[int, int, float | None, float | None, float | None]:
    """Return how many draws there are, how many hit, and mean MFE, MAE and return."""
    return (
        len(draws),
        sum(one.hit for one in draws),
        _mean([one.mfe_points for one in draws]),
        _mean([one.mae_points for one in draws]),
        _mean([one.return_points for one in draws]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
