"""A generated year of build-ups: what the feed would have stored around ATM, in frames and rows."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from db.market.frames import Frames
from db.writing.rows import BuildUp, Candle, Contract
from strategy.build_up import label_build_ups
from strategy.contract import STRIKE_STEPS, UNDERLYINGS, lot_size, nearest_expiry
from strategy.contract import Contract as Option
from strategy.delta_volume import ContractRow, Interval
from strategy.session import interval_opens, session_hours, sessions_between

FIRST = date(2025, 1, 1)
LAST = date(2026, 2, 28)
WINGS = 2  # as the feed asks for: strikes on each side of wherever ATM was
LISTED = 20
FIVE_MINUTES = timedelta(minutes=5)
LAGS = {"spot": timedelta(seconds=1), "build_up": timedelta(seconds=20)}


class Day(NamedTuple):
    """One underlying in one session."""

    session: date
    underlying: str
    expiry: date
    opens: pd.DatetimeIndex
    spot: "np.ndarray[Any, np.dtype[np.float64]]"
    strikes: list[int]

    @property
    def listed(self) -> list[int]:
        """The session's strikes, more than are followed."""
        step = STRIKE_STEPS[self.underlying]
        return list(range(self.strikes[0] - LISTED * step, self.strikes[-1] + LISTED * step, step))


class Year:
    """Sessions of both underlyings, the same for the same seed."""

    def __init__(self, sessions: int, seed: int = 7) -> None:
        self._rng = np.random.default_rng(seed)
        self.sessions = sessions_between(FIRST, LAST)[:sessions]
        self.days = [self._day(day, name) for day in self.sessions for name in UNDERLYINGS]

    @property
    def listed_at(self) -> datetime:
        """When all contracts were first known: before the first session opens."""
        return session_hours(self.sessions[0])[0] - FIVE_MINUTES

    def _day(self, session: date, underlying: str) -> Day:
        opens = pd.DatetimeIndex(interval_opens(session, 5)).as_unit("us")
        step = STRIKE_STEPS[underlying]
        moves = self._rng.normal(0, step / 6, len(opens)).cumsum()
        spot = np.round(500 * step + self._rng.uniform(0, 10 * step) + moves, 2)
        atm = np.unique(np.round(spot / step).astype(int))
        strikes = range(int(atm[0]) - WINGS, int(atm[-1]) + WINGS + 1)
        expiry = nearest_expiry(underlying, session)
        return Day(session, underlying, expiry, opens, spot, [step * place for place in strikes])

    @cached_property
    def frames(self) -> Frames:
        """The frames as `read_frames` gives them, what rows share being categorical."""
        build_ups = pd.concat(map(self._build_ups, self.days), ignore_index=True)
        build_ups = build_ups.astype(
            dict.fromkeys(("session", "underlying", "symbol", "expiry", "option_type"), "category")
        )
        reference = pd.concat(map(_reference, self.days), ignore_index=True)
        reference = reference.astype(dict.fromkeys(("session", "underlying"), "category"))
        ladders = {(day.underlying, day.expiry, k) for day in self.days for k in day.listed}
        contracts = pd.DataFrame(
            [(*one, kind) for one in sorted(ladders) for kind in ("C", "P")],
            columns=["underlying", "expiry", "strike", "option_type"],
        )
        contracts = contracts.assign(first_seen=self.sessions[0], listed_at=self.listed_at)
        contracts = contracts.astype(
            dict.fromkeys(("underlying", "expiry", "option_type", "first_seen"), "category")
        )
        return Frames(build_ups, reference, contracts)

    def _build_ups(self, day: Day) -> pd.DataFrame:
        options = [
            Option(day.underlying, day.expiry, strike, kind)
            for kind in ("C", "P")
            for strike in day.strikes
        ]
        count, slots = len(options), len(day.opens)
        lot = lot_size(day.underlying, day.expiry) or 1
        shape = (count, slots)
        close = 100 + 0.05 * self._rng.integers(-40, 41, shape).cumsum(axis=1)
        interest = 20_000 + self._rng.integers(-200, 201, shape).cumsum(axis=1)
        volume = self._rng.lognormal(7, 0.45, shape).astype(np.int64)
        opens = day.opens.append([day.opens] * (count - 1))
        return pd.DataFrame(
            {
                "session": day.session,
                "underlying": day.underlying,
                "symbol": np.repeat([option.symbol for option in options], slots),
                "expiry": day.expiry,
                "strike": np.repeat([option.strike for option in options], slots),
                "option_type": np.repeat([option.option_type for option in options], slots),
                "open_time": opens,
                "close": np.maximum(close, 0.05).round(2).ravel(),
                "open_interest": pd.array(lot * np.maximum(interest, 0).ravel(), "Int64"),
                "volume": pd.array(lot * volume.ravel(), "Int64"),
                "known_at": opens + FIVE_MINUTES + LAGS["build_up"],
            }
        )

    def build_up_rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield the build-ups as rows of the table."""
        frame = label_build_ups(self.frames.build_ups)
        frame = frame.assign(close_time=frame["open_time"] + FIVE_MINUTES, source="bench")
        frame = frame.assign(made_from="rows", backfilled=False)
        columns = [
            frame[name].dt.to_pydatetime().to_numpy(object)
            if str(frame[name].dtype).startswith("datetime64")
            else frame[name].to_numpy(object, na_value=None)
            for name in BuildUp._fields
        ]
        yield from zip(*(column.tolist() for column in columns), strict=True)

    def candle_rows(self) -> Iterator[Candle]:
        """Yield the candles of index and future that place ATM."""
        for day in self.days:
            for open_time, spot in zip(day.opens.to_pydatetime(), day.spot.tolist(), strict=True):
                known_at = open_time + FIVE_MINUTES + LAGS["spot"]
                for symbol in (day.underlying, f"{day.underlying}1!"):
                    key = symbol, 5, open_time, day.underlying
                    yield Candle(*key, *[spot] * 4, None, None, "bench", known_at, True)

    def contract_rows(self) -> list[Contract]:
        """Return the listed contracts, each seen from the year's first session on."""
        keys = self.frames.contracts[["underlying", "expiry", "strike", "option_type"]]
        first = self.sessions[0]
        return [
            Contract(Option(*key).symbol, *key, None, first, key[1], "bench", self.listed_at)
            for key in keys.itertuples(index=False, name=None)
        ]


def _reference(day: Day) -> pd.DataFrame:
    known_at = day.opens + FIVE_MINUTES + LAGS["spot"]
    return pd.DataFrame(
        {
            "session": day.session,
            "underlying": day.underlying,
            "open_time": day.opens,
            "spot": day.spot,
            "spot_known_at": known_at,
            "future": day.spot,
            "future_known_at": known_at,
        }
    )


def intervals(frames: Frames, day: Day) -> Iterator[Interval]:
    """Yield one day's intervals as `step` takes them."""
    stored = frames.build_ups
    mine = stored[(stored["session"] == day.session) & (stored["underlying"] == day.underlying)]
    fields = mine[list(ContractRow._fields)]
    listed = frozenset((strike, kind) for strike in day.listed for kind in ("C", "P"))
    for place, (open_time, group) in enumerate(fields.groupby(mine["open_time"])):
        rows = [
            ContractRow(*row[:-1], row[-1].to_pydatetime())
            for row in group.itertuples(index=False, name=None)
        ]
        price = float(day.spot[place]), open_time + FIVE_MINUTES + LAGS["spot"]
        key = day.session, day.underlying, day.expiry, open_time.to_pydatetime()
        yield Interval(*key, listed, *price, *price, rows)
