"""One PostgreSQL server for the whole run, a fresh migrated database per test."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import db.embedded
from db.connection import connect, with_database
from db.migrate import migrate

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real recorded sessions; tests that need it skip without it."""
    folder = Path(os.environ.get("OPTIONSCALP_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no recorded sessions: set OPTIONSCALP_SHARED_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def server_dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server named by TEST_DATABASE_URL, else an embedded one of this run."""
    named = os.environ.get("TEST_DATABASE_URL")
    if named:
        yield named
        return
    with db.embedded.use(tmp_path_factory.mktemp("server")) as dsn:
        yield dsn


@pytest.fixture
def empty_database(server_dsn: str) -> Iterator[str]:
    """Connection string of a fresh database without our schema."""
    name = f"optionscalp_test_{uuid4().hex[:8]}"
    with connect(server_dsn) as admin:
        admin.execute(f"create database {name}")
        yield with_database(server_dsn, name)
        admin.execute(f"drop database {name} with (force)")


@pytest.fixture
def database(empty_database: str) -> str:
    """Connection string of a fresh migrated database."""
    with connect(empty_database) as connection:
        migrate(connection)
    return empty_database


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    """An autocommit connection to the fresh database."""
    with connect(database) as opened:
        yield opened
