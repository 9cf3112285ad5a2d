"""By which names the pages are asked, and whose word counts on who asks."""

import socket

import httpx
import pytest
from chart_help import DEADLINE, Chart

from chartserver.clients import address_name
from chartserver.hosts import host_name

FOREIGN = ("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example")


def status_of(chart: Chart, *hosts: str, path: str = "/healthz") -> int:
    """The status for some `Host` headers, as they are."""
    lines = [f"GET {path} HTTP/1.1", *(f"Host: {host}" for host in hosts), "Connection: close"]
    with socket.create_connection(("127.0.0.1", chart.port), timeout=DEADLINE) as peer:
        peer.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(peer.recv(65_536).split()[1])


@pytest.mark.parametrize(
    "path",
    ["/", "/api/history", "/stream", "/healthz", "/metrics", "/token", "/static/live-page.js"],
)
@pytest.mark.parametrize("token", ["", "secret"])
def test_a_foreign_name_opens_nothing(serve, path, token):
    chart = serve(CHART_TOKEN=token or None)
    for host in FOREIGN:
        answer = chart.get(path, headers={"Host": host, "Authorization": "Bearer secret"})
        assert (host, answer.status_code) == (host, 421)
        assert "CHART_ALLOWED_HOSTS" in answer.json()["error"]
        assert "set-cookie" not in answer.headers


def test_no_name_and_two_names_open_nothing(chart):
    assert status_of(chart) == 421
    assert status_of(chart, "localhost", "evil.example") == 421
    assert status_of(chart, "") == 421


def test_loopback_has_its_names_at_any_port(chart):
    for host in ("localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:8000", "[::1]"):
        assert (host, status_of(chart, host)) == (host, 200)


def test_names_are_added_by_setting(serve):
    chart = serve(CHART_ALLOWED_HOSTS="desk.example, 192.0.2.7,[2001:db8::7]")
    for host in ("desk.example", "Desk.Example.:443", "192.0.2.7:8000", "[2001:db8::7]:80"):
        assert (host, status_of(chart, host)) == (host, 200)
    assert status_of(chart, "127.0.0.1") == 200
    assert status_of(chart, "evil.example") == 421


def test_bound_to_every_address_it_answers_to_the_one_that_was_reached(serve):
    """A page's name can lead here, but a page whose name is this address came from here."""
    chart = serve(CHART_HOST="0.0.0.0", CHART_TOKEN="secret")
    with socket.create_connection(("127.0.0.9", chart.port), timeout=DEADLINE) as peer:
        peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.9\r\n\r\n")
        assert peer.recv(65_536).startswith(b"HTTP/1.1 200")
    assert status_of(chart, "127.0.0.9") == 421
    assert status_of(chart, "0.0.0.0") == 200


@pytest.mark.parametrize(
    ("header", "name"),
    [("A.b:1", "a.b"), ("[::1]:1", "::1"), ("a.", "a"), ("", ""), ("[::1", "::1"), ("a:b:c", "a")],
)
def test_a_host_header_is_read(header, name):
    assert host_name(header) == name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("192.0.2.7", "address 192.0.2.7"),
        ("::ffff:192.0.2.7", "address 192.0.2.7"),
        ("2001:db8::1", "address 2001:db8::/64"),
        ("2001:db8::ffff:1", "address 2001:db8::/64"),
        ("fe80::1%eth0", "address fe80::/64"),
        ("", "address "),
    ],
)
def test_an_address_is_a_client_and_of_the_sixth_version_a_network(host, name):
    assert address_name(host) == name


# Proxies ------------------------------------------------------------------------------------------


def cookie_over(chart: Chart, **headers: str) -> str:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = httpx.post(f"{chart.url}/token", data={"token": "secret"}, headers=given)
    assert answer.status_code == 303
    return answer.headers["set-cookie"]


def test_only_a_trusted_proxy_says_that_people_come_by_https(serve):
    trusting = serve(CHART_TOKEN="secret", CHART_TRUSTED_PROXY="10.0.0.0/8,127.0.0.1")
    assert "; Secure" in cookie_over(trusting, X_Forwarded_Proto="https")
    assert "; Secure" not in cookie_over(trusting, X_Forwarded_Proto="http")
    for settings in ({}, {"CHART_TRUSTED_PROXY": "10.0.0.0/8"}):
        chart = serve(CHART_TOKEN="secret", **settings)
        assert "; Secure" not in cookie_over(chart, X_Forwarded_Proto="https")


def test_what_others_say_of_where_they_come_from_does_not_count(serve):
    """Else each guess could come from another address."""
    chart = serve(CHART_TOKEN="secret")
    statuses = [
        chart.get(
            "/metrics",
            headers={"Authorization": "Bearer wrong", "X-Forwarded-For": f"192.0.2.{number}"},
        ).status_code
        for number in range(8)
    ]
    assert (statuses[0], statuses[-1]) == (401, 429)
