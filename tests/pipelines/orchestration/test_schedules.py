"""When runs start: pure decisions of the market's clock, and what the schedules make of them."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from pipelines.orchestration import schedules
from pipelines.orchestration.definitions import definitions
from pipelines.orchestration.schedules import (
    after_close,
    before_open,
    before_today,
    during_market,
    made_up_key,
    missed_closing,
    run_key,
)
from strategy.clock import MarketClock
from strategy.session import IST

ORDINARY = date(2026, 1, 21)
HOLIDAY = date(2026, 1, 26)
BUDGET_SUNDAY = date(2026, 2, 1)


def ist(day: date, clock: str) -> datetime:
    hour, minute = clock.split(":")
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=IST)


@pytest.mark.parametrize("clock", ["09:15", "12:00", "15:29"])
@pytest.mark.parametrize("day", [ORDINARY, BUDGET_SUNDAY])
def test_every_minute_of_a_session_runs_it(day: date, clock: str) -> None:
    assert during_market(ist(day, clock).astimezone(UTC)) == day


@pytest.mark.parametrize(
    ("day", "clock"),
    [
        (ORDINARY, "09:14"),
        (ORDINARY, "15:30"),
        (ORDINARY, "23:59"),
        (HOLIDAY, "12:00"),
        (date(2026, 1, 25), "12:00"),  # an ordinary Sunday
    ],
)
def test_outside_of_a_session_the_reason_names_the_time_in_india(day: date, clock: str) -> None:
    assert during_market(ist(day, clock)) == f"market closed at {day} {clock} IST"


def test_the_market_closes_ten_minutes_later_since_august_2026() -> None:
    assert during_market(ist(date(2026, 7, 31), "15:35")) == "market closed at 2026-07-31 15:35 IST"
    assert during_market(ist(date(2026, 8, 3), "15:35")) == date(2026, 8, 3)


def test_the_morning_run_belongs_to_the_half_hour_before_the_open() -> None:
    assert before_open(ist(ORDINARY, "08:45")) == ORDINARY
    assert before_open(ist(BUDGET_SUNDAY, "09:14")) == BUDGET_SUNDAY
    for clock in ("08:44", "09:15", "16:00"):
        assert isinstance(before_open(ist(ORDINARY, clock)), str)
    assert before_open(ist(HOLIDAY, "09:00")) == "no session on 2026-01-26 09:00 IST"


def test_the_closing_run_waits_until_the_last_rows_should_be_there() -> None:
    assert (
        after_close(ist(ORDINARY, "15:50"))
        == "session 2026-01-21 is not over at 2026-01-21 15:50 IST"
    )
    assert after_close(ist(ORDINARY, "15:51")) == ORDINARY
    assert after_close(ist(ORDINARY, "23:59")) == ORDINARY
    assert after_close(ist(date(2026, 8, 3), "15:45")) != date(2026, 8, 3)
    assert after_close(ist(BUDGET_SUNDAY, "16:00")) == BUDGET_SUNDAY
    assert after_close(ist(HOLIDAY, "16:00")) == "no session on 2026-01-26 16:00 IST"


def test_after_midnight_yesterday_is_no_longer_closed_since_it_cannot_be_asked_again() -> None:
    assert isinstance(after_close(ist(date(2026, 1, 22), "00:01")), str)


def test_each_playing_of_a_simulated_day_is_closed_by_itself() -> None:
    first = MarketClock(ist(ORDINARY, "09:14"), 1_800_000_000.0, 60.0)
    second = first._replace(wall_start=1_800_009_000.0)
    assert run_key(ORDINARY, MarketClock.real()) == "2026-01-21"
    assert run_key(ORDINARY, first) != run_key(ORDINARY, second)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[DagsterInstance]:
    with DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


def stand_at(monkeypatch: pytest.MonkeyPatch, moment: datetime, speed: float = 60.0) -> MarketClock:
    """Let the market's clock show this time now; it runs on, an hour a minute."""
    clock = MarketClock(moment.astimezone(UTC), datetime.now(UTC).timestamp(), speed)
    monkeypatch.setenv("OPTIONSCALP_CLOCK", str(clock))
    return clock


def evaluate(name: str, instance: DagsterInstance) -> dg.RunRequest | dg.SkipReason:
    repository = definitions.get_repository_def()
    schedule = definitions.resolve_schedule_def(name)
    # A night in Europe: the wall's hour must not matter.
    context = dg.build_schedule_context(
        instance=instance,
        repository_def=repository,
        scheduled_execution_time=datetime(2026, 11, 24, 1, 0, tzinfo=UTC),
    )
    answer = schedule.evaluate_tick(context)
    if answer.run_requests:
        (request,) = answer.run_requests
        return request
    return dg.SkipReason(answer.skip_message)


def test_an_accelerated_clock_decides_whatever_the_wall_says(
    monkeypatch: pytest.MonkeyPatch, instance: DagsterInstance
) -> None:
    stand_at(monkeypatch, ist(BUDGET_SUNDAY, "11:00"))
    request = evaluate("every_minute", instance)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-02-01"
    stand_at(monkeypatch, ist(HOLIDAY, "11:00"))
    skipped = evaluate("every_minute", instance)
    assert isinstance(skipped, dg.SkipReason)
    assert skipped.skip_message.startswith("market closed at 2026-01-26 11:0")


def test_no_run_starts_while_another_of_the_session_is_at_work(
    monkeypatch: pytest.MonkeyPatch, instance: DagsterInstance
) -> None:
    tags = {schedules.PARTITION_TAG: "2026-01-21"}
    create_run_for_test(instance, job_name="session", status=DagsterRunStatus.STARTED, tags=tags)
    for clock, name in (("11:00", "every_minute"), ("16:00", "closing")):
        stand_at(monkeypatch, ist(ORDINARY, clock))
        skipped = evaluate(name, instance)
        assert skipped == dg.SkipReason("a run of session 2026-01-21 is at work")


def test_a_backfill_of_other_sessions_does_not_hold_up_todays(
    monkeypatch: pytest.MonkeyPatch, instance: DagsterInstance
) -> None:
    tags = {schedules.PARTITION_TAG: "2026-01-20"}
    create_run_for_test(instance, job_name="session", status=DagsterRunStatus.STARTED, tags=tags)
    stand_at(monkeypatch, ist(ORDINARY, "11:00"))
    request = evaluate("every_minute", instance)
    assert isinstance(request, dg.RunRequest)
    assert int(request.tags["dagster/priority"]) > 0
    assert request.tags[schedules.WRITER_TAG] == "session"


def finished(instance: DagsterInstance, schedule: str, key: str, status: DagsterRunStatus) -> None:
    create_run_for_test(
        instance,
        job_name="session",
        status=status,
        tags={schedules.SCHEDULE_TAG: schedule, schedules.RUN_KEY_TAG: key},
    )


@pytest.mark.parametrize(("name", "clock"), [("morning", "08:50"), ("closing", "15:55")])
def test_morning_and_closing_run_once_a_session(
    monkeypatch: pytest.MonkeyPatch, instance: DagsterInstance, name: str, clock: str
) -> None:
    stand_at(monkeypatch, ist(ORDINARY, clock))
    request = evaluate(name, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-01-21"
    finished(instance, name, request.run_key, DagsterRunStatus.SUCCESS)
    assert evaluate(name, instance) == dg.SkipReason("done for session 2026-01-21")
    other = "closing" if name == "morning" else "morning"
    assert not schedules.is_done(instance, other, request.run_key)


def test_a_closing_run_that_failed_is_started_again_three_times_at_most(
    monkeypatch: pytest.MonkeyPatch, instance: DagsterInstance
) -> None:
    stand_at(monkeypatch, ist(ORDINARY, "15:55"))
    for _ in range(3):
        request = evaluate("closing", instance)
        assert isinstance(request, dg.RunRequest)
        finished(instance, "closing", request.run_key, DagsterRunStatus.FAILURE)
    assert evaluate("closing", instance) == dg.SkipReason("done for session 2026-01-21")


def test_a_missed_closing_run_may_be_made_up_from_eight_on_while_the_market_is_shut() -> None:
    last = [date(2026, 1, 20), date(2026, 1, 19), date(2026, 1, 16)]
    for clock in ("08:00", "09:14", "15:30", "23:59"):
        assert before_today(ist(ORDINARY, clock)) == last
    for clock in ("00:00", "07:59", "09:15", "15:29"):
        assert before_today(ist(ORDINARY, clock)) == []
    assert before_today(ist(HOLIDAY, "12:00"))[0] == date(2026, 1, 23)


def worked_on(instance: DagsterInstance, session: date, **tags: str) -> None:
    create_run_for_test(
        instance,
        job_name="session",
        status=DagsterRunStatus.SUCCESS,
        tags={schedules.PARTITION_TAG: str(session), **tags},
    )


def test_a_session_that_was_followed_and_never_closed_is_closed_the_next_morning(
    instance: DagsterInstance,
) -> None:
    morning = ist(ORDINARY, "08:30")
    assert missed_closing(instance, morning) is None  # never seen here
    for day in (19, 20):
        worked_on(instance, date(2026, 1, day), **{schedules.SCHEDULE_TAG: "every_minute"})
    assert missed_closing(instance, morning) == date(2026, 1, 20)
    assert missed_closing(instance, ist(ORDINARY, "10:00")) is None
    worked_on(instance, date(2026, 1, 20), **{schedules.SCHEDULE_TAG: "closing"})
    assert missed_closing(instance, morning) == date(2026, 1, 19)
    worked_on(instance, date(2026, 1, 19), **{schedules.SCHEDULE_TAG: "closing"})
    assert missed_closing(instance, morning) is None


def test_a_closing_run_that_cannot_be_made_up_is_left_after_three_attempts(
    instance: DagsterInstance,
) -> None:
    session = date(2026, 1, 20)
    worked_on(instance, session)
    for _ in range(3):
        # The evening's own attempts do not count.
        finished(instance, "closing", str(session), DagsterRunStatus.FAILURE)
    for _ in range(3):
        assert missed_closing(instance, ist(ORDINARY, "08:30")) == session
        finished(instance, "closing", made_up_key(session), DagsterRunStatus.FAILURE)
    assert missed_closing(instance, ist(ORDINARY, "08:30")) is None


def test_a_simulated_market_makes_nothing_up_from_earlier_demos(
    monkeypatch: pytest.MonkeyPatch, instance: DagsterInstance
) -> None:
    worked_on(instance, date(2026, 1, 20))
    stand_at(monkeypatch, ist(ORDINARY, "08:30"), speed=1.0)
    skipped = evaluate("closing", instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "is not over" in skipped.skip_message


def test_the_schedules_are_on_from_the_start_and_tick_every_minute_in_india() -> None:
    for name in ("every_minute", "morning", "closing"):
        schedule = definitions.resolve_schedule_def(name)
        assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
        assert schedule.cron_schedule == "* * * * *"
        assert schedule.execution_timezone == "Asia/Kolkata"


def test_a_year_without_calendar_is_an_error_rather_than_a_quiet_skip() -> None:
    with pytest.raises(LookupError, match="no holidays known for 2031"):
        during_market(datetime(2031, 1, 2, 6, tzinfo=UTC))
