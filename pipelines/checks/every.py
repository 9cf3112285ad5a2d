"""All checks in one list, and a look at a session with each of them."""

import logging

import psycopg

from db.checks.findings import record
from pipelines.checks import faults, gaps, sources, strategies, timely
from pipelines.checks.check import Look

logger = logging.getLogger(__name__)

EVERY = [
    *(*faults.CHECKS, *timely.CHECKS, *gaps.CHECKS, *sources.CHECKS),
    *strategies.CHECKS,
]


def look_with_all(look: Look) -> None:
    """Look with each check and record what it found; what fails is logged as well.

    One that cannot look does not keep the others from it.
    """
    for check in EVERY:
        try:
            finding = check.find(look)
            record(look.connection, [finding])
        except (psycopg.DataError, ArithmeticError, LookupError, ValueError, TypeError):
            logger.exception("check %s/%s cannot look at %s", check.asset, check.name, look.session)
            continue
        if not finding.passed:
            logger.warning(
                "session %s: check %s/%s fails: %s",
                *(look.session, check.asset, check.name, finding.details),
            )
