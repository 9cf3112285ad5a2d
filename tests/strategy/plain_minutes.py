"""What the plain readings of the minute strategies share: days as dicts, exact prices, ATM.

Like `plain_delta_volume` it shares nothing with the code it checks.
"""

import math
import uuid
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
IST = ZoneInfo("Asia/Kolkata")
AUCTION_FROM = date(2026, 8, 3)
NAMESPACE = uuid.UUID("5b0c7d3e-6a0f-5e0a-9c56-3f1a7f0f6d11")
STEPS = {"NIFTY": 50, "BANKNIFTY": 100}
DIRECTIONS = {"C": "BULLISH", "P": "BEARISH"}


def exact(price):
    """The decimal that a price prints as."""
    return Fraction(str(price))


def on_tick(price):
    return Fraction(math.floor(price * 20 + Fraction(1, 2)), 20)


def in_session(day, opened):
    close = time(15, 40) if day >= AUCTION_FROM else time(15, 30)
    local = opened.astimezone(IST)
    return local.date() == day and time(9, 15) <= local.time() < close


def inside(rows):
    """The rows within their session's hours, each with its day."""
    for row in rows:
        if in_session(row["session"], row["open_time"]):
            yield (row["session"], row["underlying"]), row


def moments(index, options, contracts):
    """Every minute whose index places ATM: the day, the strike, and what is stored of the day.

    The latter are the index's candles by time, and the candles of ATM's contracts by type and time
    as far as they are known by the minute's end.
    """
    spots, rows = defaultdict(dict), defaultdict(lambda: defaultdict(dict))
    for day, row in inside(index):
        spots[day][row["open_time"]] = row
    for day, row in inside(options):
        contract = row["expiry"], row["strike"], row["option_type"]
        rows[day][contract][row["open_time"]] = row
    for day in sorted(spots):
        mine = [row for row in contracts if row["underlying"] == day[1]]
        for opened, spot in sorted(spots[day].items()):
            known = [row for row in mine if is_known(row, day[0], opened + MINUTE)]
            expiry = min((row["expiry"] for row in known), default=None)
            known = [row for row in known if row["expiry"] == expiry]
            ladder = sorted({row["strike"] for row in known})
            atm = None if in_auction(opened) else nearest(ladder, exact(spot["close"]), day[1])
            if atm is not None:
                at_strike = {row["option_type"] for row in known if row["strike"] == atm}
                yield (
                    *(day, opened, atm, spots[day]),
                    {
                        kind: rows[day][expiry, atm, kind] if kind in at_strike else {}
                        for kind in "CP"
                    },
                )


def is_known(row, day, moment):
    """Whether a contract that is not over was known by a moment of a session."""
    if row["expiry"] < day or row["first_seen"] > day:
        return False
    if row["first_seen"] < day:
        return True
    return row["listed_at"] is not None and row["listed_at"] <= moment


def in_auction(opened):
    """Whether a minute ends after the cash market's closing auction has begun."""
    end = (opened + MINUTE).astimezone(IST)
    return end.date() >= AUCTION_FROM and end.time() > time(15, 15)


def nearest(ladder, close, underlying):
    """The nearest strike, the lower of two; None where a usual strike that is not known may be."""
    if not ladder or close < ladder[0] or close > ladder[-1]:
        return None
    best = ladder[0]
    for strike in ladder:
        if abs(strike - close) < abs(best - close):
            best = strike
    half = Fraction(STEPS[underlying], 2)
    return best if best - half < close <= best + half else None


def base(strategy, day, opened):
    return {
        "strategy": strategy,
        "version": "2",
        "underlying": day[1],
        "session": day[0],
        "event_time": (opened + MINUTE).astimezone(UTC),
    }


def signal(head, atm, spot, candle, levels, known_at):
    key = [head["strategy"], "2", head["underlying"], head["event_time"].isoformat()]
    named = zip(("entry", "stop", "target1", "target2"), levels, strict=True)
    return head | {
        "signal_id": uuid.uuid5(NAMESPACE, "|".join([*key, candle["symbol"]])),
        "symbol": candle["symbol"],
        "direction": DIRECTIONS[candle["option_type"]],
        "kind": head["strategy"],
        "atm_strike": atm,
        "spot": spot["close"],
        "net_delta_volume": None,
        "strikes": [atm],
        **{name: None if level is None else float(level) for name, level in named},
        "entry_order": "stop",
        "input_watermark": head["event_time"],
        "known_at": known_at,
    }


def minutes_between(first, last):
    """Every minute's start from the first to the last."""
    return [first + MINUTE * n for n in range((last - first) // MINUTE + 1)]


def session_open(day):
    return datetime.combine(day[0], time(9, 15), IST).astimezone(UTC)


def above_high(candle):
    """Entry one point above the high, and the stop at the low."""
    entry = on_tick(exact(candle["high"]) + 1)
    return entry, max(on_tick(exact(candle["low"])), Fraction(1, 20))


def gaps(missing):
    """First and last start of each run of minutes."""
    runs = []
    for opened in missing:
        if runs and opened - runs[-1][1] == MINUTE:
            runs[-1][1] = opened
        else:
            runs.append([opened, opened])
    return [[opened.astimezone(UTC).isoformat() for opened in run] for run in runs]
