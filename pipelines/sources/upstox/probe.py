"""Upstox's own part of a first contact: the token, until when and for which plan."""

from collections.abc import Iterable, Iterator
from http.client import TOO_MANY_REQUESTS
from typing import Any

from pipelines.sources.errors import SourceError, SourceRefused
from pipelines.sources.probe import Finding, Moment, Probe
from pipelines.sources.upstox.token import ENDED, RENEW, VARIABLE, TokenFile, claims
from strategy.session import IST

SET_IT = f"set {VARIABLE} to the file that holds it"  # docs/sources.md says how to get one
RENEW_THEN = f"that morning, {RENEW} {VARIABLE}'s file"
LATER = "wait some minutes, then probe again"
PLANS = {
    True: "plan Plus: contracts that have expired can be asked for",
    False: "not the plan Plus: contracts that have expired cannot be asked for",
    None: "which plan is not told",
}


def _account(settings: Any, moment: Moment) -> Iterator[Finding]:
    file = TokenFile(settings.upstox_token_file)
    try:
        told = claims(file.read(moment.now))
    except SourceRefused as error:
        # Another one may come while we run.
        ended = {"ended": str(error).startswith(ENDED)}
        yield Finding("token", "error", str(error), _remedy(error) or SET_IT, facts=ended)
        return
    facts = {"ends_at": told.ends_at, "plus": told.plus}
    plan = PLANS[told.plus]
    if told.ends_at is None:
        yield Finding("token", "ok", f"it does not say until when it is good; {plan}", facts=facts)
        return
    good = f"good until {told.ends_at.astimezone(IST):%Y-%m-%d %H:%M} IST; {plan}"
    if told.ends_at < moment.close:
        found = f"{good}; it ends before the next session does, as each does at 03:30"
        yield Finding("token", "warning", found, RENEW_THEN, facts=facts)
        return
    yield Finding("token", "ok", good, facts=facts)


def _remedy(error: SourceError) -> str | None:
    if not isinstance(error, SourceRefused):
        return None
    if error.status == TOO_MANY_REQUESTS:
        return LATER
    _, renewal, where = str(error).partition(RENEW)
    return f"{renewal}{where}" or SET_IT


def _secrets(settings: Any) -> Iterable[str]:
    return TokenFile(settings.upstox_token_file).words()


PROBE = Probe(account=_account, remedy=_remedy, secrets=_secrets)
