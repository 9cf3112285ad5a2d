"""Recorded days from files: what is kept, what is rejected and why, and that it is idempotent."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from db.server.connection import connect
from db.writing.bulk import write
from db.writing.relations import BUILD_UP
from db.writing.rows import BuildUp
from pipelines.recorded.files import FileInvalidError, check_rows, read_file
from pipelines.recorded.importer import import_rows
from tests.live import optionscalp

SYMBOL = "NIFTY260127C25000"
START = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)


def recorded(count: int = 10, minutes: int = 1, **changes) -> pd.DataFrame:
    """Return rows of one call whose price and open interest rise step by step."""
    frame = pd.DataFrame(
        {
            "ts": [START + timedelta(minutes=minutes * n) for n in range(count)],
            "interval_minutes": minutes,
            "symbol": SYMBOL,
            "underlying": "NIFTY",
            "expiry": pd.Timestamp("2026-01-27").date(),
            "strike": 25000.0,
            "option_type": "C",
            "open": [100.0 + n for n in range(count)],
            "high": [101.0 + n for n in range(count)],
            "low": [99.0 + n for n in range(count)],
            "close": [100.5 + n for n in range(count)],
            "volume": 650,
            "oi": [6500 + 65 * n for n in range(count)],
        }
    )
    return frame.assign(**changes)


def stored(connection, query: str) -> list:
    return connection.execute(query).fetchall()


def test_build_ups_are_built_from_five_whole_minutes(connection):
    report = import_rows(connection, check_rows(recorded(14)))
    assert (report.candles, report.build_ups, report.contracts) == (14, 2, 1)
    rows = stored(
        connection,
        "select open_time, close_time, close, open_interest, oi_change, volume, label, known_at"
        " from build_up order by open_time",
    )
    end = START + timedelta(minutes=5)
    assert rows[0] == (START, end, 104.5, 6760, None, 3250, "none", end)
    assert rows[1][2:7] == (109.5, 7085, 325, 3250, "long_build_up")


@pytest.mark.parametrize("unknown", [[0], [2, 4], range(5)])
def test_a_volume_that_is_unknown_in_part_is_unknown_in_all_that_sums_it(connection, unknown):
    rows = recorded(10)
    rows["volume"] = rows["volume"].astype("Float64")
    rows.loc[list(unknown), "volume"] = None
    import_rows(connection, check_rows(rows))
    for relation in ("build_up", "candle_5m"):
        volumes = stored(connection, f"select volume from {relation} order by open_time")
        assert volumes == [(None,), (3250,)]
    for relation in ("candle_15m", "candle_1h"):
        assert stored(connection, f"select volume from {relation}") == [(None,)]
    thirds = stored(connection, "select volume from candle_3m order by open_time")
    assert [volume is None for (volume,) in thirds[:2]] == [
        any(third * 3 <= minute < third * 3 + 3 for minute in unknown) for third in range(2)
    ]


def test_five_minute_rows_of_a_file_win_over_built_ones(connection):
    both = pd.concat([recorded(5), recorded(1, minutes=5, close=100.9)], ignore_index=True)
    import_rows(connection, check_rows(both))
    assert stored(connection, "select close from build_up") == [(100.9,)]


BUILD_UPS = "select * from build_up order by symbol, open_time"


@pytest.mark.parametrize("minutes", [1, 5])
@pytest.mark.parametrize("cut", [9, 10, 12])
@pytest.mark.parametrize("first", [0, 1], ids=["in order", "later half first"])
def test_a_session_in_two_halves_gives_the_same_build_ups(connection, minutes, cut, first):
    put = SYMBOL.replace("C", "P")
    day = pd.concat([recorded(20, minutes), recorded(20, minutes, symbol=put, option_type="P")])
    import_rows(connection, check_rows(day))
    whole = stored(connection, BUILD_UPS)
    assert len(whole) == 2 * 20 * minutes // 5
    connection.execute("truncate candle, build_up")
    early = day["ts"] < START + timedelta(minutes=cut * minutes)
    halves = [day[early], day[~early]]
    import_rows(connection, check_rows(halves[first]))
    import_rows(connection, check_rows(halves[1 - first]))
    assert stored(connection, BUILD_UPS) == whole


def test_changes_follow_on_a_live_row_which_stays_as_it_is(connection):
    live = BuildUp(
        *(SYMBOL, START + timedelta(minutes=5), "NIFTY", START + timedelta(minutes=10)),
        *(90.0, 6500, None, 650, "none", "trendlyne", START + timedelta(minutes=11)),
    )
    write(connection, BUILD_UP, [live])
    import_rows(connection, check_rows(recorded(3, minutes=5)))
    rows = [BuildUp(*row) for row in stored(connection, BUILD_UPS)]
    assert rows[1] == live
    assert (rows[2].oi_change, rows[2].label) == (130, "long_build_up")


def test_importing_again_changes_nothing_and_logs_nothing(connection):
    parsed = check_rows(recorded(10))
    import_rows(connection, parsed)
    before = stored(connection, "select count(*) from change_log")
    assert import_rows(connection, parsed)[1:4] == (0, 0, 0)
    assert stored(connection, "select count(*) from change_log") == before


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("high", 98.0, "high is below low"),
        ("high", 101.2, "high is below open or close"),
        ("low", 101.2, "low is above open or close"),
        ("volume", -1, "volume is negative"),
        ("oi", 6.5, "oi is not whole units"),
        ("close", float("nan"), "close is not a price"),
        ("open", -5.0, "open is not a price"),
        ("interval_minutes", 3, "interval_minutes is neither 1 nor 5"),
        ("underlying", "SENSEX", "unknown underlying"),
        ("strike", 25050.0, "symbol does not say the same contract"),
        ("option_type", "P", "symbol does not say the same contract"),
        ("ts", START + timedelta(seconds=30), "ts is not the start of an interval"),
        ("ts", pd.NaT, "ts is not a UTC time"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_with_its_place_and_reason(column, value, reason):
    rows = recorded(3).astype({column: object} if column != "ts" else {})
    rows.loc[1, column] = value
    parsed = check_rows(rows, first_line=2)
    assert [(row.line, row.reason) for row in parsed.rejected] == [(3, reason)]
    assert len(parsed.rows) == 2


@pytest.mark.parametrize("symbol", ["NIFTY", "NIFTY1!"])
@pytest.mark.parametrize("name", ["open", "low"])
def test_an_index_is_never_zero(symbol, name):
    nothing = dict.fromkeys(("expiry", "option_type"))
    rows = recorded(2, symbol=symbol, strike=float("nan"), **nothing)
    rows.loc[1, ["open", "high", "low", "close"]] = 0.0
    if name == "low":  # the others stay what they were
        rows.loc[1, ["open", "high", "close"]] = 100.0
    parsed = check_rows(rows)
    found = [(row.line, row.reason) for row in parsed.rejected]
    assert found == [(2, f"{name} is 0, which no index is")]
    worthless = recorded(2).assign(open=0.05, high=0.05, low=0.0, close=0.0)
    assert check_rows(worthless).rejected == []


def test_two_different_rows_of_one_key_are_both_rejected_and_twins_are_one():
    rows = pd.concat([recorded(2), recorded(1, close=100.7), recorded(2).tail(1)])
    parsed = check_rows(rows)
    assert [row.reason for row in parsed.rejected] == ["duplicate key with other values"] * 2
    assert len(parsed.rows) == 1


def test_an_index_is_stored_without_volume(connection):
    rows = recorded(2, symbol="NIFTY", expiry=None, strike=None, option_type=None)
    import_rows(connection, check_rows(rows))
    assert stored(connection, "select distinct symbol, volume from candle") == [("NIFTY", None)]


def test_csv_and_parquet_give_the_same_rows(tmp_path: Path):
    recorded().to_parquet(tmp_path / "day.parquet")
    recorded().to_csv(tmp_path / "day.csv", index=False)
    parquet, csv = read_file(tmp_path / "day.parquet"), read_file(tmp_path / "day.csv")
    assert csv.rejected == parquet.rejected == []
    pd.testing.assert_frame_equal(csv.rows, parquet.rows)


@pytest.mark.parametrize("name", ["missing.parquet", "broken.parquet", "text.txt", "short.csv"])
def test_a_file_that_cannot_be_read_is_one_clear_line(home: Path, tmp_path: Path, name: str):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 not really")
    (tmp_path / "text.txt").write_text("ts\n")
    (tmp_path / "short.csv").write_text("ts,symbol\n")
    with pytest.raises(FileInvalidError, match=name):
        read_file(tmp_path / name)
    result = optionscalp("import", str(tmp_path / name), home=home)
    assert result.returncode == 1
    assert name in result.stderr
    assert "Traceback" not in result.stderr


def test_strict_writes_nothing_of_a_file_with_a_bad_row(database: str, tmp_path: Path):
    path = tmp_path / "day.csv"
    recorded(3, high=[101.0, 1.0, 103.0]).to_csv(path, index=False)
    strict = optionscalp("import", "--strict", str(path), home=tmp_path, DATABASE_URL=database)
    assert strict.returncode == 1
    assert "line 3: high is below low" in strict.stderr
    with connect(database) as connection:
        assert stored(connection, "select count(*) from candle") == [(0,)]
    kept = optionscalp("import", "--json", str(path), home=tmp_path, DATABASE_URL=database)
    assert kept.returncode == 0, kept.stderr
    report = json.loads(kept.stdout)[str(path)]
    assert report["candles"] == 2
    assert report["rejected"] == [{"line": 3, "reason": "high is below low"}]


def test_signals_of_an_imported_range_are_computed_by_the_command(database: str, tmp_path: Path):
    wrong = optionscalp("signals", "--from", "2026-01-22", "--to", "2026-01-21", home=tmp_path)
    assert wrong.returncode == 2
    nothing = optionscalp(
        *("signals", "--from", "2026-01-21", "--to", "2026-01-22", "--json"),
        home=tmp_path,
        DATABASE_URL=database,
    )
    assert nothing.returncode == 0, nothing.stderr
    assert json.loads(nothing.stdout)["signals"] == 0


def test_psql_reads_as_the_reader_and_hands_arguments_on(database: str, tmp_path: Path):
    shown = optionscalp("psql", "-Atc", "select current_user", home=tmp_path, DATABASE_URL=database)
    assert shown.stdout.strip() == "optionscalp_reader", shown.stderr
    free = "set default_transaction_read_only to off"
    for before in ("", "reset role", "reset session authorization", "set role optionscalp"):
        words = ("psql", "-c", free, "-c", before, "-c", "delete from signal")
        refused = optionscalp(*words, home=tmp_path, DATABASE_URL=database)
        assert refused.returncode == 1
        assert "permission denied for table signal" in refused.stderr, before
    wrote = optionscalp(
        *("psql", "--write", "-c", "delete from signal"), home=tmp_path, DATABASE_URL=database
    )
    assert wrote.stdout.strip() == "DELETE 0", wrote.stderr


def test_real_recorded_files_import_without_a_rejected_row(connection, shared_data: Path):
    rows = 0
    for name in ("nifty_1m_2025-03-12", "nifty_1m_2026-07-15", "index_1m_2026-01-05_2026-01-07"):
        parsed = read_file(shared_data / f"{name}.parquet")
        assert parsed.rejected == []
        rows += import_rows(connection, parsed).candles
    assert rows == 4_729 + 750 + 2_250
    with pytest.raises(FileInvalidError, match="lacks the columns"):
        read_file(shared_data / "banknifty_chain_oi_2026-01-05.parquet")
