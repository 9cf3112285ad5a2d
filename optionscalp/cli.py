"""The `optionscalp` command: arguments and output; the work is done elsewhere."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import db.embedded
from db.connection import connect, service_file
from db.errors import (
    DatabaseUnavailableError,
    EmbeddedServerError,
    MigrationChangedError,
    SchemaOutdatedError,
)
from db.market import Range
from db.migrate import migrate as apply_migrations
from db.overview import overview
from db.signals import count_signals
from optionscalp import launch
from optionscalp.doctor import examine
from optionscalp.errors import CommandError
from optionscalp.homes import database, demo_home, home, opened, server
from optionscalp.stack import Ports
from pipelines.importer import FileInvalidError, ImportReport, import_rows, read_file
from pipelines.materialise import materialise_signals
from strategy.contract import UNDERLYINGS
from strategy.errors import CalendarUnknownError
from strategy.session import IST, sessions_between

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Nifty and Bank Nifty option market data: live, in replay and in SQL.",
)
console = Console(highlight=False)
problems = Console(stderr=True, highlight=False)

# The generated demo day: an ordinary Wednesday before a monthly expiry.
DEMO_DAY = "2026-01-21"
REJECTED_SHOWN = 20
KNOWN_ERRORS = (
    *(CommandError, FileInvalidError, CalendarUnknownError, psycopg.Error),
    *(DatabaseUnavailableError, EmbeddedServerError, MigrationChangedError, SchemaOutdatedError),
)

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
ChartPort = Annotated[int, typer.Option(envvar="CHART_PORT", min=1, max=65535)]
DagsterPort = Annotated[int, typer.Option(envvar="DAGSTER_PORT", min=1, max=65535)]
NoDagster = Annotated[bool, typer.Option("--no-dagster", help="Without Dagster and its UI.")]
DemoHome = Annotated[
    Path | None, typer.Option("--home", help="The demo's home, where it was started with one.")
]
OfDemo = Annotated[bool, typer.Option("--demo", help="Of the demo's database, not the real one.")]


@app.command()
def demo(
    data: Annotated[
        Path | None, typer.Option(help="Recorded days (Parquet file or folder) to play.")
    ] = None,
    day: Day = datetime.fromisoformat(DEMO_DAY),
    speed: Annotated[float, typer.Option(min=0.1, help="Market seconds per second.")] = 60.0,
    underlying: Annotated[
        str, typer.Option(help="Only this one, or several with commas.")
    ] = ",".join(UNDERLYINGS),
    chart_port: ChartPort = 8000,
    dagster_port: DagsterPort = 3000,
    no_dagster: NoDagster = False,
    home_folder: Annotated[
        Path | None, typer.Option("--home", help="Where the demo keeps its data and logs.")
    ] = None,
) -> None:
    """Start everything on a simulated market: no account, no open market needed."""
    unknown = set(underlying.split(",")) - set(UNDERLYINGS)
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(sorted(unknown))}; known: {', '.join(UNDERLYINGS)}",
            param_hint="--underlying",
        )
    launch.demo(
        launch.DemoOptions(
            data=data.absolute() if data else None,
            day=day.date(),
            speed=speed,
            underlyings=underlying,
            ports=Ports(chart_port, None if no_dagster else dagster_port),
            folder=(home_folder or demo_home()).absolute(),
        )
    )


@app.command()
def up(
    chart_port: ChartPort = 8000, dagster_port: DagsterPort = 3000, no_dagster: NoDagster = False
) -> None:
    """Start everything against the real sources."""
    launch.up(home(), Ports(chart_port, None if no_dagster else dagster_port))


@app.command()
def migrate() -> None:
    """Bring the database schema up to date."""
    with server(home()) as dsn, connect(dsn) as connection:
        names = apply_migrations(connection)
    console.print(f"applied {', '.join(names)}" if names else "schema is up to date")


@app.command(name="import")
def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Parquet or CSV.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing of a file with a rejected row.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import recorded days; rejected rows are reported with their line and reason."""
    reports: dict[str, ImportReport] = {}
    with opened() as connection:
        for path in files:
            parsed = read_file(path)
            if strict and parsed.rejected:
                _print_rejected(path, parsed.rejected)
                raise CommandError(f"{path}: {len(parsed.rejected)} rows rejected, nothing written")
            with _progress(f"importing {path.name}", len(parsed.rows)) as advance:
                reports[str(path)] = import_rows(connection, parsed, advance)
    if as_json:
        _print_json({name: _import_json(report) for name, report in reports.items()})
        return
    for name, report in reports.items():
        console.print(
            f"{name}: {report.rows} rows; changed: {report.candles} candles,"
            f" {report.build_ups} build-ups, {report.contracts} contracts;"
            f" {len(report.rejected)} rejected",
            soft_wrap=True,
        )
        _print_rejected(Path(name), report.rejected)


@app.command()
def signals(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"])],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"])],
    demo: OfDemo = False,
    as_json: AsJson = False,
) -> None:
    """Compute the signals of a range of sessions again."""
    if last < first:
        raise typer.BadParameter("lies before --from", param_hint="--to")
    sessions = sessions_between(first.date(), last.date())
    written = withdrawn = rejections = 0
    with opened(demo=demo) as connection, _progress("signals", len(sessions)) as advance:
        for done, session in enumerate(sessions, 1):
            stored = materialise_signals(
                connection, Range(session, session), UNDERLYINGS, datetime.now(UTC)
            )
            written += stored.written
            withdrawn += stored.withdrawn
            rejections += stored.rejections
            advance(done)
        total = count_signals(connection, Range(first.date(), last.date()))
    result = {
        "sessions": len(sessions),
        "signals": total,
        "written": written,
        "withdrawn": withdrawn,
        "rejected_candidates_written": rejections,
    }
    if as_json:
        _print_json(result)
    else:
        console.print(
            f"{len(sessions)} sessions: {total} signals stand ({written} new or changed,"
            f" {withdrawn} withdrawn)"
        )


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def psql(context: typer.Context, demo: OfDemo = False, home_folder: DemoHome = None) -> None:
    """Open psql on the database as its reader; further arguments go to psql.

    To write, set PGOPTIONS yourself, e.g. to an empty string.
    """
    with database(demo=demo, folder=home_folder) as dsn, service_file(dsn) as connection:
        environment = {"PGOPTIONS": "-c role=optionscalp_reader", **os.environ, **connection}
        # Ctrl-C is psql's: it ends a query, not the session.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        code = subprocess.run(
            [str(db.embedded.tool("psql")), *context.args], env=environment, check=False
        ).returncode
        signal.signal(signal.SIGINT, before)
    raise typer.Exit(code)


@app.command()
def status(demo: OfDemo = False, home_folder: DemoHome = None, as_json: AsJson = False) -> None:
    """Show what is stored, how fresh it is, and whether the sources answer."""
    with opened(demo=demo, folder=home_folder) as connection:
        found = overview(connection)
    if as_json:
        _print_json(found)
        return
    stored = found["stored"]
    for name in ("candle", "build_up", "signal"):
        newest = _ist(stored[name]) if stored[name] else "none yet"
        console.print(f"{name + 's':10} {stored[name + 's']:>10,}  newest known at {newest}")
    console.print(
        f"{'payloads':10} {stored['payloads']:>10,}  {stored['unparsed_payloads']} not parsed"
    )
    for source in found["sources"]:
        problem = f": {source['error']}" if source["error"] else ""
        since = _ist(source["changed_at"])
        console.print(f"{source['source']} is {source['state']} since {since}{problem}")
    table = Table("session", "underlying", "symbols", "candles", "newest", "source")
    for row in found["sessions"]:
        cells = (row["session"], row["underlying"], row["symbols"], row["candles"])
        table.add_row(*map(str, cells), f"{row['newest'].astimezone(IST):%H:%M}", row["source"])
    if found["sessions"]:
        console.print(table)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check what the system needs, and say what to do where something is missing."""
    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            colour = {"ok": "green", "warning": "yellow", "error": "red"}[finding.state]
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            console.print(
                f"[{colour}]{finding.state:8}[/{colour}]{finding.what}: {finding.found}{remedy}",
                soft_wrap=True,
            )
    if as_json:
        _print_json([{**finding._asdict(), "state": finding.state} for finding in findings])
    if any(finding.state == "error" for finding in findings):
        raise typer.Exit(1)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal; elsewhere the log lines tell."""
    if not problems.is_terminal:
        yield lambda _: None
        return
    with Progress(console=problems, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _print_rejected(path: Path, rejected: list[Any]) -> None:
    for row in rejected[:REJECTED_SHOWN]:
        problems.print(f"{path}: line {row.line}: {row.reason}", soft_wrap=True)
    if len(rejected) > REJECTED_SHOWN:
        problems.print(f"{path}: and {len(rejected) - REJECTED_SHOWN} more", soft_wrap=True)


def _import_json(report: ImportReport) -> dict[str, Any]:
    return report._asdict() | {"rejected": [row._asdict() for row in report.rejected]}


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, default=str, indent=2) + "\n")


def _ist(moment: datetime) -> str:
    return f"{moment.astimezone(IST):%Y-%m-%d %H:%M:%S} IST"


def main() -> None:
    """Run the command; errors are one clear line and exit code 1, wrong usage 2."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        app()
    except KNOWN_ERRORS as error:
        problems.print(f"error: {str(error).strip()}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
