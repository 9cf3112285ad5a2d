"""Build-ups: who opened or closed positions in a contract, read from price and open interest."""

from datetime import timedelta
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from strategy.frames import MICROSECONDS_PER_MINUTE, CheckedFrame, Ints

BuildUp = Literal[
    "long_build_up", "short_build_up", "short_covering", "long_unwinding", "none"
]  # about that contract, not its underlying
BUILD_UPS: tuple[BuildUp, ...] = get_args(BuildUp)
INTERVAL_MINUTES = 5
INTERVAL = timedelta(minutes=INTERVAL_MINUTES)

_NONE = BUILD_UPS.index("none")
_BY_SIGNS = np.full((3, 3), _NONE, dtype=np.int64)  # rows: price down, same, up; columns: OI
_BY_SIGNS[2, 2] = BUILD_UPS.index("long_build_up")
_BY_SIGNS[0, 2] = BUILD_UPS.index("short_build_up")
_BY_SIGNS[2, 0] = BUILD_UPS.index("short_covering")
_BY_SIGNS[0, 0] = BUILD_UPS.index("long_unwinding")


def build_up(price_change: float, oi_change: int | None) -> BuildUp:
    """Return the build-up of one contract between two adjacent intervals."""
    if not price_change or not oi_change:
        return "none"
    if oi_change > 0:
        return "long_build_up" if price_change > 0 else "short_build_up"
    return "short_covering" if price_change > 0 else "long_unwinding"


def build_up_codes(price_change: npt.NDArray[np.float64], oi_change: Ints) -> Ints:
    """Return positions in `BUILD_UPS`; the vectorised twin of `build_up`, unknown OI as 0."""
    price_sign = np.sign(price_change).astype(np.int64)
    codes: Ints = _BY_SIGNS[price_sign + 1, np.sign(oi_change) + 1]
    return codes


def label_build_ups(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with `oi_change` and `label` added (or replaced).

    Args:
        frame: 5-minute rows of any number of contracts and sessions, in any arrangement in
            which each contract's rows ascend strictly: `symbol`, `open_time` (tz-aware),
            `close` (rupees), `open_interest` (units, null if unknown).

    Returns:
        The same rows and index. `oi_change` (Int64) is null and `label` is `none` where the
        contract has no row five minutes before; so the first row of a session never has a
        verdict. `oi_change` is also null where either open interest is unknown. Each value
        uses its own and the previous row only, so it is known when the later of them is.

    Raises:
        FrameContractError: A column is absent, of a wrong type, or holds null, negative,
            naive, unsorted or duplicate values.
    """
    rows = CheckedFrame(frame, "build_ups", ("symbol", "open_time", "close", "open_interest"))
    symbols = rows.texts("symbol").codes
    opens = rows.instants("open_time")
    close = rows.prices("close")
    interest, known = rows.counts("open_interest")
    order = rows.ascending("open_time", symbols, opens)
    now, before = order[1:], order[:-1]
    adjacent = (symbols[now] == symbols[before]) & (
        opens[now] - opens[before] == INTERVAL_MINUTES * MICROSECONDS_PER_MINUTE
    )
    now, before = now[adjacent], before[adjacent]
    changed = known[now] & known[before]

    oi_change = np.zeros(len(rows), dtype=np.int64)
    unknown = np.ones(len(rows), dtype=bool)
    oi_change[now] = np.where(changed, interest[now] - interest[before], 0)
    unknown[now] = ~changed
    labels = np.full(len(rows), _NONE, dtype=np.int64)
    labels[now] = build_up_codes(close[now] - close[before], oi_change[now])
    return frame.assign(
        oi_change=pd.arrays.IntegerArray(oi_change, unknown),
        label=pd.array(np.array(BUILD_UPS, dtype=object)[labels], dtype="str"),
    )
