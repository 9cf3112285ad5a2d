"""The partitions of every asset: trading sessions, by their date in India."""

import dagster as dg

from strategy.session import first_known_date, last_known_date, sessions_between

# The calendar's own list rather than a time window: it holds special Sundays, leaves holidays out,
# and does not depend on the computer's date, since a simulated market may play any of its days.
sessions = dg.StaticPartitionsDefinition(
    [day.isoformat() for day in sessions_between(first_known_date(), last_known_date())]
)
