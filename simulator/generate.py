"""A deterministic trading day: the same day, seed and underlying give the same market."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from simulator.errors import DayUnavailable, UnderlyingUnavailable
from simulator.generated_day import Ending, GeneratedDay
from simulator.market import Market, Series, sorted_contracts
from simulator.profile import PROFILES
from strategy.contract import Contract, monthly_expiry
from strategy.errors import CalendarUnknownError
from strategy.session import is_session, next_session, previous_session


def generate(day: date, seed: int = 7, underlyings: Sequence[str] = tuple(PROFILES)) -> Market:
    """Return a generated day of 1-minute candles.

    Raises:
        DayUnavailable: The exchange is shut that day, or the calendar does not know it.
        UnderlyingUnavailable: There is no profile of an underlying.
    """
    _check(day, underlyings)
    return _market(day, [GeneratedDay(day, seed, underlying) for underlying in underlyings])


def listed(
    day: date, seed: int = 7, underlyings: Sequence[str] = tuple(PROFILES)
) -> tuple[Contract, ...]:
    """Return the options of a generated day without making its candles.

    Raises:
        DayUnavailable: The exchange is shut that day, or the calendar does not know it.
        UnderlyingUnavailable: There is no profile of an underlying.
    """
    _check(day, underlyings)
    days = (GeneratedDay(day, seed, underlying) for underlying in underlyings)
    return sorted_contracts(contract for each in days for contract in each.contracts())


def generate_before(market: Market, seed: int = 7) -> Market:
    """Return the session before a generated day, with the day's own contracts.

    It ends where the day begins: with the index and the open interest that the day says of the
    session before.

    Raises:
        DayUnavailable: The calendar does not know that session, or the day not its close.
    """
    day = _session_before(market.day)
    _check(day, market.underlyings)
    days = [
        GeneratedDay(day, seed, underlying, _ending(market, underlying))
        for underlying in market.underlyings
    ]
    before = _market(day, days)
    series = {
        symbol: _held_until(line, market.series.get(symbol))
        for symbol, line in before.series.items()
    }
    return replace(before, series=series)


def _session_before(day: date) -> date:
    try:
        return previous_session(day)
    except CalendarUnknownError as error:
        raise DayUnavailable(f"no session before {day}: {error}") from None


def _ending(market: Market, underlying: str) -> Ending:
    close = market.find(underlying).previous_close
    if close is None:
        raise DayUnavailable(f"{market.day} does not say where the session before it ended")
    return Ending(close, market.expiries[underlying])


def _held_until(line: Series, following: Series | None) -> Series:
    """Return a series whose open interest ends at what the next day begins with."""
    last = line.candles[-1].oi
    if following is None or following.previous_oi is None or not last:
        return line
    share = following.previous_oi / last
    candles = [
        candle._replace(oi=round((candle.oi or 0) * share / line.unit) * line.unit)
        for candle in line.candles
    ]
    return replace(line, candles=candles)


def _market(day: date, days: Sequence[GeneratedDay]) -> Market:
    series = {line.symbol: line for each in days for line in each.series()}
    return Market(
        day,
        tuple(each.underlying for each in days),
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
