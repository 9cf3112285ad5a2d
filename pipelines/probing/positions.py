"""The questions for open interest: the strike ladder of now, and five-minute rows of a contract."""

from collections.abc import AsyncGenerator
from datetime import timedelta

from pipelines.probing.counts import NONE, counted_in
from pipelines.probing.visit import Visit
from pipelines.sources.errors import PayloadInvalid, WrongTradingDate
from pipelines.sources.probe import REPORT, Finding, State
from pipelines.sources.roles import BuildUpRows, Ladder, LadderSide
from strategy.contract import lot_size
from strategy.session import IST, session_hours

# Until then the last session's values are still answered.
MORNING = timedelta(minutes=15)


async def ask_ladder(visit: Visit) -> AsyncGenerator[Finding, None]:
    """Ask for the ladder of now: which moment it is of, what it counts, whether it has quotes.

    Raises:
        SourceError: There is none.
    """
    if visit.opened.ladders is None:
        return
    expiry = visit.expiry
    ladder = None
    async for payload in visit.opened.ladders.ladder(visit.underlying, expiry, None):
        reading = visit.read(payload, visit.times.data)
        if isinstance(reading, Ladder):
            ladder = reading
    if ladder is None or not ladder.rows:
        yield Finding("strike ladder", "error", f"no strikes of {expiry}", REPORT, "ladders")
        return
    visit.spot = visit.spot or ladder.spot
    visit.trading_date = ladder.trading_date
    yield _moment(visit, ladder)
    sides = [side for row in ladder.rows for side in (row.call, row.put) if side]
    yield _counts(visit, sides)
    yield _quotes(visit, sides)


def _moment(visit: Visit, ladder: Ladder) -> Finding:
    moment = ladder.moment
    of = "it names no moment: of the receipt"
    if moment is not None:
        of = f"of {moment.astimezone(IST):%Y-%m-%d %H:%M} IST, asked at"
        of += f" {visit.times.now.astimezone(IST):%H:%M}"
    facts = {
        "expiry": visit.expiry,
        "strikes": len(ladder.rows),
        "moment": moment,
        "session": ladder.trading_date,
        "spot": ladder.spot,
    }
    low, high = ladder.rows[0].strike, ladder.rows[-1].strike
    facts |= {"lowest": low, "highest": high}
    found = f"{len(ladder.rows)} strikes of {visit.expiry}, {low} to {high}, {of}"
    answered = ladder.trading_date
    morning = visit.times.now < session_hours(visit.times.data)[0] + MORNING
    if answered is not None and answered != visit.times.data and not morning:
        late = f"{found}: that is not the session of {visit.times.data}"
        remedy = (
            "look at the source's own page: if it shows today, attach the report to a bug report"
        )
        state: State = "error" if visit.times.is_open else "warning"
        return Finding("strike ladder", state, late, remedy, "ladders", facts)
    return Finding("strike ladder", "ok", found, role="ladders", facts=facts)


def _counts(visit: Visit, sides: list[LadderSide]) -> Finding:
    lot = lot_size(visit.underlying, visit.expiry)
    interest = counted_in((side.open_interest for side in sides), lot)
    volume = counted_in((side.volume for side in sides), lot)
    found = f"in {interest}" if interest == "units" else interest
    if volume != NONE:
        found += f"; the ladder's volume: {volume}"
    facts = {"open_interest": interest, "volume": volume, "lot": lot}
    if interest == "units":
        visit.open_interest = True
        return Finding("open interest", "ok", found, facts=facts)
    remedy = f"{REPORT}: units are wanted, and such rows are refused"
    return Finding("open interest", "error", found, remedy, "ladders", facts)


def _quotes(visit: Visit, sides: list[LadderSide]) -> Finding:
    quoted = sum(1 for side in sides if side.bid is not None and side.ask is not None)
    facts = {"options": len(sides), "with_bid_and_ask": quoted}
    if quoted:
        found = f"bid and ask of {quoted} of {len(sides)} options"
        return Finding("quotes", "ok", found, facts=facts)
    if not visit.times.is_open and any(side.bid_quantity is not None for side in sides):
        found = f"no bid and ask now: {visit.times.closed_note}"
        return Finding("quotes", "unseen", found, facts=facts)
    return Finding("quotes", "ok", "no bid and ask: this ladder has none", facts=facts)


async def ask_rows(visit: Visit) -> AsyncGenerator[Finding, None]:
    """Ask for the rows of a call at the money.

    Raises:
        SourceError: There are none.
    """
    option = visit.option()
    if visit.opened.build_ups is None or option is None:
        return
    session = visit.trading_date or visit.times.data
    rows = None
    try:
        async for payload in visit.opened.build_ups.build_ups(option, visit.times.coming):
            reading = visit.read(payload, session)
            if isinstance(reading, BuildUpRows):
                rows = reading.rows
    except WrongTradingDate as error:
        yield Finding("build-up rows", "unseen", str(error), role="build_ups")
        return
    if not rows:
        found = f"{option.symbol} has none in {session}"
        yield Finding("build-up rows", "unseen", found, role="build_ups")
        return
    lot = lot_size(option.underlying, option.expiry)
    interest = counted_in((row.open_interest for row in rows), lot)
    volume = counted_in((row.volume for row in rows), lot)
    newest = rows[-1].open_time.astimezone(IST)
    found = (
        f"{len(rows)} of {option.symbol}, newest from {newest:%H:%M} IST; open interest:"
        f" {interest}; volume of the intervals: {volume}"
    )
    facts = {
        "symbol": option.symbol,
        "rows": len(rows),
        "newest": rows[-1].open_time,
        "open_interest": interest,
        "volume": volume,
    }
    if "lots" in {interest, volume}:
        raise PayloadInvalid(f"{found}: units are wanted")
    visit.open_interest |= interest == "units"
    yield Finding("build-up rows", "ok", found, role="build_ups", facts=facts)
