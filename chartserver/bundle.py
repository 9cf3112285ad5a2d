"""The pages as `build.js` bundled them, used only where it was made of exactly these sources."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from chartserver.asset import Asset
from chartserver.head import Head

# Below the chart server's folder.
LIBRARY = "node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs"
OTHER_SOURCES = (LIBRARY, "build.js", "package-lock.json")
MANIFEST = "dist/manifest.json"
ADDRESS = "/static/bundle/"
# A name has the hash of its content, so what it means never changes.
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
LISTS = ("icons", "styles", "preloads")
SUFFIXES = {"identity": "", "gzip": ".gz", "br": ".br"}


class Bundle(NamedTuple):
    """The built files by name, and what each page loads of them."""

    files: Mapping[str, Asset]
    heads: Mapping[str, Head]


def sources(folder: Path) -> list[str]:
    """Return the paths of all that the bundle is made of, in order."""
    static = (path for path in (folder / "static").rglob("*") if path.is_file())
    return sorted([*(path.relative_to(folder).as_posix() for path in static), *OTHER_SOURCES])


def sources_hash(folder: Path) -> str:
    """Return one hash of the sources' names and content, the one that `build.js` makes."""
    lines = [
        f"{name} {hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n"
        for name in sources(folder)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_bundle(folder: Path) -> Bundle | str:
    """Return the bundle, or in a few words why there is none to use."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        return "not built"
    except ValueError:
        return "damaged"
    if manifest["sources"] != sources_hash(folder):
        return "older than its sources"
    dist = (folder / MANIFEST).parent
    try:
        files = {name: _asset(dist / name) for name in manifest["files"]}
    except FileNotFoundError as error:
        return f"incomplete, without {Path(error.filename).name}"
    return Bundle(files, {page: _head(loads) for page, loads in manifest["pages"].items()})


def _asset(path: Path) -> Asset:
    bodies = {
        encoding: path.with_name(path.name + suffix).read_bytes()
        for encoding, suffix in SUFFIXES.items()
    }
    return Asset(bodies, MEDIA_TYPES[path.suffix], FOREVER)


def _head(loads: Mapping[str, Any]) -> Head:
    return Head(
        **{name: [ADDRESS + file for file in loads[name]] for name in LISTS},
        script=ADDRESS + loads["script"],
        workers={name: ADDRESS + file for name, file in loads["workers"].items()},
        libraries={},
    )
