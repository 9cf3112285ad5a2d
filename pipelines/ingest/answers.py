"""What archived answers say: read by whoever sent them, and refused where they cannot be true."""

from datetime import date, datetime, timedelta

from db.archive.raw_payloads import Receipt
from pipelines.ingest.plan import INTERVAL, interval_ends
from pipelines.known_sources import KNOWN
from pipelines.sources.counts import require_units
from pipelines.sources.errors import PayloadInvalid, WrongTradingDate
from pipelines.sources.roles import BuildUpRows, Ladder, Reading
from strategy.contract import lot_size, parse_symbol
from strategy.session import IST, session_hours

CLOCKS_DIFFER = timedelta(minutes=1)  # a source's from ours, at most
# So long a ladder that names no moment counts for the interval that ended before: later it is
# nearer to the next one. Exchanges renew open interest every three minutes.
SHOWS = INTERVAL / 2
# What a source shows so long after the close is the session's last: nothing is traded any more.
AFTER_CLOSE = timedelta(minutes=30)
# Answers that were archived before each named its source.
SENT_BY = {
    **dict.fromkeys(("history", "stream", "malformed"), "tradingview"),
    **dict.fromkeys(("search", "expiries", "chain", "build_ups"), "trendlyne"),
}


def read(receipt: Receipt, session: date) -> Reading:
    """Return what an answer says; None where that is nothing, or nobody asked for rows.

    Raises:
        PayloadInvalid: It is not of the documented form, or cannot be true.
        WrongTradingDate: It is of another session.
    """
    about = receipt.about
    kind = about.get("kind")
    if not kind:
        return None
    source = KNOWN.get(about.get("source") or SENT_BY.get(kind, ""))
    if source is None:
        raise PayloadInvalid(f"no source here reads answers of {about.get('source')}")
    reading = source.read(about, receipt.body, session, receipt.received_at)
    if isinstance(reading, Ladder):
        _require_true_ladder(receipt, reading)
        if reading.moment is None:
            shown = receipt.received_at - source.ladder_lag
            return reading._replace(counts_for=_interval_end(shown, session))
    elif isinstance(reading, BuildUpRows):
        _require_true_rows(receipt, reading)
    return reading


def _interval_end(shown: datetime, session: date) -> datetime | None:
    """Return the end of the interval that ended shortly before a time; None where none did.

    After the close that is the last one's for longer: no moment of a session lies behind it.
    """
    close = session_hours(session)[1]
    if close <= shown < close + AFTER_CLOSE:
        return close
    return next((end for end in interval_ends(session) if end <= shown < end + SHOWS), None)


def _require_true_ladder(receipt: Receipt, ladder: Ladder) -> None:
    about = receipt.about
    expiry = date.fromisoformat(about["expiry"])
    if ladder.expiry not in {None, expiry}:
        raise PayloadInvalid(f"asked for expiry {expiry}, answered for {ladder.expiry}")
    if ladder.moment and ladder.moment > receipt.received_at + CLOCKS_DIFFER:
        raise PayloadInvalid(
            f"observed at {ladder.moment}, received at {receipt.received_at}: one of the"
            " clocks is wrong"
        )
    lot = lot_size(about["underlying"], expiry)
    sides = {"calls": [row.call for row in ladder.rows], "puts": [row.put for row in ladder.rows]}
    for name, found in sides.items():
        there = [side for side in found if side]
        require_units(f"open interest of {name}", [side.open_interest for side in there], lot)
        require_units(f"volume of {name}", [side.volume for side in there], lot)


def _require_true_rows(receipt: Receipt, found: BuildUpRows) -> None:
    rows = found.rows
    if rows and rows[-1].open_time > receipt.received_at + CLOCKS_DIFFER:
        raise WrongTradingDate(
            f"a row of {rows[-1].open_time.astimezone(IST):%H:%M} IST was received at"
            f" {receipt.received_at.astimezone(IST):%H:%M:%S}: the rows are of an earlier session"
        )
    contract = parse_symbol(receipt.about["symbol"])
    lot = lot_size(contract.underlying, contract.expiry) if contract else None
    require_units("open interest", [row.open_interest for row in rows], lot)
    require_units("volume", [row.volume for row in rows], lot)
