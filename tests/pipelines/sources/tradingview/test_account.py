"""Tokens, their file and their end, and how late an account's data is."""

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.settings import Settings, fault_line
from pipelines.sources.errors import TokenEnded
from pipelines.sources.tradingview.account import Account
from pipelines.sources.tradingview.delay import Delay, announced_seconds, is_delayed_twin
from pipelines.sources.tradingview.token import Token, TokenFile
from simulator.account import make_token
from strategy.clock import MarketClock

NOON = datetime(2026, 1, 21, 6, 30, tzinfo=UTC)
SECRET = make_token(NOON)


def clock(ahead: timedelta = timedelta()) -> MarketClock:
    """A clock that stands at noon in India, or so long after it."""
    return MarketClock(NOON + ahead, datetime.now(UTC).timestamp(), 1e-9)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    write(path, SECRET)
    return path


def write(path: Path, text: str) -> None:
    """Write a file that is surely newer than it was."""
    newer = path.stat().st_mtime_ns + 10**9 if path.exists() else 10**18
    path.write_text(text)
    os.utime(path, ns=(newer, newer))


def test_a_token_tells_its_end_its_plan_and_what_it_may_see():
    token = Token.of(make_token(NOON, "pro_premium", ("nse", "bse")))
    assert token[1:] == (NOON, "pro_premium", frozenset({"nse", "bse"}))
    assert Token.of(make_token(NOON, permissions=())).permissions == frozenset()


@given(st.text() | st.lists(st.text(), min_size=3, max_size=3).map(".".join))
def test_what_is_no_token_tells_nothing_and_is_no_error(text: str):
    assert Token.of(text)[1:] == (None, None, None)


def test_no_token_shows_in_what_is_printed_or_logged(file: Path, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    account = Account("another", file, clock(timedelta(minutes=-10)))
    print(account, account.token(), account.state())
    assert "TRADINGVIEW_TOKEN_FILE is used, TRADINGVIEW_TOKEN is not" in caplog.text
    told = caplog.text + capsys.readouterr().out
    assert SECRET not in told
    assert SECRET.split(".")[1] not in told


def test_a_file_wins_over_a_token_and_may_bring_another_one(file: Path):
    account = Account("another", file, clock())
    assert account.token().text == SECRET
    write(file, f"  {make_token(NOON, 'other')}\n")
    assert account.token().plan == "other"


def test_a_file_that_goes_away_leaves_the_last_token_and_is_told(file: Path):
    account = Account(None, file, clock(timedelta(hours=-1)))
    account.token()
    file.unlink()
    assert account.token().text == SECRET
    assert "cannot be read: No such file" in account.state().note


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot be read"), ("", "one token and nothing else"), ("a b", "one token")],
)
def test_a_file_without_a_token_is_one_line_before_anything_starts(
    tmp_path: Path, content: str | None, complaint: str
):
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValidationError) as wrong:
        Settings(database_url="postgresql://x", tradingview_token_file=path)
    line = fault_line(wrong.value)
    assert line.startswith("TRADINGVIEW_TOKEN_FILE: ")
    assert complaint in line
    assert "\n" not in line


def test_binary_is_no_token(tmp_path: Path):
    path = tmp_path / "token"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="holds no text"):
        TokenFile(path).read()


def test_a_tokens_end_is_told_a_quarter_of_an_hour_ahead_and_when_it_has_come(caplog):
    def told(ahead: timedelta) -> str | None:
        return Account(SECRET, clock=clock(ahead)).state().note

    assert told(timedelta(minutes=-16)) is None
    early = told(timedelta(minutes=-14))
    assert early.startswith("the token ends at 12:00 IST: copy a new `auth_token`")
    late = told(timedelta(minutes=1))
    assert late.startswith("the token ended at 2026-01-21 12:00 IST: copy a new `auth_token`")


def test_what_is_told_is_logged_once(caplog):
    account = Account(SECRET, clock=clock(timedelta(minutes=-5)))
    for _ in range(3):
        account.state()
    assert len(caplog.records) == 1


def test_an_ended_token_is_not_shown_to_the_source(file: Path):
    account = Account(None, file, clock())
    with pytest.raises(TokenEnded, match="the token ended at 2026-01-21 12:00 IST"):
        account.shown()
    write(file, make_token(NOON + timedelta(hours=4)))
    assert account.shown().ends_at == NOON + timedelta(hours=4)


def test_a_token_without_real_time_data_of_nse_is_told():
    note = Account(make_token(NOON + timedelta(hours=4), permissions=("bse",)), clock=clock())
    assert "has no real-time data of NSE (it has bse)" in note.state().note


@pytest.mark.parametrize(
    ("mode", "seconds"),
    [
        ("streaming", 0),
        ("delayed_streaming_900", 900),
        ("delayed_streaming_1200", 1200),
        ("delayed", 900),
        ("endofday", None),
    ],
)
def test_an_update_mode_names_a_delay(mode: str, seconds: int | None):
    assert announced_seconds(mode) == seconds


def test_a_symbol_is_late_by_what_it_is_not_by_what_it_also_has():
    real = {"full_name": "NSE:X", "base_name": ["NSE:X"], "alternatives": ["NSE_DLY:X"]}
    assert not is_delayed_twin(real)
    assert is_delayed_twin({"full_name": "NSE_DLY:X"})
    assert is_delayed_twin({"full_name": "NSE:X", "base_name": ["NSE_DLY:X"]})


def test_nothing_is_known_of_a_delay_before_anything_tells():
    delay = Delay()
    assert (delay.seconds, delay.newest) == (None, None)
    delay.quoted({"price_time": NOON.timestamp() - 80_000}, NOON)
    assert delay.seconds is None, "a price of yesterday, in a morning without a trade yet"


def test_a_price_that_changes_tells_how_late_it_is_whatever_is_announced():
    delay = Delay()
    delay.quoted({"update_mode": "streaming", "price_time": NOON.timestamp() - 1000}, NOON)
    assert delay.seconds == 0
    delay.quoted({"price_time": NOON.timestamp() - 900}, NOON)
    assert (delay.seconds, delay.newest) == (900, NOON - timedelta(seconds=900))
    delay.quoted({"price_time": NOON.timestamp() - 1}, NOON)
    assert delay.seconds == 0


def test_a_number_that_is_announced_is_what_a_delayed_symbol_and_a_price_confirm():
    delay = Delay()
    delay.resolved({"full_name": "NSE_DLY:NIFTY"})
    assert delay.seconds == 900
    delay.quoted({"update_mode": "delayed_streaming_600"}, NOON)
    assert delay.seconds == 600
    for late in (640, 610):
        delay.quoted({"price_time": NOON.timestamp() - late}, NOON)
    assert delay.seconds == 600, "seconds more are on the way"
    delay.quoted({"price_time": NOON.timestamp() - 20}, NOON)
    assert delay.seconds == 600, "what it says is not taken back by one price"


def test_what_told_a_delay_can_be_named():
    delay = Delay()
    assert delay.told_by is None
    delay.resolved({"full_name": "NSE_DLY:NIFTY"})
    assert delay.told_by == "NSE_DLY:"
    delay.quoted({"update_mode": "delayed_streaming_900"}, NOON)
    assert delay.told_by == "update_mode delayed_streaming_900"
    for late in (1300, 1200):
        delay.quoted({"price_time": NOON.timestamp() - late}, NOON)
    assert delay.told_by == "the time of a price that had just changed"
