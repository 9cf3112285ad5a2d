"""Two sources of the same session, through the archive: rows, opinions, and their check."""

import json
from datetime import date, timedelta

import psycopg

from db.archive.raw_payloads import Answer, archive
from db.checks.overview import overview
from db.writing.opinions import prefer_sources
from pipelines.ingest.rebuild import rebuild
from strategy.session import session_hours

DAY = date(2026, 1, 21)
START, CLOSE = session_hours(DAY)
MINUTE = timedelta(minutes=1)
LATER = CLOSE + timedelta(hours=1)
TABLES = {
    "candle": "select * from candle order by symbol, open_time",
    "source_version": "select * from source_version order by relation, key, source",
    "second_opinion": "select * from second_opinion order by relation, key, source",
}


def archived(
    connection: psycopg.Connection, source: str, closes: list[float], after: timedelta
) -> None:
    """Archive an answer about the index's first minutes; the form is Upstox's, whoever told it."""
    rows = [
        [(START + n * MINUTE).isoformat(), 25_000.0, max(close, 25_000.0), 24_900.0, close, 0, 0]
        for n, close in enumerate(closes)
    ]
    about = {"source": "upstox", "kind": "history", "symbol": "NIFTY", "minutes": 1, "count": 375}
    body = json.dumps({"status": "success", "data": {"candles": rows}}).encode()
    moment = LATER + after
    archive(
        connection,
        Answer(source, f"of {source}", about, DAY, moment, moment, body, complete_to=moment),
    )


def everything(connection: psycopg.Connection) -> dict[str, list[tuple]]:
    return {name: connection.execute(query).fetchall() for name, query in TABLES.items()}


def test_the_archive_of_two_sources_gives_rows_and_opinions_again(connection: psycopg.Connection):
    prefer_sources(connection, ["preferred", "other"])
    archived(connection, "other", [25_010.0, 25_020.0, 25_030.0, 25_040.0], MINUTE)
    archived(connection, "preferred", [25_010.0, 25_021.0, 25_060.0], 2 * MINUTE)
    rebuild(connection, DAY)
    before = everything(connection)
    rows = connection.execute(
        "select close, source, known_at from candle where symbol = 'NIFTY' order by open_time"
    ).fetchall()
    first, second = LATER + MINUTE, LATER + 2 * MINUTE
    assert rows == [
        (25_010.0, "preferred", first),
        (25_021.0, "preferred", second),
        (25_060.0, "preferred", second),
        (25_040.0, "other", first),
    ]
    told = "select key ->> 'symbol', source, difference ->> 'close' from second_opinion"
    assert connection.execute(told).fetchall() == [("NIFTY", "other", "-30")]
    assert overview(connection)["opinions"] == {"session": DAY, "compared": 3, "differing": 1}

    again = rebuild(connection, DAY, write=False)
    assert (again.changes, again.unexplained) == (0, 0)
    connection.execute("delete from source_version where source = 'other'")
    connection.execute("update candle set close = 25000, source = 'other'")
    assert rebuild(connection, DAY).tables["source_version"].new == 3
    assert everything(connection) == before


def test_one_source_alone_leaves_no_opinions(connection: psycopg.Connection):
    archived(connection, "preferred", [25_010.0], MINUTE)
    archived(connection, "preferred", [25_015.0], 2 * MINUTE)
    rebuild(connection, DAY)
    assert connection.execute("select close from candle").fetchall() == [(25_015.0,)]
    assert everything(connection)["source_version"] == []
    assert overview(connection)["opinions"] is None
