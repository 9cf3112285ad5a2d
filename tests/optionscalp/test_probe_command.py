"""`optionscalp probe` as its users see it: words, report, exit codes, and never a secret."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket

from optionscalp.stack import free_port
from pipelines.sources.tradingview.wire import Message, decode, encode, frame
from simulator.account import make_token
from simulator.upstox.account import access_token
from strategy.clock import MarketClock
from strategy.session import session_hours
from tests.live import Market, optionscalp, simulated_market
from tests.pipelines.sources.http_help import http

DAY = date(2026, 1, 21)
NOON = session_hours(DAY)[0] + timedelta(hours=2)
COOKIE = "cookie-of-a-browser-0123"
PASSWORD = "password-of-the-database"
CHART_TOKEN = "token-of-the-pages"


@pytest.fixture(scope="module")
def market(fresh_database) -> Iterator[Market]:
    with fresh_database() as dsn, simulated_market(dsn, DAY, 1, minutes_in=75) as running:
        running.environment.update(TRENDLYNE_REQUESTS_PER_SECOND="500")
        yield running


def reports(home: Path) -> list[Path]:
    return sorted((home / "probe").glob("*/report.json"))


def test_what_works_is_said_in_words_and_kept_in_a_report(market: Market, tmp_path: Path):
    result = optionscalp("probe", home=tmp_path, **market.environment)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert "IST, asked for NIFTY; the market is open" in lines[0]
    assert {"tradingview works", "trendlyne works"} < set(lines)
    assert "The day can work with these sources." in lines
    (report,) = reports(tmp_path)
    assert lines[-2] == f"report, without secrets, for a bug report: {report}"
    told = json.loads(report.read_text())
    assert told["works"] is True
    assert [each["source"] for each in told["sources"]] == ["tradingview", "trendlyne"]
    assert told["sources"][0]["roles"] == {"history": "works", "stream": "works"}
    for each in told["sources"]:
        assert each["answers"]
        for answer in each["answers"]:
            assert (report.parent / answer["file"]).stat().st_size == answer["bytes"] > 0
    assert report.parent.stat().st_mode & 0o077 == 0, "for its owner only"


def test_for_programs_the_report_itself_is_printed(market: Market, tmp_path: Path):
    result = optionscalp(
        "probe", "--source", "trendlyne", "--json", home=tmp_path, **market.environment
    )
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    (report,) = reports(tmp_path)
    assert told.pop("report") == str(report)
    assert told == json.loads(report.read_text())
    (source,) = told["sources"]
    (volume,) = [each for each in source["findings"] if each["topic"] == "build-up volume"]
    assert volume["facts"]["running_total"] is True


def test_a_day_that_cannot_work_is_exit_code_1_with_the_remedy(market: Market, tmp_path: Path):
    nobody = f"http://127.0.0.1:{free_port()}/phoenix/api"
    result = optionscalp("probe", home=tmp_path, **market.environment | {"TRENDLYNE_URL": nobody})
    assert result.returncode == 1
    assert "tradingview works\n" in result.stdout
    assert "The day cannot work with these sources: nobody lists contracts" in result.stdout
    assert "Traceback" not in result.stderr


def test_without_a_database_it_works_and_says_what_is_not_counted(market: Market, tmp_path: Path):
    nowhere = f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/x"
    result = optionscalp("probe", home=tmp_path, **market.environment | {"DATABASE_URL": nowhere})
    assert result.returncode == 0, result.stderr
    assert "warning database: no database at 127.0.0.1:" in result.stdout
    assert "not counted in the day's allowance" in result.stdout
    assert PASSWORD not in result.stdout + result.stderr + reports(tmp_path)[0].read_text()


def test_wrong_usage_is_exit_code_2_and_a_wrong_setting_one_line(market: Market, tmp_path: Path):
    result = optionscalp("probe", "--source", "nse", home=tmp_path, **market.environment)
    assert result.returncode == 2
    assert "tradingview, trendlyne, upstox" in result.stderr
    wrong = {"SOURCES": "kite"}
    result = optionscalp("probe", home=tmp_path, **market.environment | wrong)
    assert result.returncode == 1
    assert result.stderr.startswith("error: SOURCES: unknown kite")
    assert len(result.stderr.splitlines()) == 1
    assert reports(tmp_path) == []


def test_a_file_that_cannot_be_used_is_told_and_everybody_is_asked(market: Market, tmp_path: Path):
    wrong = {"TRADINGVIEW_TOKEN_FILE": str(tmp_path / "none")}
    result = optionscalp("probe", home=tmp_path, **market.environment | wrong)
    assert result.returncode == 1
    assert "error   TRADINGVIEW_TOKEN_FILE: " in result.stdout
    assert "; it was not used -> correct the file, or unset the variable\n" in result.stdout
    assert "The day does not start with this TRADINGVIEW_TOKEN_FILE. Without it:\n" in result.stdout
    assert "trendlyne works" in result.stdout
    assert len(reports(tmp_path)) == 1


class Echoes(NamedTuple):
    """Where servers listen that answer with what they were told, secrets included."""

    websocket: str
    web: str


async def answer_with_the_question(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    if head.startswith("GET /phoenix"):
        body = {"head": {"status": "1", "statusDescription": head}, "body": {}}
    elif "NSE.json.gz" in head:
        body = [{"instrument_key": head}]
    else:
        errors = [{"errorCode": "UDAPI100050", "message": head}]
        body = {"status": "error", "errors": errors}
    writer.write(http("200 OK", json.dumps(body).encode()))
    await writer.drain()
    writer.close()


async def refuse_with_the_token(socket: ServerConnection) -> None:
    await socket.send(frame(json.dumps({"session_id": "made up"})))
    async for text in socket:
        for call in decode(text):
            if isinstance(call, Message) and call.method == "set_auth_token":
                await socket.send(encode("protocol_error", [f"no such token: {call.params}"]))


@asynccontextmanager
async def echoes() -> AsyncIterator[Echoes]:
    web = await asyncio.start_server(answer_with_the_question, "127.0.0.1", 0)
    async with web, serve_websocket(refuse_with_the_token, "127.0.0.1", 0) as websocket:
        ports = [server.sockets[0].getsockname()[1] for server in (websocket, web)]
        yield Echoes(f"ws://127.0.0.1:{ports[0]}/", f"http://127.0.0.1:{ports[1]}")


@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_no_secret_stands_in_output_log_report_or_answers(
    database: str, tmp_path: Path, arguments: tuple[str, ...]
):
    """Each server repeats what it was shown, as errors and as data."""
    tradingview, upstox = make_token(NOON + timedelta(hours=9)), access_token(NOON)
    files = {"tradingview": tradingview, "upstox": upstox, "cookies": f"csrftoken={COOKIE}; a=b"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    clock = MarketClock(NOON, time.time(), 1.0)

    async def run() -> tuple[int | None, str]:
        async with echoes() as servers:
            environment = os.environ | {
                "OPTIONSCALP_HOME": str(tmp_path / "home"),
                "OPTIONSCALP_CLOCK": str(clock),
                "DATABASE_URL": database,
                "SOURCES": "tradingview,trendlyne,upstox",
                "TRADINGVIEW_URL": servers.websocket,
                "TRENDLYNE_URL": f"{servers.web}/phoenix/api",
                "UPSTOX_URL": servers.web,
                "TRADINGVIEW_TOKEN_FILE": str(tmp_path / "tradingview"),
                "UPSTOX_TOKEN_FILE": str(tmp_path / "upstox"),
                "TRENDLYNE_COOKIE_FILE": str(tmp_path / "cookies"),
                "CHART_TOKEN": CHART_TOKEN,
            }
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "optionscalp.cli", "probe", *arguments),
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            out, _ = await process.communicate()
            return process.returncode, out.decode()

    code, out = asyncio.run(asyncio.wait_for(run(), 120))
    assert code == 1
    written = {path: path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()}
    everything = out + "".join(body.decode("latin-1") for body in written.values())
    # The servers did repeat them: without the redaction they would stand there.
    assert "no such token" in out
    assert out.count("[secret]") >= 2
    assert any("answers" in path.parts and b"[secret]" in body for path, body in written.items())
    parts = [*tradingview.split("."), *upstox.split(".")[:2]]
    for secret in (tradingview, upstox, COOKIE, CHART_TOKEN, *parts):
        assert secret not in everything
        assert secret[:12] not in everything
