"""Option contracts: symbols, expiries, lots, strikes. Facts as in docs/calendar.md."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from typing import Literal, NamedTuple

from strategy.errors import CalendarUnknownError
from strategy.session import may_expire, moved_expiries, require_covered

UNDERLYINGS = ("NIFTY", "BANKNIFTY")
OptionType = Literal["C", "P"]

_SYMBOL = re.compile(r"(?P<underlying>[A-Z]+?)(?P<expiry>\d{6})(?P<kind>[CP])(?P<strike>\d+)")

# Lot sizes from each expiry on, weekly and monthly ones alike. NIFTY's monthly contract of 30
# January 2025 was listed before the lot of 75, the weekly ones around it after.
LOT_SIZES: dict[str, tuple[tuple[date, int], ...]] = {
    "NIFTY": (
        (date(2020, 1, 1), 75),
        (date(2021, 7, 29), 50),
        (date(2024, 4, 26), 25),
        (date(2025, 1, 1), 75),
        (date(2025, 1, 30), 25),
        (date(2025, 1, 31), 75),
        (date(2026, 1, 1), 65),
    ),
    "BANKNIFTY": (
        (date(2020, 1, 1), 20),
        (date(2020, 7, 30), 25),
        (date(2023, 7, 27), 15),
        (date(2025, 2, 1), 30),
        (date(2025, 7, 1), 35),
        (date(2026, 1, 1), 30),
    ),
}
STRIKE_STEPS = {"NIFTY": 50, "BANKNIFTY": 100}


class ExpiryRule(NamedTuple):
    """The weekdays of expiry, Monday being 0; the monthly expiry is the month's last such day."""

    weekly: int | None
    monthly: int


# By the first date on which a nominal expiry may lie.
EXPIRY_RULES: dict[str, tuple[tuple[date, ExpiryRule], ...]] = {
    "NIFTY": (
        (date(2000, 1, 1), ExpiryRule(weekly=3, monthly=3)),
        (date(2025, 9, 1), ExpiryRule(weekly=1, monthly=1)),
    ),
    "BANKNIFTY": (
        (date(2000, 1, 1), ExpiryRule(weekly=3, monthly=3)),
        (date(2023, 9, 4), ExpiryRule(weekly=2, monthly=3)),
        (date(2024, 3, 1), ExpiryRule(weekly=2, monthly=2)),
        (date(2024, 11, 14), ExpiryRule(weekly=None, monthly=2)),
        (date(2025, 1, 1), ExpiryRule(weekly=None, monthly=3)),
        (date(2025, 9, 1), ExpiryRule(weekly=None, monthly=1)),
    ),
}
ONE_DAY = timedelta(days=1)
ONE_WEEK = timedelta(weeks=1)


class Contract(NamedTuple):
    """One listed option: strike in rupees, expiry as really traded (holiday shifts applied)."""

    underlying: str
    expiry: date
    strike: int
    option_type: OptionType

    @property
    def symbol(self) -> str:
        """The canonical symbol, e.g. `BANKNIFTY260127C58400`."""
        return f"{self.underlying}{self.expiry:%y%m%d}{self.option_type}{self.strike}"


def parse_symbol(symbol: str) -> Contract | None:
    """Return the contract a canonical option symbol names; None for indices and futures."""
    match = _SYMBOL.fullmatch(symbol)
    if match is None:
        return None
    digits = match["expiry"]
    try:
        expiry = date(2000 + int(digits[:2]), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None
    kind: OptionType = "C" if match["kind"] == "C" else "P"
    return Contract(match["underlying"], expiry, int(match["strike"]), kind)


def future_symbol(underlying: str) -> str:
    """Return the symbol of the continuous front future."""
    return f"{underlying}1!"


def underlying_of(symbol: str) -> str:
    """Return the underlying of an index, future or option symbol."""
    contract = parse_symbol(symbol)
    return contract.underlying if contract else symbol.removesuffix("1!")


def lot_size(underlying: str, expiry: date) -> int | None:
    """Return the units per lot of contracts that expire then; None when not known."""
    sizes = LOT_SIZES.get(underlying, ())
    return next((size for start, size in reversed(sizes) if expiry >= start), None)


def _is_monthly(rule: ExpiryRule, day: date) -> bool:
    return day.weekday() == rule.monthly and (day + ONE_WEEK).month != day.month


def _is_nominal_expiry(underlying: str, day: date, *, monthly: bool) -> bool:
    """Tell whether something would expire on that date if it were no holiday."""
    rule = next(rule for start, rule in reversed(EXPIRY_RULES[underlying]) if day >= start)
    if _is_monthly(rule, day):
        return True
    if monthly or day.weekday() != rule.weekly:
        return False
    # The week of the monthly expiry has no other one.
    return not _is_monthly(rule, day + (rule.monthly - day.weekday()) * ONE_DAY)


def upcoming_expiries(underlying: str, session: date, *, monthly: bool = False) -> Iterator[date]:
    """Yield the expiries on or after a session, computed from the calendar, ascending.

    What a source lists wins over these. Ends only by its error, so ask for no more than needed.

    Args:
        underlying: NIFTY or BANKNIFTY.
        session: The first date that counts.
        monthly: Only the monthly expiries, which are the future's too.

    Raises:
        CalendarUnknownError: The calendar does not cover the session or an expiry.
    """
    require_covered(session)
    moved = moved_expiries(underlying)
    day = min([session, *(computed for computed, real in moved.items() if real >= session)])
    while True:
        if _is_nominal_expiry(underlying, day, monthly=monthly):
            computed = day
            while not may_expire(computed):
                computed -= ONE_DAY
            if (expiry := moved.get(computed, computed)) >= session:
                yield expiry
        day += ONE_DAY


def expiries(underlying: str, session: date, count: int = 3) -> list[date]:
    """Return the first of `upcoming_expiries`.

    Raises:
        CalendarUnknownError: The calendar does not cover the session or one of these expiries.
    """
    return list(islice(upcoming_expiries(underlying, session), count))


def nearest_expiry(underlying: str, session: date) -> date:
    """Return the first computed expiry on or after a session.

    Raises:
        CalendarUnknownError: The calendar does not cover the session or the expiry.
    """
    return next(upcoming_expiries(underlying, session))


def nearest_known_expiry(underlying: str, session: date) -> date | None:
    """Return the nearest computed expiry; None where the calendar ends before it."""
    try:
        return nearest_expiry(underlying, session)
    except CalendarUnknownError:
        return None


def monthly_expiry(underlying: str, session: date) -> date:
    """Return when the front future of a session expires.

    Raises:
        CalendarUnknownError: The calendar does not cover the session or the expiry.
    """
    return next(upcoming_expiries(underlying, session, monthly=True))


def atm_strike(spot: float, strikes: Sequence[int]) -> int:
    """Return the listed strike nearest to spot; a tie goes to the lower one."""
    return min(strikes, key=lambda strike: (abs(strike - spot), strike))


def strikes_around(atm: int, strikes: Sequence[int], wings: int) -> list[int]:
    """Return up to `wings` listed strikes on each side of ATM and ATM itself, ascending."""
    ladder = sorted(strikes)
    place = ladder.index(atm)
    return ladder[max(0, place - wings) : place + wings + 1]


def cluster_strikes(
    price: float, strikes: Sequence[int], step: int, wings: int
) -> list[int | None]:
    """Return the strike nearest to a price and those one usual step apart from it, ascending.

    Args:
        price: Of the underlying.
        strikes: Those known, ascending.
        step: The usual one.
        wings: How many to each side.

    Returns:
        None for each that is not known; for all of them where the price lies outside the known
        strikes, or nearer to a usual strike that is not known.
    """
    nothing: list[int | None] = [None] * (2 * wings + 1)
    if not strikes or not strikes[0] <= price <= strikes[-1]:
        return nothing
    atm = atm_strike(price, strikes)
    if not -step < 2 * (price - atm) <= step:  # of two equally near the lower one wins
        return nothing
    known = set(strikes)
    wanted = range(atm - wings * step, atm + wings * step + 1, step)
    return [strike if strike in known else None for strike in wanted]
