"""Recorded days: what is in the file is played, what is not stays missing."""

import asyncio
from datetime import date, datetime, time, timedelta

import pandas as pd
import pytest

from simulator.errors import (
    DataFileMissing,
    DataFileUnreadable,
    DayUnavailable,
    UnderlyingUnavailable,
)
from simulator.generate import generate
from simulator.recorded import load
from strategy.session import IST, session_hours

DAY = date(2026, 1, 30)
CALL, PUT = "NIFTY260203C25300", "NIFTY260203P25300"


def row(day, clock, symbol, close, volume, oi, minutes=5):
    moment = pd.Timestamp(datetime.combine(day, time.fromisoformat(clock), IST))
    return {
        "ts": moment.tz_convert("UTC"),
        "interval_minutes": minutes,
        "symbol": symbol,
        "underlying": "NIFTY",
        "open": close - 1.0,
        "high": close + 2.0,
        "low": close - 2.0,
        "close": close,
        "volume": volume,
        "oi": oi,
    }


def recording() -> pd.DataFrame:
    """Two sessions; in the second the interval from 09:25 is missing."""
    rows = [row(date(2026, 1, 29), "15:25", CALL, 140.0, 650, 6500)]
    rows.append(row(date(2026, 1, 29), "15:25", "NIFTY", 25290.0, None, None))
    for n, clock in enumerate(["09:15", "09:20", "09:30", "09:35"]):
        rows.append(row(DAY, clock, "NIFTY", 25300.0 + n, None, None))
        rows.append(row(DAY, clock, CALL, 150.0 + n, 650 * (n + 1), 65_000 - 650 * n))
        rows.append(row(DAY, clock, PUT, 120.0 - n, 1300, 65_000))
    return pd.DataFrame(rows)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "days.parquet"
    recording().to_parquet(path)
    return path


def test_gaps_of_a_recorded_day_stay_gaps(file, clock_at, playing):
    market = load(file, DAY, ["NIFTY", "BANKNIFTY"])

    async def scenario():
        async with playing(market, clock_at("09:38:30", day=DAY)) as (client, http, _):
            series = await client.history(CALL, "5", 300)
            path = "/fno/buildup-5/03-feb-2026-near/NIFTY/"
            query = {"strikePrice": 25300, "option_type": "call"}
            rows = (await http.get(path, params=query)).json()["body"]["data_v2"]
            query = {"stockId": 1887, "expDateList": "2026-02-03", "maxTime": "09:30"}
            chain = (await http.get("/live-oi-data/", params=query)).json()["body"]
        return series, rows[::-1], chain

    series, rows, chain = asyncio.run(scenario())
    opens = [datetime.fromtimestamp(bar["v"][0], IST) for bar in series["s"]]
    assert [f"{opened:%H:%M}" for opened in opens] == ["09:15", "09:20", "09:30", "09:35"]
    assert [r["interval"][:5] for r in rows] == ["09:15", "09:20", "09:30", "09:35"]
    assert [(r["close_price"], r["volume_gross"], r["oi"]) for r in rows[:3]] == [
        (150.0, 650, 65_000),
        (151.0, 650 + 1300, 64_350),
        (152.0, 650 + 1300 + 1950, 63_700),
    ]
    # The 09:35 row is forming; its open interest is not known before its end.
    assert rows[3]["oi"] == 63_700
    assert rows[3]["volume_gross"] < 650 + 1300 + 1950 + 2600
    # At 09:30 the last snapshot was that of 09:25.
    assert chain["inputData"]["lastUpdatedDateTime"] == "2026-01-30T09:35:00+05:30"
    assert chain["oiData"]["25300"]["callOi"] == 64_350
    assert chain["oiData"]["25300"]["callPrevOi"] == 6500


def test_an_index_without_volume_is_told_with_five_numbers(file, clock_at, playing):
    market = load(file, DAY, ["NIFTY"])

    async def scenario():
        async with playing(market, clock_at("09:36:00", day=DAY)) as (client, _, _):
            series = await client.history("NIFTY", "5", 300)
            await client.send(
                ("quote_create_session", ["qs_a"]),
                ("quote_set_fields", ["qs_a", "lp", "volume", "ch"]),
                ("quote_add_symbols", ["qs_a", "NSE:NIFTY"]),
            )
            quote = (await client.until("quote_completed"))[0][1][1]["v"]
        return series, quote

    series, quote = asyncio.run(scenario())
    assert all(len(bar["v"]) == 5 for bar in series["s"])
    assert set(quote) == {"lp", "ch"}


def test_a_finer_series_than_recorded_and_a_future_that_was_not_are_refused(
    file, clock_at, playing
):
    market = load(file, DAY, ["NIFTY"])

    async def scenario():
        async with playing(market, clock_at("10:00:00", day=DAY)) as (client, _, _):
            await client.send(
                ("chart_create_session", ["cs_a", ""]),
                ("resolve_symbol", ["cs_a", "symbol_1", f"NSE:{CALL}"]),
                ("create_series", ["cs_a", "s1", "s1", "symbol_1", "1", 300]),
            )
            fine = (await client.until("series_error"))[-1][1]
            await client.send(("resolve_symbol", ["cs_a", "symbol_2", "NSE:NIFTY1!"]))
            future = (await client.until("symbol_error"))[-1][1]
        return fine, future

    fine, future = asyncio.run(scenario())
    assert fine == ["cs_a", "s1", "s1", "resolution_not_entitled"]
    assert future == ["cs_a", "symbol_2", "invalid symbol"]


def test_a_recorded_day_lists_only_what_is_in_the_file(file):
    market = load(file, DAY, ["NIFTY", "BANKNIFTY"])
    assert market.underlyings == ("NIFTY",)
    assert sorted(market.series) == ["NIFTY", CALL, PUT]
    assert market.expiries == {"NIFTY": (date(2026, 2, 3),)}
    assert market.series[CALL].previous_oi == 6500
    assert market.series["NIFTY"].previous_close == 25290.0
    assert market.series[PUT].previous_oi is None
    assert market.episodes == ()


def test_a_directory_is_read_whole_and_other_tables_in_it_are_left_out(file, caplog):
    other = recording().assign(ts=lambda rows: rows["ts"] + pd.Timedelta(days=3))
    other.to_parquet(file.with_name("more.parquet"))
    recording()[["ts", "symbol", "oi"]].to_parquet(file.with_name("chain.parquet"))
    assert load(file.parent, date(2026, 2, 2), ["NIFTY"]).series[CALL].candles
    assert "chain.parquet lacks the columns underlying, open, high" in caplog.text


def test_rows_that_are_no_candles_are_left_out_and_the_finest_interval_wins(tmp_path, caplog):
    rows = recording()
    wrong = rows.iloc[[2]].assign(high=1.0, ts=lambda r: r["ts"] + pd.Timedelta(hours=1))
    fine = pd.DataFrame([row(DAY, "09:15", PUT, 121.0, 650, 65_000, minutes=1)])
    path = tmp_path / "days.parquet"
    pd.concat([rows, rows.iloc[[3]], wrong, fine]).to_parquet(path)
    market = load(path, DAY, ["NIFTY"])
    assert [len(market.series[symbol].candles) for symbol in ("NIFTY", CALL, PUT)] == [4, 4, 1]
    assert market.series[PUT].interval_minutes == 1
    assert "left out 1 rows that are no candles" in caplog.text


def test_minutes_may_be_recorded_without_saying_so(tmp_path):
    rows = recording().drop(columns="interval_minutes")
    path = tmp_path / "days.parquet"
    rows.to_parquet(path)
    assert load(path, DAY, ["NIFTY"]).series[CALL].interval_minutes == 1


def test_a_missing_file_names_its_path(tmp_path):
    with pytest.raises(
        DataFileMissing, match=r"no such data file or directory: .*nothing\.parquet"
    ):
        load(tmp_path / "nothing.parquet", DAY, ["NIFTY"])
    with pytest.raises(DataFileMissing, match="no Parquet file in"):
        load(tmp_path, DAY, ["NIFTY"])


def test_an_unreadable_file_is_named_in_one_line(tmp_path):
    path = tmp_path / "broken.parquet"
    path.write_text("not a table\nat all")
    with pytest.raises(
        DataFileUnreadable, match=r"broken\.parquet can't be read as Parquet"
    ) as told:
        load(path, DAY, ["NIFTY"])
    assert "\n" not in str(told.value)
    recording().drop(columns="oi").to_parquet(path)
    with pytest.raises(DataFileUnreadable, match="lacks the columns oi"):
        load(path, DAY, ["NIFTY"])
    recording().assign(ts="09:15").to_parquet(path)
    with pytest.raises(DataFileUnreadable, match="column ts holds no timestamps"):
        load(path, DAY, ["NIFTY"])


def test_a_missing_day_lists_those_that_are_there(file):
    with pytest.raises(DayUnavailable, match="available days: 2026-01-29, 2026-01-30"):
        load(file, date(2026, 1, 28), ["NIFTY"])


def test_a_missing_underlying_lists_those_that_are_there(file):
    with pytest.raises(UnderlyingUnavailable, match="no BANKNIFTY on 2026-01-30; available: NIFTY"):
        load(file, DAY, ["BANKNIFTY"])


def test_a_generated_day_that_was_recorded_plays_the_same(tmp_path):
    market = generate(date(2026, 1, 21), 7, ["NIFTY"])
    rows = [
        {
            "ts": pd.Timestamp(candle.open_time, unit="s", tz="UTC"),
            "symbol": series.symbol,
            "underlying": "NIFTY",
            **dict(zip(["open", "high", "low", "close"], candle[2:6], strict=True)),
            "volume": candle.volume,
            "oi": candle.oi,
        }
        for series in market.series.values()
        for candle in series.candles
    ]
    path = tmp_path / "day.parquet"
    pd.DataFrame(rows).astype({"volume": "Int64", "oi": "Int64"}).to_parquet(path)
    played = load(path, market.day, ["NIFTY"])
    assert played.contracts == market.contracts
    for symbol, series in market.series.items():
        assert played.series[symbol].candles == series.candles


@pytest.mark.parametrize("day", [date(2026, 1, 30), date(2026, 2, 1)])
def test_a_real_day_of_five_minutes_plays_exactly_as_recorded(day, shared_data, clock_at, playing):
    path = shared_data / "nifty_banknifty_5m_2026-01-22_2026-02-02.parquet"
    market = load(path, day, ["NIFTY", "BANKNIFTY"])
    frame = pd.read_parquet(path)
    start, end = session_hours(day)
    frame = frame[(frame["ts"] >= start) & (frame["ts"] < end)].sort_values(["symbol", "ts"])
    expiry = market.expiries["BANKNIFTY"][0]
    strike = market.strikes("BANKNIFTY", expiry)[len(market.strikes("BANKNIFTY", expiry)) // 2]

    async def scenario():
        async with playing(market, clock_at("16:00:00", day=day)) as (client, http, _):
            series = await client.history(f"BANKNIFTY{expiry:%y%m%d}C{strike}", "5", 300)
            path = f"/fno/buildup-5/{expiry:%d-%b-%Y}-near/BANKNIFTY/".lower()
            path = path.replace("banknifty", "BANKNIFTY")
            query = {"strikePrice": strike, "option_type": "call"}
            return series, (await http.get(path, params=query)).json()["body"]["data_v2"]

    series, rows = asyncio.run(scenario())
    recorded = frame[frame["symbol"] == f"BANKNIFTY{expiry:%y%m%d}C{strike}"]
    columns = ["open", "high", "low", "close", "volume"]
    assert [bar["v"][1:] for bar in series["s"]] == recorded[columns].astype(
        float
    ).to_numpy().tolist()
    told = [[r["close_price"], r["volume_gross"], r["oi"]] for r in rows[::-1]]
    totals = recorded.assign(volume=recorded["volume"].cumsum())
    assert told == totals[["close", "volume", "oi"]].astype(float).to_numpy().tolist()
    assert [r["interval"][:5] for r in rows[::-1]] == [
        f"{moment:%H:%M}" for moment in recorded["ts"].dt.tz_convert(IST)
    ]
    assert len(rows) < (end - start) / timedelta(minutes=5)
