"""Commands that start the system and that look after it."""

import os
import signal
import subprocess
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

import db.server.embedded
from db.checks.overview import overview
from db.server.connection import connect, service_file
from db.server.migrate import migrate as apply_migrations
from db.server.roles import Role, prepared
from optionscalp import launch
from optionscalp.commands.options import AsJson, Day, DemoHome, OfDemo
from optionscalp.doctor import examine
from optionscalp.homes import database, demo_home, home, opened, server
from optionscalp.output import console, in_india, print_json, problems
from optionscalp.stack import Ports
from simulator.faults import Fault
from strategy.contract import UNDERLYINGS
from strategy.session import IST, calendar_hours

# The generated demo day: an ordinary Wednesday before a monthly expiry.
DEMO_DAY = "2026-01-21"
LOST = 2  # psql's exit code without a connection

ChartPort = Annotated[int, typer.Option(envvar="CHART_PORT", min=1, max=65535)]
DagsterPort = Annotated[int, typer.Option(envvar="DAGSTER_PORT", min=1, max=65535)]
NoDagster = Annotated[bool, typer.Option("--no-dagster", help="Without Dagster and its UI.")]


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
    sources: Annotated[
        str | None, typer.Option(envvar="SOURCES", help="Who is asked, in order of preference.")
    ] = None,
    delayed: Annotated[
        float, typer.Option(min=0, help="Seconds by which TradingView's account is late.")
    ] = 0.0,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="Let a source do wrong: KIND@HH:MM-HH:MM, see docs; may be repeated."),
    ] = None,
) -> None:
    """Start everything on a simulated market: no account, no open market needed."""
    unknown = set(underlying.split(",")) - set(UNDERLYINGS)
    if unknown:
        raise typer.BadParameter(
            f"{', '.join(sorted(unknown))}; known: {', '.join(UNDERLYINGS)}",
            param_hint="--underlying",
        )
    for text in fault or ():
        try:
            Fault.parse(text)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--fault") from None
    launch.demo(
        launch.DemoOptions(
            data=data.absolute() if data else None,
            day=day.date(),
            speed=speed,
            underlyings=underlying,
            ports=Ports(chart_port, None if no_dagster else dagster_port),
            folder=(home_folder or demo_home()).absolute(),
            sources=sources,
            delayed=delayed,
            faults=tuple(fault or ()),
        )
    )


def up(
    chart_port: ChartPort = 8000, dagster_port: DagsterPort = 3000, no_dagster: NoDagster = False
) -> None:
    """Start everything against the real sources."""
    launch.up(home(), Ports(chart_port, None if no_dagster else dagster_port))


def serve(
    chart_port: ChartPort = 8000,
    demo: OfDemo = False,
    home_folder: Annotated[
        Path | None,
        typer.Option("--home", help="Where the data is kept, if not in the usual home."),
    ] = None,
) -> None:
    """Show what is stored on the pages: no feed, no Dagster, no source asked."""
    folder = home_folder or (demo_home() if demo else home())
    launch.serve(folder.absolute(), Ports(chart_port, None), demo=demo)


def migrate() -> None:
    """Bring the database schema up to date."""
    with server(home()) as dsn, connect(dsn) as connection:
        names = apply_migrations(connection, calendar_hours(), move_rows=True)
    console.print(f"applied {', '.join(names)}" if names else "schema is up to date")


def psql(
    context: typer.Context,
    demo: OfDemo = False,
    home_folder: DemoHome = None,
    write: Annotated[bool, typer.Option("--write", help="As one who may change rows.")] = False,
) -> None:
    """Open psql on the database as its reader, who can only read; further arguments go to psql."""
    who = Role.WRITER if write else Role.READER
    with ExitStack() as stack:
        dsn = stack.enter_context(database(demo=demo, folder=home_folder))
        login = prepared(dsn, who)
        connection = stack.enter_context(service_file(login))
        # Where nobody may make a login: whoever wants to can set the role back.
        role = {"PGOPTIONS": f"-c role=optionscalp_{who}"} if login == dsn else {}
        environment = {**role, **os.environ, **connection}
        # Ctrl-C is psql's: it ends a query, not the session.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        code = subprocess.run(
            [str(db.server.embedded.tool("psql")), *context.args], env=environment, check=False
        ).returncode
        signal.signal(signal.SIGINT, before)
    if code == LOST:
        problems.print(
            "psql had no connection, or lost it. A login that was refused is put right by the next"
            " `optionscalp psql`; there are 20 of readers at most; `optionscalp doctor` says more.",
            soft_wrap=True,
        )
    raise typer.Exit(code)


def status(demo: OfDemo = False, home_folder: DemoHome = None, as_json: AsJson = False) -> None:
    """Show what is stored, how fresh it is, and whether the sources answer."""
    with opened(demo=demo, folder=home_folder) as connection:
        found = overview(connection)
    if as_json:
        print_json(found)
        return
    stored = found["stored"]
    for name in ("candle", "build_up", "signal"):
        newest = in_india(stored[name]) if stored[name] else "none yet"
        console.print(f"{name + 's':10} {stored[name + 's']:>10,}  newest known at {newest}")
    console.print(
        f"{'payloads':10} {stored['payloads']:>10,}  {stored['unparsed_payloads']} not parsed"
    )
    for source in found["sources"]:
        problem = f": {source['error']}" if source["error"] else ""
        since = in_india(source["changed_at"])
        late = source["delay_seconds"]
        delay = f", DELAYED {late / 60:g} min" if late else ", real time" if late == 0 else ""
        last = f", last good answer {in_india(source['last_at'])}" if source["last_at"] else ""
        console.print(
            f"{source['source']} is {source['state']} since {since}{last}{problem}{delay}",
            soft_wrap=True,
        )
        if source["note"]:
            console.print(f"  {source['note']}")
    if told := found["opinions"]:
        console.print(
            f"sources differ on {told['differing']} of {told['compared']} rows that two have told"
            f" of {told['session']}" + (": see second_opinion" if told["differing"] else "")
        )
    table = Table("session", "underlying", "symbols", "candles", "newest", "source")
    for row in found["sessions"]:
        cells = (row["session"], row["underlying"], row["symbols"], row["candles"])
        table.add_row(*map(str, cells), f"{row['newest'].astimezone(IST):%H:%M}", row["source"])
    if found["sessions"]:
        console.print(table)


def doctor(demo: OfDemo = False, home_folder: DemoHome = None, as_json: AsJson = False) -> None:
    """Check what the system needs, and say what to do where something is missing."""
    findings = []
    for finding in examine(demo=demo, folder=home_folder):
        findings.append(finding)
        if not as_json:
            colour = {"ok": "green", "warning": "yellow", "error": "red"}[finding.state]
            remedy = f" -> {finding.remedy}" if finding.remedy else ""
            console.print(
                f"[{colour}]{finding.state:8}[/{colour}]{finding.what}: {finding.found}{remedy}",
                soft_wrap=True,
            )
    if as_json:
        print_json([{**finding._asdict(), "state": finding.state} for finding in findings])
    if any(finding.state == "error" for finding in findings):
        raise typer.Exit(1)
