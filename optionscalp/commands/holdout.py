"""Commands that seal sessions, and open them for a registered version that is judged once."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any

import psycopg
import typer
from psycopg import Connection
from rich.table import Table

from db.market.frames import Range
from db.signals.holdout import (
    Opening,
    Verdict,
    end_seals,
    faults,
    fingerprint,
    open_for,
    openings_of,
    read_seals,
    read_verdicts,
    seal,
    sealed_sessions,
    stored_sessions,
)
from db.signals.strategies import register_version
from optionscalp.commands.options import (
    AsJson,
    Changed,
    DemoHome,
    First,
    Last,
    OfDemo,
    plan_of,
    range_of,
    sessions_of,
)
from optionscalp.errors import CommandError
from optionscalp.homes import market_clock, opened
from optionscalp.output import console, print_held_back, print_json, problems
from pipelines.checks.gate import blocked_sessions
from pipelines.signals.holdout import judge_version
from pipelines.signals.versions import Planned
from strategy.contract import UNDERLYINGS
from strategy.holdout import FEWEST_SESSIONS
from strategy.outcomes import HORIZONS
from strategy.registry import STRATEGIES

app = typer.Typer(
    no_args_is_help=True, help="Sessions that no sweep sees, and one judgement of what it chose."
)


@app.command()
def add(
    first: First,
    last: Last,
    note: Annotated[str, typer.Option(help="Why, to be read later.")] = "",
    demo: OfDemo = False,
    home_folder: DemoHome = None,
) -> None:
    """Seal the sessions of a range, future ones too; outcomes that are stored of them are removed.

    There is no way back but `end`, which stays on record.
    """
    with opened(demo=demo, folder=home_folder) as connection, _refusals():
        days = sessions_of(range_of(None, first, last))
        fresh = seal(connection, days, note)
        before = {one.session: one.outcomes_before for one in read_seals(connection)}
    console.print(f"{len(fresh)} sessions sealed, {len(days) - len(fresh)} were before")
    if seen := [day for day in fresh if before[day]]:
        problems.print(
            f"{len(seen)} of them had outcomes, now removed: who looked at them has seen what the"
            " holdout is to tell",
            style="yellow",
            soft_wrap=True,
        )


@app.command(name="list")
def list_seals(demo: OfDemo = False, home_folder: DemoHome = None, as_json: AsJson = False) -> None:
    """Print all seals, for whom they were opened, the verdicts, and whether anybody went around."""
    with opened(demo=demo, folder=home_folder) as connection:
        seals, verdicts = read_seals(connection), read_verdicts(connection)
        wrong, print_ = faults(connection), fingerprint(connection)
    if as_json:
        told = {
            "seals": [one._asdict() for one in seals],
            "verdicts": [one._asdict() for one in verdicts],
        }
        print_json(told | {"faults": wrong, "fingerprint": print_})
    else:
        table = Table("session", "sealed", "opened for", "outcomes before", "note")
        for one in seals:
            held = f"since {one.sealed_at:%Y-%m-%d %H:%M} UTC" if one.sealed else "ended"
            versions = ", ".join(one.opened_for)
            table.add_row(str(one.session), held, versions, str(one.outcomes_before), one.note)
        console.print(table)
        for verdict in verdicts:
            _print_verdict(verdict)
        console.print(f"fingerprint of all seals and openings: {print_}", soft_wrap=True)
        for fault in wrong:
            problems.print(fault, style="red", soft_wrap=True)
    if wrong:
        raise typer.Exit(1)


@app.command(name="open")
def open_version(
    first: First,
    last: Last,
    strategy: Annotated[str, typer.Option(help=f"One of {', '.join(STRATEGIES)}.")],
    changed: Changed = None,
    horizon: Annotated[
        int, typer.Option(help="Minutes after entry: 5, 15 or 30; 0 is the session's end.")
    ] = 15,
    demo: OfDemo = False,
    home_folder: DemoHome = None,
    as_json: AsJson = False,
) -> None:
    """Register one version for the sealed sessions of a range, and judge it there once."""
    if horizon not in HORIZONS:
        raise typer.BadParameter("one of 5, 15, 30 and 0", param_hint="--horizon")
    plan = plan_of(strategy, changed)
    assert plan is not None  # noqa: S101 - a strategy is named
    range_ = range_of(None, first, last)
    with opened(demo=demo, folder=home_folder) as connection, _refusals():
        now = market_clock().now()
        before = openings_of(connection, range_, strategy, plan.version)
        verdict = _judged_before(connection, plan, before)
        if verdict is None:
            openings = before or _register(connection, plan, range_, horizon, now)
            verdict = judge_version(connection, plan, openings, UNDERLYINGS, now)
    if as_json:
        print_json(verdict._asdict())
        return
    _print_verdict(verdict)


@app.command()
def end(first: First, last: Last, demo: OfDemo = False, home_folder: DemoHome = None) -> None:
    """End the seals of a range for everybody: then they are sessions like all others."""
    range_ = range_of(None, first, last)
    with opened(demo=demo, folder=home_folder) as connection, _refusals():
        days = sealed_sessions(connection, range_)
        end_seals(connection, days, f"holdout end --from {range_.first} --to {range_.last}")
    console.print(f"{len(days)} seals ended; `optionscalp outcomes` computes what they hid")


def _judged_before(
    connection: Connection[Any], plan: Planned, openings: Sequence[Opening]
) -> Verdict | None:
    """Return the verdict of an earlier opening: a version is judged once."""
    if not openings:
        return None
    days = {one.session for one in openings}
    for verdict in read_verdicts(connection, plan.stored):
        if verdict.first_session in days or verdict.last_session in days:
            problems.print("judged before: this is what it came to", style="yellow")
            return verdict
    return None


def _register(
    connection: Connection[Any], plan: Planned, range_: Range, horizon: int, now: datetime
) -> list[Opening]:
    sealed = sealed_sessions(connection, range_)
    blocked = blocked_sessions(connection, *range_, UNDERLYINGS, now)
    print_held_back({day: checks for day, checks in blocked.items() if day in sealed})
    days = [day for day in stored_sessions(connection, sealed) if day not in blocked]
    _require_enough(sealed, days, range_)
    register_version(connection, plan.stored, now, live=False)
    words = ["holdout", "open", "--from", f"{range_.first}", "--to", f"{range_.last}"]
    words += ["--strategy", plan.strategy.name, "--horizon", f"{horizon}", plan.version]
    open_for(connection, days, plan.stored, horizon, shlex.join(words))
    return openings_of(connection, range_, plan.strategy.name, plan.version)


def _require_enough(sealed: Sequence[date], days: Sequence[date], range_: Range) -> None:
    if not sealed:
        raise CommandError(
            f"no sealed session from {range_.first} to {range_.last}: optionscalp holdout add"
        )
    if len(days) < FEWEST_SESSIONS:
        raise CommandError(
            f"{len(days)} of {len(sealed)} sealed sessions have rows to be used, and a verdict"
            f" needs {FEWEST_SESSIONS}: nothing was opened"
        )


def _print_verdict(verdict: Verdict) -> None:
    minutes = verdict.horizon_minutes
    until = f"{minutes} minutes" if minutes else "the session's end"
    console.print(
        f"{verdict.strategy} {verdict.version}, {verdict.first_session} to {verdict.last_session},"
        f" until {until} after entry: {verdict.entered} trades. {verdict.verdict}",
        soft_wrap=True,
    )


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell what the database refuses as one line."""
    try:
        yield
    except (psycopg.errors.CheckViolation, psycopg.errors.UniqueViolation) as error:
        raise CommandError(error.diag.message_primary or str(error)) from None
