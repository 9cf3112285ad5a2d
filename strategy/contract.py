"""Option contracts: symbols, expiries, lots, strikes. Facts as in docs/calendar.md."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Literal, NamedTuple

from strategy.session import is_session, previous_session

UNDERLYINGS = ("NIFTY", "BANKNIFTY")
OptionType = Literal["C", "P"]

_SYMBOL = re.compile(r"(?P<underlying>[A-Z]+?)(?P<expiry>\d{6})(?P<kind>[CP])(?P<strike>\d+)")

# Lot sizes by the first expiry they hold for, from each date on.
LOT_SIZES: dict[str, tuple[tuple[date, int], ...]] = {
    "NIFTY": (
        (date(2023, 1, 1), 50),
        (date(2024, 4, 26), 25),
        (date(2025, 1, 1), 75),
        (date(2026, 1, 1), 65),
    ),
    "BANKNIFTY": (
        (date(2020, 1, 1), 25),
        (date(2023, 7, 1), 15),
        (date(2025, 1, 1), 30),
        (date(2025, 7, 1), 35),
        (date(2026, 1, 1), 30),
    ),
}
STRIKE_STEPS = {"NIFTY": 50, "BANKNIFTY": 100}
# Since this date index options expire on Tuesdays, before on Thursdays.
TUESDAYS_FROM = date(2025, 9, 1)


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


def _shifted(day: date) -> date:
    return day if is_session(day) else previous_session(day)


def _weekday_of_expiry(day: date) -> int:
    return 1 if day >= TUESDAYS_FROM else 3


def _month_end_expiry(year: int, month: int) -> date:
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    day = first_of_next - timedelta(days=1)
    while day.weekday() != _weekday_of_expiry(day):
        day -= timedelta(days=1)
    return _shifted(day)


def expiries(underlying: str, session: date, count: int = 3) -> list[date]:
    """Return the next expiries on or after a session, computed from the calendar.

    What a source lists wins over these. NIFTY has weekly expiries, BANKNIFTY only monthly
    ones (since November 2024).

    Raises:
        CalendarUnknownError: The calendar does not cover the session or an expiry.
    """
    found: list[date] = []
    if underlying == "NIFTY":
        day = session
        while len(found) < count:
            if day.weekday() == _weekday_of_expiry(day) and (shifted := _shifted(day)) >= session:
                found.append(shifted)
            day += timedelta(days=1)
        return found
    year, month = session.year, session.month
    while len(found) < count:
        if (expiry := _month_end_expiry(year, month)) >= session:
            found.append(expiry)
        year, month = year + month // 12, month % 12 + 1
    return found


def nearest_expiry(underlying: str, session: date) -> date:
    """Return the first computed expiry on or after a session."""
    return expiries(underlying, session, 1)[0]


def atm_strike(spot: float, strikes: Sequence[int]) -> int:
    """Return the listed strike nearest to spot; a tie goes to the lower one."""
    return min(strikes, key=lambda strike: (abs(strike - spot), strike))


def strikes_around(atm: int, strikes: Sequence[int], wings: int) -> list[int]:
    """Return up to `wings` listed strikes on each side of ATM and ATM itself, ascending."""
    ladder = sorted(strikes)
    place = ladder.index(atm)
    return ladder[max(0, place - wings) : place + wings + 1]
