"""What `status` and `/healthz` tell of the system."""

from chartserver.description.shapes import (
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
from chartserver.problems import CAUSES
from strategy.contract import UNDERLYINGS

SINCE = moment("since when")
HOURS = record(
    "Hours",
    "The hours of a session.",
    session=day("its date"),
    open=moment("when it begins"),
    close=moment("when it ends"),
)
CLOCK = record(
    "Clock",
    "Market time is `market` + (wall clock - `wall`) x `speed`.",
    market=number("market time at `wall`", "UTC seconds"),
    wall=number("of the server's clock", "UTC seconds"),
    speed=number("market seconds a second; 0 once a simulated clock stopped"),
)
AGES = record(
    "Ages",
    "Market seconds since what the newest rows tell of, the end of their interval whenever they"
    " came; null where there is none.",
    candle=or_null(count("of the newest index candle")),
    build_up=or_null(count("of the newest build-up")),
)
PROBLEM = record(
    "Problem",
    "Something that a person should look into.",
    cause=choice("which kind", CAUSES),
    what=text("a sentence"),
    since=or_null(moment("market time")),
    remedy=text("a sentence"),
)
SOURCE = record(
    "Source",
    "How a source does.",
    state=choice("`idle`: the market is closed, or nothing heard yet", ("up", "down", "idle")),
    last=or_null(moment("when it was heard last")),
    error=or_null(text("what was wrong last")),
    delay_seconds=or_null(count("how late its data is; null if nothing tells")),
    token_ends_at=or_null(moment("until when its token is good")),
    note=or_null(text("what a person should know or do")),
)
INCOMPLETE = record(
    "Incomplete",
    "An underlying whose newest session closed and lacks its last index candle.",
    underlying=text("which"),
    session=day("its date"),
    close=moment("when it ended"),
    last=moment("as of when its newest price is"),
)
LOSS_LIMIT = record(
    "LossLimit",
    "A strategy that takes no new entries in its session.",
    underlying=choice("of its signals", UNDERLYINGS),
    strategy=text("rule set"),
    version=text("of it"),
    since=or_null(moment("when the last of the losing trades was lost")),
)
_PROBLEMS = listed("what is wrong; empty when all is well", PROBLEM)
_SOURCES = by_key("per source, in the order of preference", SOURCE)
_DELAY = or_null(count("the largest delay of a source; null if none tells"))
_AGES = one("of the underlying that was asked for, or of all", AGES)
_INCOMPLETE = listed("sessions that ended without their last candle", INCOMPLETE)
_SIMULATED = flag("whether the rows come from the simulator")

STATUS = record(
    "Status",
    "The state of the system, as the stream's event `status`.",
    market=choice("by the calendar", ("open", "closed")),
    session=or_null(one("of today; null where it does not trade", HOURS)),
    simulated=_SIMULATED,
    now=moment("market time"),
    clock=one("how it goes on", CLOCK),
    database=choice("whether it answers", ("up", "down")),
    feed=choice("`none` where only stored data is served", ("expected", "none")),
    problems=_PROBLEMS,
    sources=_SOURCES,
    delay_seconds=_DELAY,
    ages=_AGES,
    ages_by=fields("the same for each", **dict.fromkeys(UNDERLYINGS, AGES)),
    incomplete=_INCOMPLETE,
    loss_limit=listed("strategies at their daily loss limit, today", LOSS_LIMIT),
    held_back=listed(
        "failing checks for which today gets no new signals",
        fields("A check.", check=text("its name, `raw_payload/all_parsed`"), since=SINCE),
    ),
    switched_off=listed(
        "strategies that are not computed, as something is wrong with them",
        fields(
            "A strategy.",
            strategy=text("its name, or its module's file"),
            problem=text("a sentence"),
            since=SINCE,
        ),
    ),
    feed_faults=listed(
        "parts of the feed that failed for a reason that nobody expected",
        fields("A part.", task=text("its name"), problem=text("what failed"), since=SINCE),
    ),
)
HEALTH = fields(
    "Whether the database answers, and what is wrong.",
    absent=("error",),
    status=choice("`database out` comes with status 503", ("ok", "database out")),
    problems=_PROBLEMS,
    ages=one("of all underlyings", AGES),
    incomplete=_INCOMPLETE,
    delay_seconds=_DELAY,
    sources=_SOURCES,
    hub=fields(
        "what reads the change feed",
        connected=flag("whether it is connected"),
        cursor=text("how far it has read"),
        clients=whole("open streams"),
    ),
    simulated=_SIMULATED,
    error=text("with status 503 only"),
)
