"""Objects of `/api/signals` and below."""

from chartserver import parameters
from chartserver.description.shapes import (
    POINTS,
    RUPEES,
    UNITS,
    Schema,
    anything,
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
from strategy.contract import UNDERLYINGS

MINUTES = "minutes after entry; 0 is the session's end"
UNDERLYING = choice("of the signals", UNDERLYINGS)
HORIZON = whole(MINUTES, "minutes")
HISTORY = choice("which signals count, as asked", parameters.HISTORIES)
FILLS = count("spreads in a round trip, as asked")
STRATEGY, VERSION = text("rule set"), text("of the rule set")


def _points(about: str) -> Schema:
    return or_null(number(about, POINTS))


def _rupees(about: str) -> Schema:
    return or_null(number(about, RUPEES))


SIGNAL = record(
    "Signal",
    "A signal: every column of the table `signal`.",
    signal_id={**text("the same in every database"), "format": "uuid"},
    strategy=STRATEGY,
    version=VERSION,
    underlying=UNDERLYING,
    session=day("its date"),
    event_time=moment(
        "end of the evaluated interval: a marker belongs on the candle that holds `event_time - 1`"
    ),
    symbol=text("what to buy"),
    direction=choice("for the underlying", parameters.DIRECTIONS),
    kind=text("what triggered it"),
    atm_strike=whole("the strike nearest to `spot`", RUPEES),
    spot=number("the price that placed ATM", RUPEES),
    net_delta_volume=or_null(whole("calls less puts of the cluster", UNITS)),
    strikes=listed("the cluster", whole("", RUPEES)),
    entry=number("premium", RUPEES),
    stop=number("premium", RUPEES),
    target1=number("premium", RUPEES),
    target2=_rupees("premium; null where the rules have one target"),
    entry_order=choice(
        "`market`: bought at once; `stop`: when the price rises to `entry`", ("market", "stop")
    ),
    reasons=anything("values per contract that led to it, as its strategy words them"),
    params_hash=text("of the strategy's numbers"),
    input_watermark=moment("end of the newest interval that it was made of"),
    known_at=moment("when everything it was made of was known, rounded up"),
    withdrawn_at=or_null(moment("when corrected inputs took it back; null while it stands")),
    revision=count("1, and one more each time a corrected input changed it"),
    withdrawn=flag("whether it was taken back"),
    iv=or_null(
        number(
            "of the contract it buys, from the newest candle of the evaluated interval whose greeks"
            " were known with the signal; null without one",
            "per year",
        )
    ),
    delta=or_null(number("the same", "rupees per point")),
)
OUTCOME = record(
    "Outcome",
    "What became of a signal within a horizon: the columns of `signal_outcome`"
    " ([outcomes.md](docs/outcomes.md)).",
    horizon_minutes=HORIZON,
    entered_at=or_null(moment("start of the candle it was bought in")),
    entry_price=_rupees("premium paid"),
    exited_at=or_null(moment("end of the candle it was sold in")),
    exit_price=_rupees("premium received"),
    gross_points=_points("exit less entry"),
    costs_points=_points("of buying and selling one lot, per unit"),
    mfe_points=_points("largest gain over the whole horizon; null where a gap hides it"),
    mae_points=_points("largest loss over the whole horizon; null where a gap hides it"),
    return_points=number("gross less costs", POINTS),
    hit=flag("target 1 before the stop"),
    exit_reason=choice(
        "what ended it", ("target1", "stop", "horizon", "session_end", "not_entered")
    ),
    lot_size=or_null(whole("of one lot; null if computed before it was kept", UNITS)),
)
SIGNALS = fields(
    "Signals of a range.",
    underlying=UNDERLYING,
    simulated=flag("whether the rows come from the simulator"),
    signals=listed(
        "oldest first",
        fields(
            "A signal with what became of it.",
            **SIGNAL["properties"],
            outcomes=listed(
                "empty until they are computed; the shortest horizon first, 0 last", OUTCOME
            ),
        ),
    ),
)
REVISIONS = fields(
    "What one signal was before.",
    signal_id={**text("as asked"), "format": "uuid"},
    revisions=listed(
        "oldest first; empty where nothing changed. The signal as it is now is not among them",
        fields(
            "The signal as it was, with its reasons of then; `iv` and `delta` are null.",
            **SIGNAL["properties"],
            revised_at=moment("when the values that replaced it could be used"),
        ),
    ),
)
PROOF = record(
    "Proof",
    "What [was proved](docs/proof.md#what-was-proved-stands-beside-the-statistics) of a version.",
    status=choice("`different`: it failed", ("proved", "unproved", "different")),
    parity_sessions=count("in which every form gave the stored rows"),
    lookahead_sessions=count("in which no row knew what came later"),
    different_sessions=count("in which one of them failed"),
    first_session=or_null(day("looked at; null where none was")),
    last_session=or_null(day("looked at; null where none was")),
    proved_at=or_null(moment("when one was looked at last")),
)
COUNTED = record(
    "Version",
    "What has signals in the range, whichever `strategy` is asked for.",
    strategy=STRATEGY,
    version=VERSION,
    signals=count("that stand"),
    withdrawn=count("that were taken back"),
    proof=one("of the version", PROOF),
)
CASE = {
    "underlying": UNDERLYING,
    "horizon_minutes": HORIZON,
    "history": HISTORY,
    "fills": FILLS,
}
REJECTIONS = fields(
    "Candidates that gave no signal.",
    underlying=UNDERLYING,
    total=count("how many the range has"),
    rejections=listed(
        "the newest 1,000, newest first",
        record(
            "Rejection",
            "A row of `signal_rejection`.",
            strategy=STRATEGY,
            version=VERSION,
            underlying=UNDERLYING,
            session=day("its date"),
            event_time=moment("end of the evaluated interval"),
            reason=text("such as `against_net_delta`"),
            symbol=text("the candidate contract, empty if none"),
            details=anything("values that led to it"),
            known_at=or_null(moment("when they were known")),
        ),
    ),
)
