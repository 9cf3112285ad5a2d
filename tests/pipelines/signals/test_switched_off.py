"""Strategies that fail where signals are computed: off by name and alone, until they change."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from db.market.frames import Range
from db.signals.faults import forget_faults, read_faults
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT
from db.writing.rows import Candle, Contract
from pipelines.catalogue.catalogue import STRATEGIES, find
from pipelines.catalogue.fault import StrategyFault
from pipelines.signals.materialise import materialise_signals
from pipelines.signals.versions import Planned, live_plans
from strategy.contract import Contract as Option
from strategy.made_day import made_day
from strategy.registry import STRATEGIES as OURS
from strategy.session import session_hours
from tests.random_day import SESSION, store_day
from tests.rules import write_rule

NOW = session_hours(SESSION)[1] + timedelta(minutes=20)
NAMES = ("NIFTY", "BANKNIFTY")
DAY = Range(SESSION, SESSION)
Start = Callable[[], None]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Look into the folder as a process that starts does."""
    monkeypatch.setattr(STRATEGIES, "failed", set())

    def again() -> None:
        monkeypatch.setitem(vars(STRATEGIES), "found", find(tmp_path))
        STRATEGIES.failed.clear()

    return again


def store_rising(connection: psycopg.Connection) -> None:
    """Store a NIFTY that rises and falls by turns, with its options."""
    rising = [25_000.0 + 10 * (minute % 3) for minute in range(60)]
    index, options, contracts = made_day(rising, session=SESSION, volume=650)
    rows = [(one, one.underlying, None) for one in index.itertuples()]
    rows += [(one, one.symbol, one.volume) for one in options.itertuples()]
    known = session_hours(SESSION)[0]
    listed = [
        Contract(
            *(Option(*one[1:5]).symbol, *one[1:5], None, SESSION, one.expiry, "import"),
            listed_at=known,
        )
        for one in contracts.itertuples()
    ]
    write(connection, CONTRACT, listed)
    candles = [
        Candle(
            *(symbol, 1, one.open_time, one.underlying, one.open, one.high, one.low, one.close),
            *(volume, None, "import", one.known_at.to_pydatetime(), True),
        )
        for one, symbol, volume in rows
    ]
    write(connection, CANDLE, candles)


def compute(connection: psycopg.Connection, *names: str) -> None:
    plans = [Planned.of(name, {}) for name in names] or None
    materialise_signals(connection, DAY, NAMES, NOW, plans=plans)


def faults(connection: psycopg.Connection) -> dict[str, str]:
    return {fault.strategy or fault.module: fault.problem for fault in read_faults(connection)}


def plans(connection: psycopg.Connection) -> set[str]:
    return {plan.strategy.name for plan in live_plans(connection, NOW)}


def counted(connection: psycopg.Connection) -> dict[str, int]:
    query = "select strategy, count(*) from signal where withdrawn_at is null group by strategy"
    return dict(connection.execute(query).fetchall())


def test_one_that_fails_is_off_and_the_others_are_computed(
    connection: psycopg.Connection, tmp_path: Path, start: Start
):
    store_day(connection, 6)
    store_rising(connection)
    write_rule(tmp_path, "sound")
    write_rule(tmp_path, "wrong", "raise ValueError('no')")
    (tmp_path / "broken.py").write_text("x =")
    start()
    compute(connection)
    assert faults(connection) == {
        "wrong": "ValueError: no (wrong.py, line 23)",
        "broken.py": "SyntaxError: invalid syntax (broken.py, line 1)",
    }
    assert {"sound", "delta_volume"} <= counted(connection).keys()
    assert plans(connection) == {*OURS, "sound"}
    with pytest.raises(StrategyFault, match="strategy wrong: ValueError: no"):
        compute(connection, "wrong")

    start()  # another process: what another one found holds there too
    assert plans(connection) == {*OURS, "sound"}
    write_rule(tmp_path, "wrong")
    (tmp_path / "broken.py").unlink()
    start()
    compute(connection)
    assert faults(connection) == {}
    assert plans(connection) == {*OURS, "sound", "wrong"}
    assert counted(connection)["wrong"] == counted(connection)["sound"]


def test_a_feed_that_starts_tries_all_of_them_anew(
    connection: psycopg.Connection, tmp_path: Path, start: Start
):
    store_rising(connection)
    write_rule(tmp_path, "wrong", "raise ValueError('no')")
    start()
    compute(connection)
    assert "wrong" not in plans(connection)
    forget_faults(connection)
    assert "wrong" not in plans(connection), "in this process it failed"
    start()
    assert "wrong" in plans(connection)


def test_other_numbers_under_the_same_version_switch_it_off(
    connection: psycopg.Connection, tmp_path: Path, start: Start
):
    path = write_rule(tmp_path, "rise")
    start()
    assert "rise" in plans(connection)
    path.write_text(path.read_text().replace("points: float = 5.0", "points: float = 6.0"))
    start()
    assert plans(connection) == set(OURS)
    assert "give the changed rules a new version" in faults(connection)["rise"]
    path.write_text(path.read_text().replace('"rise", "1"', '"rise", "2"'))
    start()
    assert [p.version for p in live_plans(connection, NOW) if p.strategy.name == "rise"] == ["2"]


def test_proofs_of_other_code_are_forgotten(
    connection: psycopg.Connection, tmp_path: Path, start: Start
):
    write_rule(tmp_path, "rise")
    start()
    digest = STRATEGIES.origin("rise").digest
    connection.execute(
        "insert into strategy_proof values ('rise', '1', %(day)s, 'parity', true, %(digest)s,"
        " now()), ('delta_volume', '1', %(day)s, 'parity', true, '', now())",
        {"day": SESSION, "digest": digest},
    )
    proved = "select strategy from strategy_proof order by strategy"
    compute(connection)
    assert connection.execute(proved).fetchall() == [("delta_volume",), ("rise",)]
    write_rule(tmp_path, "rise", "pass  # changed")
    start()
    compute(connection)
    assert connection.execute(proved).fetchall() == [("delta_volume",)]
