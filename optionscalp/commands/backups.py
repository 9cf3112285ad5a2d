"""`backup` and `restore`: everything that is stored, in one file."""

from pathlib import Path
from typing import Annotated

import typer

import db.server.backup
from db.server.checksum import is_verified
from db.server.connection import connect, create_database
from db.server.migrate import migrate
from optionscalp.commands.options import DemoHome, OfDemo
from optionscalp.homes import demo_database, demo_home, existing, home, server
from optionscalp.output import console, problems, progress
from strategy.session import calendar_hours

File = Annotated[Path, typer.Argument(help="Of pg_dump's custom format.")]


def back_up(file: File, demo: OfDemo = False, home_folder: DemoHome = None) -> None:
    """Write all that is stored to a file, while the system runs or not; overwrites nothing."""
    with existing(demo=demo, folder=home_folder) as dsn:
        counts = db.server.backup.back_up(dsn, file, progress)
    _tell(f"{file}: {file.stat().st_size / 1e6:.1f} MB", counts)


def put_back(file: File, demo: OfDemo = False, home_folder: DemoHome = None) -> None:
    """Fill an empty database from a file of `optionscalp backup`."""
    # Before anything is made or started.
    verified = is_verified(file, progress)
    with server(home_folder or (demo_home() if demo else home())) as dsn:
        if demo:
            dsn = demo_database(dsn)
            create_database(dsn)
        counts = db.server.backup.put_back(dsn, file, progress)
        with connect(dsn) as connection:
            migrate(connection, calendar_hours())
    _tell(f"{file}: restored", counts)
    if not verified:
        problems.print(
            f"warning: {file} has no checksum, as `optionscalp backup` writes one: what is not"
            " rows was not verified",
            style="yellow",
            markup=False,
            soft_wrap=True,
        )


def _tell(what: str, counts: db.server.backup.Counts) -> None:
    rows = sum(counts.values())
    console.print(f"{what}, {rows:,} rows of {len(counts)} tables, counted", soft_wrap=True)
