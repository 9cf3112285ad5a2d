"""What the server's greeting tells: whether its clock and ours are the same."""

from datetime import timedelta

from pipelines.sources.errors import ClockWrong
from strategy.clock import MarketClock

# A greeting tells whole seconds, and takes its time on the way.
LARGEST_SKEW_SECONDS = 5.0


def require_true_clock(
    clock: MarketClock | None, server_time: float | None, received_at_wall: float
) -> None:
    """Refuse to go on where our time is not the source's: nothing that we note would be true.

    Args:
        clock: Ours; None not to look.
        server_time: What the greeting says, in epoch seconds; None where it does not.
        received_at_wall: Epoch second of this computer when it came.

    Raises:
        ClockWrong: They differ by more than `LARGEST_SKEW_SECONDS` of this computer's.
    """
    if clock is None or server_time is None:
        return
    skew = server_time - clock.at(received_at_wall).timestamp()
    if abs(skew) > LARGEST_SKEW_SECONDS * clock.speed:
        side = "behind" if skew > 0 else "ahead of"
        raise ClockWrong(
            f"this computer's clock is {timedelta(seconds=round(abs(skew)))} {side} TradingView's:"
            " let a time service set it"
        )
