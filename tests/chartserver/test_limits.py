"""How much of the server a peer can take: bytes, time, connections, streams, turns."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from selectors import EVENT_READ, DefaultSelector
from urllib.parse import urlencode

import pytest
from chart_help import DEADLINE, OPEN, Chart, Stream, candle
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import chartserver.protocol
from chartserver.server import Server, bind
from chartserver.settings import Settings
from db.writing.bulk import write
from db.writing.relations import CANDLE

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
STREAM = b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
HISTORY = b"GET /api/history HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@contextmanager
def opened(chart: Chart) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", chart.port), timeout=DEADLINE) as peer:
        yield peer


def answer(peer: socket.socket) -> tuple[int, dict]:
    """The status and the JSON of what comes until the server ends the connection."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := peer.recv(65_536):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def until(done) -> None:
    """Return as soon as something is so."""
    deadline = time.monotonic() + DEADLINE
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# What a request may be ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bomb",
    [
        GET + b"X: " + b"x" * 100_000,
        GET + b"".join(b"X-%d: x\r\n" % number for number in range(10_000)),
        b"GET /healthz?" + b"x" * 100_000,
        b"\r\n" * 50_000,
        b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1;" + b"x" * 100_000,
    ],
    ids=["one long header", "many headers", "a long address", "empty lines", "a chunk's extension"],
)  # fmt: skip
def test_a_request_that_never_stops_growing_is_refused(chart, bomb):
    with opened(chart) as peer:
        with suppress(ConnectionError):
            peer.sendall(bomb)
        status, body = answer(peer)
    assert status == body["status"] == 431
    assert "16384 bytes" in body["error"]


def test_an_ordinary_browser_s_cookies_are_no_bomb(chart):
    assert chart.get("/healthz", headers={"Cookie": "a=" + 8_000 * "x"}).status_code == 200


def test_a_head_that_comes_drop_by_drop_is_refused(serve):
    with opened(serve(CHART_REQUEST_SECONDS="0.3")) as peer:
        peer.sendall(GET)
        done = threading.Event()

        def drip() -> None:
            with suppress(OSError):
                while not done.wait(0.05):
                    peer.sendall(b"x")

        dripping = threading.Thread(target=drip)
        dripping.start()
        status, body = answer(peer)
        done.set()
        dripping.join()
    assert (status, body["error"]) == (408, "a request may take 0.3 s to arrive")


def test_a_body_that_does_not_come_is_not_waited_for(serve, caplog):
    with opened(serve(CHART_REQUEST_SECONDS="0.3", CHART_TOKEN="secret")) as peer:
        peer.sendall(b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\ntok")
        assert answer(peer)[0] == 408
    assert "Traceback" not in caplog.text


def test_a_second_request_must_arrive_in_time_as_well(serve):
    chart = serve(CHART_REQUEST_SECONDS="0.3")
    with opened(chart) as peer:
        peer.sendall(GET + b"\r\n" + b"GET /he")
        received = b""
        while piece := peer.recv(65_536):
            received += piece
    assert b"HTTP/1.1 200" in received
    assert b"HTTP/1.1 408" in received


def test_a_connection_that_says_nothing_is_closed_without_a_word(serve):
    with opened(serve(CHART_REQUEST_SECONDS="0.3")) as peer:
        assert peer.recv(65_536) == b""


def test_what_is_no_http_is_refused_in_the_form_of_all_errors(chart):
    with opened(chart) as peer:
        peer.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
        assert answer(peer)[1] == {"error": "Invalid HTTP request received.", "status": 400}


def test_noise_on_a_stream_ends_it_and_nothing_is_mixed_into_it(chart):
    with opened(chart) as peer:
        peer.sendall(STREAM)
        received = b""
        while b"retry:" not in received:
            received += peer.recv(65_536)
        with suppress(ConnectionError):
            peer.sendall(b"GET /" + b"x" * 50_000)
        with suppress(ConnectionResetError):
            while piece := peer.recv(65_536):
                received += piece
    assert received.count(b"HTTP/1.1 ") == 1
    until(lambda: chart.metric("clients") == 0)


def test_a_stream_before_another_request_ends_with_its_connection(chart):
    with opened(chart) as peer:
        peer.sendall(STREAM + STREAM)
        while b"retry:" not in peer.recv(65_536):
            pass
        assert chart.metric("clients") == 1
    until(lambda: chart.metric("clients") == 0)


def test_asking_for_another_protocol_is_answered_as_if_it_was_not_asked(chart):
    asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    assert chart.get("/healthz", headers=asked).status_code == 200


def test_a_peer_that_takes_nothing_of_an_answer_loses_it(monkeypatch):
    monkeypatch.setattr(chartserver.protocol, "STALL_SECONDS", 0.2)

    async def large(_: Request) -> Response:
        return Response(bytes(100_000_000))

    settings = Settings(CHART_PORT=0, CHART_HOST="127.0.0.1")
    with bind(settings) as sock:
        server = Server(Starlette(routes=[Route("/", large)]), settings)
        thread = threading.Thread(target=server.run, args=([sock],))
        thread.start()
        with socket.create_connection(sock.getsockname(), timeout=DEADLINE) as peer:
            peer.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert peer.recv(1)
            until(lambda: not server.server_state.connections)
        server.should_exit = True
        thread.join(DEADLINE)
    assert not thread.is_alive()


# What a client may have ---------------------------------------------------------------------------


def test_an_address_has_so_many_connections_and_no_more(serve):
    chart = serve(CHART_CONNECTIONS_PER_ADDRESS="3")
    with ExitStack() as held:
        peers = [held.enter_context(opened(chart)) for _ in range(3)]
        with opened(chart) as another:
            assert answer(another) == (
                429,
                {"error": "this address has 3 connections open: close one", "status": 429},
            )
        peers[0].close()

        def is_let_in() -> bool:
            with opened(chart) as another, suppress(ConnectionError, IndexError):
                another.sendall(GET + b"Connection: close\r\n\r\n")
                return answer(another)[0] == 200
            return False

        until(is_let_in)


def test_the_server_has_so_many_connections_and_no_more(serve):
    chart = serve(CHART_CONNECTIONS="2")
    with opened(chart), opened(chart), opened(chart) as another:
        assert answer(another)[0] == 503


def test_a_trusted_proxy_s_connections_are_many_clients(serve):
    chart = serve(CHART_CONNECTIONS_PER_ADDRESS="1", CHART_TRUSTED_PROXY="127.0.0.0/8")
    with opened(chart), opened(chart):
        assert chart.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "variable"),
    [
        ("/stream", {}, "CHART_STREAMS_PER_CLIENT"),
        ("/replay/stream", {"from": "2026-01-21", "speed": 0.001}, "CHART_REPLAYS_PER_CLIENT"),
    ],
)
def test_a_client_has_so_many_streams_and_others_have_theirs(
    serve, connection, path, query, variable
):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(3)])
    chart = serve(CHART_TRUSTED_PROXY="127.0.0.1", **{variable: "1"})

    def status(client: str) -> int:
        with socket.create_connection(("127.0.0.1", chart.port), timeout=DEADLINE) as peer:
            address = f"{path}?{urlencode(query)}"
            head = f"GET {address} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\n\r\n"
            peer.sendall(head.encode())
            return int(peer.recv(65_536).split()[1])

    with Stream(chart, path, **query):
        refused = chart.get(path, params=query)
        assert (refused.status_code, refused.json()["limit"]) == (429, 1)
        assert variable in refused.json()["error"]
        assert refused.headers["retry-after"]
        assert status("192.0.2.7") == 200
        assert chart.get("/healthz").status_code == 200
    until(lambda: status("127.0.0.1") == 200)


def test_a_client_s_requests_wait_for_their_turn_and_keep_no_other_client_waiting(
    serve, connection
):
    write(connection, CANDLE, [candle()])
    chart = serve(
        CHART_REQUESTS_PER_CLIENT="1",
        CHART_WAITING_PER_CLIENT="1",
        CHART_TRUSTED_PROXY="127.0.0.1",
    )
    assert chart.get("/healthz").status_code == 200
    with ExitStack() as held, DefaultSelector() as answered:
        with connection.transaction():
            connection.execute("lock table candle in access exclusive mode")
            for _ in range(3):
                peer = held.enter_context(opened(chart))
                peer.sendall(HISTORY)
                answered.register(peer, EVENT_READ)
            (refused,) = answered.select(DEADLINE)
            status, body = answer(refused[0].fileobj)
            assert (status, body["limit"]) == (429, 2)
            answered.unregister(refused[0].fileobj)
            other = chart.get("/static/live-page.js", headers={"X-Forwarded-For": "192.0.2.7"})
            assert other.status_code == 200
            assert answered.select(0) == []
        waiting = [key.fileobj for key in answered.get_map().values()]
        assert [answer(peer)[0] for peer in waiting] == [200, 200]


def test_sixty_ranges_at_once_are_all_answered(chart, connection):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(30)])
    with ExitStack() as held:
        peers = [held.enter_context(opened(chart)) for _ in range(60)]
        for peer in peers:
            peer.sendall(HISTORY)
        assert {answer(peer)[0] for peer in peers} == {200}


def test_a_replay_is_sent_no_faster_than_it_may_whatever_its_speed(serve, connection):
    """A thousand rows at a hundred a second: the first hundreds come, the last are far away."""
    rows = [
        candle(minute=minute % 375)._replace(symbol=f"S{minute // 375}") for minute in range(1000)
    ]
    write(connection, CANDLE, rows)
    chart = serve(CHART_REPLAY_ROWS_PER_SECOND="100")
    query = {"from_": "2026-01-21", "to": "2026-01-21", "speed": 1_000_000}
    with Stream(chart, "/replay/stream", **query) as stream:
        first = stream.take_kind("candle")
        assert first.data["t"] == int(OPEN.timestamp())
        assert stream.events.qsize() < 900
    with Stream(serve(), "/replay/stream", **query) as stream:
        kinds = []
        while (event := stream.take()).kind != "end":
            kinds.append(event.kind)
    assert kinds == ["candle"] * 1000


def test_too_many_symbols_over_too_many_days_are_too_large(chart):
    names = ",".join(f"NIFTY260127C{strike}" for strike in range(40))
    for path in ("history", "replay"):
        refused = chart.get(f"/api/{path}?from=2026-01-01&to=2026-01-31&symbols={names}")
        assert (refused.status_code, refused.json()["limit_symbol_days"]) == (413, 1000)
        few = chart.get(f"/api/{path}?from=2026-01-01&to=2026-01-20&symbols={names}")
        assert few.status_code == 404  # not stored, but not too many
