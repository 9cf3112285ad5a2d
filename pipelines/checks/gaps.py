"""Intervals that are missing inside a session."""

from datetime import timedelta

from psycopg.sql import Composed

from db.checks.completeness import BUILD_UP_GAPS, CANDLE_GAPS, find_gaps, ladder_gaps
from pipelines.checks.check import Look, Verdict, warning
from pipelines.checks.lateness import BUILD_UP_LAG, CANDLE_LAG, allowed_lag
from strategy.session import IST, session_hours

INTERVAL = timedelta(minutes=5)


@warning("candle", "no_gaps")
def candle_no_gaps(look: Look) -> Verdict:
    """No interval is missing from a symbol's first candle to its index's newest.

    Of an index itself from the open; those are outages. An interval of another symbol for which the
    source has no row, though its index has one, is none.
    """
    return _judge(look, CANDLE_GAPS, CANDLE_LAG)


@warning("build_up", "no_gaps")
def build_up_no_gaps(look: Look) -> Verdict:
    """No interval is missing from a contract's first row to its underlying's newest.

    An interval for which the source has no row, though the index has one, is none.
    """
    return _judge(look, BUILD_UP_GAPS, BUILD_UP_LAG)


@warning("chain_oi", "no_gaps")
def chain_oi_no_gaps(look: Look) -> Verdict:
    """Every ended 5-minute interval has a strike ladder; those without one are named."""
    opened, close = session_hours(look.session)
    due = min(look.now - allowed_lag(BUILD_UP_LAG, look.speed), close)
    found = ladder_gaps(look.connection, look.session, opened + INTERVAL, due, look.underlyings)
    named = {
        f"{name}_without": [f"{moment.astimezone(IST):%H:%M}" for moment in moments]
        for name, moments in found.items()
    }
    return Verdict(not found, {"missing": sum(map(len, found.values())), **named})


def _judge(look: Look, query: Composed, lag: timedelta) -> Verdict:
    hours = session_hours(look.session)
    due = min(look.now - allowed_lag(lag, look.speed) - look.delay, hours[1])
    gaps = find_gaps(look.connection, query, hours, due, look.underlyings)
    return Verdict(
        gaps.number == 0,
        {
            "intervals_due": gaps.due,
            "missing": gaps.number,
            "outages": gaps.outages,
            "symbols_with_gaps": gaps.symbols,
            "first_missing": gaps.examples,
        },
    )


CHECKS = [candle_no_gaps, build_up_no_gaps, chain_oi_no_gaps]
