"""Whether every strategy there is can be computed."""

from db.checks.strategies import switched_off
from pipelines.checks.check import Look, Verdict, warning


@warning("signal", "strategies_work")
def signal_strategies_work(look: Look) -> Verdict:
    """No strategy is switched off because it cannot be loaded, failed or took too long."""
    off = switched_off(look.connection)
    return Verdict(not off, {"switched_off": off})


CHECKS = [signal_strategies_work]
