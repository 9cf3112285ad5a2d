"""One program of the running system: started, watched, restarted, stopped."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from optionscalp.rotation import KEPT, LARGEST_BYTES, rotate

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.3
LONGEST_PAUSE_SECONDS = 10.0
# A program that ran this long was well; its next failure starts with the short pause again.
HEALTHY_SECONDS = 15.0
LAST_WORDS = 200  # letters of what it said at last
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux


class Part:
    """A program in a process group of its own, with its log file."""

    def __init__(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str], logs: Path
    ) -> None:
        self.name = name
        self._arguments = list(arguments)
        self._environment = dict(environment)
        self.log = logs / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._pause = FIRST_PAUSE_SECONDS
        self._due_at = 0.0
        self._log_start = 0
        self._family: list[psutil.Process] = []

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def new_output(self) -> str:
        """Return what the program wrote since it was last started."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _last_words(self, code: int) -> str:
        if code < 0:  # it was killed in the middle of something else
            return ""
        with self.log.open("rb") as log:
            start = max(self._log_start, log.seek(0, os.SEEK_END) - 4 * LAST_WORDS)
            log.seek(start)
            lines = log.read().decode(errors="replace").splitlines()
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {said[:LAST_WORDS]}" if said else ""

    def start(self) -> None:
        """Start the program; its output goes to its log file."""
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                self._arguments,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self._started_at = time.monotonic()
        self._due_at = 0.0

    def watch(self) -> None:
        """Restart the program if it ended, after a pause that grows while it keeps failing.

        Its log is kept small meanwhile.
        """
        if self._process is None:
            return
        if rotate(self.log, LARGEST_BYTES, KEPT):
            self._log_start = 0
        code = self._process.poll()
        now = time.monotonic()
        if code is None:
            return
        if not self._due_at:
            self.kill_family()
            if now - self._started_at > HEALTHY_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            self._due_at = now + self._pause
            pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE_SECONDS)
            logger.warning(
                "%s ended (%s%s): starting it again in %g s; see %s",
                *(self.name, _ending(code), self._last_words(code), round(pause, 1), self.log),
            )
        if now >= self._due_at:
            self.start()

    def terminate(self) -> None:
        """Ask the program and its children to end."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            self._family = psutil.Process(self._process.pid).children(recursive=True)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

    def wait(self, deadline: float) -> None:
        """Wait until `time.monotonic()` reaches the deadline, then kill what is left."""
        if self._process is None:
            return
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self.kill_family()
        self._process.wait()

    def kill_family(self) -> None:
        """Kill whatever the program left in its group or started elsewhere."""
        if self._process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        for child in self._family:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def _ending(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def _die_with_parent() -> None:
    """Let the kernel end this program should the supervisor be killed."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
