"""The strategies by name, found once per process and each under guard."""

import logging
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.catalogue.fault import LoadFault, Origin, problem_of
from pipelines.catalogue.folder import FolderSettings
from pipelines.catalogue.guard import guarded
from pipelines.catalogue.limit import BATCH_SECONDS, TooLong, within
from pipelines.catalogue.modules import modules
from strategy.parameters import Parameters
from strategy.proof.subject import MINUTES
from strategy.registry import STRATEGIES as OURS
from strategy.strategy import Strategy

logger = logging.getLogger(__name__)

OUR_ORIGIN = Origin("optionscalp", "")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
VERSION = re.compile(r"[A-Za-z0-9._-]{1,20}")


class Entry(NamedTuple):
    """A strategy, and where it comes from."""

    strategy: Strategy
    origin: Origin

    @property
    def outside(self) -> bool:
        """Whether it is not one of ours."""
        return self.origin != OUR_ORIGIN


class Found(NamedTuple):
    """What there is, and what cannot be used."""

    entries: Mapping[str, Entry]
    faults: list[LoadFault]


def find(folder: Path | None) -> Found:
    """Return ours, those of installed packages and those of a folder; a name goes to the first."""
    entries = {name: Entry(guarded(one, ours=True), OUR_ORIGIN) for name, one in OURS.items()}
    faults: list[LoadFault] = []
    for module in modules(folder):
        try:
            with within(BATCH_SECONDS):
                strategies = [one for one in module.load() if one not in OURS.values()]
            problems = [] if strategies else ["defines no strategy"]
        except (Exception, SystemExit, TooLong) as error:  # noqa: BLE001 - it is not our code
            strategies, problems = [], [problem_of(error, module.file)]
        for strategy in strategies:
            if problem := _unusable(strategy) or _taken(strategy, entries):
                problems.append(problem)
            else:
                safe = guarded(strategy, module.file)
                entries[strategy.name] = Entry(safe, module.origin)
        if problems:
            faults.append(LoadFault(module.origin, "; ".join(problems)))
    return Found(entries, faults)


def _unusable(strategy: Any) -> str | None:
    if not isinstance(strategy.name, str) or not NAME.fullmatch(strategy.name):
        return f"{strategy.name!r} is no name: write small letters, digits and _"
    if not isinstance(strategy.version, str) or not VERSION.fullmatch(strategy.version):
        return f"{strategy.name}: {strategy.version!r} is no version: write letters and digits"
    if not isinstance(strategy.defaults, Parameters):
        return f"{strategy.name}: its parameters are no strategy.parameters.Parameters"
    if strategy.reads not in MINUTES:
        return f"{strategy.name}: reads {strategy.reads!r}, which nobody can: {', '.join(MINUTES)}"
    try:
        type(strategy.defaults)().params_hash()
    except Exception as error:  # noqa: BLE001 - it is not our code
        return f"{strategy.name}: its parameters have no defaults: {problem_of(error)}"
    return None


def _taken(strategy: Strategy, entries: Mapping[str, Entry]) -> str | None:
    there = entries.get(strategy.name)
    return f"the name {strategy.name} is taken by {there.origin.module}" if there else None


class Catalogue(Mapping[str, Strategy]):
    """Strategies by name, looked for when they are first needed: that runs a user's own code.

    What is changed in the folder later is picked up by the next process. What failed in this one is
    computed live no more.
    """

    def __init__(self) -> None:
        self.failed: set[str] = set()

    @cached_property
    def found(self) -> Found:
        """What there is in the folder that the environment names, and elsewhere."""
        found = find(FolderSettings().folder)
        for fault in found.faults:
            logger.warning("strategies: %s", fault.line)
        return found

    def origin(self, name: str) -> Origin:
        """Return where a strategy comes from."""
        return self.found.entries[name].origin

    def __getitem__(self, name: str) -> Strategy:
        return self.found.entries[name].strategy

    def __iter__(self) -> Iterator[str]:
        return iter(self.found.entries)

    def __len__(self) -> int:
        return len(self.found.entries)


STRATEGIES = Catalogue()
