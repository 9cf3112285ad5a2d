"""Alerts about failed checks: what to tell, in which words, and sending it.

Once per failure, and once more when the check passes again.
"""

import logging
import re
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from db.checks.findings import CheckState
from pipelines.orchestration.links import replay_url
from strategy.session import IST, current_or_last_session, previous_session

# An address may hold commas of its own, as of several recipients.
SEPARATOR = re.compile(r"[\s,]+(?=[a-z0-9+]+://)", re.IGNORECASE)
SHOWN_CHARACTERS = 300  # of one number or list: a message is no report

Kind = Literal["failure", "warning", "success"]


class AlertSettings(BaseSettings):
    """Where alerts go.

    Attributes:
        urls: `ALERT_URLS`, apprise's addresses separated by commas or blanks; they hold secrets.
        level: `ALERT_ON`: errors only, or warnings too.
    """

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, hide_input_in_errors=True)

    urls: SecretStr | None = Field(default=None, validation_alias="ALERT_URLS")
    level: Literal["error", "warning"] = Field(default="error", validation_alias="ALERT_ON")

    @field_validator("urls")
    @classmethod
    def _known(cls, value: SecretStr | None) -> SecretStr | None:
        for place, url in enumerate(_split(value), 1):
            if _server(url) is None:  # not its own words: they would repeat the secret
                raise ValueError(f"address {place} is none that apprise knows")
        return value

    @property
    def addresses(self) -> list[str]:
        """The addresses, one by one."""
        return _split(self.urls)


class Due(NamedTuple):
    """What has to be told: new failures, and alerted ones that passed again."""

    failures: list[CheckState]
    recoveries: list[CheckState]


class Message(NamedTuple):
    """One message; `kind` is apprise's name for how bad it is."""

    kind: Kind
    title: str
    body: str


def watched_sessions(now: datetime) -> list[date]:
    """Return the current or last session and the one before: a backfill of older ones is quiet."""
    newest = current_or_last_session(now)
    return [newest, previous_session(newest)]


def decide(states: Sequence[CheckState], sessions: Collection[date], level: str) -> Due:
    """Return what has to be told about these sessions now."""
    watched = [state for state in states if state.session in sessions]
    return Due(
        [
            state
            for state in watched
            if state.failed_since is not None
            and state.alerted_at is None
            and (state.severity == "error" or level == "warning")
        ],
        [state for state in watched if state.failed_since is None and state.alerted_at is not None],
    )


def failure_message(
    sender: str, states: Sequence[CheckState], underlyings: Sequence[str]
) -> Message:
    """Return the words for new failures: session, check, numbers, and where to look."""
    errors = any(state.severity == "error" for state in states)
    body = [_described(state) for state in states]
    sessions = sorted({state.session for state in states})
    body += [replay_url(name, session) for session in sessions for name in underlyings]
    kind: Kind = "failure" if errors else "warning"
    return Message(kind, f"{sender}: {_names(states)} failed", "\n".join(body))


def recovery_message(sender: str, states: Sequence[CheckState]) -> Message:
    """Return the words for checks that pass again."""
    body = [f"{_name(state)} of {state.session} passes again" for state in states]
    return Message("success", f"{sender}: {_names(states)} passed again", "\n".join(body))


def _name(state: CheckState) -> str:
    return f"{state.asset}/{state.check_name}"


def _names(states: Sequence[CheckState]) -> str:
    return _name(states[0]) if len(states) == 1 else f"{len(states)} checks"


def _described(state: CheckState) -> str:
    since = (state.failed_since or state.checked_at).astimezone(IST)
    numbers = "; ".join(f"{name} {_shown(value)}" for name, value in state.details.items())
    return (
        f"{_name(state)} ({state.severity}) of session {state.session} fails since"
        f" {since:%Y-%m-%d %H:%M} IST: {numbers}"
    )


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def send(message: Message, addresses: Sequence[str]) -> list[int]:
    """Send a message to every address; return which, from 1, did not take it."""
    import apprise

    kind = apprise.NotifyType(message.kind)
    failed = []
    for place, url in enumerate(addresses, 1):
        server = _server(url)
        if server is None or not server.notify(
            body=message.body, title=message.title, notify_type=kind
        ):
            failed.append(place)
    return failed


def _server(url: str) -> Any:
    import apprise  # takes a sixth of a second: only those pay who want alerts

    logger = logging.getLogger("apprise")
    logger.disabled = True  # it would repeat an address it cannot read, secret included
    try:
        return apprise.Apprise.instantiate(url, suppress_exceptions=True)
    finally:
        logger.disabled = False


def _split(urls: SecretStr | None) -> list[str]:
    text = urls.get_secret_value().strip(", \n\t") if urls else ""
    return SEPARATOR.split(text) if text else []
