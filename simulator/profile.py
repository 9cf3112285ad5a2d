"""What a generated day is made of: levels per underlying, and when shorts are made to cover."""

from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from simulator.market import Episode
from strategy.contract import OptionType

INTERVAL = 5
FIRST_EPISODE = 6  # the interval from 09:45
EPISODES = 7
TYPES: tuple[OptionType, OptionType] = ("C", "P")


class Profile(NamedTuple):
    """What an underlying's day looks like; lots are a liquid option's or the future's."""

    spot: float
    spread: float
    volatility: float
    episode_share: float
    option_lots: float
    option_open_lots: float
    future_lots: float
    future_open_lots: int
    index_volume: float


PROFILES = {
    "NIFTY": Profile(25_500, 150, 0.12, 0.0018, 15_000, 45_000, 600, 240_000, 600_000),
    "BANKNIFTY": Profile(59_000, 250, 0.14, 0.0020, 3_000, 20_000, 300, 50_000, 550_000),
}


def plan_episodes(
    rng: np.random.Generator, underlying: str, start: datetime, *, expires: bool
) -> list[Episode]:
    """Return a day's planted short coverings, of calls and puts in turn, ascending.

    Args:
        rng: Source of randomness.
        underlying: Whose options.
        start: The session's open.
        expires: Whether the options expire that day. Those out of the money die on their last
            afternoon, so the episodes are done earlier.
    """
    spacing = 8 if expires else 10
    first_side = int(rng.integers(2))
    planned = []
    for number in range(EPISODES):
        jitter = int(rng.integers(-1, 2)) if number else 0
        opened = start + timedelta(minutes=INTERVAL * (FIRST_EPISODE + spacing * number + jitter))
        planned.append(Episode(underlying, TYPES[(first_side + number) % 2], opened))
    return planned
