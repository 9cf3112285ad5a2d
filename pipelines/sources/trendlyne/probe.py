"""Trendlyne's own part of a first contact: what its counts mean, which no page of it says."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Any

from pipelines.sources.errors import SourceError, SourceRefused
from pipelines.sources.probe import REPORT, Finding, Kept, Moment, Probe
from pipelines.sources.roles import Opened, Payload
from pipelines.sources.trendlyne.build_ups import gross_volumes
from pipelines.sources.trendlyne.client import Trendlyne
from pipelines.sources.trendlyne.cookies import CookieFile
from pipelines.sources.trendlyne.firewall import REMEDY
from pipelines.sources.trendlyne.ladders import option_chain_scales
from pipelines.sources.trendlyne.volume import is_running_total

# Five volumes of intervals rise from one to the next by chance once in 120 times.
FEWEST_STEPS = 4
USED_UP = "wait for the next session, or raise TRENDLYNE_REQUESTS_PER_SESSION if it bears more"
TOPICS = {"build_ups": "build-up volume", "option_chain": "whole chain"}
COUNTS = {"open_interest": "open interest", "traded_contracts": "volume"}


def _account(settings: Any, _moment: Moment) -> Iterator[Finding]:
    visitor = settings.visitor
    presented = f"User-Agent {visitor.user_agent}"
    facts = {"user_agent": visitor.user_agent, "cookies": visitor.cookie_file is not None}
    if visitor.cookie_file is None:
        yield Finding("presented as", "ok", f"{presented}, without cookies of yours", facts=facts)
        return
    try:
        CookieFile(visitor.cookie_file).changed()
    except SourceRefused as error:
        yield Finding("presented as", "error", str(error), "export the cookies again", facts=facts)
        return
    yield Finding("presented as", "ok", f"{presented}, with your browser's cookies", facts=facts)


async def _extra(opened: Opened, underlying: str, expiry: date) -> AsyncIterator[Payload]:
    """Ask for the whole chain once: whether it counts units or lots is not known."""
    if isinstance(opened.ladders, Trendlyne):
        yield await opened.ladders.option_chain(underlying, expiry)


def _answers(kept: Sequence[Kept]) -> Iterator[Finding]:
    for answer in kept:
        try:
            match answer.about["kind"]:
                case "build_ups":
                    yield _volume(answer)
                case "option_chain":
                    yield _chain(answer)
        except SourceError as error:
            yield Finding(TOPICS[answer.about["kind"]], "warning", str(error), REPORT)


def _volume(answer: Kept) -> Finding:
    topic = TOPICS["build_ups"]
    rows = gross_volumes(answer.body, answer.session)
    told = [(a.gross, b.gross) for a, b in pairwise(rows) if a.gross and b.gross]
    falls = sum(new < old for old, new in told)
    facts = {"rows": len(rows), "steps": len(told), "falls": falls}
    if len(told) < FEWEST_STEPS:
        found = f"{len(rows)} rows are too few to tell whether volume_gross is a running total"
        return Finding(topic, "unseen", found, facts=facts)
    running = is_running_total(rows)
    reading = "the day's running total" if running else "the interval's own volume"
    found = f"volume_gross is {reading}: it falls in {falls} of {len(told)} steps"
    return Finding(topic, "ok", found, facts=facts | {"running_total": running})


def _chain(answer: Kept) -> Finding:
    about = answer.about
    expiry = date.fromisoformat(about["expiry"])
    topic = TOPICS["option_chain"]
    scales = option_chain_scales(answer.body, about["underlying"], expiry)
    units = {None: "not clear whether units or lots", 1: "units"}
    counted = {words: units.get(scales[name], "lots") for name, words in COUNTS.items()}
    found = ", ".join(f"{words} in {unit}" for words, unit in counted.items())
    if None in scales.values():
        return Finding(topic, "warning", found, REPORT, facts=counted)
    return Finding(topic, "ok", found, facts=counted)


def _remedy(error: SourceError) -> str | None:
    if not isinstance(error, SourceRefused):
        return None
    if "used up" in str(error):
        return USED_UP
    return REMEDY if REMEDY in str(error) else f"wait ten minutes; if it stays so, {REMEDY}"


def _secrets(settings: Any) -> Iterable[str]:
    file = settings.visitor.cookie_file
    if file is None:
        return ()
    try:
        return CookieFile(file).values()
    except SourceRefused:  # told by the account's finding
        return ()


PROBE = Probe(account=_account, extra=_extra, answers=_answers, remedy=_remedy, secrets=_secrets)
