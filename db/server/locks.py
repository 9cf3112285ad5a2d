"""Taking locks in short tries, so that nobody queues behind who waits, and who is in the way.

Whoever waits for a table's exclusive lock keeps everybody waiting who comes later, readers too.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.errors import LockNotAvailable

from db.server.connection import connect
from db.server.errors import DatabaseUnavailableError, TableLockedError

logger = logging.getLogger(__name__)

# So long do others wait behind one try, and so long are the pauses in which all of them go on.
TRY_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# Then it is told, and left to people.
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.1

HOLDERS = """
select a.pid, a.usename, nullif(a.application_name, ''), a.state,
       to_char(a.query_start at time zone 'UTC', 'HH24:MI:SS UTC')
  from unnest(pg_blocking_pids(%s)) blocking (pid) join pg_stat_activity a using (pid)
 order by a.query_start, a.pid
"""

# The server ends an autovacuum that is in the way, but after its deadlock_timeout, which is mostly
# longer than a try. Few may set it; others wait that long when an autovacuum was seen.
DEADLOCK_TIMEOUT = """
select set_config('deadlock_timeout', '100ms', true)
 where has_parameter_privilege('deadlock_timeout', 'set')
"""
LONGER_TRY = """
select set_config('lock_timeout', (1000 * extract(
           epoch from current_setting('lock_timeout')::interval
                      + current_setting('deadlock_timeout')::interval))::integer || 'ms', true)
"""
LIMITS = "select current_setting('lock_timeout'), current_setting('statement_timeout')"
SET_LIMITS = """
select set_config('lock_timeout', %(lock)s, %(local)s),
       set_config('statement_timeout', %(statement)s, %(local)s)
"""

Result = TypeVar("Result")


class Holder(NamedTuple):
    """A session that holds what another one waits for, as far as who looks may see."""

    pid: int
    user: str | None
    program: str | None
    state: str | None
    since: str | None

    @property
    def autovacuum(self) -> bool:
        """Whether it is the server's own process: no other of these takes locks."""
        return self.user is None

    def __str__(self) -> str:
        who = (
            "autovacuum" if self.autovacuum else ", ".join(filter(None, (self.program, self.user)))
        )
        # Another user's query and its start are seen by few.
        began = (
            f": {self.state} since its query of {self.since}" if self.state and self.since else ""
        )
        return f"pid {self.pid} ({who}){began}"


def in_short_tries(connection: Connection[Any], name: str, work: Callable[[], Result]) -> Result:
    """Run work in a transaction, again while others hold a lock that it needs; return its result.

    Args:
        connection: Autocommit; a failed try leaves nothing of the work, and no lock.
        name: Of the work, for what is told.
        work: What to do.

    Raises:
        TableLockedError: Somebody held on to a lock for `PATIENCE_SECONDS`.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    pause = FIRST_PAUSE_SECONDS
    holders: list[Holder] = []
    while True:
        longer = any(holder.autovacuum for holder in holders)
        holders.clear()
        with _looking(connection, holders):
            try:
                with connection.transaction():
                    _limit_try(connection, longer=longer)
                    return work()
            except LockNotAvailable:
                pass
        if time.monotonic() + pause > until:
            raise _locked(name, holders)
        logger.warning("%s waits for %s; next try in %g s", name, _words(holders), pause)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def in_one_wait(connection: Connection[Any], name: str, work: Callable[[], Result]) -> Result:
    """Run work outside of a transaction, for statements behind whose waiting nobody queues.

    Raises:
        TableLockedError: It waited for `PATIENCE_SECONDS` for one lock; what was done before stays.
    """
    before = connection.execute(LIMITS).fetchone()
    _limit(connection, f"{PATIENCE_SECONDS * 1000:g}ms", "0")
    holders: list[Holder] = []
    try:
        with _looking(connection, holders, name):
            return work()
    except LockNotAvailable:
        raise _locked(name, holders) from None
    finally:
        if before and not connection.closed:
            _limit(connection, *before)


def _limit_try(connection: Connection[Any], *, longer: bool) -> None:
    _limit(connection, f"{TRY_SECONDS * 1000:g}ms", "0", local=True)
    may_set = connection.execute(DEADLOCK_TIMEOUT).fetchone()
    if longer and not may_set:
        connection.execute(LONGER_TRY)


def _limit(connection: Connection[Any], lock: str, statement: str, *, local: bool = False) -> None:
    # What has its locks takes as long as it takes.
    connection.execute(SET_LIMITS, {"lock": lock, "statement": statement, "local": local})


@contextmanager
def _looking(connection: Connection[Any], holders: list[Holder], name: str = "") -> Iterator[None]:
    """Keep in a list who was last seen in the way; with a name of the work tell it at once."""
    # A connection of its own: who waits cannot ask, and who has given up waits for nobody.
    dsn = make_conninfo(connection.info.dsn, password=connection.info.password or None)
    pid, ended = connection.info.backend_pid, threading.Event()

    def look() -> None:
        # Work that takes no time is worth no connection.
        while not ended.wait(LOOK_SECONDS):
            # Where nobody can look the wait is told all the same, without a name.
            with suppress(psycopg.Error, DatabaseUnavailableError), connect(dsn) as own:
                while not ended.wait(LOOK_SECONDS):
                    seen = [Holder(*row) for row in own.execute(HOLDERS, (pid,)).fetchall()]
                    if name and seen and seen != holders:
                        logger.warning("%s waits for %s", name, _words(seen))
                    holders[:] = seen or holders

    thread = threading.Thread(target=look, name="lock holders", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _words(holders: list[Holder]) -> str:
    return " and ".join(map(str, holders)) or "a lock of a session that could not be seen"


def _locked(name: str, holders: list[Holder]) -> TableLockedError:
    return TableLockedError(
        f"{name} did not get its locks in {PATIENCE_SECONDS:g} s for {_words(holders)}:"
        " end what that does, then run `optionscalp migrate`"
    )
