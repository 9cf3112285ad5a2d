"""Options that several commands have."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from db.market.frames import Range
from optionscalp.errors import CommandError
from pipelines.catalogue.catalogue import STRATEGIES
from pipelines.signals.grid import parse_value
from pipelines.signals.versions import Planned
from strategy.errors import ParameterError
from strategy.session import sessions_between

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]
OfDemo = Annotated[bool, typer.Option("--demo", help="Of the demo's database, not the real one.")]
DemoHome = Annotated[
    Path | None, typer.Option("--home", help="The demo's home, where it was started with one.")
]
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

OneStrategy = Annotated[str | None, typer.Option("--strategy", help="Name of one; default all.")]
Changed = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Another parameter of the rules; repeatable."),
]


def plan_of(strategy: str | None, changed: list[str] | None) -> Planned | None:
    """Return the version that the options name; None for all live ones.

    Raises:
        typer.BadParameter: There is no such strategy or number, or the numbers make no sense.
    """
    if strategy is None:
        if changed:
            raise typer.BadParameter("name the --strategy whose number it is", param_hint="--set")
        return None
    if strategy not in STRATEGIES:
        raise typer.BadParameter(f"one of {', '.join(STRATEGIES)}", param_hint="--strategy")
    try:
        return Planned.of(strategy, dict(map(_parsed, changed or ())))
    except ParameterError as error:
        raise typer.BadParameter(str(error), param_hint="--set") from error


def _parsed(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, parse_value(value)
    except ValueError:
        raise ParameterError(f"{text}: write NAME=VALUE") from None


def range_of(session: datetime | None, first: datetime | None, last: datetime | None) -> Range:
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


def sessions_of(range_: Range) -> list[date]:
    """Return the range's trading sessions, by the calendar in use: open the database first.

    Raises:
        CommandError: There are none.
    """
    sessions = sessions_between(range_.first, range_.last)
    if not sessions:
        raise CommandError(f"no session from {range_.first} to {range_.last}")
    return sessions
