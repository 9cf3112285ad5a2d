"""One PostgreSQL server for the whole run, a fresh migrated database per test."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

import hypothesis
import psycopg
import pytest
from psycopg.sql import SQL, Identifier

import db.server.embedded
from db.server.connection import connect, create_database, database_name, with_database
from db.server.migrate import migrate
from strategy.session import calendar_hours, use_overrides

# A busy machine is no error: no test may fail because something took long.
hypothesis.settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("untimed")

# What is started in the background by a shell ignores Ctrl-C, and so would all that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).parent.parent


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured (`record_property`), also where they ran in other processes."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(value)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recorded sessions; tests that need it skip without it."""
    folder = Path(os.environ.get("OPTIONSCALP_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no recorded sessions: set OPTIONSCALP_SHARED_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def rounds() -> int:
    """How often fault tests repeat their faults: once in CI, more in `make test-long`."""
    return 4 if os.environ.get("OPTIONSCALP_LONG") else 1


@pytest.fixture(autouse=True)
def no_overrides_left() -> Iterator[None]:
    """Give every test the calendar as it is in the program."""
    yield
    use_overrides([])


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield an empty folder that PostgreSQL's own user may be let into."""
    # Not pytest's own temporary folder: under root the server runs as another user, and every
    # start of pytest closes that folder to others again.
    with tempfile.TemporaryDirectory(prefix="optionscalp-test-") as folder:
        yield Path(folder)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty folder to serve as OPTIONSCALP_HOME."""
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """The server named by TEST_DATABASE_URL, else an embedded one of this run."""
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        yield named
        return
    with temporary_folder() as folder, db.server.embedded.use(folder) as dsn:
        with connect(dsn) as admin:
            # Nothing of it has to outlive the computer.
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                admin.execute(SQL("alter system set {} = off").format(Identifier(setting)))
            admin.execute("select pg_reload_conf()")
        yield dsn


@contextmanager
def _database(server_dsn: str, template: str | None) -> Iterator[str]:
    dsn = with_database(server_dsn, f"optionscalp_test_{uuid4().hex[:8]}")
    name = Identifier(database_name(dsn))
    with connect(server_dsn) as admin:
        original = Identifier(template or "template0")
        copy = SQL("create database {} template {} strategy file_copy")  # three times as fast
        admin.execute(copy.format(name, original))
    if template:
        with connect(dsn) as copied:
            # Else every copy's log would begin another stretch, which its ids would name.
            copied.execute("update feed_meta set place = log_place()")
    yield dsn
    with connect(server_dsn) as admin:
        admin.execute(SQL("drop database {} with (force)").format(name))


@pytest.fixture(scope="session")
def template(server_dsn: str) -> Iterator[str]:
    """The name of a migrated database that nobody uses: the others are copies of it."""
    dsn = with_database(server_dsn, f"optionscalp_template_{uuid4().hex[:8]}")
    name = database_name(dsn)
    create_database(dsn)
    with connect(dsn) as connection:
        migrate(connection, calendar_hours())
    with connect(server_dsn) as admin:
        # TimescaleDB's worker would come back as soon as it is ended.
        admin.execute(SQL("alter database {} allow_connections false").format(Identifier(name)))
        admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
        )
        yield name
        admin.execute(SQL("drop database {} with (force)").format(Identifier(name)))


@pytest.fixture
def empty_database(server_dsn: str) -> Iterator[str]:
    """Connection string of a fresh database without our schema."""
    with _database(server_dsn, None) as dsn:
        yield dsn


@pytest.fixture
def database(server_dsn: str, template: str) -> Iterator[str]:
    """Connection string of a fresh migrated database."""
    with _database(server_dsn, template) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def fresh_database(server_dsn: str, template: str) -> Callable[[], AbstractContextManager[str]]:
    """For fixtures of a wider scope: each call gives a fresh migrated database."""
    return lambda: _database(server_dsn, template)


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """An autocommit connection to the fresh database."""
    with connect(database) as opened:
        yield opened
