"""The input frames of Delta Volume, checked and laid out on one grid of groups and slots.

A group is one underlying in one session, a slot one 5-minute interval of it counted from the
open. Rows outside the session's hours (pre-open, post-close) are no part of the session.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from strategy.delta_volume.axes import INTERVAL, Axes, Key, recoded
from strategy.delta_volume.parameters import Parameters
from strategy.delta_volume.rows import VERSION
from strategy.frames import NO_TIME, CheckedFrame, Counts, Flags, Floats, Ints
from strategy.session import spot_is_reliable

OPTION_TYPES = ("C", "P")
BUILD_UP_COLUMNS = (
    *("session", "underlying", "symbol", "expiry", "strike", "option_type"),
    *("open_time", "close", "open_interest", "volume", "known_at"),
)
REFERENCE_COLUMNS = (
    *("session", "underlying", "open_time"),
    *("spot", "spot_known_at", "future", "future_known_at"),
)
LADDER_COLUMNS = ("underlying", "expiry", "strike")


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
    """The listed strikes of each group's expiry, ascending; none where no expiry is known.

    All contracts of all ladders are numbered: by group and strike, the call before the put.
    """

    strikes: list[Ints]

    @property
    def firsts(self) -> Ints:
        """Each group's first contract number; one more entry is how many there are."""
        sizes = np.array([0, *(2 * len(strikes) for strikes in self.strikes)], dtype=np.int64)
        return np.cumsum(sizes)


@dataclass(frozen=True)
class Inputs:
    """Everything the rules read, by group, slot and contract line."""

    axes: Axes
    reference: Reference
    ladders: Ladders
    recorded: Flags  # per group and slot: any row at all
    lines: Ints  # per contract number: its line of the grid
    grid: Ints  # per line and slot: the row number, or -1; the last line has no rows
    frame: pd.DataFrame
    close: Floats
    open_interest: Counts
    volume: Counts
    known_at: Ints


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
        parameters.version(VERSION),
    )
    group, slot = axes.place(rows, sessions, underlyings)
    price_group, price_slot = axes.place(prices, price_sessions, price_underlyings)
    ladders = _ladders(contracts, _expiries(rows, group, axes), axes)
    numbers = _contract_numbers(rows, group, ladders)
    lines = _lines(numbers, int(ladders.firsts[-1]))
    line = np.where(numbers >= 0, np.append(lines, -1)[numbers], -1)
    recorded = np.zeros(axes.shape, dtype=bool)
    recorded[group[group >= 0], slot[group >= 0]] = True
    rows.check_texts("symbol")
    return Inputs(
        axes=axes,
        reference=_reference(prices, price_group, price_slot, axes),
        ladders=ladders,
        recorded=recorded,
        lines=lines,
        grid=rows.grid("open_time", line, slot, (int(line.max(initial=-1)) + 2, axes.shape[1])),
        frame=build_ups,
        close=rows.prices("close"),
        open_interest=rows.counts("open_interest"),
        volume=rows.counts("volume"),
        known_at=rows.instants("known_at"),
    )


def _expiries(rows: CheckedFrame, group: Ints, axes: Axes) -> list[date | None]:
    """Return each group's expiry after checking that it has only one, not yet over."""
    expiries = rows.dates("expiry")
    found = np.full(axes.shape[0] + 1, -1, dtype=np.int64)  # the last for rows left out
    found[group[::-1]] = expiries.codes[::-1]  # the first row of each wins
    rows.refuse(
        "expiry", (group >= 0) & (found[group] != expiries.codes), "a second one in the session"
    )
    nearest: list[date | None] = []
    for place, code in enumerate(found[:-1]):
        expiry = expiries.distinct[code] if code >= 0 else None
        if expiry is not None and expiry < axes.group_key(place)[0]:
            rows.fail("expiry", "before the session", int((group == place).argmax()))
        nearest.append(expiry)
    return nearest


def _ladders(contracts: pd.DataFrame, expiries: list[date | None], axes: Axes) -> Ladders:
    """Return the ladder of each group; the same strike twice counts once."""
    listed = CheckedFrame(contracts, "contracts", LADDER_COLUMNS)
    underlyings, days = listed.texts("underlying"), listed.dates("expiry")
    strikes = listed.integers("strike")
    listed.refuse("strike", strikes <= 0, "not above zero")
    keys = underlyings.codes * len(days.distinct) + days.codes
    by_key = {
        (
            underlyings.distinct[key // len(days.distinct)],
            days.distinct[key % len(days.distinct)],
        ): (np.unique(strikes[keys == key]))
        for key in np.unique(keys)
    }
    none = np.zeros(0, dtype=np.int64)
    return Ladders(
        [by_key.get((axes.group_key(g)[1], day), none) for g, day in enumerate(expiries)]
    )


def _contract_numbers(rows: CheckedFrame, group: Ints, ladders: Ladders) -> Ints:
    """Return each row's contract; -1 outside the hours and for strikes not listed."""
    strikes = rows.integers("strike")
    rows.refuse("strike", strikes <= 0, "not above zero")
    side = recoded(rows.texts("option_type", OPTION_TYPES), OPTION_TYPES)
    if not len(rows) or not ladders.firsts[-1]:
        return np.full(len(rows), -1, dtype=np.int64)
    # One search over all ladders: strikes of later groups sort after those of earlier ones.
    spread = int(max(strikes.max(), *(s[-1] for s in ladders.strikes if len(s)))) + 1
    keys = np.concatenate([g * spread + s for g, s in enumerate(ladders.strikes)])
    wanted = group * spread + strikes
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where((group >= 0) & (keys[place] == wanted), 2 * place + side, -1)


def _lines(numbers: Ints, count: int) -> Ints:
    """Return each contract's line: one for every contract with rows, the next for all others."""
    used = np.zeros(count, dtype=bool)
    used[numbers[numbers >= 0]] = True
    return np.where(used, np.cumsum(used) - 1, used.sum())


def _reference(prices: CheckedFrame, group: Ints, slot: Ints, axes: Axes) -> Reference:
    """Return the placing price: spot, or the future where the spot is unreliable."""
    reliable = np.array([_reliable_slots(*day) for day in zip(axes.opens, axes.sizes, strict=True)])
    uses_spot = np.arange(axes.shape[1]) < np.repeat(reliable, len(axes.underlyings))[:, None]
    row = prices.grid("open_time", group, slot, axes.shape)
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
    ends = range(1, size + 1)
    return bisect_left(ends, True, key=lambda end: not spot_is_reliable(start + end * INTERVAL))
