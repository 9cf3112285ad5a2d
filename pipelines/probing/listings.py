"""The question which options there are."""

from collections.abc import AsyncGenerator

from pipelines.probing.visit import Visit
from pipelines.sources.probe import Finding
from pipelines.sources.roles import ListedContract, Listing
from strategy.contract import lot_size, nearest_known_expiry

ROLE = "listings"
CALENDAR = "look which is right; docs/calendar.md says how the calendar is corrected"


async def ask_listings(visit: Visit) -> AsyncGenerator[Finding, None]:
    """Ask for the listed options; tell how many, and whether the calendar agrees."""
    if visit.opened.listings is None:
        return
    coming = visit.times.coming
    async for payload in visit.opened.listings.listings(visit.underlying, coming):
        reading = visit.read(payload, coming)
        if isinstance(reading, Listing):
            visit.listed = reading.contracts
    if not visit.listed:
        yield Finding(
            "option symbols",
            "error",
            f"none of {visit.underlying} is listed",
            "probe again on the morning of a session; if it stays so, attach the report to a bug"
            " report",
            ROLE,
        )
        return
    expiry = visit.expiry
    nearest = [contract for contract in visit.listed if contract.expiry == expiry]
    yield _found(visit, nearest)
    expected = nearest_known_expiry(visit.underlying, coming)
    if expected != expiry:
        found = f"the nearest listed is {expiry}, the calendar's {expected or 'not known'}"
        yield Finding("expiry", "warning", found, CALENDAR)
    lots = {contract.lot_size for contract in nearest} - {None}
    known = lot_size(visit.underlying, expiry)
    if lots and lots != {known}:
        told = ", ".join(map(str, sorted(lot for lot in lots if lot is not None)))
        found = f"{told} at {expiry}, the calendar's {known or 'not known'}"
        yield Finding("lot", "warning", found, CALENDAR)


def _found(visit: Visit, nearest: list[ListedContract]) -> Finding:
    strikes = sorted({contract.strike for contract in nearest})
    expiries = sorted({contract.expiry for contract in visit.listed})
    example = next(c for c in nearest if c.strike == strikes[len(strikes) // 2])
    others = f" of {len(expiries)} expiries" if len(expiries) > 1 else ""
    return Finding(
        "option symbols",
        "ok",
        f"{len(visit.listed)} of {visit.underlying}{others}; nearest expiry {expiries[0]:%a}"
        f" {expiries[0]} with strikes {strikes[0]} to {strikes[-1]}, e.g. {example.symbol}",
        role=ROLE,
        facts={
            "underlying": visit.underlying,
            "options": len(visit.listed),
            "expiries": expiries,
            "nearest_expiry": expiries[0],
            "strikes": len(strikes),
            "lot": example.lot_size,
            "tick": example.tick_size,
            "example": example.symbol,
        },
    )
