"""Greeks in the database: computed from stored candles, once, and again when these change."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from db.archive.source_status import Access, report_access, report_up
from db.market.frames import Range
from db.server.connection import advisory_lock
from db.signals.greeks import Coverage, coverage
from db.writing.bulk import write
from db.writing.relations import CANDLE, CONTRACT
from db.writing.rows import Candle, Contract
from pipelines.signals.greeks import GREEKS_LOCK, RecentGreeks, materialise_greeks

SESSION = date(2026, 1, 21)
DAY = Range(SESSION, SESSION)
OPEN = datetime(2026, 1, 21, 3, 45, tzinfo=UTC)
EXPIRY = date(2026, 2, 3)  # weekly: no future expires with it
STRIKES = range(24_900, 25_101, 50)
# What the pairs agree on is 25,000 and a little interest; a volatility of about 11 %.
PRICES = {24_900: (255, 157), 24_950: (225, 176), 25_000: (198, 198), 25_050: (173, 222.5),
          25_100: (150, 249)}  # fmt: skip


def options(minute: int, late: int = 0) -> Iterator[Candle]:
    for strike, prices in PRICES.items():
        for kind, price in zip("CP", prices, strict=True):
            yield candle(f"NIFTY260203{kind}{strike}", minute, price, late)


def candle(symbol: str, minute: int, close: float, late: int = 0, volume: int = 65) -> Candle:
    opens = OPEN + timedelta(minutes=minute)
    known = opens + timedelta(minutes=1, seconds=late)
    prices = (close, close, close, close)
    return Candle(symbol, 1, opens, "NIFTY", *prices, volume, None, "test", known, True)


def rows(connection: psycopg.Connection, columns: str = "*") -> list[tuple]:
    return connection.execute(f"select {columns} from greeks order by open_time, symbol").fetchall()


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    """Three minutes of ten options."""
    contracts = [
        Contract(
            f"NIFTY260203{kind}{strike}", "NIFTY", EXPIRY, strike, kind, 65, SESSION, SESSION, ""
        )
        for strike in STRIKES
        for kind in "CP"
    ]
    write(connection, CONTRACT, contracts)
    write(connection, CANDLE, [row for minute in range(3) for row in options(minute)])
    return connection


def logged(connection: psycopg.Connection) -> int:
    query = "select count(*) from change_log where relation = 'greeks'"
    return connection.execute(query).fetchone()[0]


def test_every_traded_candle_gets_greeks_and_a_second_time_nothing_is_written(stored):
    assert materialise_greeks(stored, DAY, ("NIFTY",)) == (30, 0)
    found = rows(stored, "forward, forward_source, implied_volatility, delta, known_at - open_time")
    assert len(found) == 30
    for forward, source, volatility, delta, known in found:
        assert forward == pytest.approx(25_000, abs=2)
        assert source == "parity"
        assert volatility == pytest.approx(0.11, abs=0.01)
        assert 0.3 < abs(delta) < 0.7
        assert known == timedelta(minutes=1)
    before = rows(stored, "*, xmin")
    assert materialise_greeks(stored, DAY, ("NIFTY",)) == (0, 0)
    assert rows(stored, "*, xmin") == before
    assert logged(stored) == 30


def test_a_corrected_candle_changes_its_own_interval_only(stored):
    materialise_greeks(stored, DAY, ("NIFTY",))
    before = rows(stored)
    write(stored, CANDLE, [candle("NIFTY260203C25000", 1, 208.0, late=90)])
    assert materialise_greeks(stored, DAY, ("NIFTY",)) == (10, 0)
    changed = [row for row, old in zip(rows(stored), before, strict=True) if row != old]
    assert {row[2] for row in changed} == {OPEN + timedelta(minutes=1)}
    # All of it hangs on the forward, which was known anew with the correction.
    assert {row[-1] for row in changed} == {OPEN + timedelta(minutes=2, seconds=90)}


def test_greeks_that_follow_no_more_are_removed(stored):
    materialise_greeks(stored, DAY, ("NIFTY",))
    stored.execute("delete from candle where open_time = %s and symbol ~ '[CP]24'", (OPEN,))
    stored.execute("delete from candle where open_time = %s and symbol ~ 'P25050'", (OPEN,))
    before = logged(stored)
    assert materialise_greeks(stored, DAY, ("NIFTY",)) == (0, 10)
    assert len(rows(stored)) == 20
    assert logged(stored) == before + 10


def test_what_has_no_greeks_is_counted(stored):
    silent = [candle("NIFTY260203C24900", 3, 255.0), candle("NIFTY260203P24900", 3, 157.0)]
    worthless = candle("NIFTY260203P25100", 2, 90.0)
    write(stored, CANDLE, [*silent, worthless._replace(known_at=OPEN + timedelta(hours=1))])
    materialise_greeks(stored, DAY, ("NIFTY",))
    assert coverage(stored, DAY, ("NIFTY",)) == Coverage(30, 2, 1)


def test_a_price_that_cannot_be_true_costs_its_own_row_only(stored):
    stored.execute(
        "update candle set close = 'NaN', open = 'NaN', high = 'NaN', low = 'NaN'"
        " where symbol = 'NIFTY260203C24900' and open_time = %s",
        (OPEN,),
    )
    assert materialise_greeks(stored, DAY, ("NIFTY",)) == (29, 0)


def test_the_feed_computes_what_became_known_since_it_looked(stored):
    recent = RecentGreeks(SESSION, ("NIFTY",))
    assert recent.advance(stored) == 30
    assert recent.advance(stored) == 0
    write(stored, CANDLE, options(3, late=2))
    write(stored, CANDLE, [candle("NIFTY260203C25000", 1, 208.0, late=130)])
    assert recent.advance(stored) == 20
    whole = rows(stored)
    assert materialise_greeks(stored, DAY, ("NIFTY",)) == (0, 0)
    assert rows(stored) == whole


def test_candles_that_a_source_delays_have_greeks_as_they_come(stored):
    quarter = 15 * 60
    report_up(stored, "tradingview", OPEN)
    report_access(stored, "tradingview", Access(quarter, None, None))
    recent = RecentGreeks(SESSION, ("NIFTY",))
    write(stored, CANDLE, options(3, late=quarter))
    assert recent.advance(stored) == 40
    write(stored, CANDLE, options(4, late=quarter))
    assert recent.advance(stored) == 10


def test_the_feed_does_not_wait_for_another_process(stored, database):
    recent = RecentGreeks(SESSION, ("NIFTY",))
    with (
        psycopg.connect(database, autocommit=True) as other,
        advisory_lock(other, GREEKS_LOCK),
    ):
        assert recent.advance(stored) == 0
    assert recent.advance(stored) == 30


def test_a_feed_that_starts_late_begins_with_what_an_earlier_one_left(stored):
    """However long ago that was: of the rest of the session it looks at the last minutes only."""
    recent = RecentGreeks(SESSION, ("NIFTY",))
    write(stored, CANDLE, [candle("NIFTY260203C25000", 60, 208.0)])
    assert recent.advance(stored) == 30
    stored.execute("delete from greeks")
    write(stored, CANDLE, options(61))
    assert recent.advance(stored) == 10
