"""The live stream: every committed row once, in order, through any interruption."""

import random
import re
import socket
import threading

import pytest
from chart_help import (
    OPEN,
    SESSION,
    Chart,
    Event,
    Stream,
    build_up,
    candle,
    seconds,
    signal,
)

from db.pages.change_log import prune
from db.server.connection import connect
from db.writing.bulk import merge, publish, write
from db.writing.relations import BUILD_UP, CANDLE, SIGNAL

LAST = "NIFTY1!"  # written after everything else


def keys(events: list[Event]) -> list[tuple[str, int]]:
    return [(event.data["symbol"], event.data["t"]) for event in events]


def stored_keys(connection) -> set[tuple[str, int]]:
    rows = connection.execute("select symbol, open_time from candle where symbol <> %s", (LAST,))
    return {(symbol, seconds(open_time)) for symbol, open_time in rows}


def assert_increasing(events: list[Event]) -> None:
    numbers = [event.seq for event in events]
    assert numbers == sorted(set(numbers))


def write_with_delays(dsn: str, number: int) -> None:
    """Fifteen transactions with random commit delays; every fifth or so is rolled back."""
    chance = random.Random(number)
    symbol = f"NIFTY260127C{20_000 + number}"
    with connect(dsn) as own, own.cursor() as cursor:
        for turn in range(15):
            rows = [candle(symbol, 10 * turn + n) for n in range(3)]
            with own.transaction(force_rollback=chance.random() < 0.2):
                merge(cursor, CANDLE, rows)
                cursor.execute("select pg_sleep(%s)", (chance.uniform(0, 0.03),))
                publish(cursor)
                cursor.execute("select pg_sleep(%s)", (chance.uniform(0, 0.003),))


def run_writers(dsn: str, count: int = 12) -> list[threading.Thread]:
    threads = [
        threading.Thread(target=write_with_delays, args=(dsn, number)) for number in range(count)
    ]
    for thread in threads:
        thread.start()
    return threads


def finish(connection, threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()
    write(connection, CANDLE, [candle(LAST)])


@pytest.mark.parametrize(("listen", "accept"), [("true", "gzip"), ("false", "identity")])
def test_twelve_delayed_writers_lose_nothing_and_keep_the_order(
    serve, database, connection, listen, accept
):
    chart = serve(CHART_LISTEN=listen)
    since = chart.json("/api/history?underlying=NIFTY")["as_of"]
    with Stream(chart, underlying="NIFTY", since=since, accept=accept) as stream:
        finish(connection, run_writers(database))
        events = stream.take_until(LAST)
    assert_increasing(events)
    assert len(events) == len(set(keys(events)))
    assert set(keys(events)) == stored_keys(connection)


def test_events_have_the_documented_shape(chart, connection):
    symbol = "NIFTY260127C25000"
    since = chart.json("/api/history")["as_of"]
    with Stream(chart, since=since) as stream:
        write(connection, CANDLE, [candle(symbol, final=False)])
        write(connection, BUILD_UP, [build_up(symbol)])
        write(connection, SIGNAL, [signal(symbol)])
        found = stream.take_rows(3)
    assert [event.kind for event in found] == ["candle", "build_up", "signal"]
    assert found[0].data == {
        "symbol": symbol, "interval": 1, "t": seconds(OPEN), "o": 99.0, "h": 102.0, "l": 98.0,
        "c": 100.0, "v": 650, "oi": 6500, "final": False,
    }  # fmt: skip
    assert found[1].data == {
        "symbol": symbol, "t": seconds(OPEN), "close": 101.0, "oi": 6500, "oi_change": -65,
        "volume": 130, "label": "short_covering",
    }  # fmt: skip
    assert found[2].data["symbol"] == symbol
    assert found[2].data["event_time"] == seconds(OPEN) + 600
    assert found[2].data["session"] == SESSION.isoformat()
    assert found[2].data["reasons"] == {"C25000": 650}
    assert found[2].data["withdrawn"] is False
    assert found[2].id == f"{since.split(':')[0]}:3"


def test_a_stream_begins_with_the_retry_time_and_the_status(chart):
    with Stream(chart) as stream:
        status = stream.take()
    assert status.kind == "status"
    assert status.id is None
    assert status.data["market"] == "open"
    assert set(status.data["sources"]) == {"tradingview", "trendlyne"}
    assert stream.response.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip, deflate, br, zstd", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0, *", None),
        ("br, deflate", None),
        ("", None),
    ],
)
def test_a_stream_is_gzipped_for_clients_that_take_it(chart, accept, coding):
    with Stream(chart, accept=accept) as stream:
        assert stream.take().kind == "status"
    assert stream.response.getheader("content-encoding") == coding
    assert stream.response.getheader("vary").lower() == "accept-encoding"


def test_each_gzipped_event_can_be_read_as_soon_as_it_comes(chart, connection):
    since = chart.json("/api/history")["as_of"]  # a hub that has just started may begin later
    with (
        Stream(chart, accept="gzip", since=since) as early,
        Stream(chart, accept="gzip", underlying="NIFTY", since=since) as filtered,
        Stream(chart, since=since) as plain,
    ):
        streams = (early, filtered, plain)
        assert {stream.take().kind for stream in streams} == {"status"}
        for minute in range(5):
            write(connection, CANDLE, [candle(minute=minute)])
            first, *others = [stream.take_rows(1) for stream in streams]
            assert first[0].data["t"] == seconds(OPEN) + 60 * minute
            assert others == [first, first]
        # Who comes later reads the same shared bytes from the middle on.
        with Stream(chart, accept="gzip") as late:
            late.take()
            write(connection, CANDLE, [candle(minute=5)])
            assert late.take_rows(1) == early.take_rows(1)


def test_a_withdrawn_signal_is_streamed_as_such(chart, connection):
    write(connection, SIGNAL, [signal("NIFTY260127C25000")])
    since = chart.json("/api/history")["as_of"]
    with Stream(chart, since=since) as stream:
        write(connection, SIGNAL, [signal("NIFTY260127C25000", withdrawn_at=OPEN)])
        (event,) = stream.take_rows(1)
    assert event.data["withdrawn"] is True


def test_rows_between_the_history_and_the_stream_arrive(chart, connection):
    write(connection, CANDLE, [candle(minute=0)])
    since = chart.json("/api/history?underlying=NIFTY")["as_of"]
    write(connection, CANDLE, [candle(minute=1), candle(minute=2)])
    with Stream(chart, underlying="NIFTY", since=since) as stream:
        write(connection, CANDLE, [candle(minute=3)])
        events = stream.take_rows(3)
    assert [event.data["t"] for event in events] == [seconds(OPEN) + 60 * n for n in (1, 2, 3)]


def test_a_filter_leaves_out_the_other_underlying(chart, connection):
    since = chart.json("/api/history")["as_of"]
    with Stream(chart, underlying="BANKNIFTY", since=since) as stream:
        write(connection, CANDLE, [candle("NIFTY"), candle("BANKNIFTY"), candle("BANKNIFTY1!")])
        events = stream.take_rows(2)
    assert {event.data["symbol"] for event in events} == {"BANKNIFTY", "BANKNIFTY1!"}
    assert_increasing(events)


@pytest.mark.parametrize("restarted", [False, True], ids=["from the ring", "from the table"])
@pytest.mark.parametrize("accept", ["identity", "gzip"])
def test_a_client_resumes_after_its_last_id(serve, connection, restarted, accept):
    chart = serve()
    since = chart.json("/api/history")["as_of"]
    with Stream(chart, since=since, accept=accept) as stream:
        write(connection, CANDLE, [candle(minute=minute) for minute in range(40)])
        first = stream.take_rows(15)
    write(connection, CANDLE, [candle(minute=minute) for minute in range(40, 60)])
    if restarted:
        chart = serve()
    # The browser repeats the address it was opened with; what it received counts more.
    with Stream(chart, last_id=first[-1].id, since=since, accept=accept) as stream:
        write(connection, CANDLE, [candle(minute=60)])
        rest = stream.take_rows(46)
    assert_increasing(first + rest)
    assert keys(first + rest) == [("NIFTY", seconds(OPEN) + 60 * n) for n in range(61)]


def test_a_client_of_a_killed_server_resumes_at_its_successor(serve_process, database, connection):
    chart = serve_process()
    since = chart.json("/api/history")["as_of"]
    threads = run_writers(database, 4)
    with Stream(chart, since=since) as stream:
        events = stream.take_rows(20)
        chart.stop(kill=True)
        while (event := stream.take()) is not None:
            events += [event] if event.id else []
    successor = serve_process(port=chart.port)
    with Stream(successor, last_id=events[-1].id, since=since) as stream:
        finish(connection, threads)
        events += stream.take_until(LAST)
    assert_increasing(events)
    assert sorted(keys(events)) == sorted(stored_keys(connection))


@pytest.mark.parametrize("listen", ["true", "false"])
def test_the_death_of_the_hub_s_connection_is_invisible(serve, database, connection, listen):
    chart = serve(CHART_LISTEN=listen)
    since = chart.json("/api/history")["as_of"]
    kill = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name like 'optionscalp%'"
    )
    with Stream(chart, since=since) as stream:
        threads = run_writers(database, 4)
        events = stream.take_rows(10)
        assert connection.execute(kill).rowcount >= 1
        events += stream.take_rows(10)
        connection.execute(kill)
        finish(connection, threads)
        events += stream.take_until(LAST)
    assert_increasing(events)
    assert sorted(keys(events)) == sorted(stored_keys(connection))
    assert chart.get("/healthz").status_code == 200


def since_another_epoch(connection, epoch: str) -> str:
    return "0a0a:1"


def since_before_the_pruned(connection, epoch: str) -> str:
    prune(connection, keep=2)
    return f"{epoch}:3"


def since_the_future(connection, epoch: str) -> str:
    return f"{epoch}:1000000"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (since_another_epoch, "epoch"),
        (since_before_the_pruned, "pruned"),
        (since_the_future, "future"),
    ],
)
def test_an_unusable_cursor_gets_a_reset_and_then_live_events(serve, connection, place, reason):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(10)])
    epoch = connection.execute("select epoch from feed_meta").fetchone()[0]
    since = place(connection, epoch)
    chart = serve()
    with Stream(chart, since=since) as stream:
        reset = stream.take_kind("reset")
        write(connection, CANDLE, [candle(minute=10)])
        (event,) = stream.take_rows(1)
    assert reset.data == {"reason": reason}
    assert reset.id == f"{epoch}:10"
    assert event.id == f"{epoch}:11"
    assert chart.metric("resets_total") == 1


def test_a_restored_database_resets_every_client(chart, connection):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(5)])
    since = chart.json("/api/history")["as_of"]
    with Stream(chart, since=since) as stream:
        connection.execute("update feed_meta set epoch = 'feed'")
        assert stream.take_kind("reset").data == {"reason": "epoch"}
        write(connection, CANDLE, [candle(minute=5)])
        (event,) = stream.take_rows(1)
    assert event.id == "feed:6"
    assert chart.json("/api/history")["as_of"] == "feed:6"


def test_a_client_that_reads_nothing_is_closed_and_can_resume(chart, connection):
    since = chart.json("/api/history")["as_of"]
    epoch = since.split(":")[0]
    with socket.socket() as slow, Stream(chart, since=since) as healthy:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", chart.port))
        slow.sendall(f"GET /stream?since={since} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        # Large events fill what the sockets take; then small ones pile up in the queue.
        large = [signal(f"NIFTY260127C{n}", reasons={"x": "y" * 1_000_000}) for n in range(5)]
        written = write(connection, SIGNAL, large)
        assert len(healthy.take_rows(written)) == written
        while chart.metric("overflow_closes_total") == 0:
            assert written < 500
            written += write(connection, CANDLE, [candle(minute=written)])
            healthy.take_rows(1)
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        slow.settimeout(20)
        received = b""
        while piece := slow.recv(1 << 20):
            received += piece
    last = int(re.findall(rb"id: \w+:(\d+)", received)[-1])
    assert last < written
    with Stream(chart, last_id=f"{epoch}:{last}") as resumed:
        rest = resumed.take_rows(written - last)
    assert [event.seq for event in rest] == list(range(last + 1, written + 1))


def test_wrong_parameters_are_refused_before_the_stream_begins(chart):
    for query, name in (
        ("since=nonsense", "since"),
        ("since=1a:b", "since"),
        ("underlying=SENSEX", "underlying"),
    ):
        answer = chart.get(f"/stream?{query}")
        assert (answer.status_code, answer.json()["parameter"]) == (400, name)
    answer = chart.get("/stream", headers={"Last-Event-ID": "x"})
    assert (answer.status_code, answer.json()["parameter"]) == (400, "Last-Event-ID")


def test_a_client_that_left_is_forgotten(chart: Chart):
    with Stream(chart) as stream:
        stream.take()
        assert chart.metric("clients") == 1
    while chart.metric("clients"):
        pass


def test_the_server_stops_at_once_though_streams_are_open(serve_process, connection):
    chart = serve_process()
    since = chart.json("/api/history")["as_of"]
    with (
        Stream(chart, since=since) as stream,
        Stream(chart, accept="gzip", since=since) as packed,
    ):
        write(connection, CANDLE, [candle()])
        for one in (stream, packed):
            one.take_rows(1)
        chart.stop()
        for one in (stream, packed):
            while one.take() is not None:
                pass
        assert packed.unpacker.eof  # it checks the checksum, too
    assert not [line for line in chart.log if "ERROR" in line or "Traceback" in line]
