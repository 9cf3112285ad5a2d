"""The session before the demo's day: it ends where the day begins, and is stored as simulated."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import psycopg
import pytest

from db.checks.overview import other_sources
from optionscalp.day_before import day_before, store
from simulator.generate import generate
from simulator.market import Market
from strategy.contract import atm_strike, strikes_around
from strategy.session import session_hours
from tests.demo import demo
from tests.live import optionscalp
from tests.long import in_full

DAY = date(2026, 1, 21)
BEFORE = date(2026, 1, 20)  # on which the weekly options of NIFTY expire
BOTH = ("NIFTY", "BANKNIFTY")
EXPIRY = date(2026, 1, 27)


@pytest.fixture(scope="module")
def market() -> Market:
    return generate(DAY)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    parsed = day_before(None, DAY, BOTH)
    assert parsed is not None
    assert parsed.rejected == []
    return parsed.rows


def test_it_is_a_whole_session_of_what_the_day_trades_around_atm(
    rows: pd.DataFrame, market: Market
):
    opens, closes = session_hours(BEFORE)
    assert rows["ts"].min() == opens
    assert rows["ts"].max() == closes - timedelta(minutes=1)
    assert set(rows.groupby("symbol").size()) == {375}
    for underlying in BOTH:
        strikes = market.strikes(underlying, EXPIRY)
        atm = atm_strike(market.find(underlying).candles[0].open, strikes)
        wanted = {
            f"{underlying}260127{kind}{strike}"
            for strike in strikes_around(atm, strikes, 5)
            for kind in "CP"
        }
        assert {underlying, f"{underlying}1!"} | wanted <= set(rows["symbol"])


def test_it_ends_where_the_day_begins(rows: pd.DataFrame, market: Market):
    last = rows.sort_values("ts").groupby("symbol").last()
    for underlying in BOTH:
        close = last.loc[underlying, "close"]
        assert close == market.find(underlying).previous_close
        assert close == pytest.approx(market.find(underlying).candles[0].open, rel=0.01)
    held = {symbol: oi for symbol, oi in last["oi"].items() if symbol not in BOTH}
    known = {symbol: market.find(symbol).previous_oi for symbol in held if symbol in market.series}
    assert len(known) > 60
    assert {symbol: held[symbol] for symbol in known} == known


def test_it_is_another_session_than_the_day_and_always_the_same(rows: pd.DataFrame, market: Market):
    again = day_before(None, DAY, BOTH)
    assert again is not None
    pd.testing.assert_frame_equal(again.rows, rows)
    closes = rows[rows["symbol"] == "NIFTY"]["close"].diff().dropna()
    days = pd.Series([candle.close for candle in market.find("NIFTY").candles]).diff().dropna()
    assert abs(closes.reset_index(drop=True).corr(days.reset_index(drop=True))) < 0.5


def test_it_is_stored_as_an_import_of_simulated_rows(connection: psycopg.Connection):
    parsed = day_before(None, DAY, ("NIFTY",))
    assert parsed is not None
    report = store(connection, parsed)
    assert report.candles == len(parsed.rows) > 10_000
    assert report.build_ups == report.contracts * 75 > 2_000
    assert other_sources(connection, "simulator") == [], "else the next demo would not start"
    late = connection.execute(
        "select count(*) from candle where not final"
        " or known_at <> open_time + make_interval(mins => interval_minutes)"
    ).fetchone()
    assert late == (0,)
    labels = connection.execute("select distinct label from build_up").fetchall()
    assert len(labels) >= 4
    again = store(connection, parsed)
    assert (again.candles, again.build_ups, again.contracts) == (0, 0, 0)


def recorded(session: date, *, close: float = 25_000, strikes: range = range(24_500, 25_550, 50)):
    """Two five-minute intervals of a session: index, future, and calls of two expiries."""
    opens = session_hours(session)[0]
    terms: list[tuple] = [("NIFTY", None, None, None), ("NIFTY1!", None, None, None)]
    for expiry in (BEFORE, EXPIRY):
        terms += [(f"NIFTY{expiry:%y%m%d}C{strike}", expiry, strike, "C") for strike in strikes]
    return pd.DataFrame(
        {
            "ts": opens + timedelta(minutes=5 * number),
            "interval_minutes": 5,
            "symbol": symbol,
            "underlying": "NIFTY",
            "expiry": expiry,
            "strike": strike,
            "option_type": kind,
            **dict.fromkeys(("open", "high", "low", "close"), close),
            "volume": 650,
            "oi": 6500,
        }
        for symbol, expiry, strike, kind in terms
        for number in range(2)
    )


def test_of_recorded_days_only_that_session_is_taken(tmp_path: Path):
    sessions = (date(2026, 1, 19), BEFORE, DAY)
    parts = [recorded(session, close=25_000 + number) for number, session in enumerate(sessions)]
    whole = tmp_path / "days.parquet"
    pd.concat(parts).to_parquet(whole)
    parsed = day_before(whole, DAY, BOTH)
    assert parsed is not None
    assert set(parsed.rows["ts"].dt.date) == {BEFORE}
    assert set(parsed.rows["close"]) == {25_001}
    around = {f"NIFTY260127C{strike}" for strike in range(24_600, 25_450, 50)}
    assert set(parsed.rows["symbol"]) == {"NIFTY", "NIFTY1!"} | around
    folder = tmp_path / "folder"
    folder.mkdir()
    parts[1].to_parquet(folder / "20.parquet")
    parts[2].to_parquet(folder / "21.parquet")
    pd.DataFrame({"ts": ["noon"], "price": [1.0]}).to_parquet(folder / "quotes.parquet")
    of_folder = day_before(folder, DAY, BOTH)
    assert of_folder is not None
    assert len(of_folder.rows) == len(parsed.rows)


def test_what_is_not_there_is_not_made_up(tmp_path: Path):
    only = tmp_path / "day.parquet"
    recorded(DAY).to_parquet(only)
    assert day_before(only, DAY, BOTH) is None
    before = tmp_path / "before.parquet"
    recorded(BEFORE).to_parquet(before)
    assert day_before(before, DAY, ("BANKNIFTY",)) is None
    assert day_before(None, date(2020, 1, 1), BOTH) is None, "the calendar begins there"


@in_full
def test_a_demo_begins_with_the_session_before_its_day(home: Path):
    with demo(home, "--no-dagster", "--underlying", "NIFTY", "--speed", "1"):
        listed = optionscalp("status", "--demo", "--json", home=home)
    assert listed.returncode == 0, listed.stderr
    assert f'"session": "{BEFORE}"' in listed.stdout
    newest = datetime.combine(BEFORE, session_hours(BEFORE)[1].time(), UTC) - timedelta(minutes=1)
    assert f'"newest": "{newest}"' in listed.stdout
