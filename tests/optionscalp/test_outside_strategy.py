"""A strategy in a folder of the user's own: live in the demo, on the pages, in replay, in batch."""

import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from db.server.connection import connect
from strategy.session import IST
from tests.demo import demo
from tests.live import optionscalp, wait_for_rows
from tests.long import in_full

DOCUMENT = Path(__file__).parents[2] / "docs" / "strategies.md"
DAY = "2026-01-21"
SIGNALS = "select count(*) from signal where strategy = %s and withdrawn_at is null"
WAIT = 120_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The documented strategy, as it stands there, and one that was begun by the command."""
    folder = tmp_path / "mine"
    folder.mkdir()
    code = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)[0]
    (folder / "jump.py").write_text(code)
    written = optionscalp("strategy", "new", "breakout", "--folder", str(folder), home=tmp_path)
    assert written.returncode == 0, written.stderr
    return folder


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


def signals(url: str, strategy: str) -> list[dict]:
    query = f"/api/signals?underlying=NIFTY&strategy={strategy}"
    answer = httpx.get(url + query, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()["signals"]


@in_full
@pytest.mark.timeout(420)
def test_it_runs_live_in_batch_and_in_replay_with_its_marker_on_the_pages(
    home: Path, folder: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("STRATEGIES_DIR", str(folder))
    with demo(home, "--speed", "120", "--underlying", "NIFTY", "--no-dagster") as running:
        dsn = running.database()
        with connect(dsn) as connection:
            for name in ("jump", "breakout"):
                while connection.execute(SIGNALS, (name,)).fetchone() == (0,):
                    wait_for_rows(dsn, 100)
        live = {name: signals(running.url, name) for name in ("jump", "breakout")}
        assert all(live.values())
        assert live["breakout"][0]["reasons"]["minutes"] == 3

        page = browser.new_page(viewport={"width": 1600, "height": 900})
        page.goto(running.url)
        key = page.get_by_test_id("strategy-key")
        for letter, name in (("Br", "breakout"), ("Ju", "jump")):
            expect(key.locator("i", has_text=re.compile(f"^{letter}$"))).to_be_visible(timeout=WAIT)
            expect(key).to_contain_text(name)
        known = datetime.fromtimestamp(live["breakout"][0]["known_at"], IST) + timedelta(minutes=1)
        moment = f"underlying=NIFTY&from={DAY}&to={DAY}&t={known:%Y-%m-%dT%H:%M}"
        page.goto(f"{running.url}/replay?{moment}")
        letter = key.locator("i", has_text=re.compile("^Br$"))
        expect(letter).to_be_visible(timeout=WAIT)

        # Every row that was stored live is what the batch gives, or the command withdraws it.
        words = ("--strategy", "breakout", "--demo", "--json")
        batch = optionscalp("signals", "--from", DAY, "--to", DAY, *words, home=home)
        assert batch.returncode == 0, batch.stderr
        again = {one["signal_id"]: one for one in signals(running.url, "breakout")}
        for one in live["breakout"]:
            assert again[one["signal_id"]]["entry"] == one["entry"]
            assert not again[one["signal_id"]].get("withdrawn")
        doctor = optionscalp("doctor", home=home / "other")
        assert "breakout (breakout.py), jump (jump.py)" in doctor.stdout.replace("\n", "")
