"""Where strategies from outside are found: installed packages, then the files of a folder."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from pipelines.catalogue.fault import Origin
from strategy.strategy import Strategy

GROUP = "optionscalp.strategies"
PREFIX = "optionscalp_strategies"


class Module(NamedTuple):
    """A module to be looked at.

    Attributes:
        origin: Where it lies.
        file: Its file, if it has one of its own.
        load: Returns what it defines.
    """

    origin: Origin
    file: str
    load: Callable[[], list[Strategy]]


def modules(folder: Path | None) -> Iterator[Module]:
    """Yield modules in the order in which names are given away."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        package = point.dist
        digest = f"{package.name} {package.version}" if package else ""
        origin = Origin(f"{GROUP}:{point.name}", digest)
        yield Module(origin, "", lambda point=point: _of_point(point))  # type: ignore[misc]
    for path in sorted(folder.glob("*.py")) if folder else ():
        if not path.name.startswith(("_", "test_", "conftest")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            load = lambda path=path: _in(_imported(path))  # noqa: E731 - of this path
            yield Module(Origin(path.name, digest), str(path), load)


def _of_point(point: EntryPoint) -> list[Strategy]:
    found = point.load()
    return _in(found) if isinstance(found, ModuleType) else _strategies([found])


def _imported(path: Path) -> ModuleType:
    folder = str(path.parent)
    if folder not in sys.path:  # last: modules beside it are found, and hide none
        sys.path.append(folder)
    name = f"{PREFIX}.{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} is no module")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their own module up
    spec.loader.exec_module(module)
    return module


def _in(module: ModuleType) -> list[Strategy]:
    return _strategies(vars(module).values())


def _strategies(values: Any) -> list[Strategy]:
    return list({id(one): one for one in values if isinstance(one, Strategy)}.values())
