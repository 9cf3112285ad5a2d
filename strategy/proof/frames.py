"""Frames of any strategy with what came later taken out, or made absurd.

Every frame with an `open_time` is dated: a column `known_at` tells when all values of a row were
known, `spot_known_at` when `spot` was. A frame with a `listed_at` lists contracts, which are known
from that moment on, or from the session after their first. There are no others.
"""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from strategy.errors import FrameContractError
from strategy.session import session_of

PRICES = ("open", "high", "low", "close", "spot", "future")
COUNTS = ("open_interest", "volume")
KEYS = (
    *("session", "underlying", "symbol", "expiry", "strike", "option_type"),
    *("open_time", "interval_minutes"),
)
_LOWEST, _MOST = 0.05, 1_000_000  # rupees and units of absurd values

Frames = tuple[pd.DataFrame, ...]


def _ended(frame: pd.DataFrame, moment: datetime, length: timedelta) -> Any:
    """Tell of each row whether its interval had ended."""
    if "interval_minutes" in frame.columns:
        return frame["open_time"] + pd.to_timedelta(frame["interval_minutes"], "min") <= moment
    return frame["open_time"] <= moment - length


def is_dated(frame: pd.DataFrame) -> bool:
    """Tell whether a frame's rows belong to intervals."""
    return "open_time" in frame.columns


def is_listing(frame: pd.DataFrame) -> bool:
    """Tell whether a frame lists contracts.

    Raises:
        FrameContractError: It is not dated either: it would not be looked at.
    """
    if not is_dated(frame) and "listed_at" not in frame.columns and len(frame.columns):
        raise FrameContractError(f"{', '.join(frame.columns)}: a frame without a time")
    return "listed_at" in frame.columns


def _listed(frame: pd.DataFrame, moment: datetime) -> "pd.Series[bool]":
    """Tell of each contract whether it was known."""
    return (frame["first_seen"].astype(object) < session_of(moment)) | (
        frame["listed_at"] <= moment
    )


def known_columns(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns that tell when values were known, each with the columns it tells of.

    Raises:
        FrameContractError: A column is neither key nor known value: it would not be looked at.
    """
    dates = [name for name in frame.columns if name.endswith("known_at")]
    values = [name for name in frame.columns if name in PRICES + COUNTS]
    found = {
        name: [name.removesuffix("_known_at")] if name != "known_at" else values for name in dates
    }
    told = {*dates, *KEYS, *(value for names in found.values() for value in names)}
    for name in frame.columns:
        if name not in told or (name in KEYS) > (name in frame.columns):
            raise FrameContractError(f"{name}: neither a key nor a value with a time")
    return found


def ended_by(frames: Frames, moment: datetime, length: timedelta) -> Frames:
    """Return only the rows of intervals that had ended, and the contracts listed by then."""
    return _each(frames, lambda frame: frame[_ended(frame, moment, length)], moment)


def known_by(frames: Frames, moment: datetime) -> Frames:
    """Return only what was known."""
    return _each(frames, lambda frame: _known(frame, moment), moment)


def _known(frame: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    columns = known_columns(frame)
    known = {name: frame[name] <= moment for name in columns}
    if len(columns) > 1:
        unknown = {
            column: frame[column].where(known[name])
            for name, values in columns.items()
            for column in (name, *values)
        }
        frame = frame.assign(**unknown)
    return frame[np.logical_or.reduce([mask.to_numpy(dtype=bool) for mask in known.values()])]


def has_late_values(frames: Frames, moment: datetime, length: timedelta) -> bool:
    """Tell whether values of ended intervals were not known yet, or others known already."""
    for frame in filter(is_dated, frames):
        later = (~_ended(frame, moment, length)).to_numpy(dtype=bool)
        for name in known_columns(frame):
            unknown = (frame[name] > moment).to_numpy(dtype=bool)
            if (unknown != later)[frame[name].notna().to_numpy(dtype=bool)].any():
                return True
    return False


def last_known(frames: Frames) -> datetime | None:
    """Return when all values were known; None where there are none."""
    latest = [
        frame[name].max() for frame in frames if is_dated(frame) for name in known_columns(frame)
    ]
    moments = [moment.to_pydatetime() for moment in latest if moment is not pd.NaT]
    return max(moments, default=None)


def holds_rows(frames: Frames) -> bool:
    """Tell whether any dated frame has a row."""
    return any(len(frame) for frame in frames if is_dated(frame))


class Poison:
    """The same frames with another value, absurd but allowed, wherever one is asked to be.

    Prices of one row change by one factor, so that its high stays the highest.
    """

    def __init__(self, frames: Frames, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._frames = frames
        self._absurd = [_absurd(frame, rng) if is_dated(frame) else frame for frame in frames]
        self._seed = seed

    def after(self, moment: datetime, length: timedelta) -> Frames:
        """Return the frames with every later interval's values, and listings, replaced."""
        return self._where(lambda frame, _: ~_ended(frame, moment, length), moment)

    def unknown_at(self, moment: datetime) -> Frames:
        """Return the frames with every value replaced that became known later."""
        return self._where(lambda frame, name: frame[name] > moment, moment)

    def _where(self, chosen: Any, moment: datetime) -> Frames:
        def replaced(frame: pd.DataFrame, absurd: pd.DataFrame) -> pd.DataFrame:
            if is_listing(frame):
                return _listed_otherwise(frame, moment, np.random.default_rng(self._seed))
            if not is_dated(frame):
                return frame
            changed = {
                column: frame[column].where(~chosen(frame, name), absurd[column])
                for name, columns in known_columns(frame).items()
                for column in columns
            }
            return frame.assign(**changed)

        return tuple(map(replaced, self._frames, self._absurd))


def _absurd(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    size = len(frame)
    # Half of them stay near, where another strike or another sign hides among likely values.
    reach = np.where(rng.random(size) < 0.5, 0.05, 2.0)
    factor = np.exp(rng.uniform(-1, 1, size) * reach)
    prices = {
        name: np.maximum((frame[name] * factor).round(2), _LOWEST)
        for name in PRICES
        if name in frame.columns
    }
    # What tells that nothing was traded has no price, and a volume of 0 whatever is done to it.
    priced = frame["close"].notna() if "close" in frame.columns else np.ones(size, dtype=bool)
    counts = {
        name: pd.Series(np.where(priced, rng.integers(0, _MOST, size), 0), frame.index).astype(
            frame[name].dtype
        )
        for name in COUNTS
        if name in frame.columns
    }
    return frame.assign(**prices, **counts)


def _listed_otherwise(
    frame: pd.DataFrame, moment: datetime, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the contracts that were known, and absurd ones listed right after the moment.

    Those have a strike between the known ones, or the nearest expiry that there can be. What was
    really listed later has another strike.
    """
    known = _listed(frame, moment)
    later = frame[~known]
    later = later.assign(strike=later["strike"] + rng.choice([-50, -25, 25, 50], len(later)))
    later = later.assign(strike=later["strike"].clip(lower=25).astype(frame["strike"].dtype))
    session = session_of(moment)
    live = frame[known & (frame["expiry"].astype(object) >= session)]
    between = live.assign(strike=live["strike"] + 25)
    nearer = live.assign(expiry=session).drop_duplicates(["underlying", "strike", "option_type"])
    added = pd.concat([between, nearer], ignore_index=True).assign(
        first_seen=session, listed_at=pd.Timestamp(moment).as_unit("us") + pd.Timedelta(1, "us")
    )
    return pd.concat([frame[known], later, added], ignore_index=True)


def _each(frames: Frames, change: Any, moment: datetime) -> Frames:
    """Return every frame of rows changed, and of the contracts those known by a moment."""

    def changed(frame: pd.DataFrame) -> pd.DataFrame:
        found: pd.DataFrame = frame
        if is_listing(frame):
            found = frame[_listed(frame, moment)]
        elif is_dated(frame):
            found = change(frame)
        return found

    return tuple(map(changed, frames))
