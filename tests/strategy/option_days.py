"""Frames for the tests of Delta Volume: one quiet day to change by hand, and random days."""

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd

from strategy.contract import Contract
from strategy.registry import STRATEGIES
from strategy.session import IST, interval_opens
from strategy.signals import rejection_frame, signal_frame

DELTA_VOLUME = STRATEGIES["delta_volume"]
SESSION = date(2026, 1, 21)
EXPIRY = date(2026, 1, 27)
STRIKES = (24950, 25000, 25050)
LADDER = (24850, 24900, 24950, 25000, 25050, 25100, 25150)
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


def ladder_frame(rows, first_seen=date(2020, 1, 1), listed_at=None):
    """Calls and puts of (underlying, expiry, strike), all first known in one session."""
    seen = first_seen, listed_at
    return listed_frame([(*row, kind, *seen) for row in rows for kind in "CP"])


def listed_frame(rows):
    columns = ["underlying", "expiry", "strike", "option_type", "first_seen", "listed_at"]
    return _with_times(pd.DataFrame(rows, columns=columns), ("listed_at",))


def is_listed(contracts, moment):
    """Which contracts were known by a moment."""
    day = moment.astimezone(IST).date()
    return (contracts["first_seen"] < day) | (contracts["listed_at"] <= moment)


def other_listings(contracts, moment, seed):
    """What was not known by a moment, changed, and more of it: other strikes, nearer expiries."""
    rng = np.random.default_rng(seed)
    known = is_listed(contracts, moment)
    later = contracts[~known].copy()
    later["strike"] += rng.choice([-50, -25, 25, 100], len(later))
    day = moment.astimezone(IST).date()
    live = contracts[known & (contracts["expiry"] >= day)]
    more = live.sample(frac=0.5, random_state=seed)
    between = more.assign(strike=more["strike"] + 25)
    nearer = more.assign(expiry=day)
    added = pd.concat([between, nearer]).assign(
        first_seen=day,
        listed_at=pd.Timestamp(moment).as_unit("us") + pd.Timedelta(1, "us"),
    )
    return pd.concat([contracts[known], later, added], ignore_index=True)


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
    """Frames of two underlyings and three sessions, with ties, gaps, unknowns and late listings."""
    rng = np.random.default_rng(seed)
    rows, prices, listed = [], [], []
    for session, expiry in SESSIONS:
        for underlying, base, spacing in (("NIFTY", 25_000, 50), ("BANKNIFTY", 58_000, 100)):
            strikes = [base + spacing * n for n in range(-3, 4)]
            opens = interval_opens(session, 5)
            first = int(rng.choice([0, 0, 3, len(opens) - intervals]))
            day = session, underlying, base, spacing, opens[first : first + intervals]
            if rng.random() < 0.2:
                strikes.remove(base + spacing)  # an uneven ladder
            followed = {expiry: strikes}
            if rng.random() < 0.3:  # before it there is a nearer one, first listed today
                followed = {session: strikes, expiry + timedelta(days=7): strikes}
            listed += random_listing(rng, day, followed)
            _random_prices(rng, day, prices)
            for each in followed:
                _random_rows(rng, day, each, strikes, rows)
    return build_up_frame(rows), reference_frame(prices), listed_frame(listed)


def random_listing(rng, day, followed):
    """Contracts of each expiry; where there is a second one the first is listed today.

    Today's are listed at any moment, before, in and after intervals; some never.
    """
    session, underlying, _, spacing, opens = day
    late = rng.choice([0, 0, 0.05, 0.4])
    moments = [opens[0] + timedelta(seconds=60 * n + 30 * (n % 2)) for n in range(0, 80, 3)]
    shared = rng.choice(moments)
    for place, (expiry, strikes) in enumerate(followed.items()):
        appears = place == 0 and len(followed) > 1
        # Some lie between the usual ones.
        odd = [strikes[2] + spacing // 2] if rng.random() < 0.2 else []
        for strike in (*strikes, *odd):
            for kind in "CP":
                seen = date(2020, 1, 1), None
                if appears or strike in odd:
                    seen = session, shared
                elif rng.random() < late:
                    moment = rng.choice([*moments, None])
                    seen = session, moment
                yield (underlying, expiry, strike, kind, *seen)
    if rng.random() < 0.3:  # known only tomorrow, or today and for later
        tomorrow = session + timedelta(days=1), opens[-1] + timedelta(days=1)
        yield (underlying, session, next(iter(followed.values()))[0] + spacing // 2, "C", *tomorrow)


def _random_prices(rng, day, prices):
    session, underlying, base, spacing, opens = day
    gaps = rng.choice([0, 0, 0.01, 0.05])
    spot = float(base)
    for open_time in opens:
        end = open_time + FIVE_MINUTES
        spot += spacing / 4 * int(rng.integers(-2, 3))  # often exactly between two strikes
        if rng.random() <= gaps:
            continue
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


def _random_rows(rng, day, expiry, strikes, rows):
    session, underlying, _, _, opens = day
    gaps, unknowns = rng.choice([0, 0, 0.01, 0.05]), rng.choice([0, 0, 0.03])
    state = {(strike, kind): [100.0, 5_000] for strike in strikes for kind in "CP"}
    for open_time in opens:
        if rng.random() < gaps:
            continue  # nothing recorded at all
        end = open_time + FIVE_MINUTES
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
