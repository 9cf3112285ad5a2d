"""Every address that programs ask: what it takes, what it answers, which errors it may give."""

from typing import NamedTuple

from chartserver.description import asked, ladder, market, signals, state, statistics, sweeps
from chartserver.description.asked import CASE, CHOSEN, RANGE, SHOWN, Parameter
from chartserver.description.shapes import Schema

EVENTS, PLAIN = "text/event-stream", "text/plain"


class Operation(NamedTuple):
    """One GET.

    Attributes:
        path: Its address.
        name: One for generated clients.
        summary: A line.
        about: More, as Markdown; links lead from the repository's root.
        parameters: What it takes.
        answer: The JSON of status 200; None where it is something else.
        errors: Statuses besides those that every address may give.
        media: Of an answer that is no JSON.
    """

    path: str
    name: str
    summary: str
    about: str
    parameters: tuple[Parameter, ...]
    answer: Schema | None
    errors: tuple[int, ...] = (400,)
    media: str = "application/json"


_OF_A_RANGE = "Without a range: the newest stored session. "
_HAS_MORE = " It takes `horizon` as the others do; all horizons are in the answer."

OPERATIONS = (
    Operation(
        "/api/history",
        "history",
        "The rows of a range, and the place in the change feed that they stand at.",
        f"{_OF_A_RANGE}All rows and `as_of` come from one snapshot. A strike or an expiry that is"
        " not stored takes nothing else away: the index stays, and `missing` says why the rest is"
        " not there.",
        SHOWN,
        market.HISTORY,
        (400, 404, 413),
    ),
    Operation(
        "/api/replay",
        "replay",
        "A range as it became known.",
        "As `/api/history`, with a range required, final rows only, and without `status`. ATM is"
        " that of the range's opening price. Besides the chosen call and put it brings those of two"
        " strikes on each side, and every symbol that a signal bought; or `symbols`, and then"
        " neither `listed` nor `revised`.",
        SHOWN,
        market.REPLAY,
        (400, 404, 413),
    ),
    Operation(
        "/api/sessions",
        "sessions",
        "The stored sessions, with numbers of rows.",
        "",
        (asked.ANY_UNDERLYING,),
        market.SESSIONS,
    ),
    Operation(
        "/api/signals",
        "signals",
        "Signals of a range, each with what became of it.",
        _OF_A_RANGE.strip(),
        CHOSEN,
        signals.SIGNALS,
        (400, 413),
    ),
    Operation(
        "/api/signals/revisions",
        "revisions",
        "One signal as it was before each time a corrected input changed it.",
        "",
        (asked.SIGNAL_ID,),
        signals.REVISIONS,
        (400, 404),
    ),
    Operation(
        "/api/signals/stats",
        "stats",
        "How signals of a range did, beside random entries.",
        f"{_OF_A_RANGE}`history` and `fills` say which case is counted.{_HAS_MORE}",
        (*CHOSEN, *CASE, asked.HORIZON),
        statistics.STATS,
        (400, 413),
    ),
    Operation(
        "/api/signals/splits",
        "splits",
        "The same by time of day, days to expiry or volatility.",
        "",
        (*CHOSEN, *CASE, asked.HORIZON, asked.BY),
        statistics.SPLITS,
        (400, 413),
    ),
    Operation(
        "/api/signals/equity",
        "equity",
        "What signals came to at a horizon, by the end of each session.",
        "",
        (*CHOSEN, *CASE, asked.HORIZON),
        statistics.EQUITY,
        (400, 413),
    ),
    Operation(
        "/api/signals/distribution",
        "distribution",
        "How the returns at a horizon are distributed.",
        "",
        (*CHOSEN, *CASE, asked.HORIZON),
        statistics.DISTRIBUTION,
        (400, 413),
    ),
    Operation(
        "/api/signals/rejections",
        "rejections",
        "The newest candidates that gave no signal, with the reason.",
        f"{_OF_A_RANGE}It takes `direction` as the others do; candidates have none.",
        CHOSEN,
        signals.REJECTIONS,
        (400, 413),
    ),
    Operation(
        "/api/sweeps",
        "sweeps",
        "The newest sweeps, and what is sealed from them.",
        "",
        (asked.STRATEGY,),
        sweeps.SWEEPS,
    ),
    Operation(
        "/api/sweeps/result",
        "sweep",
        "One sweep with its combinations and its walk-forward.",
        "404 where there is none.",
        (asked.SWEEP_ID,),
        sweeps.RESULT,
        (400, 404),
    ),
    Operation(
        "/api/chain",
        "chain",
        "A strike ladder as known at a time.",
        "",
        (asked.UNDERLYING, asked.EXPIRY, asked.AT),
        ladder.CHAIN,
        (400, 404),
    ),
    Operation(
        "/stream",
        "stream",
        "Live events: candles, build-ups, signals, ladders, status.",
        "Server-sent events without an end, described in"
        " [http.md](docs/http.md#get-stream). The last id beats `since`.",
        (asked.ANY_UNDERLYING, asked.SINCE, asked.LADDER, asked.LAST_EVENT_ID),
        None,
        media=EVENTS,
    ),
    Operation(
        "/replay/stream",
        "replayStream",
        "A stored range as events, each when it became known.",
        "Server-sent events, described in [http.md](docs/http.md#get-replaystream); a range is"
        " required.",
        (asked.UNDERLYING, *RANGE, asked.SPEED, asked.SYMBOLS),
        None,
        (400, 413),
        EVENTS,
    ),
    Operation(
        "/healthz",
        "health",
        "Whether the database answers, and what is wrong.",
        "503 when the database is out, and only then. It asks for no token.",
        (),
        state.HEALTH,
        (),
    ),
    Operation("/metrics", "metrics", "Prometheus text.", "", (), None, (), PLAIN),
    Operation(
        "/openapi.json",
        "description",
        "This description, in OpenAPI 3.1.",
        "",
        (),
        {"type": "object", "description": "OpenAPI 3.1"},
        (),
    ),
)

# By address the parameters that it takes, and which of them may come several times.
TAKEN = {
    one.path: {p["name"]: p.get("explode", False) for p in one.parameters if p["in"] == "query"}
    for one in OPERATIONS
    if one.parameters
}
