"""When runs start. Cron ticks every minute; the market's clock and the calendar decide.

Cron cannot skip holidays, and its hours would be wrong for a simulated market that runs fast, so
each schedule asks a pure decision for the session to run, or why there is none.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import partial

import dagster as dg
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter

from pipelines.orchestration.jobs import session_job
from pipelines.orchestration.resources import market_clock
from strategy.clock import MarketClock
from strategy.errors import CalendarUnknownError
from strategy.session import (
    IST,
    is_open,
    is_session,
    previous_session,
    session_hours,
    session_of,
)

# Market time around a session.
MORNING = timedelta(minutes=30)
SETTLED = timedelta(minutes=21)  # by then every account has seen the last candles
# A closing run that was missed is made up from this time in India on, for so many last sessions.
MADE_UP_FROM = time(8)
MADE_UP_SESSIONS = 3

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
# Ahead of a backfill's runs in the queue. docker/dagster.yaml lets one run with the writer tag run
# at a time.
WRITER_TAG = "optionscalp/writer"
FIRST = {"dagster/priority": "10", WRITER_TAG: "session"}
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


def before_today(now: datetime) -> list[date]:
    """Return the sessions whose closing run may be made up now: the last ones, newest first.

    None while the market is open, which has every run to itself, nor at night.
    """
    if is_open(now) or now.astimezone(IST).time() < MADE_UP_FROM:
        return []
    return list(_sessions_before(session_of(now)))


def _sessions_before(day: date) -> Iterator[date]:
    for _ in range(MADE_UP_SESSIONS):
        try:
            day = previous_session(day)
        except CalendarUnknownError:  # the calendar begins here
            return
        yield day


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


def lacks_closing_run(instance: DagsterInstance, session: date) -> bool:
    """Tell whether a session was worked on here and never closed.

    One that this installation never saw is not asked for.
    """
    tags = {PARTITION_TAG: str(session)}
    if not instance.get_runs_count(RunsFilter(job_name=session_job.name, tags=tags)):
        return False
    closed = RunsFilter(tags=tags | {SCHEDULE_TAG: "closing"}, statuses=[DagsterRunStatus.SUCCESS])
    return not instance.get_runs_count(closed)


def missed_closing(instance: DagsterInstance, now: datetime) -> date | None:
    """Return the newest of the last sessions whose closing run has to be made up."""
    for session in before_today(now):
        done = is_done(instance, "closing", made_up_key(session))
        if not done and lacks_closing_run(instance, session):
            return session
    return None


def made_up_key(session: date) -> str:
    """Return the run key of a closing run that is made up: it has attempts of its own."""
    return f"{session} made up"


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


@market_schedule(
    description=(
        "Once after the close: heals gaps and finalises the session. Made up on a later morning"
        " where it was missed."
    )
)
def closing(context: dg.ScheduleEvaluationContext) -> Answer:
    """Run the session that has closed today, once; then one of the last that was not closed."""
    clock = market_clock()
    now = clock.now()
    answer = _answer_once(context, "closing", after_close(now), clock)
    # A simulated market has one day, and Dagster remembers those of earlier demos.
    if isinstance(answer, dg.RunRequest) or not clock.is_real:
        return answer
    missed = missed_closing(context.instance, now)
    if missed is None or is_busy(context.instance, missed):
        return answer
    return dg.RunRequest(run_key=made_up_key(missed), partition_key=str(missed), tags=FIRST)
