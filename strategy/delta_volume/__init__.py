"""Delta Volume: ride the exit of trapped option sellers. The rules are in docs/strategy.md.

`evaluate` computes any number of sessions at once; `step` takes one interval at a time with
explicit state. Both give the same rows.
"""

from strategy.delta_volume.batch import evaluate, evaluate_rows
from strategy.delta_volume.interval import ContractRow, Interval
from strategy.delta_volume.intervals import intervals_of
from strategy.delta_volume.parameters import DEFAULTS, Parameters
from strategy.delta_volume.rows import STRATEGY, VERSION
from strategy.delta_volume.state import State
from strategy.delta_volume.step import step
from strategy.signals import Evaluation, Rejection, Signal

__all__ = [
    "DEFAULTS",
    "STRATEGY",
    "VERSION",
    "ContractRow",
    "Evaluation",
    "Interval",
    "Parameters",
    "Rejection",
    "Signal",
    "State",
    "evaluate",
    "evaluate_rows",
    "intervals_of",
    "step",
]
