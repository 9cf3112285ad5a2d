"""When runs start. Cron ticks every minute; the market's clock and the calendar decide.

Cron cannot skip holidays, and its hours would be wrong for a simulated market that runs fast, so
each schedule asks a pure decision for the session to run, or why there is none.
"""

from datetime import date, datetime, timedelta
from functools import partial

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from pipelines.jobs import session_job
from pipelines.resources import market_clock
from strategy.clock import MarketClock
from strategy.session import IST, is_open, is_session, session_hours, session_of

# Market time around a session.
MORNING = timedelta(minutes=30)
SETTLED = timedelta(minutes=10)  # the last build-ups appear minutes after the close

# How often the morning or closing run of a session is started when it fails.
ATTEMPTS = 3
PARTITION_TAG = "dagster/partition"
RUN_KEY_TAG = "dagster/run_key"
SCHEDULE_TAG = "dagster/schedule_name"
UNFINISHED = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
# Ahead of a backfill's runs in the queue.
FIRST = {"dagster/priority": "10"}
FAILED = [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]

Decision = date | str
Answer = dg.RunRequest | dg.SkipReason


def _at(now: datetime) -> str:
    return f"{now.astimezone(IST):%Y-%m-%d %H:%M} IST"


def during_market(now: datetime) -> Decision:
    """Return the session that is on, else why there is none."""
    return session_of(now) if is_open(now) else f"market closed at {_at(now)}"


def before_open(now: datetime) -> Decision:
    """Return the session that opens within half an hour, else why there is none."""
    session = session_of(now)
    if not is_session(session):
        return f"no session on {_at(now)}"
    opens = session_hours(session)[0]
    if opens - MORNING <= now < opens:
        return session
    return f"session {session} does not open within half an hour of {_at(now)}"


def after_close(now: datetime) -> Decision:
    """Return the session that has closed today and whose last rows should be there."""
    session = session_of(now)
    if not is_session(session):
        return f"no session on {_at(now)}"
    if now >= session_hours(session)[1] + SETTLED:
        return session
    return f"session {session} is not over at {_at(now)}"


def run_key(session: date, clock: MarketClock) -> str:
    """Return what makes a once-a-session run unique: each playing of a simulated day has its own.

    Both a real session's morning and closing run have the date as key, told apart by schedule.
    """
    return str(session) if clock.is_real else f"{session} {clock}"


def is_busy(instance: DagsterInstance, session: date) -> bool:
    """Tell whether a run of that session waits or works; a backfill of others does not count."""
    tags = {PARTITION_TAG: str(session)}
    runs = RunsFilter(job_name=session_job.name, tags=tags, statuses=UNFINISHED)
    return instance.get_runs_count(runs) > 0


def is_done(instance: DagsterInstance, schedule: str, key: str) -> bool:
    """Tell whether a once-a-session run needs no further start.

    Dagster compares run keys within one tick only, so this looks for earlier ticks' runs.
    """
    tags = {SCHEDULE_TAG: schedule, RUN_KEY_TAG: key}
    started = instance.get_runs_count(RunsFilter(tags=tags))
    failed = instance.get_runs_count(RunsFilter(tags=tags, statuses=FAILED))
    return started > failed or failed >= ATTEMPTS


def _answer(context: dg.ScheduleEvaluationContext, decision: Decision) -> Answer:
    if isinstance(decision, str):
        return dg.SkipReason(decision)
    if is_busy(context.instance, decision):
        return dg.SkipReason(f"a run of session {decision} is at work")
    return dg.RunRequest(partition_key=str(decision), tags=FIRST)


def _answer_once(
    context: dg.ScheduleEvaluationContext, schedule: str, decision: Decision, clock: MarketClock
) -> Answer:
    if isinstance(decision, str):
        return dg.SkipReason(decision)
    key = run_key(decision, clock)
    if is_done(context.instance, schedule, key):
        return dg.SkipReason(f"done for session {decision}")
    if is_busy(context.instance, decision):
        return dg.SkipReason(f"a run of session {decision} is at work")
    return dg.RunRequest(run_key=key, partition_key=str(decision), tags=FIRST)


market_schedule = partial(
    dg.schedule,
    job=session_job,
    cron_schedule="* * * * *",
    execution_timezone="Asia/Kolkata",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@market_schedule(
    description="While the market is open: closed candles, build-ups as they appear, signals."
)
def every_minute(context: dg.ScheduleEvaluationContext) -> Answer:
    """Run the session that is on."""
    return _answer(context, during_market(market_clock().now()))


@market_schedule(
    description="Once in the half hour before the open: the day's contracts and expiries."
)
def morning(context: dg.ScheduleEvaluationContext) -> Answer:
    """Run the session that is about to open, once."""
    clock = market_clock()
    return _answer_once(context, "morning", before_open(clock.now()), clock)


@market_schedule(description="Once after the close: heals gaps and finalises the session.")
def closing(context: dg.ScheduleEvaluationContext) -> Answer:
    """Run the session that has closed today, once."""
    clock = market_clock()
    return _answer_once(context, "closing", after_close(clock.now()), clock)
