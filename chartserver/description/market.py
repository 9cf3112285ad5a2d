"""Objects of `/api/history`, `/api/replay` and `/api/sessions`."""

from chartserver.description.ladder import LABELS
from chartserver.description.shapes import (
    RUPEES,
    UNITS,
    Schema,
    by_key,
    choice,
    count,
    day,
    fields,
    flag,
    listed,
    moment,
    number,
    one,
    or_null,
    record,
    text,
    whole,
)
from chartserver.description.signals import SIGNAL
from chartserver.description.state import CLOCK, HOURS, LOSS_LIMIT, STATUS
from chartserver.parameters import INTERVALS
from strategy.contract import UNDERLYINGS

AS_OF = text("where the stream goes on: `epoch:seq`")
UNDERLYING = choice("of which all of it is", UNDERLYINGS)
TIMES = listed("starts of the candles", moment(""))
KNOWN = listed("the first whole second at which the row was known", moment(""))


def _prices(about: str) -> Schema:
    return listed(about, number("", RUPEES))


def _units(about: str) -> Schema:
    return listed(about, or_null(whole("", UNITS)))


CANDLES = record(
    "Candles",
    "Candles of one symbol, in columns of equal length, ascending by `t`.",
    minutes=whole("of a candle; the finest, where they differ", "minutes"),
    t=TIMES,
    o=_prices("open"),
    h=_prices("high"),
    l=_prices("low"),
    c=_prices("close"),
    v=_units("volume; null for an index, and where it is unknown"),
    oi=_units("open interest; null for an index, and where it is unknown"),
    final=listed("false while it forms", flag("")),
    k=KNOWN,
)
BUILD_UPS_OF_ONE = record(
    "BuildUps",
    "Five minutes each of one contract's positioning, in columns, ascending by `t`.",
    t=listed("starts of the five minutes", moment("")),
    close=_prices("price at the end"),
    oi=_units("open interest at the end"),
    oi_change=_units("its change against the five minutes before"),
    volume=_units("volume"),
    label=listed("what price and open interest did together", choice("", LABELS)),
    k=KNOWN,
)
FORMING = record(
    "Forming",
    "States of one symbol's candles before they were final, in columns, ascending by `k`.",
    t=listed("start of the candle that it is a state of", moment("")),
    o=_prices("open"),
    h=_prices("high"),
    l=_prices("low"),
    c=_prices("close"),
    v=_units("volume"),
    k=listed("the whole second by which it was known", moment("")),
)
PREVIOUS = record(
    "Previous",
    "A symbol's last stored session before `session`.",
    session=day("its date"),
    open=or_null(number("first price", RUPEES)),
    high=or_null(number("highest", RUPEES)),
    low=or_null(number("lowest", RUPEES)),
    close=or_null(number("last price", RUPEES)),
)
MISSING = record(
    "Missing",
    "What was asked for, or is usual, and is not stored.",
    what=choice("which of them", ("expiry", "strike", "call", "put")),
    value={"type": ["string", "integer"], "description": "what was asked for"},
    reason=text("a sentence"),
)
SYMBOLS = record(
    "Symbols",
    "The symbols of the charts; null where there is none.",
    index=text("the underlying itself"),
    future=or_null(text("null where it has no candles in the range")),
    call=or_null(text("of the chosen expiry and strike")),
    put=or_null(text("of the chosen expiry and strike")),
)
LISTED = record(
    "Listed",
    "The contracts that were known in one session.",
    session=day("its date"),
    expiries=listed("ascending, from the session on", day("")),
    expiry=or_null(day("the one asked for where it was listed (null where not), else the nearest")),
    strikes=listed("of that expiry, ascending", whole("", RUPEES)),
)
_STATUS = one("as the stream's event", STATUS)
_SHOWN = {
    "as_of": AS_OF,
    "underlying": UNDERLYING,
    "session": day("whose contracts and prices are shown: the last one of the range"),
    "sessions": listed(
        "the range's stored sessions, and today where the answer is of now; candles begin at"
        " `open`, the last one ends at `close`",
        HOURS,
    ),
    "expiry": or_null(day("what is shown; null where none is stored")),
    "expiries": listed("what else there is, nearest first", day("")),
    "strikes": listed("of the expiry, ascending", whole("", RUPEES)),
    "spot": or_null(number("the last price", RUPEES)),
    "atm_strike": or_null(whole("the strike nearest to it", RUPEES)),
    "symbols": one("what the charts are of", SYMBOLS),
    "missing": listed(
        "what of expiry, strike, call or put is not stored; with an unknown expiry only that,"
        " `expiry` being null and `strikes` empty",
        MISSING,
    ),
    "previous": by_key("per symbol; absent where there is none", PREVIOUS),
    "interval": choice(
        "as answered: `5m` when `1m` or `3m` was asked for and only 5-minute candles are stored",
        INTERVALS,
    ),
    "candles": by_key("per symbol that has any", CANDLES),
    "build_ups": by_key("per symbol that has any", BUILD_UPS_OF_ONE),
    "signals": listed("of the range, oldest first; withdrawn ones included", SIGNAL),
    "simulated": flag("whether the rows come from the simulator"),
    "now": moment("market time"),
    "clock": one("how market time goes on", CLOCK),
}
HISTORY = fields("The rows of a range.", **_SHOWN, status=_STATUS)
REACHED = fields(
    "A strategy that took no new entries from then on.",
    **LOSS_LIMIT["properties"],
    known_at=moment("when the candidate that tells of it was known"),
)
REPLAY = fields(
    "A range as it became known.",
    absent=("listed", "revised"),
    **_SHOWN
    | {
        "session": day("the first one of the range; `previous` is before it"),
        "spot": or_null(number("the range's opening price", RUPEES)),
    },
    loss_limit=listed("as in the stream's `status`, of every session of the range", REACHED),
    listed=listed(
        "per stored session of the range the contracts known in it; absent with `symbols`", LISTED
    ),
    revised=listed(
        "signals as they were before each time a corrected input changed them; absent with"
        " `symbols`",
        fields(
            "A signal as it was.",
            **SIGNAL["properties"],
            revised_at=moment("from when on the next values counted"),
        ),
    ),
    forming=by_key(
        "per symbol the states of its candles before they were final, where the live feed kept"
        " them (`FORMING_DAYS`): the last one of each second. Once the candle's own `k` is reached"
        " they count no more",
        FORMING,
    ),
    forming_left_out=flag(
        "whether there were more than 200,000 of them: then those of the charts' symbols alone, or"
        " none where these are too many as well"
    ),
)
SESSIONS = fields(
    "The stored sessions.",
    sessions=listed(
        "newest first",
        record(
            "StoredSession",
            "How many rows of one underlying and session are stored.",
            underlying=UNDERLYING,
            session=day("its date"),
            candles=count("of all its symbols"),
            build_ups=count("of all its symbols"),
            signals=count("standing and withdrawn"),
        ),
    ),
)
