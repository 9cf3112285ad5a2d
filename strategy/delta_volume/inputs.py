"""The input frames of Delta Volume, checked and laid out on one grid of groups and slots.

A group is one underlying in one session, a slot one 5-minute interval of it counted from the
open. Rows outside the session's hours (pre-open, post-close) are no part of the session.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime
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
from strategy.ladders import Ladders as ListedStrikes
from strategy.session import spot_is_reliable
from strategy.signals import Moment

OPTION_TYPES = ("C", "P")
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
    """The listed strikes of each group's expiry, ascending; none where no expiry is known."""

    strikes: Ints  # of one group after the other; a last one, -1, stands for none
    firsts: Ints  # the place of each group's first strike; one more for the last one's end

    @property
    def groups(self) -> Ints:
        """The group of each strike but the last."""
        return np.repeat(np.arange(len(self.firsts) - 1), np.diff(self.firsts))

    def place(self, group: Ints, prices: Floats) -> Ints:
        """Return the place of the group's first strike not below each price, or its end."""
        # One search over all ladders: strikes of later groups sort after those of earlier ones.
        # In whole numbers, so that no sum is rounded: none lies between a price and its ceiling.
        spread = int(self.strikes.max()) + 1
        wanted = np.ceil(np.minimum(prices, spread)).astype(np.int64)
        return np.searchsorted(self.groups * spread + self.strikes[:-1], group * spread + wanted)


@dataclass(frozen=True)
class Inputs:
    """Everything the rules read, by group, slot and contract line."""

    version: str
    axes: Axes
    reference: Reference
    ladders: Ladders
    recorded: Flags  # per group and slot: any row at all
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
    ladders = _ladders(contracts, _expiries(rows, expiries, starts, group, axes), axes)
    line, lines, line_groups = _lines(
        group, strikes[starts], recoded(options, OPTION_TYPES, starts), ladders
    )
    grid, order = rows.grid(
        "open_time", np.repeat(line, sizes), slot, (len(line_groups) + 1, axes.shape[1])
    )
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
        recorded=_recorded(stored, line_groups, axes),
        lines=lines,
        grid=grid,
        firsts=np.cumsum(np.append(0, np.count_nonzero(stored[:-1], axis=1))),
        symbol=symbol,
        close=close,
        open_interest=interest,
        volume=volume,
        known_at=known_at,
    )


def _expiries(
    rows: CheckedFrame, expiries: Categories, starts: Ints, group: Ints, axes: Axes
) -> list[date | None]:
    """Return each group's expiry after checking that it has only one, not yet over.

    Args:
        rows: For the errors.
        expiries: Of each row.
        starts: The first row of each run.
        group: Of each run; -1 outside the hours.
        axes: The groups.
    """
    codes = expiries.small[starts]
    found = np.full(axes.shape[0] + 1, -1, dtype=np.int64)  # the last for runs left out
    found[group[::-1]] = codes[::-1]  # the first run of each wins
    second = (group >= 0) & (found[group] != codes)
    if second.any():
        rows.fail("expiry", "a second one in the session", int(starts[second.argmax()]))
    nearest: list[date | None] = []
    for place, code in enumerate(found[:-1].tolist()):
        expiry = expiries.distinct[code] if code >= 0 else None
        if expiry is not None and expiry < axes.group_key(place)[0]:
            rows.fail("expiry", "before the session", int(starts[(group == place).argmax()]))
        nearest.append(expiry)
    return nearest


def _ladders(contracts: pd.DataFrame, expiries: list[date | None], axes: Axes) -> Ladders:
    """Return the ladder of each group."""
    listed = ListedStrikes(contracts)
    ladders = []
    for group, expiry in enumerate(expiries):
        session, underlying = axes.group_key(group)
        ladders.append(listed.at(underlying, expiry, session))
    return Ladders(np.concatenate([*ladders, np.array([-1])]), np.cumsum([0, *map(len, ladders)]))


def _lines(group: Ints, strikes: Ints, side: Ints, ladders: Ladders) -> tuple[Ints, Ints, Ints]:
    """Give every contract that has rows within the hours its line of the grid, as they come.

    Returns:
        Each run's line, -1 outside the hours; the lines of each place in the ladders, call and
        put, which is one behind all others for contracts without rows; and each line's group.
    """
    spread = int(max(strikes.max(initial=0), ladders.strikes.max())) + 1
    inside = group >= 0
    keys = 2 * (group * spread + strikes) + side
    found, first, of_key = np.unique(keys[inside], return_index=True, return_inverse=True)
    by_line = np.argsort(first)
    lines_found = np.empty(len(found) + 1, dtype=np.int64)
    lines_found[by_line] = np.arange(len(found))
    lines_found[-1] = len(found)
    line = np.full(len(keys), -1)
    line[inside] = lines_found[of_key]
    listed = 2 * (ladders.groups * spread + ladders.strikes[:-1])[:, None] + np.arange(2)
    lines = np.full((len(ladders.strikes), 2), len(found))
    place = np.searchsorted(found, listed)
    lines[:-1] = lines_found[np.where(np.append(found, -1)[place] == listed, place, -1)]
    return line, lines, found[by_line] // (2 * spread)


def _recorded(stored: Flags, line_groups: Ints, axes: Axes) -> Flags:
    """Return, per group and slot, whether any contract has a row."""
    recorded = np.zeros(axes.shape, dtype=bool)
    by_group = np.argsort(line_groups, kind="stable")
    groups, firsts = np.unique(line_groups[by_group], return_index=True)
    if len(groups):
        recorded[groups] = np.logical_or.reduceat(stored[by_group], firsts, axis=0)
    return recorded


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
