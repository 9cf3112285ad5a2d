"""Trades and the daily loss limit read candle by candle in plain Python; shares no code."""

from datetime import datetime, timedelta
from math import isnan

WAITING, OPEN, STOPPED, TARGET, CANCELLED = "waiting", "open", "stop", "target1", "cancelled"


class Candle:
    """One interval: None as its prices if nothing was traded in it."""

    def __init__(self, open_time: datetime, width: timedelta, prices, known_at: datetime):
        self.open_time, self.end, self.known_at = open_time, open_time + width, known_at
        self.prices = None if isnan(prices[0]) else tuple(prices)
        self.finest = width  # of the contract's session: where nothing is stored, slots are as wide


def candles_of(lines):
    """Candles by symbol and session, ascending, of rows as `traded_days.rows` makes them."""
    found = {}
    for symbol, session, minutes, open_time, *prices, known_at in lines:
        candle = Candle(open_time, timedelta(minutes=minutes), prices, known_at)
        # India is half an hour off, and both are multiples of five minutes.
        place = open_time - timedelta(minutes=open_time.minute % 5)
        found.setdefault((symbol, session), {}).setdefault(place, []).append(candle)
    chosen = {}
    for key, places in found.items():
        finest = min(one.finest for candles in places.values() for one in candles)
        chosen[key] = [one for place in sorted(places) for one in _finest(places[place])]
        for one in chosen[key]:
            one.finest = finest
    return chosen


def _finest(candles):
    """Of five minutes the candles that count, ascending."""
    one = [candle for candle in candles if candle.end - candle.open_time == timedelta(minutes=1)]
    five = [candle for candle in candles if candle not in one]
    for some in (one, five):
        if any(candle.prices for candle in some):
            return sorted(some, key=lambda candle: candle.open_time)
    return sorted(one or five, key=lambda candle: candle.open_time)


class Trade:
    """One order, fed the intervals of its contract one after the other."""

    def __init__(self, signal, start: datetime):
        self.signal, self.next, self.begin = signal, start, start
        self.state, self.price, self.exit, self.blind = WAITING, None, None, False
        self.entered_at = self.decided_at = None
        self.known_at = signal.known_at
        self.followed = []

    def take(self, candle: Candle) -> None:
        if self.blind or self.state in {STOPPED, TARGET, CANCELLED} or candle.end <= self.next:
            return
        if candle.open_time < self.next:
            self.begin = candle.end
            return
        if self.followed and candle.open_time != self.followed[-1].end:
            self.blind = True
            return
        if not self.followed and candle.open_time - self.begin >= candle.finest:
            self.blind = True
            return
        self.followed.append(candle)
        self.known_at = max(self.known_at, candle.known_at)
        if candle.prices:
            self._trade(candle, *candle.prices)

    def _trade(self, candle, opened, high, low, _):
        signal, inside = self.signal, False
        if self.state == WAITING:
            if signal.entry_order == "market":
                self.price = opened
            elif high >= signal.entry:
                self.price, inside = max(opened, signal.entry), True
            elif low <= signal.stop:
                self._decide(CANCELLED, candle, None)
                return
            else:
                return
            self.state, self.entered_at = OPEN, candle.open_time
        if low <= signal.stop:
            self._decide(STOPPED, candle, signal.stop if inside else min(opened, signal.stop))
        elif high >= signal.target1:
            self._decide(TARGET, candle, max(signal.target1, self.price))

    def _decide(self, state, candle, price):
        self.state, self.exit, self.decided_at = state, price, candle.end


def limit(signals, candles, losing_trades):
    """Go through a session's signals and candles in the order of time.

    Return kept signals with the time they were known, and the ids of the others with the ids of
    the trades that lost.
    """
    trades, kept, blocked = [], [], []
    for signal in sorted(signals, key=lambda one: (one.event_time, one.symbol)):
        lost, other = [], []
        for first in trades:
            trade = Trade(first, first.event_time)
            for candle in candles.get((first.symbol, first.session), []):
                if candle.end <= signal.event_time:
                    trade.take(candle)
            if trade.state == STOPPED:
                lost.append(trade)
            elif trade.followed:
                other.append(trade.known_at)
        if len(lost) >= losing_trades:
            lost.sort(key=lambda trade: trade.known_at)
            ids = [trade.signal.signal_id for trade in lost[:losing_trades]]
            known_at = max(signal.known_at, *(trade.known_at for trade in lost[:losing_trades]))
            blocked.append((signal.signal_id, ids, known_at))
            continue
        needed = len(lost) + len(other) - losing_trades + 1
        times = [signal.known_at, *(sorted(other)[:needed] if needed > 0 else [])]
        kept.append((signal.signal_id, max(times)))
        trades.append(signal._replace(known_at=max(times)))
    return kept, blocked


def outcome(signal, candles, minutes, close):
    """Outcome of one horizon at last prices without costs; None where a gap hides its end."""
    width = candles[0].end - candles[0].open_time
    trade = Trade(signal, signal.known_at + timedelta(seconds=1))  # the order's latency
    for candle in candles:
        trade.take(candle)
    expected = trade.next
    if trade.entered_at is None:
        # Not entered is certain once it was cancelled, or all was seen until the close.
        seen = trade.followed[-1].end if trade.followed else expected
        if trade.state != CANCELLED and seen < close and close - expected >= width:
            return None
        return {"exit_reason": "not_entered"}
    end = trade.entered_at + timedelta(minutes=minutes) if minutes else close
    beyond = not minutes or end > close
    end = min(end, close)
    inside = [c for c in candles if trade.entered_at <= c.open_time and c.end <= end]
    whole = len(inside) == (end - trade.entered_at) // width
    if not whole and (trade.decided_at is None or trade.decided_at > end):
        return None
    traded = [candle.prices for candle in inside if candle.prices]
    if trade.decided_at is not None and trade.decided_at <= end:
        left_at, price, reason = trade.decided_at, trade.exit, trade.state
    else:
        left_at, price, reason = end, traded[-1][3], "session_end" if beyond else "horizon"
    return {
        "exit_reason": reason,
        "hit": reason == TARGET,
        "entered_at": trade.entered_at,
        "entry_price": trade.price,
        "exited_at": left_at,
        "exit_price": price,
        "mfe_points": max(high for _, high, _, _ in traded) - trade.price if whole else None,
        "mae_points": trade.price - min(low for _, _, low, _ in traded) if whole else None,
        "gross_points": price - trade.price,
    }
