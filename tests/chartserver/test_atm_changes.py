"""The charts while ATM changes by itself, again and again, on a machine with both cores busy."""

import os
import random
from datetime import timedelta

import pytest
from chart_help import OPEN, candle, clock_text, contract
from page_help import WAIT, busy, newest, price_text, shown, wait_for
from playwright.sync_api import Page
from psycopg import Connection

from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT

CHANGES = 1000 if os.environ.get("OPTIONSCALP_LONG") else 100
# Where tests run beside each other, the others keep both cores busy.
SPINNING = 0 if os.environ.get("PYTEST_XDIST_WORKER") else 2
STRIKES = range(25000, 25501, 50)
# Listed, but its candles begin late and have gaps, as those of strikes that few trade.
SPARSE = {25150, 25400}

LEVELS = "previous,opening,vwap,ema9,ema21"
CHAIN = "/api/chain?underlying=NIFTY&expiry=2026-01-27"
# The ladder comes with the candles, at most a message later.
SAME_LADDER = """rows => {
    const text = (row) => JSON.stringify(Object.entries(row).map(([name, side]) =>
        [name, typeof side === "object" ? Object.entries(side).sort() : side]).sort())
    return JSON.stringify(optionscalp.ladder()?.rows.map(text)) === JSON.stringify(rows.map(text))
}"""


class Script:
    """Writes a market whose spot goes where it is told."""

    def __init__(self, connection: Connection, seed: int):
        self.connection = connection
        self.random = random.Random(seed)
        self.minute = 0
        self.spot = 25250.0
        self.written = 0
        rows = [contract(strike, kind) for strike in STRIKES for kind in "CP"]
        write(connection, CONTRACT, rows)
        for _ in range(20):
            self.next_minute()

    def next_minute(self) -> None:
        self.write(final=True)
        self.minute += 1
        self.write()

    def move(self, strike: int) -> None:
        self.spot = strike + self.random.uniform(-8, 8)
        self.write()

    def write(self, *, final: bool = False) -> None:
        """One state of the forming minute, of most instruments, in any order."""
        rows = [candle("NIFTY", self.minute, round(self.spot, 2), final=final)]
        for strike in STRIKES:
            for kind in "CP":
                if strike in SPARSE and (self.minute < 17 or self.random.random() < 0.4):
                    continue
                worth = self.spot - strike if kind == "C" else strike - self.spot
                price = max(0.05, round(150 + worth / 2 + self.random.uniform(-3, 3), 2))
                symbol = f"NIFTY260127{kind}{strike}"
                rows.append(candle(symbol, self.minute, price, final=final))
        # A state that became known before the stored one would not count.
        self.written += 1
        known = OPEN + timedelta(minutes=self.minute, milliseconds=self.written)
        rows = [row._replace(known_at=known) for row in rows]
        self.random.shuffle(rows)
        # Symbols arrive in pieces: a chart may hear of a new minute before the index does.
        cut = self.random.randrange(1, len(rows))
        for part in (rows[:cut], rows[cut:]):
            write(self.connection, CANDLE, part)


def stored_last(connection: Connection, symbol: str):
    return connection.execute(
        "select extract(epoch from open_time)::bigint, open, high, low, close from candle"
        " where symbol = %s and interval_minutes = 1 order by open_time desc limit 1",
        [symbol],
    ).fetchone()


@pytest.mark.timeout(1800)
def test_all_charts_show_one_moment_after_every_change(connection: Connection, serve, page: Page):
    script = Script(connection, seed=5)
    server = serve(OPTIONSCALP_CLOCK=clock_text("2026-01-21T09:50:00+00:00"))
    with busy(SPINNING):
        page.goto(f"{server.url}/?underlying=NIFTY&patience=0.1&levels={LEVELS}")
        page.wait_for_function("optionscalp?.candles('NIFTY')?.length > 0", timeout=WAIT)
        at = 25250
        for change in range(CHANGES):
            choices = [strike for strike in STRIKES[1:-1] if 0 < abs(strike - at) <= 150]
            at = script.random.choice(choices)
            script.move(at)
            for _ in range(script.random.randrange(3)):
                script.write()
            if script.minute < 370 and script.random.random() < min(1, 330 / CHANGES):
                script.next_minute()
            page.wait_for_function(
                "at => optionscalp.status().symbols.call?.endsWith('C' + at)", arg=at, timeout=WAIT
            )
            wait_for(page, newest(connection))
            page.wait_for_function(SAME_LADDER, arg=server.json(CHAIN)["rows"], timeout=WAIT)
            check(shown(page), connection, at, f"change {change}")


def check(seen: dict, connection: Connection, at: int, when: str) -> None:
    visible = seen["axis"]["visible"]
    for places in visible:
        assert places == pytest.approx(visible[0], abs=0.01), when
        assert places == pytest.approx(seen["axis"]["wanted"], abs=0.01), when
    times = len(seen["axis"]["times"])
    assert visible[0]["from"] < times - 1 <= visible[0]["to"], f"{when}: the newest is not visible"
    symbols = ["NIFTY", f"NIFTY260127C{at}", f"NIFTY260127P{at}"]
    for chart, symbol in zip(seen["drawn"], symbols, strict=True):
        last = stored_last(connection, symbol)
        drawn = chart["last"]
        assert chart["symbol"] == symbol, when
        assert chart["times"] == times, when
        if last is None:
            assert drawn is None, when
            continue
        keys = ("time", "open", "high", "low", "close")
        assert tuple(drawn[key] for key in keys) == pytest.approx(last), f"{when}: {symbol}"
        assert chart["tag"] == pytest.approx(last[4]), when
        assert seen["legends"][chart["role"]]["last"] == price_text(last[4]), when
    stored = {symbol: stored_last(connection, symbol) for symbol in seen["prices"]}
    told = {symbol: price_text(last[4]) for symbol, last in stored.items() if last}
    assert {symbol: seen["prices"][symbol] for symbol in told} == told, when
    assert len(told) >= 2 * (len(STRIKES) - len(SPARSE)), when
