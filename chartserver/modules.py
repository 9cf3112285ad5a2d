"""The pages as plain modules: every file is loaded as it is written."""

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from chartserver.errors import PagesError
from chartserver.head import Head

ADDRESS = "/static/"
# What modules import by name, and from where browsers get it.
LIBRARIES = {"lightweight-charts": "/static/vendor/lightweight-charts.mjs"}
WORKER = "-worker.js"

_IMPORT = re.compile(
    r"""^(?:import\s*(?:[\w$*{},\s]+?\sfrom\s*)?|export\s*(?:\*(?:\s*as\s+\w+)?|\{[\w$,\s]*\})\s*from\s*)
    ["']([^"']+)["']""",
    re.MULTILINE | re.VERBOSE,
)


def plain_head(static: Path, assets: Sequence[str]) -> Head:
    """Return what a page loads that names these assets.

    Raises:
        PagesError: A file is missing, or no page can load it, or no worker.
    """
    for name in assets:
        _require(static, name)
        if not name.endswith((".js", ".css", ".svg")):
            raise PagesError(f"{name} is no .js, .css or .svg file: no page can load it")
    workers = [name for name in assets if name.endswith(WORKER)]
    scripts = [name for name in assets if name.endswith(".js") and name not in workers]
    if len(scripts) != 1:
        raise PagesError(f"a page has one module of its own, not {len(scripts)}")
    script = scripts[0]
    needed = list(_graph(static, scripts))
    # Import maps are for pages.
    if named := LIBRARIES.keys() & set(_graph(static, workers)):
        raise PagesError(f"a worker cannot import {', '.join(named)} by name")
    return Head(
        icons=[ADDRESS + name for name in assets if name.endswith(".svg")],
        styles=[ADDRESS + name for name in assets if name.endswith(".css")],
        script=ADDRESS + script,
        preloads=[_address(name) for name in needed if name != script],
        workers={Path(name).stem: ADDRESS + name for name in workers},
        libraries={name: url for name, url in LIBRARIES.items() if name in needed},
    )


def _address(name: str) -> str:
    return LIBRARIES.get(name) or ADDRESS + name


def _graph(static: Path, entries: Iterable[str]) -> Iterator[str]:
    """Yield modules and all that they import, each once, importers first."""
    waiting, seen = list(entries), set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield name
        if name not in LIBRARIES:
            waiting.extend(_imports(static, name))


def _imports(static: Path, name: str) -> Iterator[str]:
    for target in _IMPORT.findall((static / name).read_text("utf-8")):
        if target in LIBRARIES:
            yield target
            continue
        if not target.startswith("."):
            raise PagesError(f"{name} imports {target}, of which no address is known")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        _require(static, path, f", which {name} imports,")
        yield path


def _require(static: Path, name: str, by: str = "") -> None:
    if not (static / name).is_file():
        raise PagesError(f"{static / name}{by} is missing")
