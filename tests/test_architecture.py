"""Packages, and rooms in them, import each other in one direction only."""

import ast
import re
from pathlib import Path

import pytest

ALLOWED = {
    "strategy": set(),
    "db": set(),
    "pipelines": {"strategy", "db"},
    "chartserver": {"strategy", "db"},
    "simulator": {"strategy"},
    "optionscalp": {"strategy", "db", "pipelines", "chartserver", "simulator"},
}
CHARTSERVER_MAY_USE = {"strategy.clock", "strategy.contract", "strategy.errors", "strategy.session"}
# Rooms of a package and modules beside them, each with those that it may import: only earlier ones.
ROOMS_OF = {
    "pipelines": {
        "sources": set(),
        "sources.tradingview": {"sources"},
        "sources.trendlyne": {"sources"},
        "sources.upstox": {"sources"},
        "known_sources": {
            *("sources", "sources.tradingview", "sources.trendlyne", "sources.upstox"),
        },
        "catalogue": set(),
        "settings": {
            *("catalogue", "known_sources", "sources", "sources.tradingview", "sources.trendlyne"),
            "sources.upstox",
        },
        # By role as well: whatever knows a source by name lies in its folder.
        "probing": {"settings", "known_sources", "sources"},
        "recorded": set(),
        "checks": set(),
        "signals": {"catalogue", "checks"},
        # By role: no source's name is known here.
        "ingest": {"settings", "known_sources", "sources"},
        "live": {"catalogue", "sources", "checks", "signals", "ingest"},
        "sessions": {"settings", "sources", "signals", "ingest"},
        "orchestration": {"settings", "sources", "checks", "signals", "ingest"},
        "__main__": {"settings", "ingest", "live"},
    },
    "db": {
        "server": set(),
        "writing": set(),
        "checks": set(),
        "market": {"server", "writing"},
        "pages": {"server", "writing", "checks"},
        "signals": {"server", "writing", "market"},
        "archive": {"writing", "market"},
    },
}
KNOWS_DAGSTER = ("pipelines", "orchestration")
SQL = re.compile(r"(select|insert into|update|delete from)\s+\S+\s+\S+.*")
PURE = {"os", "socket", "time", "pathlib", "random", "logging", "subprocess", "psycopg", "httpx"}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module)
    return found


def modules(package: str) -> list[Path]:
    paths = sorted((Path(__file__).parent.parent / package).rglob("*.py"))
    assert paths
    return [path for path in paths if "node_modules" not in path.parts]


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_only_what_lies_below_it(package: str):
    for path in modules(package):
        used = {name.split(".")[0] for name in imports(path)} & ALLOWED.keys()
        assert used <= ALLOWED[package] | {package}, path


def parts_named(path: Path) -> set[tuple[str, ...]]:
    """What a module imports, with each name that it takes from there: that may be a module too."""
    found = {tuple(name.split(".")) for name in imports(path)}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {(*node.module.split("."), alias.name) for alias in node.names}
    return found


def room_of(package: str, parts: tuple[str, ...]) -> str | None:
    """The innermost room in the table that a dotted name begins with."""
    names = [".".join(parts[1:stop]) for stop in range(len(parts), 1, -1)]
    return next((name for name in names if name in ROOMS_OF[package]), None)


@pytest.mark.parametrize("package", ROOMS_OF)
def test_a_room_imports_only_the_rooms_below_it(package: str):
    rooms, found = ROOMS_OF[package], set()
    for path in modules(package):
        place = path.relative_to(Path(__file__).parent.parent).with_suffix("").parts
        if place == (package, "__init__"):
            continue
        room = room_of(package, place)
        assert room, f"{path} lies in no room of the table"
        found.add(room)
        ours = {parts for parts in parts_named(path) if parts[0] == package}
        used = {room_of(package, parts) for parts in ours} - {None}
        assert used <= rooms[room] | {room}, path
    assert found == rooms.keys()


@pytest.mark.parametrize("package", ROOMS_OF)
def test_rooms_make_no_circle(package: str):
    names = list(ROOMS_OF[package])
    for place, name in enumerate(names):
        assert ROOMS_OF[package][name] <= set(names[:place]), name


def test_only_one_room_imports_dagster():
    for package in ALLOWED:
        for path in modules(package):
            place = path.relative_to(Path(__file__).parent.parent).parts[:2]
            used = {name for name in imports(path) if name.split(".")[0].startswith("dagster")}
            assert place == KNOWS_DAGSTER or not used, path


def test_the_chart_server_takes_only_calendar_and_symbols_from_the_strategies():
    for path in modules("chartserver"):
        used = {name for name in imports(path) if name.startswith("strategy")}
        assert used <= CHARTSERVER_MAY_USE, path


def test_strategies_do_no_input_or_output_and_ask_no_clock():
    for path in modules("strategy"):
        assert not {name.split(".")[0] for name in imports(path)} & PURE, path
        if path.name != "clock.py":
            text = path.read_text()
            assert ".now(" not in text, path
            assert "strategy.clock" not in text, path


def test_only_the_database_package_knows_sql():
    for package in set(ALLOWED) - {"db"}:
        for path in modules(package):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    assert not SQL.match(node.value.strip().lower()), path


# Rooms of the pages' modules, each with those that it may use; entries, beside them, use all.
STATIC = Path(__file__).parent.parent / "chartserver" / "static"
ROOMS = {
    "lib": set(),
    "data": {"lib"},
    "charts": {"data", "lib"},
    "panels": {"data", "lib"},
}
MODULE = re.compile(r"""(?:from|import|import\()\s*["'](\.[^"']+)["']""")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_of_the_pages_imports_only_what_lies_below_it(room: str):
    paths = sorted((STATIC / room).glob("*.js"))
    assert paths
    for path in paths:
        targets = {(path.parent / name).resolve() for name in MODULE.findall(path.read_text())}
        used = {target.relative_to(STATIC.resolve()).parts[0] for target in targets}
        assert used <= ROOMS[room] | {room}, path
