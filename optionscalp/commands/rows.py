"""Commands that write rows: from files, from the sources, from the archive, from stored rows."""

from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from db.archive.raw_payloads import count_receipts
from db.market.calendar import read_overrides
from db.market.frames import Range
from db.server.connection import connect
from db.signals.store import count_signals
from db.signals.strategies import register_version, set_live
from optionscalp.commands.options import (
    AsJson,
    Changed,
    DemoHome,
    First,
    FirstOfMany,
    Last,
    LastOfMany,
    OfDemo,
    OneSession,
    OneStrategy,
    plan_of,
    range_of,
    sessions_of,
)
from optionscalp.errors import CommandError
from optionscalp.homes import database, market_clock, opened
from optionscalp.output import (
    console,
    print_held_back,
    print_import,
    print_json,
    print_rebuilt,
    print_rejected,
    progress,
)
from pipelines.ingest.rebuild import Rebuilt
from pipelines.ingest.rebuild import rebuild as rebuild_session
from pipelines.recorded.files import read_file
from pipelines.recorded.importer import ImportReport, import_rows
from pipelines.sessions import Ingested, ingest_sessions
from pipelines.signals.greeks import materialise_greeks
from pipelines.signals.materialise import materialise_signals
from strategy.contract import UNDERLYINGS
from strategy.session import session_of, use_overrides


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
                print_rejected(path, parsed.rejected)
                raise CommandError(f"{path}: {len(parsed.rejected)} rows rejected, nothing written")
            with progress(f"importing {path.name}", len(parsed.rows)) as advance:
                reports[str(path)] = import_rows(connection, parsed, advance)
    if as_json:
        print_json({name: _import_json(report) for name, report in reports.items()})
        return
    for name, report in reports.items():
        print_import(name, report)


def _import_json(report: ImportReport) -> dict[str, Any]:
    return report._asdict() | {"rejected": [row._asdict() for row in report.rejected]}


def ingest(
    session: OneSession = None,
    first: FirstOfMany = None,
    last: LastOfMany = None,
    as_json: AsJson = False,
) -> None:
    """Fetch what is missing of sessions: from the archive, then from the sources.

    Past sessions come as far as a source goes: TradingView has candles, a broker all but ladders.
    """
    range_ = range_of(session, first, last)
    with ExitStack() as stack:
        dsn = stack.enter_context(database())
        done: list[Ingested] = []
        with connect(dsn) as connection:
            use_overrides(read_overrides(connection))
        sessions = sessions_of(range_)
        advance = stack.enter_context(progress("ingesting", len(sessions)))
        for ingested in ingest_sessions(dsn, sessions):
            done.append(ingested)
            advance(len(done))
    if as_json:
        print_json([ingested.as_dict() for ingested in done])
    else:
        for ingested in done:
            console.print(ingested.line, soft_wrap=True)
    if not all(ingested.whole for ingested in done):
        raise typer.Exit(1)


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
    home_folder: DemoHome = None,
    as_json: AsJson = False,
) -> None:
    """Derive the tables of sessions again from the raw archive, and say what differs."""
    range_ = range_of(session, first, last)
    clock = market_clock()
    reports: dict[date, Rebuilt] = {}
    blocked: dict[date, list[str]] = {}
    with opened(demo=demo, folder=home_folder) as connection:
        for day in sessions_of(range_):
            if remove_unexplained and day == session_of(clock.now()):
                raise CommandError(f"{day} may still be written: remove nothing before tomorrow")
            total = count_receipts(connection, day)
            with progress(f"rebuilding {day}", total) as advance:
                reports[day] = rebuild_session(
                    connection, day, write=not check, remove=remove_unexplained, progress=advance
                )
            if not check:
                materialise_greeks(connection, Range(day, day), UNDERLYINGS)
                blocked |= materialise_signals(
                    connection, Range(day, day), UNDERLYINGS, clock.now()
                ).blocked
    if as_json:
        held = {day: {"signals_held_back": blocked.get(day, [])} for day in reports}
        print_json({str(day): report.as_dict() | held[day] for day, report in reports.items()})
    else:
        for day, report in reports.items():
            print_rebuilt(day, report, check=check)
    print_held_back(blocked)
    differ = check and any(report.changes or report.unexplained for report in reports.values())
    if differ or blocked:
        raise typer.Exit(1)


def signals(
    first: First,
    last: Last,
    strategy: OneStrategy = None,
    changed: Changed = None,
    live: Annotated[
        bool, typer.Option("--live", help="From now on compute this version live as well.")
    ] = False,
    demo: OfDemo = False,
    home_folder: DemoHome = None,
    as_json: AsJson = False,
) -> None:
    """Compute the signals of a range of sessions again; other numbers make another version."""
    range_ = range_of(None, first, last)
    plan = plan_of(strategy, changed)
    if live and plan is None:
        raise typer.BadParameter("name the --strategy", param_hint="--live")
    clock = market_clock()
    written = withdrawn = rejections = 0
    blocked: dict[date, list[str]] = {}
    with ExitStack() as stack:
        connection = stack.enter_context(opened(demo=demo, folder=home_folder))
        sessions = sessions_of(range_)
        if plan is not None:
            register_version(connection, plan.stored, clock.now(), live=live)
        if live and plan is not None:
            set_live(connection, plan.stored)
        plans = None if plan is None else [plan]
        advance = stack.enter_context(progress("signals", len(sessions)))
        for done, day in enumerate(sessions, 1):
            materialise_greeks(connection, Range(day, day), UNDERLYINGS)
            stored = materialise_signals(
                connection, Range(day, day), UNDERLYINGS, clock.now(), plans=plans
            )
            written += stored.written
            withdrawn += stored.withdrawn
            rejections += stored.rejections
            blocked |= stored.blocked
            advance(done)
        total = count_signals(connection, range_, plan.stored if plan else None)
    if as_json:
        print_json(
            {
                "sessions": len(sessions),
                "signals": total,
                "written": written,
                "withdrawn": withdrawn,
                "rejected_candidates_written": rejections,
                "held_back": {str(day): checks for day, checks in blocked.items()},
            }
        )
    else:
        console.print(
            f"{len(sessions)} sessions: {total} signals stand ({written} new or changed,"
            f" {withdrawn} withdrawn)"
        )
    print_held_back(blocked)
    if blocked:
        raise typer.Exit(1)
