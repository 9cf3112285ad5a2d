"""In which state each source is: as its asker noted, and as its silence tells."""

from datetime import datetime, timedelta
from typing import Any

from chartserver.frames import seconds
from db.pages.freshness import SourceStatus

# An asker that was killed cannot note that its source is down; silence in market hours does.
# Trendlyne has news every five minutes only.
SILENCE = {"trendlyne": timedelta(minutes=15)}
USUAL_SILENCE = timedelta(minutes=3)
# Before a feed has told whom it asks.
EXPECTED = ("tradingview", "trendlyne")


def judge(noted: SourceStatus, now: datetime, *, is_open: bool) -> SourceStatus:
    """Return a source's status with the state that its silence tells, in an open market."""
    if noted.state != "up" or noted.last_at is None:
        return noted
    if not is_open:
        return noted._replace(state="idle")
    silence = now - noted.last_at
    late = timedelta(seconds=noted.delay_seconds or 0)  # it opens that much later
    if silence <= SILENCE.get(noted.source, USUAL_SILENCE) + late:
        return noted
    error = f"silent for {int(silence.total_seconds()) // 60} minutes"
    return noted._replace(state="down", error=error, changed_at=noted.last_at)


def source_object(status: SourceStatus) -> dict[str, Any]:
    """Return a source as `/healthz` and the stream tell it."""
    return {
        "state": status.state,
        "last": seconds(status.last_at) if status.last_at else None,
        "error": status.error,
        "delay_seconds": status.delay_seconds,
        "token_ends_at": seconds(status.token_ends_at) if status.token_ends_at else None,
        "note": status.note,
    }
