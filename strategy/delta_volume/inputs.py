"""The input frames of Delta Volume, checked and laid out on one grid of groups and slots.

A group is one underlying in one session, a slot one 5-minute interval of it counted from the
open. Rows outside the session's hours (pre-open, post-close) are no part of the session. Which
contracts an interval looks at is a ladder: those of the nearest expiry that were known by its end.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat

import numpy as np
import pandas as pd

from strategy.axes import Axes, Key, recoded
from strategy.build_up import INTERVAL, INTERVAL_MINUTES
from strategy.delta_volume.parameters import Parameters
from strategy.delta_volume.rows import STRATEGY, VERSION
from strategy.frames import (
    NO_TIME,
    Categories,
    CheckedFrame,
    Counts,
    Flags,
    Floats,
    Ints,
    instants,
    runs,
)
from strategy.ladders import OPTION_TYPES, Ladder
from strategy.ladders import Ladders as ListedContracts
from strategy.session import spot_is_reliable
from strategy.signals import Moment

BUILD_UP_COLUMNS = (
    *("session", "underlying", "symbol", "expiry", "strike", "option_type"),
    *("open_time", "close", "open_interest", "volume", "known_at"),
)
REFERENCE_COLUMNS = (
    *("session", "underlying", "open_time"),
    *("spot", "spot_known_at", "future", "future_known_at"),
)


@dataclass(frozen=True)
class Reference:
    """The price that may place ATM, per group and slot: NaN where not stored."""

    price: Floats
    known_at: Ints
    uses_spot: Flags

    def used(self, key: Key) -> str:
        """Return which price places ATM there."""
        return "spot" if self.uses_spot[key] else "future"


@dataclass(frozen=True)
class Ladders:
    """The known strikes of all ladders, ascending; the last ladder is that of none."""

    strikes: Ints  # of one ladder after the other; a last one, -1, stands for none
    firsts: Ints  # the place of each ladder's first strike; one more for the last one's end
    known: Flags  # per place, the last one too: its call, its put
    numbers: Ints  # per group and slot: the ladder

    @property
    def of_strikes(self) -> Ints:
        """The ladder of each strike but the last."""
        return np.repeat(np.arange(len(self.firsts) - 1), np.diff(self.firsts))

    def place(self, ladder: Ints, prices: Floats) -> Ints:
        """Return the place of the ladder's first strike not below each price, or its end."""
        # One search over all ladders: strikes of later ones sort after those of earlier ones.
        # In whole numbers, so that no sum is rounded: none lies between a price and its ceiling.
        spread = int(self.strikes.max()) + 1
        wanted = np.ceil(np.minimum(prices, spread)).astype(np.int64)
        return np.searchsorted(
            self.of_strikes * spread + self.strikes[:-1], ladder * spread + wanted
        )


@dataclass(frozen=True)
class Inputs:
    """Everything the rules read, by group, slot and contract line."""

    version: str
    axes: Axes
    reference: Reference
    ladders: Ladders
    recorded: Flags  # per group and slot: any row of the ladder's contracts
    lines: Ints  # per place in the ladders, call and put: the line of the grid
    # The rows within the hours, by line and time: those of a contract lie next to each other.
    grid: Ints  # per line and slot: the row, or -1; the last line has no rows
    firsts: Ints  # the first row of each line
    symbol: pd.Series
    close: Floats
    open_interest: Counts
    volume: Counts
    known_at: Ints

    def moment(self, group: int, slot: int) -> Moment:
        """Return the interval at a group and slot."""
        session, underlying = self.axes.group_key(group)
        return Moment(STRATEGY, self.version, underlying, session, self.axes.end(group, slot))

    def moments(self, groups: Ints, slots: Ints) -> list[Moment]:
        """Return `moment` of many, several times as fast."""
        days, names = (places.tolist() for places in np.divmod(groups, len(self.axes.underlyings)))
        return list(
            map(
                *(Moment, repeat(STRATEGY), repeat(self.version)),
                map(self.axes.underlyings.__getitem__, names),
                map(self.axes.sessions.__getitem__, days),
                instants(self.axes.ends(groups, slots)),
            )
        )


def read_inputs(
    build_ups: pd.DataFrame,
    reference: pd.DataFrame,
    contracts: pd.DataFrame,
    parameters: Parameters,
) -> Inputs:
    """Check the three frames and lay them out.

    Raises:
        FrameContractError: A frame breaks the contract given at `evaluate`.
    """
    rows = CheckedFrame(build_ups, "build_ups", BUILD_UP_COLUMNS)
    prices = CheckedFrame(reference, "reference", REFERENCE_COLUMNS)
    sessions, price_sessions = rows.dates("session"), prices.dates("session")
    # An underlying needs a stop, so that no signal is left without one.
    known = list(parameters.stop_points)
    underlyings = rows.texts("underlying", known)
    price_underlyings = prices.texts("underlying", known)
    axes = Axes.of(
        {*sessions.distinct, *price_sessions.distinct},
        {*underlyings.distinct, *price_underlyings.distinct},
        INTERVAL_MINUTES,
    )
    slot, inside = axes.place(rows, sessions)
    expiries, options = rows.dates("expiry"), rows.texts("option_type", OPTION_TYPES)
    strikes = rows.integers("strike")
    rows.refuse("strike", strikes <= 0, "not above zero")
    rows.check_texts("symbol")
    # Rows of a contract lie next to each other: what they share is looked up once per run.
    starts, sizes = runs(
        *(sessions.small, underlyings.small, expiries.small, strikes, options.small, inside)
    )
    group = np.where(inside[starts], axes.groups(sessions, underlyings, starts), -1)
    _check_expiries(rows, expiries, sessions, starts, group >= 0)
    found, owners, ladders = _ladders(contracts, axes)
    # Contracts of two expiries never meet: a series is one expiry's in one session.
    codes = {day: code for code, day in enumerate(expiries.distinct)}
    series = np.where(group >= 0, group * (len(codes) + 1) + expiries.small[starts], -1)
    of_ladders = [
        owner * (len(codes) + 1) + codes.get(ladder.expiry, len(codes))
        for owner, ladder in zip(owners, found, strict=True)
    ]
    line, lines, count = _lines(
        *(series, strikes[starts], recoded(options, OPTION_TYPES, starts)),
        *(ladders, np.array([*of_ladders, -1])),
    )
    grid, order = rows.grid("open_time", np.repeat(line, sizes), slot, (count + 1, axes.shape[1]))
    close, known_at = rows.prices("close"), rows.instants("known_at")
    interest, volume = rows.counts("open_interest"), rows.counts("volume")
    symbol = build_ups["symbol"]
    stored = grid >= 0
    if len(order) < len(rows) or np.any(order[1:] < order[:-1]):
        grid[stored] = np.arange(len(order))
        close, known_at, symbol = close[order], known_at[order], symbol.iloc[order]
        interest, volume = interest.at(order), volume.at(order)
    return Inputs(
        version=parameters.version(VERSION),
        axes=axes,
        reference=_reference(prices, price_sessions, price_underlyings, axes),
        ladders=ladders,
        recorded=_recorded(stored, lines, ladders),
        lines=lines,
        grid=grid,
        firsts=np.cumsum(np.append(0, np.count_nonzero(stored[:-1], axis=1))),
        symbol=symbol,
        close=close,
        open_interest=interest,
        volume=volume,
        known_at=known_at,
    )


def _check_expiries(
    rows: CheckedFrame, expiries: Categories, sessions: Categories, starts: Ints, inside: Flags
) -> None:
    """Check that no expiry was over in its session.

    Args:
        rows: For the errors.
        expiries: Of each row.
        sessions: The same.
        starts: The first row of each run.
        inside: Whether each run lies within the session's hours.
    """
    ordinals = (
        np.array([day.toordinal() for day in column.distinct], dtype=np.int64)
        for column in (expiries, sessions)
    )
    expiry, session = (
        days[column.small[starts]]
        for days, column in zip(ordinals, (expiries, sessions), strict=True)
    )
    over = inside & (expiry < session)
    if over.any():
        rows.fail("expiry", "before the session", int(starts[over.argmax()]))


def _ladders(contracts: pd.DataFrame, axes: Axes) -> tuple[list[Ladder], list[int], Ladders]:
    """Return the ladders that any interval looks at, the group of each, and all in one."""
    listed = ListedContracts(contracts)
    found: list[Ladder] = []
    owners: list[int] = []
    numbers = np.full(axes.shape, -1, dtype=np.int64)
    for group in range(axes.shape[0]):
        session, underlying = axes.group_key(group)
        ladders = listed.of_session(underlying, session)
        if len(ladders) == 1 and ladders[0].since == NO_TIME:
            numbers[group] = len(found)
            used = [0]
        else:
            slots = np.arange(axes.shape[1])
            ends = axes.ends(np.full_like(slots, group), slots)
            since = np.array([ladder.since for ladder in ladders], dtype=np.int64)
            place = np.searchsorted(since, ends, side="right") - 1
            kept, numbered = np.unique(place[place >= 0], return_inverse=True)
            used = kept.tolist()
            numbers[group][place >= 0] = numbered + len(found)
        found += [ladders[place] for place in used]
        owners += [group] * len(used)
    numbers[numbers < 0] = len(found)
    nothing = np.zeros((1, len(OPTION_TYPES)), dtype=bool)
    return (
        found,
        owners,
        Ladders(
            np.concatenate([*(ladder.strikes for ladder in found), np.array([-1])]),
            np.cumsum([0, *(len(ladder.strikes) for ladder in found), 0]),
            np.concatenate([*(ladder.known for ladder in found), nothing]),
            numbers,
        ),
    )


def _lines(
    series: Ints, strikes: Ints, side: Ints, ladders: Ladders, of_ladders: Ints
) -> tuple[Ints, Ints, int]:
    """Give every contract that has rows within the hours its line of the grid, as they come.

    Args:
        series: Of each run; -1 outside the hours.
        strikes: Of each run.
        side: And whether it is a put.
        ladders: What intervals look at.
        of_ladders: The series of each ladder.

    Returns:
        Each run's line, -1 outside the hours; the lines of each place in the ladders, call and
        put, which is one behind all others for contracts unknown or without rows; their number.
    """
    spread = int(max(strikes.max(initial=0), ladders.strikes.max())) + 1
    inside = series >= 0
    keys = 2 * (series * spread + strikes) + side
    found, first, of_key = np.unique(keys[inside], return_index=True, return_inverse=True)
    by_line = np.argsort(first)
    lines_found = np.empty(len(found) + 1, dtype=np.int64)
    lines_found[by_line] = np.arange(len(found))
    lines_found[-1] = len(found)
    line = np.full(len(keys), -1)
    line[inside] = lines_found[of_key]
    wanted = of_ladders[ladders.of_strikes] * spread + ladders.strikes[:-1]
    listed = 2 * wanted[:, None] + np.arange(2)
    lines = np.full((len(ladders.strikes), 2), len(found))
    place = np.searchsorted(found, listed)
    there = (np.append(found, -1)[place] == listed) & ladders.known[:-1]
    lines[:-1] = lines_found[np.where(there, place, -1)]
    return line, lines, len(found)


def _recorded(stored: Flags, lines: Ints, ladders: Ladders) -> Flags:
    """Return, per group and slot, whether any contract that it looks at has a row."""
    places, sides = np.nonzero(lines[:-1] < len(stored) - 1)
    numbers, firsts = np.unique(ladders.of_strikes[places], return_index=True)
    recorded = np.zeros((len(ladders.firsts) - 1, stored.shape[1]), dtype=bool)
    if len(numbers):
        mine = stored[lines[places, sides]]
        recorded[numbers] = np.logical_or.reduceat(mine, firsts, axis=0)
    found: Flags = recorded[ladders.numbers, np.arange(stored.shape[1])]
    return found


def _reference(
    prices: CheckedFrame, sessions: Categories, underlyings: Categories, axes: Axes
) -> Reference:
    """Return the placing price: spot, or the future where the spot is unreliable."""
    reliable = np.array([_reliable_slots(*day) for day in zip(axes.opens, axes.sizes, strict=True)])
    uses_spot = np.arange(axes.shape[1]) < np.repeat(reliable, len(axes.underlyings))[:, None]
    slot, inside = axes.place(prices, sessions)
    group = np.where(inside, axes.groups(sessions, underlyings, slice(None)), -1)
    row, _ = prices.grid("open_time", group, slot, axes.shape)
    columns = {}
    for name in ("spot", "future"):
        value = prices.prices(name, optional=True)
        known_at = prices.instants(f"{name}_known_at", optional=True)
        undated = ~np.isnan(value) & (known_at == NO_TIME)
        prices.refuse(f"{name}_known_at", undated, "null is not allowed with a price")
        # The entry -1 picks is the one appended: no row, no price.
        columns[name] = np.append(value, np.nan)[row], np.append(known_at, NO_TIME)[row]
    spot, future = columns["spot"], columns["future"]
    return Reference(
        price=np.where(uses_spot, spot[0], future[0]),
        known_at=np.where(uses_spot, spot[1], future[1]),
        uses_spot=uses_spot,
    )


def _reliable_slots(start: datetime, size: int) -> int:
    """Return how many intervals of a session come before the spot turns unreliable for good."""
    if spot_is_reliable(start + size * INTERVAL):
        return size
    ends = range(1, size + 1)
    return bisect_left(ends, True, key=lambda end: not spot_is_reliable(start + end * INTERVAL))
