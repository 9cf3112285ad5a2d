"""Rows that follow from a number: whoever sees one knows who wrote it, when and what it must be."""

from db.writing.rows import BuildUp, Candle, Contract
from tests.chartserver.chart_help import build_up, candle, contract, seconds
from tests.checker.history import Key, Value

WRITERS = ("C", "P")
MINUTES = 360
STRIKES = range(24_000, 24_000 + 50 * 20, 50)
BATCHES = MINUTES * len(STRIKES) - 1
MADE_EVERY = 5


def contracts() -> list[Contract]:
    """All that any batch is about."""
    return [contract(strike, kind) for kind in WRITERS for strike in STRIKES]


def candles(writer: str, number: int) -> list[Candle]:
    """Return the final candle of a batch, which formed with the batch before, and the next."""
    return [_candle(writer, number, final=True), _candle(writer, number + 1, final=False)]


def _candle(writer: str, place: int, *, final: bool) -> Candle:
    symbol, minute = _place(writer, place)
    close = place + (100.5 if final else 100.25)
    row = candle(symbol, minute, close, volume=place + final, open_interest=place + 7, final=final)
    return row if final else row._replace(known_at=row.open_time)


def build_ups(writer: str, number: int) -> list[BuildUp]:
    """Return what a batch brings beside its candles: a build-up in one of five."""
    if number % MADE_EVERY:
        return []
    symbol, minute = _place(writer, number)
    return [build_up(symbol, minute, close=number + 0.5, volume=number)]


def _place(writer: str, place: int) -> tuple[str, int]:
    strike, minute = divmod(place, MINUTES)
    # What is published together is so in the order of time: one writer's batches end with a candle
    # that forms and changes once more, the other's with one that stays.
    if writer == WRITERS[1]:
        minute = MINUTES - 1 - minute
    return contract(STRIKES[strike], writer).symbol, minute


def rows(writer: str, number: int) -> dict[Key, Value]:
    """Return a batch as clients are to receive it."""
    found: dict[Key, Value] = {}
    for row in candles(writer, number):
        prices = (row.open, row.high, row.low, row.close)
        found["candle", row.symbol, seconds(row.open_time)] = (
            *(*prices, row.volume, row.open_interest),
            row.final,
        )
    for made in build_ups(writer, number):
        found["build_up", made.symbol, seconds(made.open_time)] = (
            *(made.close, made.open_interest, made.oi_change),
            *(made.volume, made.label),
        )
    return found
