"""Objects of `/api/chain`."""

from chartserver.description.shapes import (
    RUPEES,
    UNITS,
    choice,
    count,
    day,
    fields,
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

LABELS = ("long_build_up", "short_build_up", "short_covering", "long_unwinding", "none")
SIDE = record(
    "Side",
    "A call or a put; all is null where that side is not listed, else what is unknown.",
    symbol=or_null(text("null where that side is not listed")),
    price=or_null(number("of its newest `candle` or `build_up`, whichever ended later", RUPEES)),
    price_at=or_null(moment("when that row became known")),
    price_ended_at=or_null(moment("as of when it is; a forming candle's as of when it came")),
    price_from=or_null(choice("what the price is of", ("candle", "build_up"))),
    oi=or_null(whole("open interest of the chain, else of the contract's own rows", UNITS)),
    oi_at=or_null(moment("as of when")),
    oi_change=or_null(whole("against the previous session's close", UNITS)),
    oi_change_5m=or_null(
        whole(
            "in the five minutes that ended at `label_at`: the build-up's, else that of two ladders"
            " five minutes apart",
            UNITS,
        )
    ),
    label=or_null(
        choice(
            "of the same five minutes; null until their build-up is there and its change known",
            LABELS,
        )
    ),
    label_at=or_null(
        moment("end of the last five minutes of the grid by `oi_at`; nothing is of older ones")
    ),
    iv=or_null(number("implied volatility, 0.14 is 14 %", "per year")),
    delta=or_null(number("of its [greeks](docs/greeks.md)", "rupees per point")),
    gamma=or_null(number("of delta", "per point")),
    theta=or_null(number("of a day that passes", "rupees per calendar day")),
    vega=or_null(number("of volatility", "rupees per percentage point")),
    greeks_at=or_null(moment("end of the newest interval that has any: they are of it")),
)
CHAIN = fields(
    "A strike ladder; what is not known is null.",
    underlying=choice("whose ladder", UNDERLYINGS),
    at=moment("what was known then counts"),
    session=day("whose rows"),
    expiry=or_null(day("which ladder; null where none is stored")),
    spot=or_null(number("the last price", RUPEES)),
    atm_strike=or_null(whole("the strike nearest to it", RUPEES)),
    pcr=or_null(
        number("open interest of puts by that of calls, of the strikes of which both are known")
    ),
    oi_unknown=count("strikes that lack the open interest of a side: they are in no sum"),
    max_pain=or_null(
        whole(
            "the strike at which all options together would pay least, of those whose open interest"
            " is known of both sides",
            RUPEES,
        )
    ),
    support=or_null(whole("the strike with the largest open interest of puts", RUPEES)),
    resistance=or_null(whole("the same of calls", RUPEES)),
    forward=or_null(number("the newest of the expiry", RUPEES)),
    forward_source=or_null(choice("what it was made from", ("future", "parity"))),
    rows=listed(
        "strikes ascending",
        record(
            "Rung",
            "One strike.",
            strike=whole("ascending", RUPEES),
            call=one("the right to buy", SIDE),
            put=one("the right to sell", SIDE),
        ),
    ),
)
