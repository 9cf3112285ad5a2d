"""Frames for the tests of Delta Volume: one quiet day to change by hand, and random days."""

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd

from strategy.contract import Contract
from strategy.registry import STRATEGIES
from strategy.session import interval_opens
from strategy.signals import rejection_frame, signal_frame

DELTA_VOLUME = STRATEGIES["delta_volume"]
SESSION = date(2026, 1, 21)
EXPIRY = date(2026, 1, 27)
STRIKES = (24900, 25000, 25100)
LADDER = (24700, 24800, 24900, 25000, 25100, 25200, 25300)
FIVE_MINUTES = timedelta(minutes=5)


class QuietDay:
    """Six contracts in which nothing happens, from the open on; change cells, then evaluate.

    Close 100, open interest 10,000, volume 1,000 and spot 25,000 in each interval; every value
    is known 20 seconds after its interval's end, the reference 1 second after.
    """

    def __init__(
        self,
        intervals=5,
        session=SESSION,
        expiry=EXPIRY,
        underlying="NIFTY",
        strikes=STRIKES,
        ladder=LADDER,
        first=0,
    ):
        self.session, self.expiry, self.underlying = session, expiry, underlying
        self.opens = interval_opens(session, 5)[first : first + intervals]
        self.rows = {}
        for place, open_time in enumerate(self.opens):
            for strike in strikes:
                for kind in "CP":
                    self.rows[place, f"{strike}{kind}"] = {
                        "session": session,
                        "underlying": underlying,
                        "symbol": Contract(underlying, expiry, strike, kind).symbol,
                        "expiry": expiry,
                        "strike": strike,
                        "option_type": kind,
                        "open_time": open_time,
                        "close": 100.0,
                        "open_interest": 10_000,
                        "volume": 1_000,
                        "known_at": open_time + timedelta(minutes=5, seconds=20),
                    }
        self.prices = [
            {
                "session": session,
                "underlying": underlying,
                "open_time": open_time,
                "spot": 25_000.0,
                "spot_known_at": open_time + timedelta(minutes=5, seconds=1),
                "future": 25_000.0,
                "future_known_at": open_time + timedelta(minutes=5, seconds=1),
            }
            for open_time in self.opens
        ]
        self.ladder = [(underlying, expiry, strike) for strike in ladder]

    def put(self, place, contract, **values):
        self.rows[place, contract] |= values

    def cover(self, place, contract, volume=2_001):
        """Price up 1, OI down 100, volume just above twice the mean: a covering contract."""
        self.put(place, contract, close=101.0, open_interest=9_900, volume=volume)

    def drop(self, place, contract):
        del self.rows[place, contract]

    def frames(self):
        return (
            build_up_frame(list(self.rows.values())),
            reference_frame(self.prices),
            ladder_frame(self.ladder),
        )


def ladder_frame(rows):
    frame = pd.DataFrame(rows, columns=["underlying", "expiry", "strike"])
    return frame.assign(first_seen=date(2020, 1, 1))


def build_up_frame(rows):
    columns = (
        *("session", "underlying", "symbol", "expiry", "strike", "option_type"),
        *("open_time", "close", "open_interest", "volume", "known_at"),
    )
    frame = pd.DataFrame(rows, columns=list(columns))
    counts = {"open_interest": "Int64", "volume": "Int64", "strike": "int64", "close": "float64"}
    return _with_times(frame.astype(counts), ("open_time", "known_at"))


def reference_frame(rows):
    columns = (
        *("session", "underlying", "open_time"),
        *("spot", "spot_known_at", "future", "future_known_at"),
    )
    frame = pd.DataFrame(rows, columns=list(columns))
    frame = frame.astype({"spot": "float64", "future": "float64"})
    return _with_times(frame, ("open_time", "spot_known_at", "future_known_at"))


def _with_times(frame, columns):
    for column in columns:
        frame[column] = pd.to_datetime(frame[column], utc=True).dt.as_unit("us")
    return frame


SESSIONS = (
    (date(2026, 1, 21), date(2026, 1, 27)),
    (date(2026, 2, 1), date(2026, 2, 3)),  # a Sunday
    (date(2026, 8, 4), date(2026, 8, 4)),  # closing auction, expiry day
)


def random_days(seed, intervals=14):
    """Frames of two underlyings and three sessions, with ties, gaps and unknowns."""
    rng = np.random.default_rng(seed)
    rows, prices, ladder = [], [], set()
    for session, expiry in SESSIONS:
        for underlying, base, spacing in (("NIFTY", 25_000, 50), ("BANKNIFTY", 58_000, 100)):
            strikes = [base + spacing * n for n in range(-3, 4)]
            if rng.random() < 0.3:
                strikes.remove(base + spacing)  # an uneven ladder
            ladder.update((underlying, expiry, strike) for strike in strikes)
            day = session, expiry, underlying, strikes, base, spacing
            _random_day(rng, day, intervals, rows, prices)
    listed = ladder_frame(sorted(ladder))
    return build_up_frame(rows), reference_frame(prices), listed


def _random_day(rng, day, intervals, rows, prices):
    session, expiry, underlying, strikes, base, spacing = day
    opens = interval_opens(session, 5)
    first = int(rng.choice([0, 0, 3, len(opens) - intervals]))
    gaps, unknowns = rng.choice([0, 0, 0.01, 0.05]), rng.choice([0, 0.03])
    state = {(strike, kind): [100.0, 5_000] for strike in strikes for kind in "CP"}
    spot = float(base)
    for open_time in opens[first : first + intervals]:
        end = open_time + FIVE_MINUTES
        spot += spacing / 4 * int(rng.integers(-2, 3))  # often exactly between two strikes
        if rng.random() > gaps:
            spot_known, future_known = rng.random(2) > 0.05
            prices.append(
                {
                    "session": session,
                    "underlying": underlying,
                    "open_time": open_time,
                    "spot": spot if spot_known else None,
                    "spot_known_at": end if spot_known else None,
                    "future": spot + spacing if future_known else None,
                    "future_known_at": end + timedelta(seconds=2) if future_known else None,
                }
            )
        if rng.random() < gaps:
            continue  # nothing recorded at all
        for (strike, kind), values in state.items():
            values[0] = max(0.05, round(values[0] + 0.05 * int(rng.integers(-2, 4)), 2))
            values[1] += 5 * int(rng.integers(-3, 2))
            if rng.random() < gaps:
                continue
            volume = int(rng.integers(80, 120)) * (4 if rng.random() < 0.2 else 1)
            rows.append(
                {
                    "session": session,
                    "underlying": underlying,
                    "symbol": Contract(underlying, expiry, strike, kind).symbol,
                    "expiry": expiry,
                    "strike": strike,
                    "option_type": kind,
                    "open_time": open_time,
                    "close": values[0],
                    "open_interest": None if rng.random() < unknowns else values[1],
                    "volume": None if rng.random() < unknowns else volume,
                    "known_at": end + timedelta(seconds=int(rng.choice([0, 20, 900]))),
                }
            )


def run_steps(frames, saved=lambda place: False):
    """Step through all intervals; where `saved` says so the state goes through JSON text."""
    signals, rejections = DELTA_VOLUME.step_through(frames, DELTA_VOLUME.defaults, saved)
    return signal_frame(signals), rejection_frame(rejections)


def as_lines(frame):
    """Each row as the JSON text that would be stored."""
    return [json.dumps(row, default=str) for row in frame.to_dict("records")]
