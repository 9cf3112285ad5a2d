"""Strike ladders in the live stream: always what `/api/chain` would answer."""

import random
import threading
from datetime import date, timedelta

import psycopg
import pytest
from chart_help import (
    OPEN,
    Chart,
    Event,
    Stream,
    build_up,
    candle,
    clock_text,
    contract,
    seconds,
)

from db.market.frames import Range
from db.server.connection import connect
from db.signals.greeks import Scope, store_greeks
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE, CHAIN_OI, CONTRACT, GREEKS
from db.writing.rows import ChainOi, Greeks

EXPIRY = date(2026, 1, 27)
LADDER = f"NIFTY:{EXPIRY}"
CHAIN = f"/api/chain?underlying=NIFTY&expiry={EXPIRY}"
STRIKES = (24_900, 24_950, 25_000, 25_050, 25_100)
PLACES = ("NIFTY", "NIFTY1!")


def symbol(strike: int, kind: str = "C") -> str:
    return contract(strike, kind).symbol


def chain_oi(strike: int, minute: int, call_oi: int = 1300, **changes) -> ChainOi:
    moment = OPEN + timedelta(minutes=minute)
    known = moment + timedelta(seconds=30)
    row = ChainOi("NIFTY", EXPIRY, strike, moment, call_oi, 650, 65, 130, "test", known)
    return row._replace(**changes)


def greeks(name: str, minute: int, delta: float = 0.5, **changes) -> Greeks:
    opens = OPEN + timedelta(minutes=minute)
    values = (25_040.0 + minute, "parity", 0.14, delta, 0.001, -12.5, 13.1)
    known = opens + timedelta(minutes=1, seconds=3)
    return Greeks(name, 1, opens, "NIFTY", *values, known)._replace(**changes)


class Shown:
    """What a page would show of one ladder."""

    def __init__(self, stream: Stream, expiry: date = EXPIRY):
        self.stream = stream
        self.expiry = expiry.isoformat()
        self.rows: dict[int, dict] = {}
        self.head: dict = {}
        self.events: list[Event] = []

    def take(self) -> Event:
        return self.apply(self.stream.take_kind("ladder"))

    def apply(self, event: Event) -> Event:
        if event.data["expiry"] != self.expiry:
            return event
        self.events.append(event)
        self.head = {**event.data}
        rows = self.head.pop("rows")
        if self.head.pop("whole"):
            self.rows = {}
        self.rows |= {row["strike"]: row for row in rows}
        return event

    def take_until(self, seq: int) -> None:
        while self.take().seq < seq:
            pass

    def strikes(self) -> list[int]:
        """Of the last event."""
        return [row["strike"] for row in self.events[-1].data["rows"]]

    def content(self) -> dict:
        rows = [self.rows[strike] for strike in sorted(self.rows)]
        return {**self.head, "at": None, "rows": rows}


def answer(chart: Chart, path: str = CHAIN) -> dict:
    return {**chart.json(path), "at": None}


def newest(connection: psycopg.Connection) -> int:
    return connection.execute("select max(seq) from change_log").fetchone()[0]


def write_something(connection: psycopg.Connection, chance: random.Random, turn: int) -> None:
    """Change one to three rows that a ladder shows; not always rows that are newer."""
    minute = chance.randrange(60)
    strikes = chance.sample(STRIKES, chance.randint(1, 3))
    names = [symbol(strike, chance.choice("CP")) for strike in strikes]
    match chance.randrange(5):
        case 0:
            width = chance.choice((1, 5))
            price = 100.0 + turn / 20
            rows = [candle(name, minute, price, interval_minutes=width) for name in names]
            write(connection, CANDLE, rows)
        case 1:
            rows = [build_up(name, minute, close=90.0 + turn / 20) for name in names]
            write(connection, BUILD_UP, rows)
        case 2:
            write(connection, CHAIN_OI, [chain_oi(k, minute, 65 * turn) for k in strikes])
        case 3:
            write(connection, GREEKS, [greeks(name, minute, turn / 1000) for name in names])
        case _:
            name = chance.choice(PLACES)
            write(connection, CANDLE, [candle(name, minute, 24_900.0 + chance.randrange(200))])


@pytest.fixture
def stored(connection: psycopg.Connection) -> psycopg.Connection:
    """A ladder of five strikes, with a price and open interest each."""
    write(connection, CONTRACT, [contract(k, kind) for k in STRIKES for kind in "CP"])
    write(connection, CANDLE, [candle("NIFTY", 0, 25_010.0)])
    write(connection, CANDLE, [candle(symbol(k, kind), 0) for k in STRIKES for kind in "CP"])
    write(connection, CHAIN_OI, [chain_oi(strike, 0) for strike in STRIKES])
    return connection


def test_a_ladder_comes_whole_at_first_and_then_what_changed(stored, chart):
    since = chart.json("/api/history?underlying=NIFTY")["as_of"]
    with Stream(chart, underlying="NIFTY", since=since, ladder=LADDER) as stream:
        shown = Shown(stream)
        first = shown.take()
        assert first.data["whole"] is True
        assert first.id == since
        assert shown.content() == answer(chart)
        write(stored, CANDLE, [candle(symbol(25_050, "P"), 1, 97.0)])
        second = shown.take()
        assert second.data["whole"] is False
        assert shown.strikes() == [25_050]
        (row,) = second.data["rows"]
        assert row["put"] == {
            "symbol": symbol(25_050, "P"), "price": 97.0, "price_at": seconds(OPEN) + 120,
            "price_ended_at": seconds(OPEN) + 120, "price_from": "candle",
            "oi": 650, "oi_at": seconds(OPEN), "oi_change": 520,
            "oi_change_5m": None, "label": None, "label_at": None,
            **dict.fromkeys(("iv", "delta", "gamma", "theta", "vega", "greeks_at")),
        }  # fmt: skip
        write(stored, CHAIN_OI, [chain_oi(25_000, 5, 6500), chain_oi(24_900, 5, 65)])
        third = shown.take()
        assert shown.strikes() == [24_900, 25_000]
        assert (third.data["resistance"], third.data["support"]) == (25_000, 24_900)
        write(stored, GREEKS, [greeks(symbol(25_100), 1)])
        fourth = shown.take()
        assert shown.strikes() == [25_100]
        assert fourth.data["forward"] == 25_041.0
        write(stored, CANDLE, [candle("NIFTY", 1, 25_080.0)])
        fifth = shown.take()
        assert (fifth.data["rows"], fifth.data["atm_strike"]) == ([], 25_100)
        assert shown.content() == answer(chart)


def test_a_strikes_row_follows_its_candle_in_the_same_batch(stored, chart):
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        Shown(stream).take()
        write(stored, CANDLE, [candle(symbol(k), 1, 101.0) for k in STRIKES])
        found = stream.take_rows(len(STRIKES) + 1)
    assert [event.kind for event in found] == ["candle"] * len(STRIKES) + ["ladder"]
    assert found[-1].id == found[-2].id
    assert {row["call"]["price"] for row in found[-1].data["rows"]} == {101.0}


def test_who_resumes_gets_the_ladder_whole_again(stored, chart):
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        last = Shown(stream).take().id
    write(stored, CHAIN_OI, [chain_oi(25_000, 5, 6500)])
    write(stored, CANDLE, [candle(symbol(25_000), 1, 103.0)])
    with Stream(chart, last_id=last, underlying="NIFTY", ladder=LADDER) as stream:
        shown = Shown(stream)
        found = {}
        while "ladder" not in found or max(one.seq for one in found.values()) < newest(stored):
            event = stream.take_rows(1)[0]
            found[event.kind] = event
            if event.kind == "ladder":
                assert event.data["whole"] is True
                shown.apply(event)
        assert found["candle"].data["c"] == 103.0
        assert shown.content() == answer(chart)


@pytest.mark.parametrize("listen", ["true", "false"])
@pytest.mark.parametrize("seed", [1, 2])
def test_whenever_the_last_id_is_the_newest_the_ladder_is_as_the_api_answers(
    serve, stored, listen, seed
):
    """Two clients, one of which came later and watches another ladder besides."""
    chart = serve(CHART_LISTEN=listen)
    chance = random.Random(seed)
    with Stream(chart, underlying="NIFTY", ladder=LADDER, accept="gzip") as first:
        early = Shown(first)
        early.take()
        for turn in range(40):
            write_something(stored, chance, turn)
            if listen == "true":
                early.take_until(newest(stored))
                assert early.content() == answer(chart), turn
        with Stream(chart, ladder=LADDER) as second:
            late = Shown(second)
            late.take()
            for turn in range(40, 60):
                write_something(stored, chance, turn)
            # No random row is as new as this one.
            write(stored, CANDLE, [candle(symbol(25_000), 61)])
            for shown in (early, late):
                shown.take_until(newest(stored))
                assert shown.content() == answer(chart)
        assert not any(event.data["whole"] for event in early.events[1:])


def test_clients_that_come_while_rows_are_written_miss_nothing(stored, database, chart):
    def keep_writing() -> None:
        with connect(database) as own:
            for turn in range(150):
                write_something(own, random.Random(turn), turn)

    writer = threading.Thread(target=keep_writing)
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        clients = [Shown(stream)]
        clients[0].take()
        writer.start()
        streams = []
        for _ in range(6):
            streams.append(Stream(chart, underlying="NIFTY", ladder=LADDER))
            clients.append(Shown(streams[-1]))
            clients[0].take()
        writer.join()
        write(stored, CANDLE, [candle(symbol(25_000), 61)])
        for shown in clients:
            shown.take_until(newest(stored))
            assert shown.content() == answer(chart)
        for opened in streams:
            opened.close()


def test_each_client_gets_its_own_ladders_and_the_others_none(stored, chart):
    later = date(2026, 2, 3)
    rows = [contract(k, "C")._replace(expiry=later, symbol=f"NIFTY260203C{k}") for k in STRIKES]
    write(stored, CONTRACT, rows)
    since = chart.json("/api/history?underlying=NIFTY")["as_of"]
    query = {"underlying": "NIFTY", "since": since}
    with (
        Stream(chart, **query, ladder=[LADDER, f"NIFTY:{later}"]) as both,
        Stream(chart, **query, ladder=f"NIFTY:{later}") as other,
        Stream(chart, **query) as plain,
    ):
        near, far, alone = Shown(both), Shown(both, later), Shown(other, later)
        assert [far.apply(near.take()).data["expiry"] for _ in range(2)] == [
            *(str(EXPIRY), str(later))
        ]
        assert len(alone.take().data["rows"]) == len(STRIKES)
        write(stored, CHAIN_OI, [chain_oi(25_000, 5)])
        write(stored, GREEKS, [greeks("NIFTY260203C25000", 5)])
        alone.take_until(newest(stored))
        write(stored, CANDLE, [candle(symbol(25_000), 6, 99.0)])
        while far.apply(near.take()).seq < newest(stored):
            pass
        write(stored, CANDLE, [candle("NIFTY260203C25050", 6, 98.0)])
        last = newest(stored)
        while far.apply(near.take()).seq < last:
            pass
        alone.take_until(last)
        assert near.content() == answer(chart)
        for shown in (far, alone):
            assert shown.content() == answer(chart, f"/api/chain?underlying=NIFTY&expiry={later}")
        assert alone.strikes() == [25_050]
        found = plain.take_rows(2)
    assert [(event.kind, event.seq) for event in found] == [("candle", last - 1), ("candle", last)]
    with Stream(chart, last_id=found[0].id, underlying="NIFTY") as plain:
        assert plain.take_rows(1)[0].seq == last


def test_after_a_reset_the_ladder_comes_whole(stored, chart):
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        shown = Shown(stream)
        shown.take()
        stored.execute("update feed_meta set epoch = 'another'")
        stored.execute("delete from change_log")
        write(stored, CHAIN_OI, [chain_oi(25_000, 5, 6500)])
        assert stream.take_kind("reset").data == {"reason": "epoch"}
        event = shown.take()
        assert event.data["whole"] is True
        assert event.id == f"another:{newest(stored)}"
        assert shown.content() == answer(chart)


def test_a_lost_cursor_is_a_reset_and_then_the_whole_ladder(stored, chart):
    with Stream(chart, last_id="other:7", underlying="NIFTY", ladder=LADDER) as stream:
        assert stream.take_kind("reset").data == {"reason": "epoch"}
        shown = Shown(stream)
        assert shown.take().seq == newest(stored)
        assert shown.content() == answer(chart)


def test_a_ladder_that_is_not_stored_yet_comes_once_it_is(connection, chart):
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        shown = Shown(stream)
        first = shown.take()
        assert (first.data["whole"], first.data["rows"]) == (True, [])
        assert first.data["atm_strike"] is None
        write(connection, CONTRACT, [contract(k, kind) for k in STRIKES for kind in "CP"])
        shown.take()
        assert shown.content() == answer(chart)
        assert len(shown.rows) == len(STRIKES)


def test_rows_of_the_future_show_when_they_are_known_without_a_write(serve, stored):
    chart = serve(OPTIONSCALP_CLOCK=clock_text(speed=30))
    begins = seconds(OPEN) + 75 * 60  # where the clock was set
    known_at = OPEN + timedelta(minutes=77)
    stored_before = candle(symbol(25_000), 70, 103.0, known_at=known_at)
    write(stored, CANDLE, [stored_before])
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        shown = Shown(stream)
        first = shown.take()
        late = build_up(symbol(25_050), 70, close=55.0, known_at=known_at + timedelta(minutes=1))
        write(stored, BUILD_UP, [late])
        while shown.rows[25_050]["call"]["price"] != 55.0:
            event = shown.take()
            clock = event.data["at"] - begins
            assert (shown.rows[25_000]["call"]["price"] == 103.0) == (clock >= 120)
            assert (shown.rows[25_050]["call"]["price"] == 55.0) == (clock >= 180)
        assert first.data["at"] < seconds(known_at)
        assert shown.content() == answer(chart)


def test_the_first_candle_of_a_session_makes_the_ladder_anew(serve, stored):
    chart = serve(OPTIONSCALP_CLOCK=clock_text("2026-01-22T05:00:00+00:00"))
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        shown = Shown(stream)
        assert shown.take().data["session"] == "2026-01-21"
        assert shown.rows[25_000]["call"]["price"] == 100.0
        day = 24 * 60
        write(stored, CANDLE, [candle("NIFTY260210C25000", day)])  # shown in no ladder here
        event = shown.take()
        assert (event.data["whole"], event.data["session"]) == (True, "2026-01-22")
        assert shown.rows[25_000]["call"]["price"] is None
        write(stored, CANDLE, [candle(symbol(25_050), 1), candle(symbol(25_000), day, 90.0)])
        shown.take()
        assert shown.strikes() == [25_000]
        assert shown.content() == answer(chart)


def test_a_later_session_shows_when_its_time_has_come(serve, stored):
    chart = serve(OPTIONSCALP_CLOCK=clock_text("2026-01-22T03:44:00+00:00", speed=30))
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        shown = Shown(stream)
        shown.take()
        write(stored, CANDLE, [candle("NIFTY", 24 * 60, 25_060.0)])
        event = shown.take()
        assert (event.data["whole"], event.data["session"]) == (True, "2026-01-22")
        assert event.data["at"] >= seconds(OPEN) + 86_400
        assert event.data["spot"] is None
        event = shown.take()
        assert event.data["spot"] == 25_060.0
        assert shown.content() == answer(chart)


def test_greeks_that_are_removed_leave_the_ladder(stored, chart):
    write(stored, GREEKS, [greeks(symbol(25_000), 1), greeks(symbol(25_000), 2, 0.6)])
    with Stream(chart, underlying="NIFTY", ladder=LADDER) as stream:
        shown = Shown(stream)
        shown.take()
        scope = Scope(Range(OPEN.date(), OPEN.date()), ("NIFTY",))
        kept = [greeks(symbol(25_000), 1)]
        assert store_greeks(stored, scope, kept) == (0, 1)
        shown.take()
        assert shown.strikes() == [25_000]
        assert shown.rows[25_000]["call"]["delta"] == 0.5
        assert shown.content() == answer(chart)


def test_a_price_is_of_the_candle_or_the_build_up_whichever_is_newer(stored, chart):
    name = symbol(25_000)

    def price() -> tuple:
        (row,) = [row for row in chart.json(CHAIN)["rows"] if row["strike"] == 25_000]
        call = row["call"]
        return call["price"], call["price_from"], call["price_at"] - seconds(OPEN)

    assert price() == (100.0, "candle", 60)
    write(stored, BUILD_UP, [build_up(name, 0, close=55.0)])
    assert price() == (55.0, "build_up", 320)
    # It ends with the build-up: a candle is the finer of the two.
    write(stored, CANDLE, [candle(name, 4, 56.0)])
    assert price() == (56.0, "candle", 300)
    write(stored, BUILD_UP, [build_up(name, 5, close=57.0, label="none")])
    forming = OPEN + timedelta(minutes=9, seconds=30)
    write(stored, CANDLE, [candle(name, 9, 58.0, final=False, known_at=forming)])
    assert price() == (57.0, "build_up", 620)
    write(
        stored, CANDLE, [candle(name, 10, 59.0, final=False, known_at=forming.replace(minute=55))]
    )
    assert price() == (59.0, "candle", 630)
    (row,) = [row for row in chart.json(CHAIN)["rows"] if row["strike"] == 25_000]
    assert row["call"]["price_ended_at"] == seconds(OPEN) + 630
    assert (row["call"]["label"], row["call"]["label_at"]) == ("none", seconds(OPEN) + 600)
    assert row["call"]["oi_change_5m"] == -65


def test_the_label_and_the_change_are_of_the_open_interest_s_interval_or_unknown(stored, chart):
    def call() -> tuple:
        (row,) = [row for row in chart.json(CHAIN)["rows"] if row["strike"] == 25_000]
        ends = [row["call"][name] for name in ("oi_at", "label_at")]
        told = [end and (end - seconds(OPEN)) // 60 for end in ends]
        return row["call"]["oi"], *told, row["call"]["oi_change_5m"], row["call"]["label"]

    name = symbol(25_000)
    assert call() == (1300, 0, None, None, None)
    write(stored, BUILD_UP, [build_up(name, 0, open_interest=2600)])
    assert call() == (2600, 5, 5, -65, "short_covering")
    # Prices come late: the ladder of minute ten is there, and the one before is not.
    write(stored, CHAIN_OI, [chain_oi(25_000, 10, 3900)])
    assert call() == (3900, 10, None, None, None)
    write(stored, CHAIN_OI, [chain_oi(25_000, 15, 3250)])
    assert call() == (3250, 15, 15, -650, None)
    # One that came off the grid is of the interval that had ended by then.
    write(stored, CHAIN_OI, [chain_oi(25_000, 17, 3315)])
    assert call() == (3315, 17, 15, -650, None)
    write(stored, BUILD_UP, [build_up(name, 5, oi_change=1300)])
    assert call() == (3315, 17, 15, -650, None)
    write(stored, BUILD_UP, [build_up(name, 10, oi_change=-650, label="long_unwinding")])
    assert call() == (3315, 17, 15, -650, "long_unwinding")
    write(stored, BUILD_UP, [build_up(name, 15, oi_change=None, label="none")])
    assert call() == (6500, 20, None, None, None)


def test_late_prices_are_as_of_their_candle_s_end_not_of_when_they_came(stored, chart):
    name = symbol(25_000)

    def ended() -> int:
        (row,) = [row for row in chart.json(CHAIN)["rows"] if row["strike"] == 25_000]
        return row["call"]["price_ended_at"] - seconds(OPEN)

    late = timedelta(minutes=15)
    write(stored, CANDLE, [candle(name, 3, known_at=OPEN + late)])
    assert ended() == 240
    write(stored, CANDLE, [candle(name, 4, final=False, known_at=OPEN + late * 1.1)])
    assert ended() == 300


@pytest.mark.parametrize(
    "ladder", ["NIFTY", "SENSEX:2026-01-27", "NIFTY:27-01-2026", "NIFTY:2026-13-01", ":", "NIFTY:"]
)
def test_a_ladder_of_another_form_is_refused_by_name(chart, ladder):
    found = chart.get("/stream", params={"ladder": ladder})
    assert found.status_code == 400
    assert found.json()["parameter"] == "ladder"
    assert "NIFTY:2026-01-27" in found.json()["allowed"]


def test_more_ladders_than_anybody_watches_are_refused(chart):
    many = [f"NIFTY:2026-01-{day}" for day in range(10, 21)]
    assert chart.get("/stream", params={"ladder": many}).json()["parameter"] == "ladder"
