"""Bid, ask and the moment of listing: stored from the answers that have them, and rebuilt."""

import json
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from pipelines.ingest.positions import ingest_positions
from pipelines.ingest.quotes import ladder_quotes
from pipelines.ingest.rebuild import rebuild
from pipelines.sources.roles import Ladder, LadderRow, LadderSide
from strategy.session import session_hours
from tests.broker import at, broker_desk

pytestmark = pytest.mark.anyio

DAY, PAST = date(2026, 1, 21), date(2026, 1, 20)
EXPIRY = date(2026, 1, 27)
QUOTES = "select * from quote order by symbol, moment"
CONTRACTS = "select * from contract order by symbol"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_every_quote_of_a_chain_is_stored_and_the_archive_gives_them_again(
    database: str, connection: psycopg.Connection, tmp_path: Path
):
    moment = at(DAY, "10:05:30")
    async with broker_desk(database, moment, tmp_path) as desk:
        await ingest_positions(desk, DAY)
    (body,) = connection.execute(
        "select body from raw_payload where about ->> 'kind' = 'chain'", binary=True
    ).fetchone()
    told = {
        f"NIFTY260127{kind}{row['strike_price']:.0f}": (
            *(side["bid_price"] or None, side["ask_price"] or None),
            *(side["bid_qty"], side["ask_qty"]),
        )
        for row in json.loads(body)["data"]
        for kind, name in (("C", "call_options"), ("P", "put_options"))
        if (side := row.get(name, {}).get("market_data"))
    }
    stored = connection.execute(QUOTES).fetchall()
    assert {row[0]: row[2:6] for row in stored} == told
    assert any(bid is not None for bid, *_ in told.values())
    assert {(row[1], row[6], row[7]) for row in stored} == {(stored[0][7], "upstox", stored[0][7])}

    contracts = connection.execute(CONTRACTS).fetchall()
    connection.execute("delete from quote")
    connection.execute("delete from contract")
    report = rebuild(connection, DAY)
    assert report.tables["quote"].new == len(stored)
    assert connection.execute(QUOTES).fetchall() == stored
    assert connection.execute(CONTRACTS).fetchall() == contracts
    connection.execute("update quote set bid = 0.01, bid_quantity = 65 where bid is not null")
    connection.execute(
        "insert into quote (select 'X', moment, 1, 2, 0, 0, source, known_at from quote limit 1)"
    )
    report = rebuild(connection, DAY, remove=True)
    assert (report.tables["quote"].changed, report.tables["quote"].unexplained) == (
        *(sum(1 for bid, *_ in told.values() if bid is not None), 1),
    )
    assert connection.execute(QUOTES).fetchall() == stored


async def test_contracts_are_listed_from_the_answer_that_named_them_first(
    database: str, connection: psycopg.Connection, tmp_path: Path
):
    query = "select min(listed_at), max(listed_at), min(tick_size), max(tick_size) from contract"
    moment = at(DAY, "09:00")
    async with broker_desk(database, moment, tmp_path) as desk:
        await ingest_positions(desk, DAY)
        first, last, *ticks = connection.execute(query).fetchone()
        assert moment <= first == last < moment + timedelta(seconds=1)
        assert ticks == [0.05, 0.05]
    async with broker_desk(database, at(DAY, "10:05"), tmp_path) as desk:
        await ingest_positions(desk, DAY)
        assert connection.execute(query).fetchone()[:2] == (first, last), "it never moves later"
        # A session that is over: nobody knows when; it had them when it opened.
        await ingest_positions(desk, PAST)
    assert connection.execute(query + " where first_seen = %s", (PAST,)).fetchone()[:2] == (
        *(session_hours(PAST)[0],) * 2,
    )


@pytest.mark.parametrize(("count", "stored"), [(65, 65), (1, None), (0, 0), (None, None)])
def test_quantities_that_are_no_units_for_certain_are_unknown(count: int | None, stored):
    side = LadderSide(650, bid=10.0, ask=10.1, bid_quantity=count, ask_quantity=count)
    rows = [LadderRow(25_000, side, None), LadderRow(25_050, LadderSide(650), None)]
    ladder = Ladder("NIFTY", EXPIRY, None, None, None, rows)

    class Receipt:
        source = "test"
        received_at = at(DAY, "10:05")

    (quote,) = ladder_quotes(Receipt, ladder, EXPIRY, Receipt.received_at)
    assert quote[2:6] == (10.0, 10.1, stored, stored)
