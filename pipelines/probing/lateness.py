"""How late a source is: by what it says, and by its newest candle beside the clock. Pure."""

from datetime import timedelta

from db.archive.source_status import Access
from pipelines.probing.outcome import REAL_TIME as TOPIC
from pipelines.probing.visit import Visit
from pipelines.sources.probe import Finding
from strategy.session import session_hours, session_of

# A candle that forms began up to a minute ago; a copy on the way may be a minute older.
PROMPT = timedelta(seconds=150)
# Until then a source that is late has no candle of today.
MORNING = timedelta(minutes=20)


def lateness(visit: Visit, access: Access | None) -> Finding:
    """Return how late the data is; what cannot be told now is unseen, never guessed."""
    told = access.delay_seconds if access else None
    measured = _measured(visit)
    facts = {
        "delay_seconds": told,
        "told_by": visit.told_by,
        "newest_candle_seconds_ago": measured and round(measured.total_seconds()),
    }
    by = f" ({visit.told_by})" if visit.told_by else ""
    seen = f"; its newest minute began {_ago(measured)} ago" if measured is not None else ""
    late = visit.source.probe.late
    if told:
        found = f"DELAYED {told / 60:g} min, as the source says{by}{seen}"
        return Finding(TOPIC, "warning", found, late, facts=facts)
    if measured is not None and measured > PROMPT:
        claim = "though the source says real time" if told == 0 else "which the source does not say"
        found = f"LATE by some {measured.total_seconds() / 60:.0f} min, {claim}{by}{seen}"
        return Finding(TOPIC, "warning", found, late, facts=facts)
    if told == 0:
        return Finding(TOPIC, "ok", f"yes, as the source says{by}{seen}", facts=facts)
    if measured is not None:
        return Finding(TOPIC, "ok", f"yes{seen}", facts=facts)
    note = "it gave no candle of today" if visit.times.is_open else visit.times.closed_note
    return Finding(TOPIC, "unseen", f"cannot be told now: {note}", facts=facts)


def _measured(visit: Visit) -> timedelta | None:
    """Return how long ago the newest minute began; None where that tells nothing."""
    times, newest = visit.times, visit.newest
    if newest is None or not times.is_open:
        return None
    fresh = session_of(newest.open_time) == times.data
    if not fresh and times.now < session_hours(times.data)[0] + MORNING:
        return None
    return max(newest.asked_at - newest.open_time, timedelta())


def _ago(measured: timedelta) -> str:
    seconds = measured.total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
