"""The sessions before the one that is played, for a source that can be asked for them."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

from simulator.errors import DayUnavailable, UnderlyingUnavailable
from simulator.generate import generate, listed
from simulator.market import Market
from simulator.recorded import load, recorded_days
from strategy.contract import Contract

KEPT = 8  # sessions in memory


class Past(Protocol):
    """What earlier sessions were like."""

    def market(self, session: date) -> Market | None:
        """Return a whole earlier session; None where there is none."""
        ...

    def contracts(self, session: date) -> Sequence[Contract]:
        """Return the options that were listed in an earlier session."""
        ...


class NoPast:
    """Nothing is known of earlier sessions."""

    def market(self, _session: date) -> Market | None:
        """Return nothing."""
        return None

    def contracts(self, _session: date) -> Sequence[Contract]:
        """Return nothing."""
        return ()


class GeneratedPast:
    """Each session as it would be generated if it were the one played."""

    def __init__(self, seed: int, underlyings: Sequence[str]) -> None:
        self._seed = seed
        self._underlyings = tuple(underlyings)
        self.market = lru_cache(KEPT)(self._market)
        self.contracts = lru_cache(self._contracts)

    def _market(self, session: date) -> Market | None:
        try:
            return generate(session, self._seed, self._underlyings)
        except DayUnavailable:
            return None

    def _contracts(self, session: date) -> Sequence[Contract]:
        try:
            return listed(session, self._seed, self._underlyings)
        except DayUnavailable:
            return ()


class RecordedPast:
    """The other sessions of the files that the day is played from."""

    def __init__(self, path: Path, underlyings: Sequence[str]) -> None:
        self._path = path
        self._underlyings = tuple(underlyings)
        self.market = lru_cache(KEPT)(self._market)

    @cached_property
    def _days(self) -> frozenset[date]:
        return recorded_days(self._path)

    def _market(self, session: date) -> Market | None:
        if session not in self._days:
            return None
        try:
            return load(self._path, session, self._underlyings)
        except (DayUnavailable, UnderlyingUnavailable):
            return None

    def contracts(self, session: date) -> Sequence[Contract]:
        """Return the options that were recorded in an earlier session."""
        found = self.market(session)
        return found.contracts if found else ()
