"""When each source may be asked, kept where every process sees it.

A token bucket, with bursts only where a source counts in a window, and a circuit breaker. Each
decision is one statement, so that two processes never take the same place. Market time comes from
the caller, so that an accelerated day is throttled like a real one.
"""

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from psycopg import Connection

# A demo that begins again on the same database sets the market's clock back: what was noted later
# than now belongs to another day, and nobody should wait for it.
FORGET = "delete from source_budget where source = %s and seen_at > %s"

RESERVE = """
insert into source_budget as kept
       (source, seen_at, next_at, drained_at, session, asked, allowance)
values (%(source)s, %(now)s, %(now)s::timestamptz + %(spacing)s, %(now)s::timestamptz + %(share)s,
        %(session)s, 1, %(limit)s)
on conflict (source) do update
   set seen_at = greatest(kept.seen_at, excluded.seen_at),
       next_at = greatest(kept.next_at, excluded.seen_at, kept.drained_at - %(ahead)s)
                 + %(spacing)s,
       drained_at = greatest(kept.next_at, excluded.seen_at, kept.drained_at) + %(share)s,
       session = excluded.session,
       asked = case when kept.session = excluded.session then kept.asked + 1 else 1 end,
       allowance = excluded.allowance
 where %(limit)s::integer is null or kept.session is distinct from excluded.session
    or kept.asked < %(limit)s
returning next_at - %(spacing)s
"""
# One that was lowered below what was asked already is the allowance all the same.
USED_UP = """
update source_budget set allowance = %(limit)s
 where source = %(source)s and allowance is distinct from %(limit)s
"""
ASKED = "select asked from source_budget where source = %s and session = %s"
PAUSED = """
select paused_until, refusals, last_error from source_budget
 where source = %s and paused_until > %s
"""
# Requests that were on their way when a pause began are refused too: they do not lengthen it,
# unless the source itself asks for more.
REFUSED = """
update source_budget
   set refusals = refusals + case when paused_until > %(now)s then 0 else 1 end,
       refused_at = %(now)s,
       last_error = %(error)s,
       paused_until = greatest(paused_until, %(asked)s, case
           when paused_until > %(now)s or refusals + 1 < %(limit)s then null
           else %(now)s + least(
               %(longest)s, %(pause)s * power(2, least(refusals + 1 - %(limit)s, 20)))
       end)
 where source = %(source)s
"""
ANSWERED = """
update source_budget set refusals = 0, refused_at = null, paused_until = null, last_error = null
 where source = %s and refusals > 0 and refused_at <= %s
"""


class Pause(NamedTuple):
    """Nobody may ask before `until`."""

    until: datetime
    refusals: int
    last_error: str


class Window(NamedTuple):
    """A source answers so many requests in any stretch of time; `burst` of them at once at most.

    The others come evenly, so that no stretch has more, whenever it begins.
    """

    requests: int
    length: timedelta
    burst: int

    @property
    def share(self) -> timedelta:
        """The time that a request takes up."""
        return self.length / (self.requests - self.burst)

    @property
    def ahead(self) -> timedelta:
        """How much of it may be taken up beforehand."""
        return self.share * (self.burst - 1)


class Breaker(NamedTuple):
    """So many refusals in a row pause everybody; each one after a pause doubles the next."""

    limit: int = 3
    pause: timedelta = timedelta(minutes=5)
    longest: timedelta = timedelta(hours=1)


def forget_later(connection: Connection[Any], source: str, latest: datetime) -> None:
    """Drop what was noted after a moment that cannot have come yet."""
    connection.execute(FORGET, (source, latest))


def reserve(
    connection: Connection[Any],
    source: str,
    now: datetime,
    spacing: timedelta,
    session: date | None = None,
    limit: int | None = None,
    window: Window | None = None,
) -> datetime | None:
    """Take the next place, at least `spacing` after the one before, and return it.

    Args:
        connection: To the database.
        source: Who is asked.
        now: Market time.
        spacing: Between two requests.
        session: Whose requests are counted, if any are.
        limit: So many a session at most; then None is returned.
        window: What the source bears in a stretch of time, if that is limited.
    """
    parameters = {
        "source": source,
        "now": now,
        "spacing": spacing,
        "session": session,
        "limit": limit,
        "share": window.share if window else timedelta(0),
        "ahead": window.ahead if window else timedelta(0),
    }
    row = connection.execute(RESERVE, parameters).fetchone()
    if row is None:
        connection.execute(USED_UP, parameters)
    return row[0] if row else None


def asked(connection: Connection[Any], source: str, session: date) -> int:
    """Return how many requests of a session a source was sent."""
    row = connection.execute(ASKED, (source, session)).fetchone()
    return int(row[0]) if row else 0


def paused(connection: Connection[Any], source: str, now: datetime) -> Pause | None:
    """Return the pause that nobody may ask in; None when one may."""
    row = connection.execute(PAUSED, (source, now)).fetchone()
    return Pause(*row) if row else None


def note_refusal(
    connection: Connection[Any],
    source: str,
    now: datetime,
    error: str,
    breaker: Breaker,
    retry_after: timedelta | None = None,
) -> None:
    """Count the refusal of a request that had a place.

    Args:
        connection: To the database.
        source: Who refused.
        now: Market time.
        error: Its words.
        breaker: When to pause, and for how long.
        retry_after: The pause that the source itself asked for, if it did.
    """
    values = {
        "source": source,
        "now": now,
        "error": error,
        "asked": None if retry_after is None else now + retry_after,
        **breaker._asdict(),
    }
    connection.execute(REFUSED, values)


def note_answer(connection: Connection[Any], source: str, asked_at: datetime) -> None:
    """Count refusals from zero again, if the question came after the newest one."""
    connection.execute(ANSWERED, (source, asked_at))
