"""The `optionscalp` command: arguments and output; the work is done elsewhere."""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import db.embedded
from db.calendar import read_overrides
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
from db.raw_payloads import count_receipts
from db.signals import count_signals
from optionscalp import launch
from optionscalp.doctor import examine
from optionscalp.errors import CommandError
from optionscalp.homes import database, demo_home, home, opened, server
from optionscalp.stack import Ports
from pipelines.importer import ImportReport, import_rows
from pipelines.materialise import materialise_signals
from pipelines.rebuild import ArchiveEmptyError, Rebuilt
from pipelines.rebuild import rebuild as rebuild_session
from pipelines.recorded_files import FileInvalidError, read_file
from pipelines.sessions import Ingested, ingest_sessions
from strategy.contract import UNDERLYINGS
from strategy.errors import CalendarUnknownError
from strategy.session import IST, sessions_between, use_overrides

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
    *(CommandError, FileInvalidError, CalendarUnknownError, ArchiveEmptyError, psycopg.Error),
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


First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"])]
Last = Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"])]
OneSession = Annotated[
    datetime | None, typer.Option("--session", formats=["%Y-%m-%d"], help="One session.")
]
FirstOfMany = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First of several.")
]
LastOfMany = Annotated[
    datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last of several.")
]


@app.command()
def signals(
    first: First,
    last: Last,
    demo: OfDemo = False,
    as_json: AsJson = False,
) -> None:
    """Compute the signals of a range of sessions again."""
    range_ = _range(None, first, last)
    written = withdrawn = rejections = 0
    with ExitStack() as stack:
        connection = stack.enter_context(opened(demo=demo))
        sessions = _sessions(range_)  # by the calendar with the user's corrections
        advance = stack.enter_context(_progress("signals", len(sessions)))
        for done, session in enumerate(sessions, 1):
            stored = materialise_signals(
                connection, Range(session, session), UNDERLYINGS, datetime.now(UTC)
            )
            written += stored.written
            withdrawn += stored.withdrawn
            rejections += stored.rejections
            advance(done)
        total = count_signals(connection, range_)
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


@app.command()
def ingest(
    session: OneSession = None,
    first: FirstOfMany = None,
    last: LastOfMany = None,
    demo: OfDemo = False,
    as_json: AsJson = False,
) -> None:
    """Fetch what is missing of sessions: from the archive, then from the sources.

    Candles can be asked for as far back as TradingView goes; positions only on their day.
    """
    range_ = _range(session, first, last)
    with ExitStack() as stack:
        dsn = stack.enter_context(database(demo=demo))
        done: list[Ingested] = []
        with connect(dsn) as connection:
            use_overrides(read_overrides(connection))
        sessions = _sessions(range_)
        advance = stack.enter_context(_progress("ingesting", len(sessions)))
        for ingested in ingest_sessions(dsn, sessions):
            done.append(ingested)
            advance(len(done))
    if as_json:
        _print_json([ingested.as_dict() for ingested in done])
    else:
        for ingested in done:
            console.print(ingested.line, soft_wrap=True)
    if any(ingested.problems for ingested in done):
        raise typer.Exit(1)


@app.command()
def rebuild(
    session: OneSession = None,
    first: FirstOfMany = None,
    last: LastOfMany = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit code 1 if something differs.")
    ] = False,
    remove_unexplained: Annotated[
        bool, typer.Option(help="Delete stored rows that the archive does not explain.")
    ] = False,
    demo: OfDemo = False,
    as_json: AsJson = False,
) -> None:
    """Derive the tables of sessions again from the raw archive, and say what differs."""
    range_ = _range(session, first, last)
    reports: dict[str, Rebuilt] = {}
    with opened(demo=demo) as connection:
        for day in _sessions(range_):
            total = count_receipts(connection, day)
            with _progress(f"rebuilding {day}", total) as advance:
                reports[str(day)] = rebuild_session(
                    connection, day, write=not check, remove=remove_unexplained, progress=advance
                )
            if not check:
                materialise_signals(connection, Range(day, day), UNDERLYINGS, datetime.now(UTC))
    if as_json:
        _print_json({day: report.as_dict() for day, report in reports.items()})
    else:
        for name, report in reports.items():
            _print_rebuilt(name, report, check=check)
    if check and any(report.changes or report.unexplained for report in reports.values()):
        raise typer.Exit(1)


def _print_rebuilt(day: str, report: Rebuilt, *, check: bool) -> None:
    verdict = f"{report.changes} rows differ" if check else f"{report.changes} rows changed"
    unusable = f", {report.unusable} answers cannot be used" if report.unusable else ""
    console.print(f"{day}: {report.receipts} receipts read{unusable}; {verdict}", soft_wrap=True)
    table = Table("table", "from the archive", "new", "changed", "not explained")
    for name, row in report.tables.items():
        table.add_row(name, *(f"{number:,}" for number in row))
    console.print(table)


def _range(session: datetime | None, first: datetime | None, last: datetime | None) -> Range:
    """Return the dates that the options name.

    Raises:
        typer.BadParameter: They name none, or in the wrong order.
    """
    if session is not None and first is None and last is None:
        return Range(session.date(), session.date())
    if session is not None or first is None:
        raise typer.BadParameter("give one date, or --from and --to", param_hint="--session")
    if (last or first) < first:
        raise typer.BadParameter("lies before --from", param_hint="--to")
    return Range(first.date(), (last or first).date())


def _sessions(range_: Range) -> list[date]:
    """Return the range's trading sessions.

    Raises:
        CommandError: There are none.
    """
    sessions = sessions_between(range_.first, range_.last)
    if not sessions:
        raise CommandError(f"no session from {range_.first} to {range_.last}")
    return sessions


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
