"""Whether anybody may be alerted to signals now: not on delayed data, unless the user allows it."""

from typing import Any

from psycopg import Connection

from db.archive.source_status import delayed_sources


def held_back(connection: Connection[Any], *, allow_delayed: bool) -> str | None:
    """Return why no alert on a signal may be sent now; None where one may.

    Whatever alerts on signals asks this first: a signal of a quarter of an hour ago is no signal.

    Args:
        connection: Any.
        allow_delayed: The user's `ALLOW_DELAYED`.
    """
    late = delayed_sources(connection)
    if allow_delayed or not late:
        return None
    told = ", ".join(f"{source} is {seconds / 60:g} min late" for source, seconds in late.items())
    return f"{told}: set ALLOW_DELAYED=true to be alerted all the same"
