"""Parts of the live feed that fail: written by the feed, shown on the page and by a check."""

from datetime import datetime
from typing import Any

from psycopg import Connection

from db.archive.words import brief

NOTE = """
insert into feed_fault (task, problem, failures, since, last_at)
values (%(task)s, %(problem)s, 1, %(now)s, %(now)s)
on conflict (task) do update
   set problem = excluded.problem, failures = feed_fault.failures + 1, last_at = excluded.last_at
"""
READ = "select task || ': ' || problem from feed_fault order by since, task"


def note_feed_fault(connection: Connection[Any], task: str, problem: str, now: datetime) -> None:
    """Note why a part of the feed failed, at a market time; the first time stays."""
    connection.execute(NOTE, {"task": task, "problem": brief(problem), "now": now})


def forget_feed_fault(connection: Connection[Any], task: str) -> None:
    """Note that a part of the feed works again."""
    connection.execute("delete from feed_fault where task = %s", (task,))


def forget_feed_faults(connection: Connection[Any]) -> None:
    """Begin anew."""
    connection.execute("delete from feed_fault")


def read_feed_faults(connection: Connection[Any]) -> list[str]:
    """Return one line for each part that fails."""
    return [line for (line,) in connection.execute(READ)]
