"""The token, the pages, and what stops the server from starting."""

import base64
import hashlib
import re
import socket
import subprocess
import sys

import httpx
import pytest
from chart_help import Chart, Stream

TOKEN = "a secret of one's own & more"
HTML = {"Accept": "text/html"}


@pytest.fixture
def guarded(serve) -> Chart:
    return serve(CHART_TOKEN=TOKEN)


def test_nothing_but_health_opens_without_the_token(guarded):
    for path in ("/", "/replay", "/api/history", "/stream", "/static/live-page.js", "/metrics"):
        answer = guarded.get(path)
        assert (path, answer.status_code) == (path, 401)
        assert answer.json()["status"] == 401
    assert guarded.get("/healthz").status_code == 200


def test_a_browser_is_asked_once(guarded):
    with httpx.Client(base_url=guarded.url, headers=HTML, follow_redirects=True) as browser:
        asked = browser.get("/replay?underlying=NIFTY")
        assert asked.status_code == 401
        action = re.search(r'action="([^"]+)"', asked.text)[1].replace("&amp;", "&")
        assert browser.post(action, data={"token": "wrong"}).status_code == 401
        opened = browser.post(action, data={"token": TOKEN})
        assert opened.status_code == 200
        assert str(opened.url) == f"{guarded.url}/replay?underlying=NIFTY"
        assert browser.get("/api/history").status_code == 200
        assert TOKEN not in str(browser.cookies.jar)


def test_the_cookie_is_hidden_from_scripts(guarded):
    answer = guarded.get("/", params={"token": TOKEN, "underlying": "NIFTY"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?underlying=NIFTY"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=strict" in answer.headers["set-cookie"]


def test_programs_send_the_token_as_bearer(guarded):
    good = guarded.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    bad = guarded.get("/metrics", headers={"Authorization": "Bearer x"})
    assert (good.status_code, bad.status_code) == (200, 401)


def test_the_form_never_leads_to_another_site(guarded):
    for target in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        answer = httpx.post(f"{guarded.url}/token", params={"next": target}, data={"token": TOKEN})
        assert answer.headers["location"] == "/"


def test_without_a_token_everything_is_open(chart):
    with Stream(chart) as stream:
        assert stream.take().kind == "status"


def test_pages_allow_their_own_scripts_only(chart):
    for path in ("/", "/replay", "/signals", "/sweeps"):
        answer = chart.get(path)
        policy = answer.headers["content-security-policy"]
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'self'" in policy
        scripts = re.findall(r"<script(?![^>]* src=)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
        assert any("theme" in script for script in scripts)
        assert policy.count("sha256-") == len(scripts)
        for script in scripts:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy
        assert "unsafe-inline" not in policy.split("style-src")[0]


def test_files_are_asked_for_again_but_not_sent_again(chart):
    for path in ("/", "/static/live-page.js", "/static/vendor/lightweight-charts.mjs"):
        first = chart.get(path)
        assert first.status_code == 200
        assert first.headers["cache-control"] == "no-cache"
        again = chart.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert again.status_code == 304


def attempt(**env: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "chartserver"],
        env={"PATH": "", **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_refused(result: subprocess.CompletedProcess, *words: str) -> None:
    assert result.returncode == 1
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    for word in words:
        assert word in lines[0]


def test_a_port_in_use_is_one_clear_line(database):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = attempt(DATABASE_URL=database, CHART_PORT=port)
    assert_refused(result, port, "CHART_PORT")


def test_a_missing_schema_is_one_clear_line(empty_database):
    assert_refused(attempt(DATABASE_URL=empty_database, CHART_PORT="0"), "optionscalp migrate")


def test_an_unreachable_database_is_one_clear_line():
    dsn = "postgresql://nobody:secret@127.0.0.1:1/nothing"
    result = attempt(DATABASE_URL=dsn)
    assert_refused(result, "127.0.0.1:1", "DATABASE_URL")
    assert "secret" not in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CHART_HOST", "0.0.0.0", ("CHART_TOKEN",)),
        ("CHART_PORT", "http", ("CHART_PORT",)),
        ("OPTIONSCALP_CLOCK", "noon", ("OPTIONSCALP_CLOCK",)),
        ("UNDERLYINGS", "SENSEX", ("UNDERLYINGS", "NIFTY")),
        ("CHART_ALLOWED_HOSTS", "http://desk.example", ("CHART_ALLOWED_HOSTS", "desk.example")),
        ("CHART_TRUSTED_PROXY", "10.0.0.0/8,proxy", ("CHART_TRUSTED_PROXY", "'proxy'")),
        ("CHART_STREAMS_PER_CLIENT", "0", ("CHART_STREAMS_PER_CLIENT", "greater")),
    ],
)
def test_wrong_settings_are_one_clear_line(name, value, words):
    assert_refused(attempt(DATABASE_URL="postgresql://127.0.0.1:1/x", **{name: value}), *words)


def test_an_empty_token_is_no_token():
    result = attempt(DATABASE_URL="postgresql:///x", CHART_HOST="0.0.0.0", CHART_TOKEN="")
    assert_refused(result, "CHART_TOKEN")
