"""Commands that prove: stored signals are what every form gives, and none looks ahead."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Annotated, Any

import typer
from rich.text import Text

from optionscalp.commands.options import (
    AsJson,
    Changed,
    DemoHome,
    FirstOfMany,
    LastOfMany,
    OfDemo,
    OneSession,
    OneStrategy,
    plan_of,
    range_of,
    sessions_of,
)
from optionscalp.homes import market_clock, opened
from optionscalp.output import console, in_india, print_json, progress
from pipelines.signals.lookahead import prove_no_lookahead
from pipelines.signals.parity import prove_parity
from pipelines.signals.proof import THOUSAND, Progress, Proof, Proved, keep
from strategy.contract import UNDERLYINGS
from strategy.proof import Check, Difference

COLOURS = {"equal": "green", "different": "red", "not compared": "yellow"}


def parity(
    session: OneSession = None,
    first: FirstOfMany = None,
    last: LastOfMany = None,
    strategy: OneStrategy = None,
    changed: Changed = None,
    demo: OfDemo = False,
    home_folder: DemoHome = None,
    as_json: AsJson = False,
) -> None:
    """Prove that stored signals are what batch, steps, restarts and replay give."""
    dates = range_of(session, first, last)
    plan = plan_of(strategy, changed)
    clock = market_clock()
    with opened(demo=demo, folder=home_folder) as connection:
        proof = Proof(connection, UNDERLYINGS, [plan] if plan else None, clock.now())
        _tell(
            "parity",
            sessions_of(dates),
            lambda *args: _kept(proof, "parity", prove_parity(proof, *args)),
            as_json,
        )


def lookahead(
    session: OneSession = None,
    first: FirstOfMany = None,
    last: LastOfMany = None,
    strategy: OneStrategy = None,
    changed: Changed = None,
    every: Annotated[
        int, typer.Option(min=1, help="Try each so manyth moment only; 1 tries all.")
    ] = 1,
    demo: OfDemo = False,
    home_folder: DemoHome = None,
    as_json: AsJson = False,
) -> None:
    """Prove that no signal of stored sessions knows anything that came later."""
    dates = range_of(session, first, last)
    plan = plan_of(strategy, changed)
    clock = market_clock()
    with opened(demo=demo, folder=home_folder) as connection:
        proof = Proof(connection, UNDERLYINGS, [plan] if plan else None, clock.now())
        _tell(
            "lookahead",
            sessions_of(dates),
            lambda *args: _kept(
                proof, "lookahead", prove_no_lookahead(proof, args[0], every, args[1]), every
            ),
            as_json,
        )


def _kept(proof: Proof, kind: str, found: Iterator[Proved], every: int = 1) -> Iterator[Proved]:
    """Yield what is found, and keep it; what was tried in part only is kept if it failed."""
    for one in found:
        if every == 1 or one.verdict == "different":
            keep(proof, kind, one)
        yield one


def _tell(
    what: str,
    sessions: Sequence[date],
    prove: Callable[[Sequence[date], Progress], Iterator[Proved]],
    as_json: bool,
) -> None:
    """Print what is found as it comes.

    Raises:
        typer.Exit: Rows differ, or of some session nothing could be compared.
    """
    found: list[Proved] = []
    with progress(what, THOUSAND * len(sessions)) as advance:
        for one in prove(sessions, advance):
            found.append(one)
            if not as_json:
                for text in _lines(one):
                    console.print(text, soft_wrap=True)
    different = {one.session for one in found if one.verdict == "different"}
    compared = {one.session for one in found if one.verdict == "equal"} - different
    if as_json:
        print_json([_json(one) for one in found])
    else:
        missing = len(sessions) - len(different) - len(compared)
        parts = [(len(different), "different"), (missing, "not compared")]
        told = "".join(f", {count} {name}" for count, name in parts if count)
        console.print(f"{what}: of {len(sessions)} sessions {len(compared)} equal{told}")
    if len(compared) < len(sessions):
        raise typer.Exit(1)


def _lines(one: Proved) -> Iterator[Text]:
    version = f" {one.strategy} {one.version}" if one.strategy else ""
    if one.reason:
        yield _coloured(f"{one.session}{version}: ", "not compared", f": {one.reason}")
    counts = f"{one.intervals} intervals, {one.signals} signals, {one.rejections} rejections"
    if one.checks:
        yield Text(f"{one.session}{version}: {counts}")
    for check in one.checks:
        left_out = f" of {check.total}" if check.total > check.tried else ""
        remark = f"; {check.remark}" if check.remark else ""
        over = f" ({check.of}: {check.tried}{left_out}{remark})"
        yield _coloured(f"  {check.claim}: ", check.verdict, over)
        if check.difference is not None:
            yield Text(f"    first: {_sentence(check.difference)}", "red")


def _coloured(start: str, verdict: str, rest: str) -> Text:
    return Text.assemble(start, (verdict, COLOURS[verdict]), rest)


def _sentence(found: Difference) -> str:
    of = f"{found.row} {in_india(found.event_time)} {found.symbol or found.underlying}"
    return f"{of}: {found.column} should be {found.expected} and is {found.found}"


def _json(one: Proved) -> dict[str, Any]:
    checks = {"checks": [_check_json(check) for check in one.checks]}
    return one._asdict() | checks | {"verdict": one.verdict}


def _check_json(check: Check) -> dict[str, Any]:
    difference = check.difference and check.difference._asdict()
    return check._asdict() | {"verdict": check.verdict, "difference": difference}
