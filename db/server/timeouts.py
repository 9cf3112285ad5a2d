"""How long a question may take, for each kind of connection; set where it is opened.

Without an end a question that waits for a lock waits for ever, and says nothing. Questions of
`optionscalp psql` have the limits of its role.
"""

from datetime import timedelta
from typing import NamedTuple

from psycopg.errors import LockNotAvailable, QueryCanceled


class Timeouts(NamedTuple):
    """The longest a statement may take, and of that wait for one lock."""

    statement: timedelta
    lock: timedelta

    @property
    def settings(self) -> dict[str, int]:
        """By the server's names, in milliseconds; 0 is no limit."""
        statement, lock = (part // timedelta(milliseconds=1) for part in self)
        return {"statement_timeout": statement, "lock_timeout": lock}

    @property
    def options(self) -> str:
        """As options of a connection string."""
        return " ".join(f"-c {name}={value}" for name, value in self.settings.items())

    @property
    def commands(self) -> bytes:
        """As statements, for the rest of a session."""
        return "; ".join(f"set {name} = {value}" for name, value in self.settings.items()).encode()

    @property
    def local_commands(self) -> bytes:
        """As statements, for the rest of a transaction."""
        return self.commands.replace(b"set ", b"set local ")


# A person waits for a page; beyond that another try is better.
PAGES = Timeouts(timedelta(seconds=20), timedelta(seconds=5))
# The state of the system has to be known before pages have given up.
STATUS = Timeouts(timedelta(seconds=10), timedelta(seconds=3))
# The feed writes some rows at a time. What it cannot write it loses least of by starting again.
WRITES = Timeouts(timedelta(seconds=60), timedelta(seconds=20))
# Dagster's runs and commands read and write whole sessions; nobody waits, but the next one does.
BATCH = Timeouts(timedelta(minutes=30), timedelta(minutes=5))
# What is computed beside the feed takes as long as a batch, but the feed waits for it when it ends.
BESIDE = Timeouts(BATCH.statement, WRITES.lock)
# Whoever holds a lock of our own is at work, and has limits of its own.
NONE = Timeouts(timedelta(0), timedelta(0))


def timed_out(error: BaseException) -> bool:
    """Tell whether a question was given up for having taken too long; the server itself is well."""
    return isinstance(error, QueryCanceled | LockNotAvailable)
