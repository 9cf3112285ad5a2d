"""How long each address of the JSON interface takes, over what a demo has stored at its end."""

import time
from datetime import date
from functools import partial
from http.client import HTTPConnection
from statistics import median
from typing import Any

from psycopg import Connection

from bench import session
from bench.database import fresh_database
from bench.measure import seconds
from bench.results import Result
from bench.servers import running
from chartserver.description.operations import EVENTS, OPERATIONS
from chartserver.parameters import SYMBOLS_AT_MOST
from db.market.frames import Range
from db.server.connection import connect
from pipelines.signals.greeks import materialise_greeks
from pipelines.signals.outcomes import materialise_outcomes
from strategy.clock import MarketClock
from strategy.contract import UNDERLYINGS
from strategy.session import previous_session, session_hours
from tests.chartserver.sweep_help import store_a_sweep

DAY = date(2026, 1, 21)
BEFORE = previous_session(DAY)
BOTH = f"from={BEFORE}&to={DAY}"
ROUNDS = 21
# What is asked besides the address alone; the most that a range or a list may hold is among it.
QUERIES = {
    "/api/history": ("", "interval=5m", "interval=1h", BOTH, f"{BOTH}&{{symbols}}"),
    "/api/replay": (f"from={DAY}", BOTH, f"{BOTH}&interval=5m", f"{BOTH}&{{symbols}}"),
    "/api/chain": ("", f"at={DAY}T12:00"),
    "/api/signals": ("", BOTH),
    "/api/signals/revisions": ("{signal}",),
    "/api/signals/stats": ("", BOTH, f"{BOTH}&history=known_then&fills=2"),
    "/api/signals/splits": ("", BOTH),
    "/api/signals/equity": ("", BOTH),
    "/api/signals/distribution": ("", BOTH),
    "/api/signals/rejections": ("", BOTH),
}


def store(connection: Connection[Any]) -> dict[str, str]:
    """Store a demo's two sessions and a sweep; return what some questions are about."""
    for day in (BEFORE, DAY):
        session.store(connection, day)
    whole = Range(BEFORE, DAY)
    materialise_greeks(connection, Range(DAY, DAY), UNDERLYINGS)
    materialise_outcomes(connection, whole, UNDERLYINGS)
    store_a_sweep(connection)
    connection.execute("vacuum analyze")
    symbols = connection.execute(
        "select symbol from candle where underlying = 'NIFTY' group by symbol"
        " order by count(*) desc, symbol limit %s",
        (SYMBOLS_AT_MOST,),
    ).fetchall()
    (signal,) = connection.execute("select min(signal_id::text) from signal").fetchone() or ("",)
    return {
        "symbols": "symbols=" + ",".join(name for (name,) in symbols),
        "signal": f"signal_id={signal}",
    }


def fetch(http: HTTPConnection, target: str) -> bytes:
    """Return the body as it crossed the wire."""
    http.request("GET", target, headers={"Accept-Encoding": "gzip"})
    answer = http.getresponse()
    body = answer.read()
    assert answer.status == 200, (target, body)
    return body


def run() -> list[Result]:
    """Ask every question in turn, for some rounds after one to warm up; the slowest first."""
    paths = [one.path for one in OPERATIONS if one.media != EVENTS]
    clock = MarketClock(session_hours(DAY)[1], time.time(), 1.0)
    with fresh_database() as dsn, connect(dsn) as connection:
        named = store(connection)
        asked = [(path, query) for path in paths for query in QUERIES.get(path, ("",))]
        taken: dict[tuple[str, str], list[float]] = {one: [] for one in asked}
        with running(dsn, OPTIONSCALP_CLOCK=str(clock)) as server:
            http = HTTPConnection("127.0.0.1", server.port, timeout=60)
            for number in range(ROUNDS + 1):
                for path, query in asked:
                    target = f"{path}?{query.format(**named)}".rstrip("?")
                    spent = seconds(partial(fetch, http, target))
                    taken[path, query] += [spent] if number else []
            http.close()
    slowest_first = sorted(taken.items(), key=lambda one: median(one[1]), reverse=True)
    worst = f"the slowest of {ROUNDS}"
    return [
        Result(_what(*one), 1_000 * median(times), "ms", worst, 1_000 * max(times))
        for one, times in slowest_first
    ]


def _what(path: str, query: str) -> str:
    told = query.replace(BOTH, "both sessions").replace("{symbols}", f"{SYMBOLS_AT_MOST} symbols")
    return f"`{path}`" + (f" {told.replace('{signal}', 'of a signal').replace('&', ', ')}")
