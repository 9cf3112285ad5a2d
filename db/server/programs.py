"""PostgreSQL's client programs, the embedded server's or those installed, and files they make."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from db.server.connection import service_file
from db.server.embedded import tool
from db.server.errors import BackupError

MAJOR = re.compile(r"\) (\d+)")
WORKED_ON = re.compile(r'(?:dumping contents of|processing data for) table "(.+)"')
DUMPED_FROM = re.compile(r"Dumped from database version: (\d+)")
EXTENSION = re.compile(r"^\d+; \d+ \d+ EXTENSION - (\S+)", re.MULTILINE)
TABLE_DATA = re.compile(r"^\d+; \d+ \d+ TABLE DATA ", re.MULTILINE)
COPY = re.compile(rb"COPY (\S+) (?:\(.*\) )?FROM stdin;\n")
END_OF_COPY = b"\\.\n"


def client_program(name: str, server: int) -> Path:
    """Return a program that is not older than a server.

    Args:
        name: E.g. `pg_dump`.
        server: PostgreSQL's major version there, e.g. 18.

    Raises:
        BackupError: There is none, or all are older.
    """
    installed = shutil.which(name)
    paths = [tool(name), *([Path(installed)] if installed else [])]
    found = {path: _major(path) for path in paths if path.is_file()}
    for path, version in found.items():
        if version >= server:
            return path
    if not found:
        raise BackupError(
            f"{name} is missing: run `make setup`, or install the client programs of"
            f" PostgreSQL {server}"
        )
    raise BackupError(
        f"{name} is of PostgreSQL {max(found.values())} and the server of {server}: install the"
        f" client programs of PostgreSQL {server}, and put them on PATH"
    )


def _major(path: Path) -> int:
    told = subprocess.run([str(path), "--version"], check=False, capture_output=True, text=True)
    version = MAJOR.search(told.stdout)
    return int(version[1]) if version else 0


def work(
    dsn: str,
    program: Path,
    arguments: list[str],
    weights: Mapping[str, int],
    told: Callable[[int], None],
) -> None:
    """Run `pg_dump` or `pg_restore` on a database.

    Args:
        dsn: Of the database.
        program: Its path.
        arguments: Without those that name the database.
        weights: How much there is to do by table.
        told: Takes how much is done.

    Raises:
        BackupError: It failed; the message is its own.
    """
    with service_file(dsn) as environment:
        command = [str(program), "--verbose", "--dbname=service=optionscalp", *arguments]
        lines: list[str] = []
        done, current = 0, ""
        with subprocess.Popen(
            command,
            env=os.environ | environment | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            for line in process.stderr or ():
                lines = [*lines[-9:], line]
                if table := WORKED_ON.search(line):
                    done += weights.get(current, 0)
                    current = table[1]
                    told(done)
    if process.returncode:
        raise BackupError(_fault(program, lines))


def _fault(program: Path, lines: list[str]) -> str:
    """Return a program's own words, from its first complaint on."""
    texts = [line.strip() for line in lines]
    errors = [number for number, text in enumerate(texts) if "error:" in text]
    return f"{program.name} failed: {' '.join(texts[errors[0] if errors else -1 :])[:1000]}"


class Archive:
    """A file that `pg_dump` made.

    Args:
        program: `pg_restore`.
        file: The file.

    Raises:
        BackupError: It is none.
    """

    def __init__(self, program: Path, file: Path) -> None:
        self.program = program
        self.file = file
        listed = subprocess.run(
            [str(program), "--list", str(file.absolute())],
            check=False,
            capture_output=True,
            text=True,
        )
        if listed.returncode:
            why = listed.stderr.strip().removeprefix("pg_restore: error: ")
            raise BackupError(f"{file} is no backup that can be read: {why}")
        version = DUMPED_FROM.search(listed.stdout)
        self.version = int(version[1]) if version else 0
        self.extensions = set(EXTENSION.findall(listed.stdout))
        self.tables = len(TABLE_DATA.findall(listed.stdout))

    def count_rows(self, told: Callable[[int], None]) -> dict[str, int]:
        """Read the whole file; return its rows by table, which is named with its schema.

        Args:
            told: Takes how many tables are read.

        Raises:
            BackupError: The file is damaged.
        """
        command = [str(self.program), "--data-only", "--file=-", str(self.file.absolute())]
        counts: dict[str, int] = {}
        with tempfile.TemporaryFile("w+") as problems:
            with subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=problems
            ) as process:
                script = process.stdout
                if script is None:
                    raise RuntimeError("pg_restore has no output")
                for line in script:
                    if table := COPY.fullmatch(line):
                        counts[table[1].decode()] = _rows(script)
                        told(len(counts))
            problems.seek(0)
            if process.returncode:
                raise BackupError(f"{self.file} is damaged: {problems.read().strip()[-1000:]}")
        return counts


def _rows(script: IO[bytes]) -> int:
    for count, line in enumerate(script):
        if line == END_OF_COPY:
            return count
    return -1  # it ends in the middle, as its return code will say
