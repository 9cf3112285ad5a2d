"""Alerts about failed checks, off until `ALERT_URLS` is set."""

import os
from collections.abc import Sequence
from datetime import datetime

import dagster as dg
import psycopg

from db.checks.findings import CheckState, mark_alerted, noteworthy
from db.server.errors import DatabaseUnavailableError, SchemaOutdatedError
from pipelines.orchestration.resources import Market

SECONDS = 30


@dg.sensor(
    description=(
        "Tells once of each check of the current and the previous session that fails, and once"
        " that it passes again: by mail, Telegram, Slack or a webhook, as ALERT_URLS says."
    ),
    minimum_interval_seconds=SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def alerts(context: dg.SensorEvaluationContext, market: Market) -> dg.SkipReason:
    """Send what is due; what nobody took is tried again at the next tick."""
    if not os.environ.get("ALERT_URLS"):
        return dg.SkipReason("ALERT_URLS is not set: nobody is alerted")
    from pydantic import ValidationError

    from pipelines.settings import fault_line

    try:
        return dg.SkipReason(_alert(context, market))
    except ValidationError as error:
        reason = fault_line(error)
    except (DatabaseUnavailableError, SchemaOutdatedError, psycopg.Error) as error:
        reason = str(error)
    context.log.warning(reason)
    return dg.SkipReason(reason)


def _alert(context: dg.SensorEvaluationContext, market: Market) -> str:
    from pipelines.orchestration.alerts import (
        AlertSettings,
        Message,
        decide,
        failure_message,
        recovery_message,
        send,
        watched_sessions,
    )

    chosen, settings = AlertSettings(), market.settings()
    now = settings.clock.now()
    sessions = watched_sessions(now)
    sender = "OptionScalp" if settings.clock.is_real else "OptionScalp, simulated market"
    told = []
    with market.connect() as connection:
        due = decide(noteworthy(connection, sessions), sessions, chosen.level)

        def tell(message: Message, states: Sequence[CheckState], at: datetime | None) -> None:
            failed = send(message, chosen.addresses)
            for place in failed:
                context.log.warning("address %d of ALERT_URLS did not take the alert", place)
            if len(failed) == len(chosen.addresses):
                told.append(f"not sent: {message.title}")
                return
            # One that took it is enough: the others must not have it repeated to them.
            mark_alerted(connection, states, at)
            told.append(message.title)

        if due.failures:
            message = failure_message(sender, due.failures, settings.underlyings)
            tell(message, due.failures, now)
        if due.recoveries:
            tell(recovery_message(sender, due.recoveries), due.recoveries, None)
    return "; ".join(told) or "nothing new"
