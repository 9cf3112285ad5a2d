"""Logins: one per browser, ended by logging out, by a deleted row, by time, by another token."""

import time

import httpx
import pytest
from chart_help import DEADLINE, Chart, candle, refusing
from playwright.sync_api import Browser, BrowserContext, expect

import chartserver.logins
from db.server.connection import database_name
from db.writing.bulk import write
from db.writing.relations import CANDLE

TOKEN = "secret"
HTML = {"Accept": "text/html"}


@pytest.fixture
def guarded(serve) -> Chart:
    return serve(CHART_TOKEN=TOKEN, CHART_TRUSTED_PROXY="127.0.0.1")


@pytest.fixture
def soon(monkeypatch) -> None:
    """Rows are looked at again at once."""
    monkeypatch.setattr(chartserver.logins, "CHECK_SECONDS", 0.05)


def try_token(chart: Chart, token: str, client: str = "192.0.2.1", **headers) -> httpx.Response:
    return httpx.post(
        f"{chart.url}/token",
        data={"token": token},
        headers={**HTML, "X-Forwarded-For": client, **headers},
        timeout=DEADLINE,
    )


def log_in(chart: Chart) -> dict[str, str]:
    answer = try_token(chart, TOKEN)
    assert answer.status_code == 303
    return {"chart_login": answer.cookies["chart_login"]}


def status(chart: Chart, cookies: dict[str, str], path: str = "/metrics") -> int:
    return httpx.get(chart.url + path, cookies=cookies, timeout=DEADLINE).status_code


def becomes(wanted: int, chart: Chart, cookies: dict[str, str]) -> None:
    deadline = time.monotonic() + DEADLINE
    while status(chart, cookies) != wanted:
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Wrong tokens -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["form", "address", "bearer"])
def test_whoever_guesses_waits_longer_each_time_even_with_the_right_token(guarded, way):
    def guess(token: str) -> httpx.Response:
        if way == "form":
            return try_token(guarded, token)
        headers = {"X-Forwarded-For": "192.0.2.1"}
        if way == "bearer":
            return guarded.get("/metrics", headers={**headers, "Authorization": f"Bearer {token}"})
        return guarded.get("/metrics", headers=headers, params={"token": token})

    statuses = [guess(f"wrong {number}").status_code for number in range(6)]
    assert statuses == [401, 401, 401, 401, 429, 429]
    refused = guess(TOKEN)
    assert refused.status_code == 429
    assert "try again in 1 s" in refused.text
    assert refused.headers["retry-after"] == "1"


def test_neither_others_nor_those_who_are_in_pay_for_the_guesses_of_one(guarded):
    inside = log_in(guarded)
    for number in range(6):
        try_token(guarded, f"wrong {number}")
    assert try_token(guarded, TOKEN).status_code == 429
    assert try_token(guarded, TOKEN, "192.0.2.2").status_code == 303
    assert status(guarded, inside) == 200


def test_a_thousand_invented_cookies_open_nothing(guarded):
    with httpx.Client(base_url=guarded.url) as client:
        for number in range(200):
            cookie = f"{number:043d}" if number % 2 else "x" * number
            assert (
                client.get("/metrics", headers={"Cookie": f"chart_login={cookie}"}).status_code
                == 401
            )


# What a login is ----------------------------------------------------------------------------------


def test_each_login_has_a_cookie_of_its_own_that_the_database_does_not_know(guarded, connection):
    first, second = log_in(guarded)["chart_login"], log_in(guarded)["chart_login"]
    assert first != second
    rows = connection.execute("select token_hash, ends - made from login").fetchall()
    assert len(rows) == 2
    for token_hash, lasts in rows:
        assert bytes(token_hash) not in {first.encode(), second.encode()}
        assert lasts.days == 30


def test_a_login_survives_the_server_and_ends_with_another_token(guarded, serve):
    inside = log_in(guarded)
    assert status(serve(CHART_TOKEN=TOKEN), inside) == 200
    assert status(serve(CHART_TOKEN="another"), inside) == 401


@pytest.mark.parametrize(
    "change",
    [
        "delete from login",
        "update login set ends = now()",
        "update login set last_used = now() - interval '8 days'",
    ],
    ids=["revoked", "over", "not used"],
)
def test_a_login_that_has_ended_ends_here_with_its_streams(guarded, connection, soon, change):
    inside = log_in(guarded)
    assert status(guarded, inside) == 200
    with httpx.stream("GET", f"{guarded.url}/stream", cookies=inside, timeout=DEADLINE) as stream:
        assert stream.status_code == 200
        connection.execute(change)
        assert b"event: status" in b"".join(stream.iter_bytes())  # to its end
    becomes(401, guarded, inside)


def test_a_replay_stream_ends_with_its_login_too(guarded, connection, soon):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(3)])
    inside = log_in(guarded)
    address = f"{guarded.url}/replay/stream?from=2026-01-21&speed=0.001"
    with httpx.stream("GET", address, cookies=inside, timeout=DEADLINE) as stream:
        pieces = stream.iter_bytes()
        assert next(pieces)
        connection.execute("delete from login")
        with pytest.raises(httpx.RemoteProtocolError, match="closed connection"):
            list(pieces)


def test_a_login_in_use_goes_on(guarded, connection, soon):
    inside = log_in(guarded)
    with httpx.stream("GET", f"{guarded.url}/stream", cookies=inside, timeout=DEADLINE) as stream:
        assert stream.status_code == 200
        connection.execute("update login set last_used = now() - interval '6 days'")
        deadline = time.monotonic() + DEADLINE
        used = "select last_used > now() - interval '1 minute' from login"
        while not connection.execute(used).fetchone()[0]:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_logging_out_ends_the_login_everywhere(guarded, serve, connection, soon):
    inside, other = log_in(guarded), log_in(guarded)
    second = serve(CHART_TOKEN=TOKEN)
    assert status(second, inside) == 200
    assert httpx.get(f"{guarded.url}/logout", cookies=inside).status_code == 405
    left = httpx.post(f"{guarded.url}/logout", cookies=inside)
    assert (left.status_code, left.headers["location"]) == (303, "/token")
    assert 'chart_login=""' in left.headers["set-cookie"]
    assert status(guarded, inside) == 401
    becomes(401, second, inside)
    assert status(guarded, other) == 200
    assert connection.execute("select count(*) from login").fetchone() == (1,)


def test_without_the_database_who_is_in_stays_and_nobody_comes_in(
    guarded, database, server_dsn, soon
):
    inside = log_in(guarded)
    assert status(guarded, inside) == 200
    with refusing(server_dsn, database_name(database), ended="%"):
        assert status(guarded, inside, "/static/live-page.js") == 200
        refused = try_token(guarded, TOKEN)
        assert (refused.status_code, "set-cookie" in refused.headers) == (503, False)
        assert "database does not answer" in refused.text
        assert status(guarded, {"chart_login": "y" * 43}) == 503


# In a browser -------------------------------------------------------------------------------------


@pytest.fixture
def context(browser: Browser):
    opened = browser.new_context()
    yield opened
    opened.close()


def test_a_person_logs_in_and_out_on_the_page(context: BrowserContext, guarded, connection):
    page = context.new_page()
    for path in ("/", "/replay", "/signals", "/sweeps"):
        page.goto(guarded.url + path)
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Open").click()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Token")).to_be_visible()
        assert connection.execute("select count(*) from login").fetchone() == (0,)
        assert context.cookies() == []


def test_without_a_token_nobody_is_asked_to_log_out(context: BrowserContext, chart):
    page = context.new_page()
    page.goto(chart.url)
    expect(page.get_by_test_id("theme-dark")).to_be_visible()
    expect(page.get_by_test_id("logout")).to_be_hidden()


def test_a_link_in_a_message_opens_the_page_of_who_is_in(context: BrowserContext, guarded):
    """The cookie is not sent along from another site; the page asks once more by itself."""
    page = context.new_page()
    page.goto(f"{guarded.url}/?token={TOKEN}")
    expect(page.get_by_test_id("replay-link")).to_be_visible()
    link = f'<a href="{guarded.url}/signals?underlying=BANKNIFTY">look</a>'
    page.route(
        "http://mail.example/", lambda route: route.fulfill(body=link, content_type="text/html")
    )
    page.goto("http://mail.example/")
    page.get_by_text("look").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert page.url.startswith(f"{guarded.url}/signals?underlying=BANKNIFTY")
    context.clear_cookies()
    page.goto("http://mail.example/")
    page.get_by_text("look").click()
    expect(page.get_by_label("Token")).to_be_visible()
