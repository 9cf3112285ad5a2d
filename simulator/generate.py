"""A deterministic trading day: the same day, seed and underlying give the same market."""

from collections.abc import Sequence
from datetime import date

from simulator.errors import DayUnavailable, UnderlyingUnavailable
from simulator.generated_day import GeneratedDay
from simulator.market import Market, sorted_contracts
from simulator.profile import PROFILES
from strategy.contract import monthly_expiry
from strategy.errors import CalendarUnknownError
from strategy.session import is_session, next_session, previous_session


def generate(day: date, seed: int = 7, underlyings: Sequence[str] = tuple(PROFILES)) -> Market:
    """Return a generated day of 1-minute candles.

    Raises:
        DayUnavailable: The exchange is shut that day, or the calendar does not know it.
        UnderlyingUnavailable: There is no profile of an underlying.
    """
    _check(day, underlyings)
    days = [GeneratedDay(day, seed, underlying) for underlying in underlyings]
    series = {line.symbol: line for each in days for line in each.series()}
    return Market(
        day,
        tuple(underlyings),
        series,
        sorted_contracts(contract for each in days for contract in each.contracts()),
        {each.underlying: each.expiries for each in days},
        tuple(sorted((e for each in days for e in each.episodes), key=lambda e: e.open_time)),
    )


def _check(day: date, underlyings: Sequence[str]) -> None:
    for underlying in underlyings:
        if underlying not in PROFILES:
            known = ", ".join(PROFILES)
            raise UnderlyingUnavailable(f"no generated market for {underlying!r}; known: {known}")
    try:
        if not is_session(day):
            near = f"{previous_session(day)} or {next_session(day)}"
            raise DayUnavailable(f"the exchange is shut on {day}; choose another day, e.g. {near}")
        for underlying in underlyings:
            monthly_expiry(underlying, day)
    except CalendarUnknownError as error:
        raise DayUnavailable(f"{day} can't be generated: {error}") from None
