"""What is a secret stands in nothing that is told, however it got there."""

import json
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipelines.known_sources import KNOWN
from pipelines.probing.redaction import LEAST, MARK, RUN, Redaction
from pipelines.probing.secrets import secrets_in
from pipelines.settings import Settings
from pipelines.sources.probe import Probe
from simulator.account import make_token
from simulator.upstox.account import access_token
from tests.faulty import at

SECRETS = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("Cc", "Zs", "Cs")),
    min_size=LEAST,
    max_size=60,
)
NO_SECRET_SETTINGS = Settings(database_url="postgresql://")


@given(SECRETS, st.text(max_size=40), st.text(max_size=40))
def test_no_secret_that_is_known_stays_in_a_text(secret: str, before: str, after: str):
    assume(secret not in MARK)
    redaction = Redaction([secret])
    assert secret not in redaction.text(f"{before}{secret}{after}")
    assert quote(secret, "") not in redaction.text(f"{before}{quote(secret, '')}{after}")


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=20), st.data())
def test_no_part_of_a_long_secret_stays(secret: str, data: st.DataObject):
    """Messages show the start of an answer, logs cut lines: a part may come alone."""
    start = data.draw(st.integers(0, len(secret) - RUN))
    part = secret[start : data.draw(st.integers(start + RUN, len(secret)))]
    told = Redaction([secret]).text(f"starts with '{part}'")
    assert not any(secret[n : n + RUN] in told for n in range(len(secret) - RUN + 1))


@given(SECRETS)
def test_no_secret_stays_in_values_for_json_or_in_kept_bytes(secret: str):
    assume(secret not in MARK and '"' not in secret and "\\" not in secret)
    redaction = Redaction([secret])
    value = redaction.value({"a": [{secret: (f"x{secret}", 1, None)}], "b": frozenset({secret})})
    assert secret not in json.dumps(value, ensure_ascii=False)
    assert secret.encode() not in redaction.body(f"[{secret}]".encode())


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (f"shown {make_token(at('12:00'))} to it", make_token(at("12:00"))),
        ("Authorization: Bearer abcdefgh.ijkl", "abcdefgh"),
        ('{"Authorization": "Basic dXNlcjpwYXNz"}', "dXNlcjpwYXNz"),
        ("Cookie: a=b1c2d3; sessionid=zzzz", "b1c2d3"),
        ("sent with bearer 0123456789abcdef", "0123456789abcdef"),
        ("http://me:hunter2@127.0.0.1/phoenix", "hunter2"),
        ("access_token=abcd1234&x=1", "abcd1234"),
        ('"password": "p4ssw0rd"', "p4ssw0rd"),
    ],
)
def test_what_only_looks_like_a_secret_goes_as_well(text: str, gone: str):
    told = Redaction().text(text)
    assert gone not in told
    assert MARK in told


def test_what_is_no_secret_stays_as_it_is():
    text = (
        "102 of NIFTY, e.g. NIFTY260127C25600; set TRENDLYNE_COOKIE_FILE, or copy a new"
        " `auth_token` from a browser into TRADINGVIEW_TOKEN_FILE: http://127.0.0.1:9/phoenix"
    )
    assert Redaction(["", "short", "another-secret-of-somebody"]).text(text) == text
    body = bytes(range(256)) * 3
    assert Redaction(["another-secret"]).body(body) == body


def test_secrets_are_found_in_variables_files_addresses_and_by_sources(tmp_path: Path):
    tradingview, upstox = make_token(at("12:00")), access_token(at("08:00"))
    for name, text in {
        "tradingview": tradingview,
        "upstox": f"{upstox} and another word",
        "cookies": "sid=cookie-value-1; csrftoken=cookie-value-2",
        "paper": "papers-own-token\n",
    }.items():
        (tmp_path / name).write_text(text)
    settings = NO_SECRET_SETTINGS.model_copy(
        update={
            "tradingview_token_file": tmp_path / "tradingview",
            "upstox_token_file": tmp_path / "upstox",
            "trendlyne_cookie_file": tmp_path / "cookies",
        }
    )
    environment = {
        "CHART_TOKEN": "of-the-chart-server",
        "ALERT_URLS": "tgram://bot-token/chat, mailtos://me:mails-password@host",
        "PAPER_TOKEN_FILE": str(tmp_path / "paper"),
        "OTHER_TOKEN_FILE": str(tmp_path / "none"),
        "DATABASE_URL": "host=db password=of-the-database dbname=x",
        "TRENDLYNE_URL": "http://me:of-the-proxy@host/phoenix?key=of-the-query",
        "LANG": "en_US.UTF-8",
    }
    found = set(secrets_in(environment, settings, "postgresql://o:of-the-server@127.0.0.1/x"))
    assert found >= {
        *(tradingview, upstox, "cookie-value-1", "cookie-value-2", "papers-own-token"),
        *("of-the-chart-server", "bot-token/chat", "mails-password", "of-the-database"),
        *("of-the-proxy", "of-the-query", "of-the-server"),
    }
    assert "en_US.UTF-8" not in found


def test_what_sources_declare_is_found_whoever_they_are(monkeypatch: pytest.MonkeyPatch):
    probe = Probe(secrets=lambda _settings: ["declared-by-a-source"])
    monkeypatch.setitem(KNOWN, "paper", SimpleNamespace(probe=probe))
    assert "declared-by-a-source" in set(secrets_in({}, NO_SECRET_SETTINGS))
