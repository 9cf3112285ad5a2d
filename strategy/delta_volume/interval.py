"""One 5-minute interval of one underlying, as `step` takes it, and its checks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import isfinite, isnan
from typing import NamedTuple

from strategy.build_up import INTERVAL
from strategy.errors import FrameContractError
from strategy.ladders import OPTION_TYPES
from strategy.session import IST, session_hours


class ContractRow(NamedTuple):
    """One contract's build-up row of the interval; null open interest or volume is unknown."""

    symbol: str
    expiry: date
    strike: int
    option_type: str
    close: float
    open_interest: int | None
    volume: int | None
    known_at: datetime


@dataclass(frozen=True)
class Interval:
    """All that is stored for one underlying in one 5-minute interval.

    `expiry` is the nearest among the contracts known by the interval's end, `listed` strike and
    type of those contracts; None and nothing where none is known. `rows` are of all expiries: what
    a contract did before its expiry became the nearest is its history. Spot and future are None
    (or NaN) where the interval's last candle is not stored.
    """

    session: date
    underlying: str
    expiry: date | None
    open_time: datetime
    listed: Collection[tuple[int, str]]
    spot: float | None
    spot_known_at: datetime | None
    future: float | None
    future_known_at: datetime | None
    rows: Sequence[ContractRow]

    def price(self, name: str) -> tuple[float, datetime] | None:
        """Return `spot` or `future` and when it was known; None where it is not stored."""
        value, known_at = (
            (self.spot, self.spot_known_at)
            if name == "spot"
            else (self.future, self.future_known_at)
        )
        if value is None or isnan(value):
            return None
        if not isfinite(value) or value < 0:
            raise FrameContractError(f"interval.{name}: negative or not finite: {value!r}")
        if known_at is None or known_at.tzinfo is None:
            raise FrameContractError(f"interval.{name}_known_at: null or naive: {known_at!r}")
        return float(value), known_at

    def check(self) -> None:
        """Raise FrameContractError for what `evaluate` would refuse in its frames."""
        self._check_time()
        for expiry in (*filter(None, [self.expiry]), *(row.expiry for row in self.rows)):
            if expiry < self.session:
                raise FrameContractError(f"interval.expiry: before the session: {expiry}")
        self.price("spot")
        self.price("future")
        keys = {(row.expiry, row.strike, row.option_type) for row in self.rows}
        if len(keys) < len(self.rows):
            raise FrameContractError("interval.rows: duplicate contracts")
        for place, row in enumerate(self.rows):
            if problem := _problem(row):
                raise FrameContractError(f"interval.rows: {problem}, first in row {place}: {row}")

    def _check_time(self) -> None:
        if self.open_time.tzinfo is None:
            raise FrameContractError(f"interval.open_time: naive times: {self.open_time!r}")
        midnight = datetime.combine(self.session, time(), IST)
        if not timedelta() <= self.open_time - midnight < timedelta(days=1):
            raise FrameContractError(f"interval.open_time: not on the session: {self.open_time!r}")
        if (self.open_time - session_hours(self.session)[0]) % INTERVAL:
            raise FrameContractError(f"interval.open_time: off the grid: {self.open_time!r}")


def _problem(row: ContractRow) -> str | None:
    if row.option_type not in OPTION_TYPES or row.strike <= 0:
        return "no such contract"
    if not isfinite(row.close) or min(row.close, row.open_interest or 0, row.volume or 0) < 0:
        return "negative or NaN"
    return "naive times" if row.known_at.tzinfo is None else None
