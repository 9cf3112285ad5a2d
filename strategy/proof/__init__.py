"""Proof that a strategy's rows are the same in every form and never look ahead.

All of it works on a `Strategy` and its frames, whatever these hold; docs/proof.md says how the
results read.
"""

from strategy.proof.ahead import AHEAD, warmed_up
from strategy.proof.check import Advance, Check
from strategy.proof.compare import Difference, Line, differing, line
from strategy.proof.forms import FORMS
from strategy.proof.subject import Subject

__all__ = [
    "AHEAD",
    "FORMS",
    "Advance",
    "Check",
    "Difference",
    "Line",
    "Subject",
    "differing",
    "line",
    "warmed_up",
]
