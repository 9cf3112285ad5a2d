"""A day made of the index's closes alone, for tests of rules: options follow by half."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import pandas as pd

from strategy.contract import STRIKE_STEPS, Contract, OptionType, nearest_expiry
from strategy.session import interval_opens

SESSION = date(2026, 1, 21)
LATE = timedelta(seconds=2)  # after its minute each candle is known
DELTA = 0.5
LEAST = 1.0  # rupees of premium
WINGS = 3
KINDS: tuple[OptionType, ...] = ("C", "P")


class MadeDay(NamedTuple):
    """What the minute strategies read."""

    index: pd.DataFrame  # type: ignore[assignment]  # hides tuple.index, which nobody needs
    options: pd.DataFrame
    contracts: pd.DataFrame


def made_day(
    closes: Sequence[float],
    *,
    underlying: str = "NIFTY",
    session: date = SESSION,
    premium: float = 200.0,
    volume: int = 1000,
) -> MadeDay:
    """Return a session that begins with these minutes, to be given to `Strategy.evaluate`.

    Args:
        closes: Of the index, rupees, from the open on; each minute opens where the last closed.
        underlying: NIFTY or BANKNIFTY.
        session: Trading date.
        premium: What each option costs at the open, rupees.
        volume: Of each option in each minute, units.
    """
    expiry, spacing = nearest_expiry(underlying, session), STRIKE_STEPS[underlying]
    middle = round(closes[0] / spacing) * spacing
    strikes = [middle + spacing * wing for wing in range(-WINGS, WINGS + 1)]
    listed = [Contract(underlying, expiry, strike, kind) for strike in strikes for kind in KINDS]
    spots: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for open_time, before, close in zip(
        interval_opens(session, 1), (closes[0], *closes), closes, strict=False
    ):
        known_at = open_time + timedelta(minutes=1) + LATE
        key = {"session": session, "underlying": underlying, "open_time": open_time}
        spots.append(key | _candle(before, close) | {"known_at": known_at})
        for contract in listed:
            sign = DELTA if contract.option_type == "C" else -DELTA
            prices = [max(premium + sign * (price - closes[0]), LEAST) for price in (before, close)]
            names = contract._asdict() | {"symbol": contract.symbol, "volume": volume}
            rows.append(key | names | _candle(*prices) | {"known_at": known_at})
    contracts = [
        one._asdict() | {"first_seen": session - timedelta(days=1), "listed_at": None}
        for one in listed
    ]
    typed = pd.DataFrame(contracts).astype({"listed_at": "datetime64[us, UTC]"})
    return MadeDay(pd.DataFrame(spots), pd.DataFrame(rows).astype({"volume": "Int64"}), typed)


def _candle(first: float, last: float) -> dict[str, float]:
    values = (first, max(first, last), min(first, last), last)
    return {
        name: float(value)
        for name, value in zip(("open", "high", "low", "close"), values, strict=True)
    }
