"""`backup` and `restore`: everything that is stored, in one file."""

from pathlib import Path
from typing import Annotated

import typer

import db.server.backup
from db.server.connection import connect
from db.server.migrate import migrate
from optionscalp.homes import home, server
from optionscalp.output import console, progress
from strategy.session import calendar_hours

File = Annotated[Path, typer.Argument(help="Of pg_dump's custom format.")]


def back_up(file: File) -> None:
    """Write all that is stored to a file, while the system runs or not; overwrites nothing."""
    with server(home()) as dsn:
        counts = db.server.backup.back_up(dsn, file, progress)
    _tell(f"{file}: {file.stat().st_size / 1e6:.1f} MB", counts)


def put_back(file: File) -> None:
    """Fill an empty database from a file of `optionscalp backup`."""
    with server(home()) as dsn:
        counts = db.server.backup.put_back(dsn, file, progress)
        with connect(dsn) as connection:
            migrate(connection, calendar_hours())
    _tell(f"{file}: restored", counts)


def _tell(what: str, counts: db.server.backup.Counts) -> None:
    rows = sum(counts.values())
    console.print(f"{what}, {rows:,} rows of {len(counts)} tables, counted", soft_wrap=True)
