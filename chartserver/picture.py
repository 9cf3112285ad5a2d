"""Which times and instruments an answer is about, and why some that were asked for are missing."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from chartserver.errors import RangeError
from chartserver.parameters import ist_day
from chartserver.settings import Settings
from db.pages.chain import Spot, read_expiries, read_known, read_spot, read_strikes
from db.pages.history import EVER, Span, read_extent
from strategy.contract import Contract, OptionType, atm_strike, future_symbol, strikes_around
from strategy.session import session_of

# All that is listed in a month is more than anybody reads at once, and 60 MB.
SYMBOL_DAYS = 1_000
SIDES: Mapping[str, OptionType] = {"call": "C", "put": "P"}


class Request(NamedTuple):
    """A checked request; None means the usual choice. `call` and `put` come before `strike`."""

    underlying: str
    span: Span | None
    interval: str
    expiry: date | None
    strike: int | None
    call: int | None
    put: int | None
    symbols: list[str] | None

    def check_extent(self) -> None:
        """Check that the range is not too much for the symbols that are named.

        Raises:
            RangeError: There are more than `SYMBOL_DAYS` of them.
        """
        if not self.symbols or not self.span:
            return
        days = -(-(self.span.stop - self.span.start) // timedelta(days=1))
        if len(self.symbols) * days > SYMBOL_DAYS:
            raise RangeError(
                f"{len(self.symbols)} symbols of {days} days are too much for one answer: ask for"
                f" fewer, at most {SYMBOL_DAYS} symbols times days",
                limit_symbol_days=SYMBOL_DAYS,
            )


class Missing(NamedTuple):
    """What was asked for, or is usual, and cannot be shown: `expiry`, `strike`, `call` or `put`."""

    what: str
    value: str | int
    reason: str


class Picture(NamedTuple):
    """What the answer is about; `options` has the symbols of call and put that can be shown."""

    underlying: str
    span: Span
    session: date
    expiries: list[date]
    expiry: date | None
    strikes: list[int]
    spot: Spot | None
    atm: int | None
    options: dict[str, Contract]
    missing: list[Missing]

    @property
    def roles(self) -> dict[str, str | None]:
        """The symbol of each chart."""
        return {
            "index": self.underlying,
            "future": future_symbol(self.underlying),
            **{side: self.options[side].symbol if side in self.options else None for side in SIDES},
        }

    def around(self, wings: int) -> list[str]:
        """Return calls and puts of the chosen strikes and of some on each side of them."""
        if self.expiry is None:
            return []
        chosen = {option.strike for option in self.options.values()}
        if not chosen and self.atm is not None:
            chosen = {self.atm}
        near = {
            strike for middle in chosen for strike in strikes_around(middle, self.strikes, wings)
        }
        return [
            Contract(self.underlying, self.expiry, strike, kind).symbol
            for strike in sorted(near)
            for kind in SIDES.values()
        ]


async def choose(
    connection: AsyncConnection[Any], request: Request, settings: Settings, *, opening: bool
) -> Picture:
    """Choose by the first session of the range when it opened, or by its last session as it is."""
    underlying = request.underlying
    span = request.span
    extent = await read_extent(connection, underlying, span or EVER)
    if span is None:
        span = ist_day(extent[1] if extent else settings.clock.now())
    ends = extent or (span.start, span.stop - timedelta(microseconds=1))
    moment = ends[0] if opening else ends[1]
    session = session_of(moment)
    index = (underlying, future_symbol(underlying))
    spot = await read_spot(connection, index, span, first=opening)
    expiries = await read_expiries(connection, underlying, session, ist_day(moment))
    expiry = request.expiry or (expiries[0] if expiries else None)
    strikes = await read_strikes(connection, underlying, expiry) if expiry else []
    atm = atm_strike(spot.price, strikes) if spot and strikes else None
    picture = Picture(
        underlying, span, session, expiries, expiry if strikes else None, strikes, spot, atm, {}, []
    )
    if request.expiry and not strikes:
        reason = f"no {underlying} contracts that expire on {expiry} are stored"
        return picture._replace(missing=[Missing("expiry", str(expiry), reason)])
    return await _with_options(connection, request, picture)


async def _with_options(
    connection: AsyncConnection[Any], request: Request, picture: Picture
) -> Picture:
    options, missing = {}, []
    for side, kind in SIDES.items():
        own = getattr(request, side)
        strike = own or request.strike or picture.atm
        if strike is None:
            continue
        if picture.expiry is None or strike not in picture.strikes:
            what = "strike" if own is None else side
            missing.append(Missing(what, strike, _no_strike(picture, strike)))
        else:
            options[side] = Contract(picture.underlying, picture.expiry, strike, kind)
    known = await read_known(
        connection, picture.underlying, [option.symbol for option in options.values()]
    )
    for side, option in options.items():
        if option.symbol not in known:
            reason = f"{picture.underlying} has no {side} {option.strike} for {option.expiry}"
            missing.append(Missing(side, option.strike, reason))
    shown = {side: option for side, option in options.items() if option.symbol in known}
    return picture._replace(options=shown, missing=list(dict.fromkeys(missing)))


def _no_strike(picture: Picture, strike: int) -> str:
    text = f"{picture.underlying} has no strike {strike}"
    if picture.expiry is None:
        return f"{text}: no contracts of {picture.session} are stored"
    return f"{text} for expiry {picture.expiry}"
