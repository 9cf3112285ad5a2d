"""The last minute of batches, so that most clients resume without asking the database."""

import time
from collections import deque
from collections.abc import Iterator

from chartserver.frames import Batch

KEEP_SECONDS = 60.0
KEEP_FRAMES = 20_000


class Ring:
    """All changes beyond `start`, oldest first, bounded in age and number."""

    def __init__(self, keep_seconds: float = KEEP_SECONDS, keep_frames: int = KEEP_FRAMES) -> None:
        self.start = 0
        self._keep_seconds = keep_seconds
        self._keep_frames = keep_frames
        self._batches: deque[tuple[float, Batch]] = deque()
        self._frames = 0

    def restart(self, seq: int) -> None:
        """Forget everything; from now on it holds what follows a number."""
        self.start = seq
        self._batches.clear()
        self._frames = 0

    def append(self, batch: Batch) -> None:
        """Keep a batch and forget what is too old."""
        now = time.monotonic()
        self._batches.append((now, batch))
        self._frames += len(batch.frames)
        while self._batches and (
            self._frames > self._keep_frames or self._batches[0][0] < now - self._keep_seconds
        ):
            _, oldest = self._batches.popleft()
            self._frames -= len(oldest.frames)
            self.start = oldest.cursor.seq

    def after(self, seq: int) -> Iterator[Batch] | None:
        """Return the batches that hold what follows a number; None when it is forgotten."""
        if seq < self.start:
            return None
        return iter([batch for _, batch in self._batches if batch.cursor.seq > seq])
