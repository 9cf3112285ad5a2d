"""`ingest`, `rebuild` and `signals` as their users see them: what is printed, and exit codes."""

import json
import subprocess
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple

import pytest

from db.server.connection import connect
from optionscalp.stack import free_port
from strategy.session import IST
from tests.faulty import copied
from tests.live import Market, optionscalp, simulated_market
from tests.long import in_full

DAY = date(2026, 1, 21)
SESSION = ("--session", str(DAY))
RANGE = ("--from", str(DAY), "--to", str(DAY))
FIVE_BUILD_UPS = "select ctid from build_up order by symbol, open_time limit 5"
# What a rebuild reports on.
DERIVED = ["contract", "candle", "build_up", "chain_oi"]


class Shell(NamedTuple):
    """Where commands run: a database, and the market's addresses and clock."""

    home: Path
    environment: dict[str, str]

    @property
    def dsn(self) -> str:
        return self.environment["DATABASE_URL"]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
        return optionscalp(*arguments, home=self.home, **self.environment | environment)

    def read(self, *arguments: str) -> object:
        """Run a command that prints JSON; it must end well."""
        result = self.run(*arguments, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def sql(self, query: str, *parameters: object) -> list[tuple]:
        with connect(self.dsn) as connection:
            cursor = connection.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def market(fresh_database) -> Iterator[Market]:
    """A market five minutes after its close, whose session was ingested by the command."""
    with (
        fresh_database() as dsn,
        simulated_market(dsn, DAY, 1, "--any-minute", minutes_in=380) as running,
    ):
        running.environment.update(
            UNDERLYINGS="NIFTY",
            CANDLE_WINGS="1",
            BUILD_UP_WINGS="1",
            TRENDLYNE_REQUESTS_PER_SECOND="500",
            TRADINGVIEW_REQUESTS_PER_SECOND="500",
        )
        yield running


@pytest.fixture(scope="module")
def first(market: Market, tmp_path_factory) -> subprocess.CompletedProcess:
    """What the first `ingest` printed."""
    home = tmp_path_factory.mktemp("home")
    return Shell(home, market.environment).run("ingest", *SESSION)


@pytest.fixture
def shell(market: Market, first, server_dsn: str, tmp_path: Path) -> Iterator[Shell]:
    """Commands on a copy of what was ingested."""
    assert first.returncode == 0, first.stderr
    with copied(server_dsn, market.environment["DATABASE_URL"]) as dsn:
        yield Shell(tmp_path, market.environment | {"DATABASE_URL": dsn})


def test_ingest_says_in_a_line_what_came_from_where(first, shell: Shell):
    candles, build_ups, signals = (
        shell.sql(f"select count(*) from {table}")[0][0]
        for table in ("candle", "build_up", "signal")
    )
    assert min(candles, build_ups, signals) > 0
    assert shell.sql("select count(distinct symbol) > 2 from candle") == [(True,)]  # options too
    assert first.stdout == (
        f"{DAY}: 0 rows from the archive; from the sources {candles} candles and {build_ups}"
        f" build-ups; {signals} signals new or changed\n"
    )


def test_ingest_again_restores_from_the_archive_what_was_deleted_and_nothing_else(shell: Shell):
    deleted = shell.sql(f"select * from build_up where ctid = any(array({FIVE_BUILD_UPS}))")
    shell.sql(f"delete from build_up where ctid = any(array({FIVE_BUILD_UPS}))")
    (told,) = shell.read("ingest", *SESSION)
    assert (told["session"], told["from_archive"], told["problems"]) == (str(DAY), 5, [])
    assert told["candles"]["rows"] == told["positions"]["build_ups"] == 0
    assert set(deleted) <= set(shell.sql("select * from build_up"))


def test_ingest_says_what_stays_missing_with_exit_code_1(shell: Shell):
    for table in ("raw_receipt", "build_up", "chain_oi"):
        shell.sql(f"delete from {table}")
    nobody = f"http://127.0.0.1:{free_port()}"
    result = shell.run("ingest", *SESSION, "--json", TRENDLYNE_URL=nobody)
    assert result.returncode == 1
    missing = json.loads(result.stdout)[0]["missing"]
    # Of candles of ten minutes ago; the market's clock goes on.
    dues = [
        shell.sql(
            "select count(*) from candle where symbol ~ '[CP][0-9]+$' and open_interest is null"
            " and open_time < %s",
            datetime.combine(DAY, time(15, minute), IST),
        )[0][0]
        for minute in range(25, 31)
    ]
    due = missing.pop("open_interest")
    assert due in dues
    intervals = 74
    build_ups = missing.pop("build_ups")
    assert build_ups > intervals
    assert build_ups % intervals == 0
    assert missing == {"candles": 0, "ladders": intervals, "volume": 0}
    told = shell.run("ingest", *SESSION, TRENDLYNE_URL=nobody).stdout
    words = f"; still missing: 74 ladders, {build_ups:,} build-ups around ATM, "
    assert any(f"{words}{due:,} open interests" in told for due in dues)


def test_ingest_tells_which_source_does_not_answer_with_exit_code_1(shell: Shell):
    nobody = f"http://127.0.0.1:{free_port()}"
    shell.sql("delete from raw_receipt")
    shell.sql("delete from build_up")
    shell.sql("delete from chain_oi")
    result = shell.run("ingest", *SESSION, TRENDLYNE_URL=nobody)
    assert result.returncode == 1
    assert "; positions: " in result.stdout
    assert "Traceback" not in result.stderr


@in_full
def test_rebuild_of_untouched_rows_finds_nothing_to_change(shell: Shell):
    for arguments in (("--check",), ()):
        result = shell.run("rebuild", *SESSION, *arguments)
        assert result.returncode == 0, result.stderr
        heading, *table = result.stdout.splitlines()
        assert heading.startswith(f"{DAY}: ")
        assert heading.endswith(" rows differ" if arguments else " rows changed")
        assert " receipts read; 0 rows " in heading
        for name in DERIVED:
            (row,) = [line for line in table if f" {name} " in line]
            assert [cell.strip() for cell in row.split("│")][3:6] == ["0", "0", "0"]


@in_full
def test_rebuild_check_changes_nothing_and_exits_with_1_where_something_differs(shell: Shell):
    before = shell.sql("select * from build_up order by symbol, open_time")
    shell.sql(f"update build_up set close = close + 1 where ctid = any(array({FIVE_BUILD_UPS}))")
    shell.sql("delete from candle where open_time = (select max(open_time) from candle)")
    stored = shell.sql("select count(*), sum(close) from build_up")
    checked = shell.run("rebuild", *SESSION, "--check", "--json")
    assert checked.returncode == 1
    told = json.loads(checked.stdout)[str(DAY)]
    assert told["tables"]["build_up"]["changed"] == 5
    assert told["tables"]["candle"]["new"] == told["changes"] - 5 > 0
    assert shell.sql("select count(*), sum(close) from build_up") == stored
    repaired = shell.read("rebuild", *SESSION)[str(DAY)]
    assert repaired["changes"] == told["changes"]
    assert shell.sql("select * from build_up order by symbol, open_time") == before
    assert shell.run("rebuild", *SESSION, "--check").returncode == 0


def test_rebuild_of_a_session_without_archive_names_the_remedy(shell: Shell):
    result = shell.run("rebuild", "--session", "2026-01-20")
    assert result.returncode == 1
    assert "nothing is archived for 2026-01-20: use `optionscalp ingest`" in result.stderr


def test_signals_are_computed_again_at_market_time(shell: Shell):
    ((standing,),) = shell.sql("select count(*) from signal")
    shell.sql("delete from signal")
    result = shell.run("signals", *RANGE)
    assert result.returncode == 0, result.stderr
    expected = f"{standing} signals stand ({standing} new or changed, 0 withdrawn)"
    assert result.stdout == f"1 sessions: {expected}\n"
    shell.sql("delete from build_up")
    shell.sql("delete from candle")
    told = shell.read("signals", *RANGE)
    assert (told["signals"], told["withdrawn"], told["held_back"]) == (0, standing, {})
    withdrawn = "select distinct (withdrawn_at at time zone 'Asia/Kolkata')::date from signal"
    assert shell.sql(withdrawn) == [(DAY,)]


def test_outcomes_are_computed_and_shown_beside_random_entries(shell: Shell):
    # Everything was received after the close, when nothing could be bought any more.
    assert shell.read("outcomes")["sessions"] == 1, "without dates, of all sessions with signals"
    assert {row["n"] for row in shell.read("outcomes", *SESSION)["stats"]} == {0}
    shell.sql("update signal set known_at = event_time + interval '20 seconds'")
    only = ("--strategy", "delta_volume")
    told = shell.read("outcomes", *SESSION, *only)
    assert (told["sessions"], told["unresolved"]) == (1, 0)
    ((signals, stored, standing),) = shell.sql(
        "select (select count(*) from signal), (select count(*) from signal_outcome),"
        " (select count(*) from signal where strategy = 'delta_volume')"
    )
    assert told["outcomes"] == stored == 4 * signals > 0
    assert [row["horizon_minutes"] for row in told["stats"]] == [5, 15, 30, 0]
    for row in told["stats"]:
        assert (row["strategy"], row["n"], row["n_not_entered"]) == ("delta_volume", standing, 0)
        assert row["random_n"] == 5 * standing
        assert (row["verdict"], row["sessions"], row["n_missing"]) == ("few_sessions", 1, 0)
    by_fills = [told["stats_by_fills"][spreads][0] for spreads in "012"]
    returns = [row["mean_return_points"] for row in by_fills]
    assert returns == sorted(returns, reverse=True)
    assert len(set(returns)) == 3
    assert shell.read("outcomes", *RANGE)["written"] == 0

    shown = shell.run("outcomes", *RANGE, *only, "--horizon", "15")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert lines[0] == (
        f"1 sessions: {signals} signals, {stored} outcomes,"
        " 0 cannot be told for want of candles, lot or charges"
    )
    assert "session end" not in shown.stdout
    (fifteen,) = [row for row in told["stats"] if row["horizon_minutes"] == 15]
    assert f"{fifteen['hit_rate']:.0%} " in shown.stdout
    assert "NIFTY 0.20, BANKNIFTY 0.70 to 2.00 points" in lines[1]
    said = "fewer than 10 sessions with random entries: no verdict (15 min), among 4 comparisons"
    assert f"delta_volume 2 NIFTY: {said}" in lines
    then = shell.read("outcomes", *RANGE, *only, "--history", "known-then", "--by", "expiry")
    assert [row["n"] for row in then["stats"]] == [standing] * 4
    assert {row["history"] for row in then["stats"]} == {"known_then"}
    assert sum(row["n"] for row in then["splits"]) == 4 * standing
    split = shell.run("outcomes", *RANGE, *only, "--by", "time")
    assert "09:15-10:15" in split.stdout


def test_outcomes_without_signals_says_how_to_get_some(shell: Shell):
    shell.sql("delete from signal")
    nothing = shell.run("outcomes")
    assert nothing.returncode == 1
    assert "error: no signals are stored: optionscalp signals --from DATE" in nothing.stderr


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--horizon", "7"], "one of 5, 15, 30, 0"),
        (["--strategy", "luck"], "one of delta_volume"),
        (["--history", "now"], "one of corrected, known-then"),
        (["--by", "mood"], "one of time, expiry, volatility"),
    ],
)
def test_outcomes_says_which_choices_there_are(shell: Shell, arguments, fault):
    wrong = shell.run("outcomes", *SESSION, *arguments)
    assert wrong.returncode == 2
    assert fault in wrong.stderr


def test_signals_names_the_sessions_that_failing_checks_hold_back(shell: Shell):
    shell.sql("update build_up set volume = volume + 1")
    told = shell.run("signals", *RANGE, "--json")
    assert told.returncode == 1
    assert json.loads(told.stdout)["held_back"] == {str(DAY): ["build_up/whole_lots"]}
    shown = shell.run("signals", *RANGE)
    assert shown.returncode == 1
    assert f"{DAY}: signals held back, these checks fail: build_up/whole_lots" in shown.stderr


@pytest.mark.parametrize(
    "command", [("signals", *RANGE), ("rebuild", *SESSION), ("ingest", *SESSION)]
)
def test_sessions_are_those_of_the_corrected_calendar(shell: Shell, command):
    shell.sql(
        "insert into calendar_override (kind, day, reason) values ('holiday', %s, 'a circular')",
        DAY,
    )
    result = shell.run(*command)
    assert result.returncode == 1
    assert f"no session from {DAY} to {DAY}" in result.stderr


@pytest.mark.parametrize("command", [("signals", *RANGE), ("ingest", *SESSION)])
def test_a_wrong_clock_is_one_clear_line(shell: Shell, command):
    result = shell.run(*command, OPTIONSCALP_CLOCK="noon")
    assert result.returncode == 1
    assert "OPTIONSCALP_CLOCK" in result.stderr
    assert "Traceback" not in result.stderr
