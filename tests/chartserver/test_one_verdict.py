"""Page, command and SQL say the same of the same sessions, computed from candles up."""

import json
from datetime import date, timedelta

import numpy as np
import pytest
from playwright.sync_api import expect
from psycopg.rows import dict_row

from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT, SIGNAL
from db.writing.rows import Candle, Contract, Signal
from tests import plain_statistics as plain
from tests.live import optionscalp
from tests.no_skill import EXPIRY, STRIKE, SYMBOLS, generated, signals_of, uniform

SESSIONS = 11
RANGE = ("2025-11-03", "2025-11-30")


@pytest.fixture
def stored(connection):
    """Eleven sessions of candles, and a strategy's signals chosen at random."""
    rng = np.random.default_rng(5)
    for kind, symbol in SYMBOLS.items():
        listed = Contract(symbol, "NIFTY", EXPIRY, STRIKE, kind, 65, date(2025, 11, 1), EXPIRY, "t")
        write(connection, CONTRACT, [listed])
    for number in range(SESSIONS):
        session = generated(rng, number)
        candles, signals = [], []
        for (symbol, _), one in session.day.series.items():
            for slot in range(one.size):
                prices = (one.open[slot], one.high[slot], one.low[slot], one.close[slot])
                opened = one.moment(slot)
                candles.append(
                    Candle(
                        *(symbol, 1, opened, "NIFTY", *map(float, prices)),
                        *(None if symbol == "NIFTY" else 65, None, "test"),
                        *(opened + timedelta(minutes=1), True),
                    )
                )
        for signal in signals_of(session, "uniform", uniform(rng, session)):
            signals.append(Signal(*signal, None))
        write(connection, CANDLE, candles)
        write(connection, SIGNAL, signals)
    return connection


def test_page_command_and_sql_say_the_same(stored, chart, database, tmp_path, page):
    told = json.loads(
        optionscalp("outcomes", "--json", home=tmp_path, DATABASE_URL=database).stdout
    )
    assert (told["signals"], told["unresolved"]) == (5 * SESSIONS, 0)
    command = {row["horizon_minutes"]: row for row in told["stats"]}
    with stored.cursor(row_factory=dict_row) as cursor:
        sql = {row["horizon_minutes"]: row for row in cursor.execute("select * from signal_stats")}
        trades = cursor.execute(
            "select t.*, (select array_agg(return_points order by draw) from random_outcome r"
            "  where r.beside = t.signal_id and r.horizon_minutes = 15) as draws"
            "  from signal_trade t where history = 'corrected' and fills = 1"
            "   and horizon_minutes = 15 order by event_time, symbol"
        ).fetchall()
    query = f"from={RANGE[0]}&to={RANGE[1]}"
    answer = chart.json(f"/api/signals/stats?{query}")["stats"]
    http = {row["horizon_minutes"]: row for row in answer}
    assert sql.keys() == command.keys() == http.keys() == {5, 15, 30, 0}
    for horizon, row in sql.items():
        mine = {name: value for name, value in command[horizon].items() if name in row}
        assert mine == pytest.approx(row)
        assert http[horizon] == pytest.approx(row)
    expected = plain.statistics(
        [
            {
                "session": trade["session"],
                "points": trade["return_points"],
                "hit": trade["hit"],
                "lot": trade["lot_size"],
                "draws": [(points, False) for points in trade["draws"] or []],
            }
            for trade in trades
        ],
        4,
    )
    assert sql[15]["verdict"] == expected["verdict"] == "same"
    for name in ("difference_low", "adjusted_high", "mean_return_low", "total_rupees"):
        assert sql[15][name] == pytest.approx(expected[name])
    page.goto(f"{chart.url}/signals?underlying=NIFTY&{query}")
    card = page.get_by_test_id("summary-card")
    expect(card.get_by_test_id("verdict")).to_have_attribute("data-verdict", "same")
    expect(card.get_by_test_id("verdict")).to_contain_text("Not distinguishable")
    expect(card.get_by_test_id("equity").locator("path")).to_have_count(2)
    parts = card.get_by_test_id("splits").locator("tbody tr")
    assert sum(int(row.locator("td").nth(1).inner_text()) for row in parts.all()) == 5 * SESSIONS
    page.get_by_test_id("by").select_option("expiry")
    expect(card.get_by_test_id("splits")).to_contain_text("8+")
    expect(page.get_by_test_id("summary-what")).to_contain_text("1 spread and the slippage")
    usual = card.get_by_test_id("money").inner_text()
    page.get_by_test_id("fills").select_option("2")
    expect(card.get_by_test_id("money")).not_to_have_text(usual)
    expect(page.get_by_test_id("summary-what")).to_contain_text("2 spreads and the slippage")
    page.get_by_test_id("history").select_option("known_then")
    expect(page.get_by_test_id("summary-what")).to_contain_text("as known then: withdrawn ones too")
    assert "history=known_then" in page.url
    assert "fills=2" in page.url
