"""Passwords of the roles are changed as docs/operations.md says."""

import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

import db.server.embedded
from db.server.connection import create_database, with_database
from tests.composed import DOCKER
from tests.conftest import temporary_folder

ROLES = {
    "database": "optionscalp",
    "writer": "optionscalp_writer",
    "chart": "optionscalp_chart",
}


def give(owner: str, secrets: Path, passwords: dict[str, str]) -> None:
    """What the database's container does with its files, when it is new or by hand."""
    for name, password in passwords.items():
        (secrets / f"{name}_password").write_text(f"{password}\n")
    subprocess.run(
        [db.server.embedded.tool("psql"), owner, "--quiet", "--no-psqlrc"],
        input=(DOCKER / "initdb.sql").read_text().replace("/run/secrets", str(secrets)),
        text=True,
        check=True,
    )


def test_the_script_gives_every_role_the_password_of_its_file() -> None:
    with temporary_folder() as folder, db.server.embedded.use(folder / "home") as owner:
        server = urlsplit(owner)
        create_database(with_database(owner, "open_to_all"))  # the script closes the server's own
        first = {name: server.password if name == "database" else f"first {name}" for name in ROLES}
        second = {name: f"second {name}'s" for name in ROLES}
        give(owner, folder, first)
        give(owner, folder, second)
        where = {"host": "127.0.0.1", "port": server.port, "dbname": "open_to_all"}
        for name, role in ROLES.items():
            with psycopg.connect(**where, user=role, password=second[name]) as opened:
                assert opened.execute("select current_user").fetchone() == (role,)
            with pytest.raises(psycopg.OperationalError, match="password"):
                psycopg.connect(**where, user=role, password=first[name])
