"""The embedded server under the supervisor: started again when it ended, and why it cannot be."""

import logging
import time
from pathlib import Path

import db.server.embedded
from db.server.disk import data_is_full
from db.server.errors import EmbeddedServerError
from optionscalp.parts import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS

logger = logging.getLogger(__name__)

# Whoever stops it on purpose does so fast, and it has ended by then.
STOPPING_SECONDS = 2.0
SPACE = "free some space there; everything goes on by itself"


class Postgres:
    """The server of a home folder, whose users are other processes too."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._pause = FIRST_PAUSE_SECONDS
        self._due_at = 0.0
        self._was_full = False
        self._stopping_since: float | None = None

    def watch(self) -> None:
        """Start the server if it ended, after a pause that grows while it cannot be."""
        full = data_is_full(self._home)
        self._tell_of_space(full)
        self._end_stopping()
        if db.server.embedded.postmaster_pid(self._home) is not None:
            self._pause, self._due_at = FIRST_PAUSE_SECONDS, 0.0
        elif time.monotonic() >= self._due_at:
            self._start()

    def _end_stopping(self) -> None:
        now = time.monotonic()
        if not db.server.embedded.is_stopping(self._home):
            self._stopping_since = None
        elif self._stopping_since is None:
            self._stopping_since = now
        elif now - self._stopping_since >= STOPPING_SECONDS:
            logger.warning("postgres was told to stop and waits for its sessions: ending them")
            db.server.embedded.finish_stopping(self._home)
            self._stopping_since = now

    def _start(self) -> None:
        logger.warning("postgres ended: starting it again")
        try:
            db.server.embedded.start(self._home)
        except EmbeddedServerError as error:
            self._due_at = time.monotonic() + self._pause
            # Not an exception: it is tried again, and one line says what to do.
            logger.error("%s; tried again in %g s", error, round(self._pause, 1))  # noqa: TRY400
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def _tell_of_space(self, full: str | None) -> None:
        if full and not self._was_full:
            logger.error("%s: %s", full, SPACE)
        if self._was_full and not full:
            logger.warning("there is space again under %s", self._home / "postgres")
            self._pause, self._due_at = FIRST_PAUSE_SECONDS, 0.0
        self._was_full = full is not None
