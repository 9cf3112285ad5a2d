"""What commands print: text for people, JSON for programs, progress on a terminal."""

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pipelines.ingest.rebuild import Rebuilt
from pipelines.recorded.files import RejectedRow
from pipelines.recorded.importer import ImportReport
from strategy.session import IST

logger = logging.getLogger(__name__)

REJECTED_SHOWN = 20
LOG_SECONDS = 5.0
console = Console(highlight=False)
problems = Console(stderr=True, highlight=False)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, elsewhere a log line now and then."""
    if not problems.is_terminal:
        yield _logged(what, total)
        return
    with Progress(console=problems, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _logged(what: str, total: int) -> Callable[[int], None]:
    told = monotonic()

    def advance(done: int) -> None:
        nonlocal told
        if monotonic() - told >= LOG_SECONDS:
            told = monotonic()
            logger.info("%s: %d %%", what, 100 * done // max(total, 1))

    return advance


def print_json(value: Any) -> None:
    """Print a value for a program to read; times and dates as text."""
    sys.stdout.write(json.dumps(value, default=str, indent=2) + "\n")


def in_india(moment: datetime) -> str:
    """Return a moment as clocks in India show it."""
    return f"{moment.astimezone(IST):%Y-%m-%d %H:%M:%S} IST"


def print_import(path: str, report: ImportReport) -> None:
    """Print what an import changed, and what of the file was rejected."""
    console.print(
        f"{path}: {report.rows} rows; changed: {report.candles} candles,"
        f" {report.build_ups} build-ups, {report.contracts} contracts;"
        f" {len(report.rejected)} rejected",
        soft_wrap=True,
    )
    print_rejected(Path(path), report.rejected)


def print_rejected(path: Path, rejected: Sequence[RejectedRow]) -> None:
    """Print the first rejected rows of a file, with their lines and reasons."""
    for row in rejected[:REJECTED_SHOWN]:
        problems.print(f"{path}: line {row.line}: {row.reason}", soft_wrap=True)
    if len(rejected) > REJECTED_SHOWN:
        problems.print(f"{path}: and {len(rejected) - REJECTED_SHOWN} more", soft_wrap=True)


def print_rebuilt(day: date, report: Rebuilt, *, check: bool) -> None:
    """Print how the stored tables differ, or differed, from what the archive says."""
    verdict = f"{report.changes} rows differ" if check else f"{report.changes} rows changed"
    unusable = f", {report.unusable} answers cannot be used" if report.unusable else ""
    console.print(f"{day}: {report.receipts} receipts read{unusable}; {verdict}", soft_wrap=True)
    table = Table("table", "from the archive", "new", "changed", "not explained")
    for name, row in report.tables.items():
        table.add_row(name, *(f"{number:,}" for number in row))
    console.print(table)


def print_held_back(blocked: Mapping[date, Sequence[str]]) -> None:
    """Print the sessions that keep the signals they have, and why."""
    for session, checks in blocked.items():
        problems.print(
            f"{session}: signals held back, these checks fail: {', '.join(checks)}",
            style="red",
            soft_wrap=True,
        )


def print_sealed(sessions: Sequence[date], what: str) -> None:
    """Print which sessions are sealed, and what that means here; nothing where none is."""
    if not sessions:
        return
    days = f"{sessions[0]}" if len(sessions) == 1 else f"{sessions[0]} to {sessions[-1]}"
    problems.print(
        f"{len(sessions)} sealed sessions ({days}) are {what}: optionscalp holdout list",
        style="yellow",
        soft_wrap=True,
    )
