"""The partitions of every asset: trading sessions, by their date in India."""

import os

import dagster as dg

from db.market.calendar import read_overrides
from db.server.connection import connect
from db.server.migrate import require_current
from strategy.session import first_known_date, last_known_date, sessions_between, use_overrides


def calendar_sessions() -> list[str]:
    """Return every session that the calendar covers, with the overrides of the database in use.

    Every process of Dagster that loads our code comes by here. Without a database, as where
    definitions are only validated, there is nothing to override with.

    Raises:
        DatabaseUnavailableError: No database answers.
        SchemaOutdatedError: It has to be migrated first.
    """
    if dsn := os.environ.get("DATABASE_URL"):
        with connect(dsn, application_name="optionscalp dagster") as connection:
            require_current(connection)
            use_overrides(read_overrides(connection))
    return [day.isoformat() for day in sessions_between(first_known_date(), last_known_date())]


# The calendar's own list rather than a time window: it holds special Sundays, leaves holidays out,
# and does not depend on the computer's date, since a simulated market may play any of its days.
sessions = dg.StaticPartitionsDefinition(calendar_sessions())
