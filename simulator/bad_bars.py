"""What faults make of TradingView's bars: histories, updates, and whole messages. Pure."""

from datetime import UTC, datetime
from typing import TypeAlias

from simulator.faults import Fault, Faults
from simulator.forming import Candle
from simulator.frames import HEARTBEAT, MARK, encode, frame
from simulator.poison import KINDS, poisoned, words

Bars: TypeAlias = list[tuple[int, Candle]]


def spoiled_history(faults: Faults, at: datetime, symbol: str, bars: Bars) -> Bars:
    """Return a history's bars as the active faults leave them."""
    if faults.strike("empty-history", at, symbol):
        return []
    if faults.strike("short-history", at, symbol):
        bars = [bar for place, bar in enumerate(bars[:-2]) if place % 5 != 2]
    if faults.strike("duplicate", at, symbol):
        bars = [*bars[: len(bars) // 2 + 1], *bars[len(bars) // 2 :]]
    if faults.strike("out-of-order", at, symbol):
        bars = bars[1::2] + bars[::2]
    return without_volume(faults, at, symbol, bars)


def spoiled_changes(faults: Faults, at: datetime, symbol: str, bars: Bars) -> Bars:
    """Return the bars of a tick's updates as the active faults leave them."""
    if bars and faults.strike("duplicate", at, symbol):
        bars = [bar for bar in bars for _ in range(2)]
    if len({index for index, _ in bars}) > 1 and faults.strike("out-of-order", at, symbol):
        bars = bars[::-1]
    return without_volume(faults, at, symbol, bars)


def without_volume(faults: Faults, at: datetime, symbol: str, bars: Bars) -> Bars:
    """Return bars without volume while that fault is active."""
    if bars and faults.strike("no-volume", at, symbol):
        return [(index, candle._replace(volume=None)) for index, candle in bars]
    return bars


def wrong_close(fault: Fault, candle: Candle) -> Candle:
    """Return a candle that closed in the fault's window with a wrong close, others as they are."""
    if not candle.closed or not fault.covers(datetime.fromtimestamp(candle.close_time, UTC)):
        return candle
    return candle._replace(close=candle.high if candle.close == candle.low else candle.low)


# Frames that announce what cannot be, and an error of ten megabytes: no JSON of a frame is so.
LENGTHS = (b"~m~-5~m~", b"~m~99999999999~m~", b"~m~999999999~m~{}", b"~m~\xd9\xa3~m~{}")


def spoiled_message(faults: Faults, at: datetime, frames: list[str]) -> str | bytes:
    """Return the message of some frames, its last one broken while such a fault is active."""
    *others, last = frames
    if (turn := faults.turn("poison", at)) is not None:
        return "".join(others).encode() + _poisoned(turn, last)
    if faults.strike("malformed-length", at):
        _, length, payload = last.split(MARK, 2)
        last = f"{MARK}{length}{MARK}{payload[:-5]}"
    if faults.strike("malformed-json", at):
        payload = last.split(MARK, 2)[2]
        last = frame(payload[: len(payload) // 2])
    return "".join([*others, last])


def _poisoned(turn: int, last: str) -> bytes:
    """Return what comes in place of a frame, with a length that is its own, if it has one."""
    kind = turn % (len(KINDS) + len(LENGTHS) + 1)
    if kind < len(LENGTHS):
        return LENGTHS[kind]
    payload = last.split(MARK, 2)[2]
    if kind == len(LENGTHS) or payload.startswith(HEARTBEAT):
        return encode("critical_error", ["wrong data", words()]).encode()
    body = poisoned(kind - len(LENGTHS) - 1, payload.encode())
    return f"{MARK}{len(body.decode(errors='replace'))}{MARK}".encode() + body
