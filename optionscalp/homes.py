"""Where this installation keeps things, and the database its commands work on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import Connection

import db.server.embedded
from db.market.calendar import read_overrides
from db.server.connection import connect, database_exists, database_name, with_database
from db.server.migrate import migrate
from optionscalp.errors import CommandError
from strategy.clock import MarketClock
from strategy.session import calendar_hours, use_overrides

PROJECT = Path(__file__).parent.parent
DEMO_SUFFIX = "_demo"


def home() -> Path:
    """Return `OPTIONSCALP_HOME`, by default `.optionscalp` of the current folder."""
    return Path(os.environ.get("OPTIONSCALP_HOME") or ".optionscalp").absolute()


def demo_home() -> Path:
    """Return where the demo keeps everything, apart from the real market's home."""
    return home() / "demo"


def market_clock() -> MarketClock:
    """Return the clock that `OPTIONSCALP_CLOCK` names, by default the real market's.

    Raises:
        CommandError: It names none.
    """
    try:
        return MarketClock.parse(os.environ.get("OPTIONSCALP_CLOCK"))
    except ValueError as error:
        raise CommandError(f"OPTIONSCALP_CLOCK: {error}") from None


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Yield `DATABASE_URL`, or the embedded server of a home folder, started if needed."""
    named = os.environ.get("DATABASE_URL")
    if named:
        yield named
        return
    with db.server.embedded.use(folder) as dsn:
        yield dsn


def demo_database(dsn: str) -> str:
    """Return the demo's own database on a server: simulated rows never mix with real ones."""
    name = database_name(dsn)
    return with_database(dsn, name if name.endswith(DEMO_SUFFIX) else name + DEMO_SUFFIX)


@contextmanager
def database(*, demo: bool = False, folder: Path | None = None) -> Iterator[str]:
    """Yield the migrated database of this installation, or of its demo.

    Args:
        demo: Of the demo.
        folder: The demo's home where it is not the usual one.

    Raises:
        CommandError: No demo has kept anything there.
    """
    usual = existing(demo=True, folder=folder) if demo else server(folder or home())
    with usual as dsn:
        with connect(dsn) as connection:
            migrate(connection, calendar_hours())
        yield dsn


@contextmanager
def existing(*, demo: bool = False, folder: Path | None = None) -> Iterator[str]:
    """Yield the database of this installation, or of its demo, as it is; make none.

    Raises:
        CommandError: Nothing is kept there.
    """
    folder = folder or (demo_home() if demo else home())
    if not os.environ.get("DATABASE_URL") and not (folder / "postgres").is_dir():
        if demo:
            raise _no_demo(f"in {folder}")
        raise CommandError(
            f"nothing is stored in {folder}: name what is meant with OPTIONSCALP_HOME, --home,"
            " --demo or DATABASE_URL"
        )
    with server(folder) as dsn:
        if demo:
            dsn = demo_database(dsn)
            if not database_exists(dsn):
                raise _no_demo(f"as {database_name(dsn)}")
        yield dsn


def _no_demo(place: str) -> CommandError:
    return CommandError(
        f"no demo has kept anything {place}: `optionscalp demo` makes one; one that was started"
        " with --home is named by --home"
    )


@contextmanager
def opened(*, demo: bool = False, folder: Path | None = None) -> Iterator[Connection[Any]]:
    """Yield a connection to what `database` yields, with its calendar in use."""
    with database(demo=demo, folder=folder) as dsn, connect(dsn) as connection:
        use_overrides(read_overrides(connection))
        yield connection
