"""The pages as plain modules: every file is loaded as it is written."""

import json
import posixpath
import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from chartserver.errors import PagesError

# What modules import by name, and from where browsers get it.
LIBRARIES = {"lightweight-charts": "/static/vendor/lightweight-charts.mjs"}
WORKER = "-worker.js"

_IMPORT = re.compile(
    r"""^(?:import\s*(?:[\w$*{},\s]+?\sfrom\s*)?|export\s*(?:\*(?:\s*as\s+\w+)?|\{[\w$,\s]*\})\s*from\s*)
    ["']([^"']+)["']""",
    re.MULTILINE | re.VERBOSE,
)


def elements(static: Path, assets: Iterable[str]) -> Iterator[str]:
    """Yield the elements of a page's head that load its assets.

    All modules are named before the first of them has come, so that none waits for another. The
    last script is the page's own; those before it run as soon as they are there.

    Raises:
        PagesError: A file is missing, or of a kind that no page can load.
    """
    assets = tuple(assets)
    scripts = [name for name in assets if name.endswith(".js") and not name.endswith(WORKER)]
    addresses = {name: f"/static/{name}" for name in assets}
    for name in assets:
        _require(static, name)
    needed = list(_graph(static, scripts))
    used = {name: url for name, url in LIBRARIES.items() if url in needed}
    yield from simple_elements(assets, addresses)
    if used:
        yield f'<script type="importmap">{json.dumps({"imports": used})}</script>'
    yield from script_elements([addresses[name] for name in scripts])
    loaded = {addresses[name] for name in scripts[-1:]}
    for url in needed:
        if url not in loaded:
            yield f'<link rel="modulepreload" href="{escape(url)}">'


def simple_elements(assets: Iterable[str], addresses: dict[str, str]) -> Iterator[str]:
    """Yield the elements of icons, style sheets and workers; a page finds its worker by its name.

    Raises:
        PagesError: A file is of a kind that no page can load.
    """
    for name in assets:
        url = escape(addresses[name])
        if name.endswith(".svg"):
            yield f'<link rel="icon" href="{url}" type="image/svg+xml">'
        elif name.endswith(".css"):
            yield f'<link rel="stylesheet" href="{url}">'
        elif name.endswith(WORKER):
            yield f'<meta name="{Path(name).stem}" content="{url}">'
        elif not name.endswith(".js"):
            raise PagesError(f"{name} is no .js, .css or .svg file: no page can load it")


def script_elements(addresses: list[str]) -> Iterator[str]:
    """Yield the elements of a page's scripts."""
    for position, url in enumerate(addresses, 1):
        early = "" if position == len(addresses) else " async"
        yield f'<script type="module"{early} src="{escape(url)}"></script>'


def _graph(static: Path, entries: Iterable[str]) -> Iterator[str]:
    """Yield the addresses of modules and all that they import, each once, importers first."""
    waiting, seen = list(entries), set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        yield LIBRARIES.get(name) or f"/static/{name}"
        if name not in LIBRARIES:
            waiting.extend(_imports(static, name))


def _imports(static: Path, name: str) -> Iterator[str]:
    for target in _IMPORT.findall((static / name).read_text("utf-8")):
        if target in LIBRARIES:
            yield target
            continue
        path = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
        if not target.startswith((".", "/")):
            raise PagesError(f"{name} imports {target}, of which no address is known")
        _require(static, path, f", which {name} imports,")
        yield path


def _require(static: Path, name: str, by: str = "") -> None:
    if not (static / name).is_file():
        raise PagesError(f"{static / name}{by} is missing")
