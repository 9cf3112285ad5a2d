"""Modules of strategies as a user writes them into a folder."""

from pathlib import Path

RULE = '''
"""Rise: buys the call when the index rises."""

from dataclasses import dataclass

from strategy.rule import Buy, RuleParameters, rule


@dataclass(frozen=True)
class Numbers(RuleParameters):
    """Points of the index, then of premium."""

    points: float = 5.0
    stop: float = 10.0
    target: float = 15.0
    divisor: int = 1


def decide(minute, memory, numbers):
    before = memory.get("close")
    memory["close"] = minute.index.close
    if before is None or minute.call is None:
        return
    @LINE@
    if (minute.index.close - before) / numbers.divisor >= numbers.points:
        close = minute.call.close
        if close > numbers.stop:
            yield Buy(minute.call, close - numbers.stop, close + numbers.target)


@NAME@ = rule("@NAME@", "@VERSION@", Numbers(), decide)
'''


def write_rule(folder: Path, name: str, line: str = "pass", version: str = "1") -> Path:
    """Write a rule into a folder; the line is run in each minute before it decides."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    text = RULE.lstrip()
    for place, words in (("@NAME@", name), ("@VERSION@", version), ("@LINE@", line)):
        text = text.replace(place, words)
    path.write_text(text)
    return path
