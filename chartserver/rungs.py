"""A strike ladder as JSON objects: its rows, and what stands above them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Any, NamedTuple

from chartserver.frames import number, seconds
from db.pages.chain import Rung, Spot
from db.pages.history import Span
from strategy.contract import atm_strike
from strategy.session import session_of

SIDES = {"C": "call", "P": "put"}


class Picture(NamedTuple):
    """What a ladder is read against: the session's day, and the price that places ATM."""

    day: Span
    spot: Spot | None


def row_objects(rungs: Iterable[Rung]) -> list[dict[str, Any]]:
    """Return `{strike, call, put}` per strike; rungs come by strike."""
    return [_row(strike, group) for strike, group in groupby(rungs, attrgetter("strike"))]


def head_object(
    underlying: str,
    expiry: date | None,
    picture: Picture,
    at: datetime,
    rungs: Sequence[Rung],
) -> dict[str, Any]:
    """Return what a ladder says as a whole.

    Args:
        underlying: Whose ladder,
        expiry: and which; None where none is stored.
        picture: What it was read against.
        at: What was known then counts.
        rungs: All of the ladder, by strike.
    """
    spot = picture.spot
    strikes = sorted({rung.strike for rung in rungs})
    return {
        "underlying": underlying,
        "at": seconds(at),
        "session": session_of(picture.day.start).isoformat(),
        "expiry": expiry.isoformat() if expiry else None,
        "spot": number(spot.price) if spot else None,
        "atm_strike": atm_strike(spot.price, strikes) if spot and strikes else None,
        "pcr": put_call_ratio(rungs),
        "oi_unknown": oi_unknown(rungs),
        "max_pain": max_pain(rungs),
        "support": _strongest(rungs, "P"),
        "resistance": _strongest(rungs, "C"),
        **_forward(rungs),
    }


def max_pain(rungs: Iterable[Rung]) -> int | None:
    """Return the strike at which all options together would pay least, the lowest of equals.

    Of the strikes whose open interest is known of both sides; None where nothing is open.
    """
    known: list[tuple[int, int, int]] = [
        (strike, *sides)
        for strike, group in groupby(rungs, attrgetter("strike"))
        if (sides := _open_interest(group)) is not None
    ]
    if not any(call or put for _, call, put in known):
        return None
    # From strike to strike the calls below cost more and the puts above less, a step each.
    cost = least = sum(put * (strike - known[0][0]) for strike, _, put in known)
    found, calls, puts = known[0][0], 0, sum(put for *_, put in known)
    for (before, call, put), (strike, *_) in pairwise(known):
        calls, puts = calls + call, puts - put
        cost += (calls - puts) * (strike - before)
        if cost < least:
            found, least = strike, cost
    return found


def _open_interest(rungs: Iterable[Rung]) -> tuple[int, int] | None:
    sides = {rung.option_type: rung.open_interest for rung in rungs}
    call, put = sides.get("C"), sides.get("P")
    return None if call is None or put is None else (call, put)


def _row(strike: int, rungs: Iterable[Rung]) -> dict[str, Any]:
    sides = {SIDES[rung.option_type]: _side(rung) for rung in rungs}
    return {"strike": strike, "call": sides.get("call", ABSENT), "put": sides.get("put", ABSENT)}


def _side(rung: Rung) -> dict[str, Any]:
    return {
        "symbol": rung.symbol,
        "price": number(rung.price),
        "price_at": _seconds(rung.price_at),
        "price_ended_at": _seconds(rung.price_ended_at),
        "price_from": rung.price_from,
        "oi": rung.open_interest,
        "oi_at": _seconds(rung.oi_at),
        "oi_change": rung.oi_change,
        "oi_change_5m": rung.oi_change_5m,
        "label": rung.label,
        "label_at": _seconds(rung.label_at),
        "iv": number(rung.implied_volatility),
        "delta": number(rung.delta),
        "gamma": number(rung.gamma),
        "theta": number(rung.theta),
        "vega": number(rung.vega),
        "greeks_at": _seconds(rung.greeks_at),
    }


def _seconds(moment: datetime | None) -> int | None:
    return seconds(moment) if moment else None


# A side that is not listed.
ABSENT = dict.fromkeys(_side(Rung(0, "C", "", *(None,) * (len(Rung._fields) - 3))))


def _forward(rungs: Iterable[Rung]) -> dict[str, Any]:
    """Return the newest forward of the expiry; it comes with the greeks made from it."""
    times = [(rung.greeks_at, rung) for rung in rungs if rung.greeks_at]
    newest = max(times, key=lambda pair: pair[0])[1] if times else None
    return {
        "forward": number(newest.forward) if newest else None,
        "forward_source": newest.forward_source if newest else None,
    }


def put_call_ratio(rungs: Iterable[Rung]) -> float | None:
    """Return the open interest of puts by that of calls; None where no calls are open.

    Of the strikes whose open interest is known of both sides, as `max_pain`.
    """
    known = [sides for sides in _by_strike(rungs) if sides is not None]
    calls, puts = (sum(sides[place] for sides in known) for place in range(2))
    return round(puts / calls, 4) if calls else None


def oi_unknown(rungs: Iterable[Rung]) -> int:
    """Return how many strikes have a side whose open interest is unknown: in no sum."""
    return sum(sides is None for sides in _by_strike(rungs))


def _by_strike(rungs: Iterable[Rung]) -> list[tuple[int, int] | None]:
    return [_open_interest(group) for _, group in groupby(rungs, attrgetter("strike"))]


def _strongest(rungs: Iterable[Rung], option_type: str) -> int | None:
    """Return the strike with the largest open interest, the lowest of equals; None without any."""
    largest, found = 0, None
    for rung in rungs:
        if rung.option_type == option_type and (rung.open_interest or 0) > largest:
            largest, found = rung.open_interest or 0, rung.strike
    return found
