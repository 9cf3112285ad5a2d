"""Frames for the tests of the minute strategies: a quiet day to change by hand, and random ones."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from option_days import SESSIONS, ladder_frame, listed_frame, random_listing

from db.market.minutes import Minutes
from strategy.contract import Contract
from strategy.session import interval_opens

SESSION = date(2026, 1, 21)
EXPIRY = date(2026, 1, 27)
MINUTE = timedelta(minutes=1)
PRICES = ("open", "high", "low", "close")


class QuietMinutes:
    """Six contracts in which nothing happens, from the open on; change cells, then evaluate.

    All prices of an option are 100 with volume 100, the index stays at 25,000; the index is
    known 1 second after its minute, an option 2 seconds after.
    """

    def __init__(self, minutes=25, session=SESSION, expiry=EXPIRY, underlying="NIFTY", first=0):
        self.session, self.expiry, self.underlying = session, expiry, underlying
        self.opens = interval_opens(session, 1)[first : first + minutes]
        self.spots = {place: {"close": 25_000.0} for place in range(minutes)}
        self.rows = {
            (place, f"{strike}{kind}"): {"close": 100.0}
            for place in range(minutes)
            for strike in (24_950, 25_000, 25_050)
            for kind in "CP"
        }
        self.ladder = [(underlying, expiry, strike) for strike in (24_950, 25_000, 25_050)]

    def put(self, place, contract, **values):
        self.rows[place, contract] = values

    def spot(self, place, close, **values):
        self.spots[place] = {"close": close, **values}

    def frames(self):
        day = {"session": self.session, "underlying": self.underlying}
        spots = [{**day, **self._candle(place, values, 1)} for place, values in self.spots.items()]
        rows = []
        for (place, name), values in self.rows.items():
            strike, kind = int(name[:-1]), name[-1]
            contract = {
                "symbol": Contract(self.underlying, self.expiry, strike, kind).symbol,
                "expiry": self.expiry,
                "strike": strike,
                "option_type": kind,
                "volume": 100,
            }
            rows.append({**day, **contract, **self._candle(place, values, 2)})
        return minutes_of(spots, rows, ladder_frame(self.ladder))

    def _candle(self, place, values, seconds):
        opens = self.opens[place]
        flat = dict.fromkeys(PRICES, values["close"])
        known_at = opens + MINUTE + timedelta(seconds=seconds)
        return flat | {"open_time": opens, "known_at": known_at} | values


def minutes_of(spots, rows, ladder):
    index = pd.DataFrame(
        spots, columns=["session", "underlying", "open_time", *PRICES, "known_at"]
    ).astype(dict.fromkeys(PRICES, "float64"))
    options = pd.DataFrame(
        rows,
        columns=[
            *("session", "underlying", "symbol", "expiry", "strike", "option_type"),
            *("open_time", *PRICES, "volume", "known_at"),
        ],
    ).astype({**dict.fromkeys(PRICES, "float64"), "volume": "Int64", "strike": "int64"})
    for frame in (index, options):
        for column in ("open_time", "known_at"):
            frame[column] = pd.to_datetime(frame[column], utc=True).dt.as_unit("us")
    return Minutes(index, options, ladder)


def random_minutes(seed, minutes=30):
    """Frames of two underlyings and two sessions, with ties, gaps, unknowns and late listings."""
    rng = np.random.default_rng(seed)
    spots, rows, listed = [], [], []
    left_out = int(rng.integers(len(SESSIONS)))
    for session, expiry in (*SESSIONS[:left_out], *SESSIONS[left_out + 1 :]):
        for underlying, base, spacing in (("NIFTY", 25_000, 50), ("BANKNIFTY", 58_000, 100)):
            strikes = [base + spacing * n for n in range(-2, 3)]
            # Near the open, or around the start of the closing auction.
            first = int(rng.choice([0, 0, 3, 335]))
            opens = interval_opens(session, 1)[first : first + minutes]
            day = session, underlying, base, spacing, opens
            if rng.random() < 0.2:
                strikes.remove(base + spacing)  # an uneven ladder
            followed = {expiry: strikes}
            if rng.random() < 0.3:  # before it there is a nearer one, first listed today
                followed = {session: strikes, expiry + timedelta(days=7): strikes}
            listed += random_listing(rng, day, followed)
            _random_day(rng, day, followed, spots, rows)
    return minutes_of(spots, rows, listed_frame(listed))


def _random_day(rng, day, followed, spots, rows):
    session, underlying, base, spacing, opens = day
    gaps, unknowns = rng.choice([0, 0, 0.02]), rng.choice([0, 0, 0.02])
    quiet = rng.choice([0, 0, 0.05])
    drift = int(rng.integers(-1, 2)) if rng.random() < 0.8 else None
    sizes = np.array([12, 15, 20, 25, 26]) if underlying == "NIFTY" else np.array([30, 40, 45, 46])
    middles = {
        (expiry, strike, kind): 300.0
        for expiry, strikes in followed.items()
        for strike in strikes
        for kind in "CP"
    }
    fall = int(rng.integers(0, 6))  # of premiums, so that some close well below their mean
    spot = float(base)
    for opened in opens:
        end = opened + MINUTE
        if drift is not None:
            spot += spacing / 8 * (drift + int(rng.integers(-2, 3)))
        candle = {"session": session, "underlying": underlying, "open_time": opened}
        late = timedelta(seconds=int(rng.choice([0, 1, 400])))
        if rng.random() >= gaps:
            spots.append(candle | dict.fromkeys(PRICES, spot) | {"known_at": end + late})
        for (expiry, strike, kind), middle in middles.items():
            size = 20 * int(rng.choice(sizes))  # ticks, as what follows
            body = int(size * rng.choice([0.2, 0.2, 0.4, 0.7, 0.7, 0.9]))
            low = round(middle * 20) - size // 2
            bottom = low + int(rng.integers(0, size - body + 1))
            ends = [bottom / 20, (bottom + body) / 20]
            start, close = ends if rng.random() < 0.4 else ends[::-1]
            middles[expiry, strike, kind] = max(60.0, middle - fall + int(rng.integers(-4, 5)))
            if rng.random() < gaps:
                continue
            silent = rng.random() < quiet
            contract = Contract(underlying, expiry, strike, kind)
            late = timedelta(seconds=int(rng.choice([0, 20, 900])))
            volume = 5 * int(rng.integers(0, 200))
            rows.append(
                candle
                | {
                    "symbol": contract.symbol,
                    "expiry": expiry,
                    "strike": strike,
                    "option_type": kind,
                    "open": None if silent else start,
                    "high": None if silent else (low + size) / 20,
                    "low": None if silent else low / 20,
                    "close": None if silent else close,
                    "volume": 0 if silent else None if rng.random() < unknowns else volume,
                    "known_at": end + late,
                }
            )
