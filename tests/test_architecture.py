"""The packages import each other in one direction only."""

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
