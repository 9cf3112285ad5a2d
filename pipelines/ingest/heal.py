"""Fill gaps from the archive before a source is asked: what was received once is never lost."""

from datetime import date, timedelta

from db.market.frames import stored_minutes
from db.market.gaps import missing_candles
from db.server.connection import connect
from pipelines.ingest.candles import session_symbols
from pipelines.ingest.desk import Desk
from pipelines.ingest.plan import newest_ended
from pipelines.ingest.rebuild import fill_from_archive
from strategy.session import session_hours

# Younger gaps may be rows on their way.
OLD_ENOUGH = timedelta(minutes=5)


def heal(desk: Desk, session: date, *, always: bool = False) -> int:
    """Write rows of a session that are archived and not stored; return how many.

    While the session is on the archive is read only when a row is missing between others: reading
    takes some seconds.

    Args:
        desk: Handles.
        session: Whose rows.
        always: Read the archive in any case.
    """
    on = desk.now() < session_hours(session)[1]
    if on and not always and not _has_holes(desk, session):
        return 0
    dsn = desk.settings.database_url.get_secret_value()
    with connect(dsn, application_name="optionscalp heal") as connection:
        return fill_from_archive(connection, session)


def _has_holes(desk: Desk, session: date) -> bool:
    """Tell whether rows are missing before newer ones of the same series."""
    start, _ = session_hours(session)
    ended = newest_ended(session, desk.now() - OLD_ENOUGH)
    symbols = session_symbols(desk, session)
    stored = stored_minutes(desk.connection, session, symbols)
    gaps = missing_candles(desk.connection, start, stored, ended)
    return any(gap.interior for gap in gaps.values())
