"""`demo`, `up` and `serve`: what each is made of and what it tells the user."""

import fcntl
import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr, ValidationError
from rich.console import Console

from chartserver.errors import SettingsError
from chartserver.server import bind
from chartserver.settings import read_settings
from db.checks.overview import other_sources
from db.server.connection import connect, create_database, database_exists, describe
from db.server.migrate import migrate
from optionscalp.day_before import day_before, store
from optionscalp.errors import CommandError
from optionscalp.homes import database, demo_database, demo_home, home, server
from optionscalp.parts import Part
from optionscalp.stack import Ports, Stack, free_port, require_free
from pipelines.known_sources import KNOWN
from pipelines.orchestration.alerts import AlertSettings
from pipelines.orchestration.links import ChartAddress
from pipelines.settings import Settings, fault_line
from pipelines.sources.probe import Moment
from simulator.upstox.account import access_token
from strategy.clock import MarketClock
from strategy.session import calendar_hours, is_session, session_hours

SIMULATOR_SECONDS = 60.0
# Then a simulated market stands still: time for the last rows and the closing run.
AFTER_CLOSE = timedelta(minutes=25)
# Faster than this, the last minutes in which a ladder can be asked for by its minute are over while
# a part that ended is started again: the simulator then answers for them later too.
PUNCTUAL_SPEED = 100
console = Console(highlight=False)


class DemoOptions(NamedTuple):
    """What `optionscalp demo` was asked for."""

    data: Path | None
    day: date
    speed: float
    underlyings: str
    ports: Ports
    folder: Path
    sources: str | None = None  # the settings' own
    delayed: float = 0.0
    faults: tuple[str, ...] = ()


def up(folder: Path, ports: Ports) -> None:
    """Run the system against the real sources until Ctrl-C."""
    _require_ports(ports)
    _require_accounts(_require_settings())
    with database(folder=folder) as dsn:
        stack = Stack(folder, dsn, ports, {})
        with stack.supervised():
            stack.start_core()
            _announce(stack, ports, "Live market", "optionscalp psql")
            stack.start_dagster()
            stack.run(_watched(folder))
    console.print("stopped")


def serve(folder: Path, ports: Ports, *, demo: bool) -> None:
    """Serve the pages over what is stored until Ctrl-C; a system may run on the same home.

    Raises:
        CommandError: A setting is wrong, the port is in use, or the home has no database.
    """
    _require_ports(ports)
    _require_chart_settings()
    if _watched(folder) and not (folder / "postgres").is_dir():
        other = "--home" if demo else "--demo or --home"
        raise CommandError(
            f"nothing is stored in {folder}: import recorded days, or choose another with {other}"
        )
    with database(demo=demo, folder=folder) as dsn:
        stack = Stack(folder, dsn, ports, {})
        with stack.supervised():
            stack.start_pages()
            _announce(
                stack,
                ports,
                "Stored data: no feed runs, no source is asked",
                _psql(folder, demo=demo),
            )
            stack.run(_watched(folder))
    console.print("stopped")


def demo(options: DemoOptions) -> None:
    """Run the whole system on a simulated market until Ctrl-C.

    Raises:
        CommandError: The day or the data cannot be played, or a port is in use.
    """
    _require_ports(options.ports)
    chosen = {} if options.sources is None else {"sources": options.sources}
    _require_settings(**chosen)
    if not is_session(options.day):
        raise CommandError(f"{options.day} is no trading day: choose another --day")
    with _only_demo(options.folder), server(options.folder) as main_dsn:
        dsn = demo_database(main_dsn)
        _require_simulated(dsn)
        opens, closes = session_hours(options.day)
        wall = datetime.now(UTC).timestamp()
        clock = MarketClock(opens, wall, options.speed, closes + AFTER_CLOSE)
        environment = {
            "OPTIONSCALP_CLOCK": str(clock),
            "OPTIONSCALP_SOURCE": "simulator",
            "UNDERLYINGS": options.underlyings,
            **{name.upper(): value for name, value in chosen.items()},
        }
        stack = Stack(options.folder, dsn, options.ports, environment)
        with stack.supervised():
            simulator = _start_simulator(stack, options, clock)
            # Made while the simulator starts: the market does not wait.
            before = day_before(options.data, options.day, options.underlyings.split(","))
            _wait_until_ready(simulator)
            # What a day's replay stored before would stand in the future of the day now starting.
            create_database(dsn, anew=True)
            with connect(dsn) as connection:
                migrate(connection, calendar_hours())
                if before is not None:
                    store(connection, before)
            stack.start_core()
            psql = _psql(options.folder, demo=True)
            _announce(stack, options.ports, _title(options), psql)
            stack.start_dagster()
            stack.run(_watched(options.folder))
    console.print("stopped")


def _watched(folder: Path) -> Path | None:
    return None if os.environ.get("DATABASE_URL") else folder


def _psql(folder: Path, *, demo: bool) -> str:
    words = ["optionscalp", "psql", *(["--demo"] if demo else [])]
    if folder != (demo_home() if demo else home()):
        words += ["--home", shlex.quote(str(folder))]
    return " ".join(words)


def _title(options: DemoOptions) -> str:
    origin = f"recorded in {options.data.name}" if options.data else "generated"
    return f"SIMULATED market: {options.day} ({origin}) at {options.speed:g}x"


@contextmanager
def _only_demo(folder: Path) -> Iterator[None]:
    """Keep a second demo from dropping the database under the first."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(
                f"a demo runs in {folder} already: stop it, or choose another --home"
            ) from None
        yield


def _require_simulated(dsn: str) -> None:
    """Refuse to drop a database that holds anything but the demo's own rows."""
    if not database_exists(dsn):
        return
    with connect(dsn) as connection:
        if other := other_sources(connection, "simulator"):
            raise CommandError(
                f"{describe(dsn)} holds rows from {', '.join(other)}: the demo would drop them;"
                " point DATABASE_URL elsewhere"
            )


def _start_simulator(stack: Stack, options: DemoOptions, clock: MarketClock) -> Part:
    tradingview, trendlyne, upstox = free_port(), free_port(), free_port()
    token = options.folder / "upstox.token"
    token.write_text(access_token(clock.market_start))
    data = ("--data", str(options.data)) if options.data else ()
    part = stack.add(
        "simulator",
        *("-m", "simulator", "--day", options.day.isoformat(), "--clock", str(clock), *data),
        *("--underlyings", options.underlyings),
        *("--tradingview-port", str(tradingview), "--trendlyne-port", str(trendlyne)),
        *("--upstox-port", str(upstox), "--delayed", str(options.delayed)),
        *(("--any-minute",) if options.speed > PUNCTUAL_SPEED else ()),
        *(word for fault in options.faults for word in ("--fault", fault)),
    )
    stack.share(
        TRADINGVIEW_URL=f"ws://127.0.0.1:{tradingview}/socket.io/websocket",
        TRENDLYNE_URL=f"http://127.0.0.1:{trendlyne}/phoenix/api",
        UPSTOX_URL=f"http://127.0.0.1:{upstox}",
        UPSTOX_TOKEN_FILE=str(token),
    )
    return part


def _wait_until_ready(part: Part) -> None:
    deadline = time.monotonic() + SIMULATOR_SECONDS
    while not any(line.startswith("ready ") for line in part.new_output().splitlines()):
        if part.pid is None or time.monotonic() > deadline:
            lines = part.new_output().strip().splitlines() or ["it said nothing"]
            raise CommandError(lines[-1].removeprefix("simulator: "))
        time.sleep(0.02)


def _require_ports(ports: Ports) -> None:
    if ports.chart == ports.dagster:
        raise CommandError(
            f"the pages and Dagster cannot both have port {ports.chart}: choose another with"
            " --chart-port or --dagster-port"
        )
    require_free(ports.chart, "--chart-port")
    require_free(ports.dagster, "--dagster-port")
    try:
        # At the address that it will have: that may be none of this machine.
        bind(read_settings().model_copy(update={"port": ports.chart})).close()
    except SettingsError as error:
        raise CommandError(str(error)) from None


def _require_settings(**chosen: str) -> Settings:
    """Read what the parts will read, so that a wrong variable is told at once, not in their logs.

    Raises:
        CommandError: A variable is wrong.
    """
    try:
        settings = Settings(database_url=SecretStr("checked later"), **chosen)  # type: ignore[arg-type]
        AlertSettings()
        ChartAddress()
    except ValidationError as error:
        raise CommandError(fault_line(error)) from None
    _require_chart_settings()
    return settings


def _require_accounts(settings: Settings) -> None:
    """Tell at once what no source would answer to; a token that has ended may be renewed later.

    Raises:
        CommandError: A file of tokens or cookies cannot be used.
    """
    now = settings.clock.now()
    for name in settings.sources:
        for finding in KNOWN[name].probe.account(settings, Moment(now, now)):
            if finding.state != "error":
                continue
            known = finding.remedy in finding.found
            text = f"{name}: {finding.found}" + ("" if known else f": {finding.remedy}")
            if not finding.facts.get("ended"):
                raise CommandError(text)
            console.print(f"[yellow]warning[/yellow] {text}", soft_wrap=True)


def _require_chart_settings() -> None:
    try:
        read_settings()
    except SettingsError as error:
        raise CommandError(str(error)) from None


def _announce(stack: Stack, ports: Ports, title: str, psql: str) -> None:
    stack.wait_for_chart()
    page = f"{stack.chart_url}/"
    console.print(f"[bold]OptionScalp[/bold]  {title}", soft_wrap=True)
    console.print(f"  live page   {page}", soft_wrap=True)
    console.print(f"  replay      {page}replay", soft_wrap=True)
    if ports.dagster is not None:
        console.print(
            f"  Dagster     http://127.0.0.1:{ports.dagster}/ (takes a few seconds more)",
            soft_wrap=True,
        )
    console.print(f"  SQL         {psql}", soft_wrap=True)
    console.print(f"  logs        {stack.logs}", soft_wrap=True)
    console.print("Ctrl-C stops everything.")
