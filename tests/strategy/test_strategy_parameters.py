"""Parameters: numbers with limits, texts, choices and switches; what makes no sense is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest

from strategy.errors import ParameterError
from strategy.parameters import Parameters, number


@dataclass(frozen=True)
class Mixed(Parameters):
    """One of each kind."""

    window: int = number(5, least=1, most=100)
    share: float = number(0.5, above=0)
    side: Literal["calls", "puts", "both"] = "both"
    remark: str = ""
    strict: bool = False
    points: Mapping[str, float] = field(default_factory={"NIFTY": 20.0}.copy)


@dataclass(frozen=True)
class Later(Parameters):
    """Annotations as texts, as `from __future__ import annotations` leaves them."""

    side: "Literal['calls', 'puts']" = "calls"
    window: "int" = 3


def test_every_kind_is_changed_by_name_and_hashed():
    changes = {"window": 7, "side": "puts", "remark": "a, b", "strict": True, "points.NIFTY": 5}
    changed = Mixed().with_values(changes)
    assert changed == Mixed(2, 7, 0.5, "puts", "a, b", True, {"NIFTY": 5.0})
    hashes = {Mixed().with_values({name: value}).params_hash() for name, value in changes.items()}
    assert len(hashes | {Mixed().params_hash()}) == len(changes) + 1
    assert changed.version("1") == f"1+{changed.params_hash()[:8]}"
    assert Later().with_values({"side": "puts"}).values()["side"] == "puts"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("window", 0, "window must be at least 1: 0"),
        ("window", 101, "window must be at most 100: 101"),
        ("share", 0, "share must be above 0: 0.0"),
        ("share", "half", "share: not a number: 'half'"),
        ("side", "left", "side: not one of calls, puts, both: 'left'"),
        ("side", 1, "side: not one of calls, puts, both: 1"),
        ("remark", 5, "remark: not a text: 5"),
        ("strict", 1, "strict: not true or false: 1"),
        ("strict", "yes", "strict: not true or false: 'yes'"),
        ("window", True, "window: not a whole number: True"),
        ("points", 5, "points: not numbers by name: 5"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, value: object, problem: str):
    with pytest.raises(ParameterError, match=f"^{problem}"):
        Mixed().with_values({name: value})


def test_a_parameter_of_another_type_is_refused():
    @dataclass(frozen=True)
    class Odd(Parameters):
        when: complex = 1j

    with pytest.raises(ParameterError, match="when: a parameter cannot be of type"):
        Odd()
