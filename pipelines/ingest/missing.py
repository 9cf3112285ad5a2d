"""What stays missing of a session after all have been asked, for whoever asked."""

from datetime import date, timedelta
from typing import NamedTuple

from db.archive.source_status import longest_delay
from db.checks.completeness import CANDLE_GAPS, find_gaps, ladder_gaps
from db.market.counts import unknown_counts
from pipelines.ingest.desk import Desk
from pipelines.ingest.plan import INTERVAL
from pipelines.ingest.positions import lacking_build_ups
from strategy.session import session_hours

# Ladders and what is made of them may come so long after an interval's end.
DUE = timedelta(minutes=10)


class Missing(NamedTuple):
    """How many rows a session lacks that were due.

    Attributes:
        candles: Intervals without one, from a series' first candle to its index's newest.
        ladders: Intervals without a strike ladder.
        build_ups: Intervals without one, of the contracts around ATM.
        volume: Candles of options whose volume is unknown.
        open_interest: Those whose open interest neither they nor a ladder tells.
    """

    candles: int
    ladders: int
    build_ups: int
    volume: int
    open_interest: int

    @property
    def line(self) -> str | None:
        """Words for a person; None where nothing is missing."""
        words = {
            "candles": self.candles,
            "ladders": self.ladders,
            "build-ups around ATM": self.build_ups,
            "volumes of option candles": self.volume,
            "open interests of option candles": self.open_interest,
        }
        told = [f"{number:,} {name}" for name, number in words.items() if number]
        return f"still missing: {', '.join(told)}" if told else None


def still_missing(desk: Desk, session: date) -> Missing:
    """Look at a session's rows as they are now."""
    connection, names = desk.connection, desk.settings.underlyings
    hours, now = session_hours(session), desk.now()
    due = min(now - DUE - longest_delay(connection), hours[1])
    ladders = ladder_gaps(connection, session, hours[0] + INTERVAL, due, names)
    options = [option.symbol for name in names for option in desk.listed(session, name)]
    unknown = unknown_counts(connection, hours, due, options)
    return Missing(
        candles=find_gaps(connection, CANDLE_GAPS, hours, due, names).number,
        ladders=sum(map(len, ladders.values())),
        build_ups=lacking_build_ups(desk, session, now - due),
        volume=unknown.volume,
        open_interest=unknown.open_interest,
    )
