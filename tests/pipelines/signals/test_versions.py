"""Versions and revisions: other numbers stand beside, corrections keep what they replaced."""

from datetime import timedelta

import psycopg
import pytest

from db.market.frames import Range
from db.server.errors import VersionReusedError
from db.signals.strategies import register_version, set_live
from pipelines.signals.materialise import Materialised, materialise_signals
from pipelines.signals.versions import Planned, live_plans
from strategy.errors import ParameterError
from strategy.registry import STRATEGIES
from strategy.session import session_hours
from tests.stored_days import cover, quiet_day, store
from tests.strategy.option_days import SESSION

VERSION = STRATEGIES["delta_volume"].version
NOW = session_hours(SESSION)[1] + timedelta(minutes=20)
LATER = NOW + timedelta(hours=1)
DAY = Range(SESSION, SESSION)
STRICT = Planned.of("delta_volume", {"spike_factor": 3})


def compute(connection: psycopg.Connection, *plans: Planned, now=NOW) -> Materialised:
    return materialise_signals(connection, DAY, ("NIFTY",), now, plans=plans or None)


def standing(connection: psycopg.Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "select version, revision, (reasons -> 'contracts' -> 2 ->> 'volume')::int, known_at"
        " from signal where withdrawn_at is null and strategy = 'delta_volume'"
        " order by version, event_time"
    ).fetchall()


@pytest.fixture
def day(connection: psycopg.Connection):
    """A day on which the call at the money covers in the sixth interval."""
    day = quiet_day()
    cover(day, 5, "25000C")
    store(connection, day)
    return day


def test_other_numbers_make_another_version_beside_the_standing_one(
    connection: psycopg.Connection, day
) -> None:
    lax = Planned.of("delta_volume", {"spike_factor": 1.5})
    compute(connection)
    compute(connection, lax)
    compute(connection, STRICT)
    known_at = day.rows[5, "25000C"]["known_at"]
    assert standing(connection) == [
        (VERSION, 1, 2_665, known_at),
        (lax.version, 1, 2_665, known_at),
    ]
    assert lax.version == f"{VERSION}+{lax.parameters.params_hash()[:8]}"
    ids = connection.execute("select count(distinct signal_id) from signal").fetchone()
    assert ids == (2,)
    assert compute(connection) == compute(connection, lax) == (0, 0, 0, {})


def test_a_version_is_computed_live_once_it_is_chosen(connection, day) -> None:
    assert [plan.version for plan in live_plans(connection, NOW)] == [VERSION] * len(STRATEGIES)
    register_version(connection, STRICT.stored, NOW, live=False)
    assert STRICT not in live_plans(connection, NOW)
    set_live(connection, STRICT.stored)
    (plan,) = [plan for plan in live_plans(connection, NOW) if plan.version != VERSION]
    assert plan == STRICT
    connection.execute("update strategy_version set live = false where version = %s", (VERSION,))
    assert live_plans(connection, NOW) == [STRICT]
    assert compute(connection).written == 0


def test_versions_of_older_code_stay_but_are_not_computed(connection) -> None:
    old = STRICT.stored._replace(version="0+12345678", params={"gone": 1})
    register_version(connection, old, NOW, live=True)
    assert {plan.version for plan in live_plans(connection, NOW)} == {VERSION}


def test_changed_numbers_under_the_same_version_are_refused(connection) -> None:
    reused = STRICT.stored._replace(version=VERSION)
    register_version(connection, reused, NOW, live=True)
    with pytest.raises(
        VersionReusedError, match=f"delta_volume {VERSION} is stored with other numbers"
    ):
        compute(connection)


def test_a_corrected_input_makes_a_revision_and_the_old_one_stays_explainable(
    connection: psycopg.Connection, day
) -> None:
    compute(connection)
    day.put(5, "25000C", volume=2_730)
    store(connection, day, known_at=LATER)
    assert compute(connection, now=LATER).written == 1
    assert standing(connection) == [(VERSION, 2, 2_730, LATER)]
    old = connection.execute(
        "select r.revision, (r.reasons -> 'contracts' -> 2 ->> 'volume')::int, r.known_at,"
        " r.withdrawn_at, r.revised_at"
        " from signal_revision r join signal s using (signal_id, strategy, version, event_time)"
    ).fetchall()
    assert old == [(1, 2_665, day.rows[5, "25000C"]["known_at"], None, LATER)]
    assert compute(connection, now=LATER) == (0, 0, 0, {})


def test_nobody_sees_a_signal_beside_the_one_it_replaces(connection, day) -> None:
    compute(connection)
    day.put(5, "25000C", volume=1_300)
    cover(day, 5, "25050C")
    store(connection, day, known_at=LATER)
    assert compute(connection, now=LATER)[:2] == (1, 1)
    # Both changes are of one transaction.
    found = connection.execute(
        "select count(*), count(distinct xmin::text), count(withdrawn_at) from signal"
    )
    assert found.fetchone() == (2, 1, 1)


def test_a_version_that_is_not_live_follows_corrections_where_it_has_rows(
    connection: psycopg.Connection, day
) -> None:
    lax = Planned.of("delta_volume", {"spike_factor": 1.5})
    register_version(connection, lax.stored, NOW, live=False)
    compute(connection, lax)
    compute(connection)
    assert [row[0] for row in standing(connection)] == [VERSION, lax.version]
    day.put(5, "25000C", volume=1_300)
    store(connection, day, known_at=LATER)
    assert compute(connection, now=LATER).withdrawn == 2
    assert standing(connection) == []
    # Of the strict one nothing is stored, so nothing is computed.
    register_version(connection, STRICT.stored, NOW, live=False)
    cover(day, 5, "25000C")
    store(connection, day, known_at=LATER + timedelta(minutes=1))
    assert compute(connection, now=LATER).written == 2
    assert [row[0] for row in standing(connection)] == [VERSION, lax.version]


def test_a_signal_withdrawn_and_back_again_keeps_each_state(connection, day) -> None:
    compute(connection)
    day.put(5, "25000C", volume=1_300)
    store(connection, day, known_at=LATER)
    assert compute(connection, now=LATER).withdrawn == 1
    assert standing(connection) == []
    cover(day, 5, "25000C")
    again = LATER + timedelta(minutes=1)
    store(connection, day, known_at=again)
    compute(connection, now=again)
    assert standing(connection) == [(VERSION, 2, 2_665, again)]
    kept = connection.execute("select revision, withdrawn_at from signal_revision").fetchall()
    assert kept == [(1, LATER)]


def test_each_revision_reaches_those_who_follow_the_log(connection, day) -> None:
    def logged() -> int:
        query = "select count(*) from change_log where relation = 'signal'"
        return connection.execute(query).fetchone()[0]

    compute(connection)
    assert logged() == 1
    day.put(5, "25000C", volume=2_730)
    store(connection, day, known_at=LATER)
    compute(connection, now=LATER)
    assert logged() == 2


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"spike": 2}, "no parameter spike; there are losing_trades, level_unit"),
        ({"wings": 1.5}, "wings: not a whole number: 1.5"),
        ({"wings": True}, "wings: not a whole number: True"),
        ({"spike_factor": "2"}, "spike_factor: not a number: '2'"),
        ({"spike_factor.x": 2}, "no parameter spike_factor.x"),
        ({"stop_points": 20}, "stop_points: not numbers by name: 20"),
        ({"stop_points.NIFTY": None}, "stop_points.NIFTY: not a number: None"),
        ({"spike_factor": 0}, "the factor must be above zero"),
    ],
)
def test_numbers_that_make_no_sense_are_refused(changes, problem: str) -> None:
    with pytest.raises(ParameterError, match=problem.replace(".", r"\.")):
        Planned.of("delta_volume", changes)


def test_one_of_several_numbers_can_be_changed_alone() -> None:
    plan = Planned.of("delta_volume", {"stop_points.NIFTY": 25})
    assert plan.parameters.values()["stop_points"] == {"NIFTY": 25.0, "BANKNIFTY": 30.0}
    default = STRATEGIES["delta_volume"].defaults
    assert default.with_values({"spike_factor": 2}).version(VERSION) == VERSION


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_strategy_takes_numbers_that_none_can_compute_with(name: str) -> None:
    for number in (0, 10**20):
        with pytest.raises(ParameterError, match="losing_trades"):
            Planned.of(name, {"losing_trades": number})
