"""What a step may take next: the same session's later intervals."""

from datetime import date, datetime
from typing import Protocol

from strategy.errors import FrameContractError


class Placed(Protocol):
    """A state or an interval: where it stands; None where nothing says so yet."""

    @property
    def session(self) -> date:
        """Trading date."""

    @property
    def underlying(self) -> str:
        """NIFTY or BANKNIFTY."""

    @property
    def open_time(self) -> datetime | None:
        """Of the interval; of a state's last one."""


def require_next(state: Placed, interval: Placed) -> None:
    """Raise FrameContractError unless the interval continues the state's session."""
    if (interval.session, interval.underlying) != (state.session, state.underlying):
        raise FrameContractError(
            f"interval.session: {interval.session} {interval.underlying} does not continue"
            f" {state.session} {state.underlying}"
        )
    if state.open_time and interval.open_time and interval.open_time <= state.open_time:
        raise FrameContractError(
            f"interval.open_time: not after {state.open_time}: {interval.open_time!r}"
        )
