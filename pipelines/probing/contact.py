"""The contact with one source: every question with a deadline, every error with a remedy."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

from pipelines.probing.candles import ask_candles
from pipelines.probing.lateness import lateness
from pipelines.probing.listings import ask_listings
from pipelines.probing.outcome import Outcome
from pipelines.probing.positions import ask_ladder, ask_rows
from pipelines.probing.stream import ask_stream
from pipelines.probing.times import Times
from pipelines.probing.visit import Visit
from pipelines.sources.declaration import Office, Source
from pipelines.sources.errors import (
    AddressWrong,
    ClockWrong,
    ExpiryGone,
    PayloadInvalid,
    SourceBroken,
    SourceError,
    SourceRefused,
    SourceUnavailable,
)
from pipelines.sources.probe import REPORT, Finding, Moment
from pipelines.sources.roles import Opened
from strategy.errors import CalendarUnknownError

# Of this computer, for each question, waiting for its place included. A client's own deadlines are
# shorter, and tell more: the longest asks twice, a quarter of a minute each.
QUESTION_SECONDS = 60.0
Question = Callable[[Visit], AsyncGenerator[Finding, None]]
# By role, with what is looked at. In this order: later ones use what earlier ones found.
QUESTIONS: dict[str, tuple[str, Question]] = {
    "listings": ("option symbols", ask_listings),
    "history": ("one-minute candles", ask_candles),
    "stream": ("candles as they form", ask_stream),
    "ladders": ("strike ladder", ask_ladder),
    "build_ups": ("build-up rows", ask_rows),
}
REMEDIES: tuple[tuple[type[SourceError], str], ...] = (
    (AddressWrong, "correct the address, or unset it"),
    (SourceRefused, "do what the message says, and ask less; then probe again"),
    (
        SourceBroken,
        "look whether the source's address is right; if so it does not work now: probe again in"
        " some minutes",
    ),
    (
        SourceUnavailable,
        "look whether this computer reaches the internet and whether the source's address is"
        " right; if so the source is down: probe again in some minutes",
    ),
    (ExpiryGone, "nothing to do today: probe again on the next session's morning"),
    (ClockWrong, "let a time service set this computer's clock"),
    (PayloadInvalid, f"the source changed its form: {REPORT}"),
)
CALENDAR = "add the next year as docs/calendar.md says"


class Contact:
    """One source's, with what it found so far."""

    def __init__(self, source: Source, office: Office, times: Times, underlying: str) -> None:
        self._source = source
        self._office = office
        self._visit = Visit(source, Opened(), office.clock, times, underlying)
        self._findings: list[Finding] = []
        self._unasked: list[str] = []
        self._gave_up = False

    async def make(self) -> Outcome:
        """Ask what the source may be asked, and tell what came; nothing is raised."""
        source, visit = self._source, self._visit
        moment = Moment(visit.times.now, visit.times.close)
        self._findings += source.probe.account(self._office.settings, moment)
        try:
            async with source.open(self._office) as opened:
                visit.opened = opened
                await self._ask_all()
                if visit.kept:
                    self._tell_the_rest()
        except SourceError as error:
            self._failed("connection", None, error)
        except Exception as error:  # noqa: BLE001  the others go on, and the report tells
            self._unforeseen("connection", None, error)
        return Outcome(
            *(source.name, source.roles, self._findings, tuple(self._unasked)),
            *(visit.kept, visit.open_interest),
        )

    async def _ask_all(self) -> None:
        visit = self._visit
        began, place = time.monotonic(), len(self._findings)
        answered = None
        for role, (topic, question) in QUESTIONS.items():
            if role in self._source.roles:
                await self._ask(topic, role, self._question(question))
            if answered is None and visit.kept:
                answered = time.monotonic() - began
        if self._source.probe.extra is not None:
            await self._ask("further questions", None, self._further_questions())
        if not visit.kept:
            return
        found = f"answers; the first question took {answered or 0:.1f} s"
        first = [Finding("connection", "ok", found, facts={"seconds": answered})]
        if {"history", "stream"} & self._source.roles:
            first.append(lateness(visit, visit.opened.access() if visit.opened.access else None))
        self._findings[place:place] = first

    async def _ask(self, topic: str, role: str | None, work: Coroutine[Any, Any, None]) -> None:
        """Do what asks, within its time; what goes wrong is a finding."""
        if self._gave_up:
            work.close()
            self._unasked += [role] if role else []
            return
        try:
            async with asyncio.timeout(QUESTION_SECONDS):
                await work
        except TimeoutError:
            late = SourceUnavailable(f"no answer within {QUESTION_SECONDS:g} s")
            self._failed(topic, role, late)
        except SourceError as error:
            self._failed(topic, role, error)
        except CalendarUnknownError as error:
            self._findings.append(Finding(topic, "error", str(error), CALENDAR, role))
        except Exception as error:  # noqa: BLE001  the other questions go on
            self._unforeseen(topic, role, error)

    async def _question(self, question: Question) -> None:
        async with aclosing(question(self._visit)) as found:
            async for finding in found:
                self._findings.append(finding)

    async def _further_questions(self) -> None:
        """Ask the source's own questions; what they brought it tells with all answers."""
        visit, extra = self._visit, self._source.probe.extra
        if extra is not None:
            async for payload in extra(visit.opened, visit.underlying, visit.expiry):
                visit.keep(payload, visit.trading_date or visit.times.data)

    def _tell_the_rest(self) -> None:
        """Tell what all answers say together."""
        visit = self._visit
        self._findings += self._source.probe.answers(visit.kept)
        if visit.opened.left is not None:
            left = visit.opened.left()
            found = f"{left} more requests may be sent today"
            self._findings.append(Finding("allowance", "ok", found, facts={"left": left}))

    def _failed(self, topic: str, role: str | None, error: SourceError) -> None:
        """Keep an error, and ask nothing more of who refuses or never answered."""
        silent = isinstance(error, SourceUnavailable) and not self._visit.kept
        self._gave_up = self._gave_up or silent or isinstance(error, SourceRefused)
        kinds = (text for kind, text in REMEDIES if isinstance(error, kind))
        remedy = self._source.probe.remedy(error) or next(kinds, REPORT)
        text = str(error) or type(error).__name__
        self._findings.append(Finding(topic, "error", text, remedy, role))

    def _unforeseen(self, topic: str, role: str | None, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}"
        remedy = f"that is an error of this program: {REPORT}"
        self._findings.append(Finding(topic, "error", text, remedy, role))
