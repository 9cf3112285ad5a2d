"""`optionscalp probe`: the first contact with the sources, in plain words."""

import asyncio
import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from psycopg import Connection
from pydantic import SecretStr, ValidationError
from rich.text import Text

from db.market.calendar import read_overrides
from db.server.connection import connect
from db.server.errors import DatabaseUnavailableError, EmbeddedServerError
from optionscalp.commands.options import AsJson
from optionscalp.errors import CommandError
from optionscalp.homes import database, home
from optionscalp.output import console, print_json, progress
from pipelines.known_sources import KNOWN
from pipelines.probing.outcome import Outcomes
from pipelines.probing.redaction import Redaction
from pipelines.probing.report import ANSWERS, keep_answers, new_folder, write
from pipelines.probing.report import as_json as report_of
from pipelines.probing.run import probe as ask
from pipelines.probing.secrets import secrets_in
from pipelines.probing.wording import Line, lines
from pipelines.settings import Settings, fault_text
from pipelines.sources.probe import Finding
from strategy.session import use_overrides

COLOURS = {"ok": "green", "warning": "yellow", "error": "red", "unseen": "cyan"}
UNCOUNTED = "what was asked is not counted in the day's allowance; `optionscalp doctor` tells more"
# Of the settings, these may be told; what might hold a secret goes through the redaction anyway.
URLS = tuple(
    name for name in Settings.model_fields if name.endswith("_url") and name != "database_url"
)
TOLD = (*URLS, "sources", "underlyings", "build_up_source", "history_adapter", "allow_delayed")
LIBRARIES = ("optionscalp", "httpx", "websockets")


def probe(
    source: Annotated[
        str | None, typer.Option(help=f"Ask only this one: {', '.join(KNOWN)}.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Ask each source a handful of questions, and say what works."""
    if source is not None and source not in KNOWN:
        raise typer.BadParameter(f"one of {', '.join(KNOWN)}", param_hint="--source")
    settings, unusable = _settings()
    names = (source,) if source else settings.sources
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with _counted() as (dsn, connection, notes):
        notes += unusable
        known = [*secrets_in(os.environ, settings, dsn)]
        with _clean_logs(Redaction(known)), progress("asking the sources", len(names)) as advance:
            outcomes = asyncio.run(ask(names, settings, connection, advance))
        # A file may have got another token meanwhile.
        redaction = Redaction([*known, *secrets_in(os.environ, settings, dsn)])
    folder, answers = _keep(outcomes, redaction)
    told = {name: getattr(settings, name) for name in TOLD} | {"asked": names}
    report = redaction.value(report_of(outcomes, notes, answers, _versions(), told))
    path = write(folder, report)
    if as_json:
        print_json(report | {"report": str(path)})
    else:
        for line in lines(outcomes, notes):
            _tell(line, redaction)
        _tell(Line(f"report, without secrets, for a bug report: {path}"), redaction)
        _tell(Line(f"answers as they came, for yourself: {folder / ANSWERS}"), redaction)
    if not outcomes.verdict.works or unusable:
        raise typer.Exit(1)


def _settings() -> tuple[Settings, list[Finding]]:
    """Return the settings without files that cannot be used, and what is wrong with these.

    Raises:
        ValidationError: Something else is wrong.
    """
    dsn = SecretStr(os.environ.get("DATABASE_URL") or "embedded")
    try:
        return Settings(database_url=dsn), []
    except ValidationError as error:
        wrong = {str(fault["loc"][0]): fault_text(fault["msg"]) for fault in error.errors()}
        if not all(name.endswith("_file") for name in wrong):
            raise
    findings = [
        Finding(
            *(name.upper(), "error", f"{text}; it was not used"),
            "correct the file, or unset the variable",
        )
        for name, text in wrong.items()
    ]
    return Settings(database_url=dsn, **dict.fromkeys(wrong)), findings


def _keep(outcomes: Outcomes, redaction: Redaction) -> tuple[Path, dict[str, Any]]:
    """Write the answers into a new folder; return it, and what the report says of each."""
    try:
        folder = new_folder(home(), datetime.now(UTC))
        return folder, {it.source: keep_answers(folder, it, redaction) for it in outcomes.each}
    except OSError as error:
        raise CommandError(
            f"the report cannot be written: {error}: correct OPTIONSCALP_HOME, or free some space"
        ) from error


@contextmanager
def _counted() -> Iterator[tuple[str | None, Connection[Any] | None, list[Finding]]]:
    """Yield where all processes share what may be asked; nothing, and why, without a database."""
    dsn = connection = None
    notes = []
    with ExitStack() as stack:
        try:
            dsn = stack.enter_context(database())
            connection = stack.enter_context(connect(dsn))
            use_overrides(read_overrides(connection))
        except (DatabaseUnavailableError, EmbeddedServerError, psycopg.Error) as error:
            notes.append(Finding("database", "warning", str(error).strip(), UNCOUNTED))
        yield dsn, connection, notes


class _CleanFormatter(logging.Formatter):
    """Formats as another one does, and takes secrets out of what came."""

    def __init__(self, inner: logging.Formatter | None, redaction: Redaction) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's text, its traceback included, without secrets."""
        return self._redaction.text(self._inner.format(record))


@contextmanager
def _clean_logs(redaction: Redaction) -> Iterator[None]:
    handlers = logging.getLogger().handlers
    before = [(handler, handler.formatter) for handler in handlers]
    for handler, formatter in before:
        handler.setFormatter(_CleanFormatter(formatter, redaction))
    try:
        yield
    finally:
        for handler, formatter in before:
            handler.setFormatter(formatter)


def _versions() -> dict[str, str]:
    return {
        "python": sys.version.split()[0],
        "system": platform.system(),
        **{name: version(name) for name in LIBRARIES},
    }


def _tell(line: Line, redaction: Redaction) -> None:
    """Print a line; not as markup, in which a bracket would mean something."""
    colour = COLOURS[line.state] if line.state else ""
    text = redaction.text(line.text)
    console.print(
        Text.assemble((line.mark, colour), text) if line.mark else Text(text, colour),
        soft_wrap=True,
    )
