"""TradingView's own part of a first contact: the token, and which symbols answer."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from pipelines.sources.errors import (
    AddressWrong,
    SeriesFailed,
    SourceError,
    SourceRefused,
    TokenEnded,
)
from pipelines.sources.probe import Finding, Kept, Moment, Probe
from pipelines.sources.tradingview.account import REAL_TIME
from pipelines.sources.tradingview.delay import is_delayed_twin
from pipelines.sources.tradingview.token import HOW_TO_RENEW, Token, TokenFile
from pipelines.sources.tradingview.wire import Message, decode, parse_resolved
from strategy.session import IST

ANONYMOUS = (
    "none, so an anonymous account: some 13 sessions of minutes, and most likely 15 minutes late"
)
REAL_TIME_ACCOUNT = (
    "use the token of an account with NSE's real-time data (TRADINGVIEW_TOKEN_FILE); alerts on"
    " delayed data stay off unless ALLOW_DELAYED=true"
)
REFUSED = (
    "wait some minutes and ask less; if it stays so, use your own account's token"
    " (TRADINGVIEW_TOKEN_FILE)"
)


def _token(settings: Any) -> Token | None:
    """Return the token in use.

    Raises:
        ValueError: Its file cannot be read or holds none.
    """
    if settings.tradingview_token_file is not None:
        return TokenFile(settings.tradingview_token_file).read()
    secret = settings.tradingview_token
    return Token.of(secret.get_secret_value()) if secret else None


def _account(settings: Any, moment: Moment) -> Iterator[Finding]:
    try:
        token = _token(settings)
    except ValueError as error:
        yield Finding("token", "error", str(error), "correct TRADINGVIEW_TOKEN_FILE, or unset it")
        return
    if token is None:
        yield Finding("token", "ok", ANONYMOUS, facts={"there": False})
        return
    permissions = token.permissions
    facts = {
        "there": True,
        "ends_at": token.ends_at,
        "plan": token.plan,
        "permissions": None if permissions is None else sorted(permissions),
    }
    seen = "what it may see is not told"
    if permissions is not None:
        names = ", ".join(sorted(permissions)) or "none"
        seen = f"real-time data of: {names}"
    told = f"{_end(token, moment.now)}, plan {token.plan or 'not told'}, {seen}"
    if token.ends_at is not None and token.ends_at <= moment.now:
        yield Finding("token", "error", told, HOW_TO_RENEW, facts=facts | {"ended": True})
    elif permissions is not None and REAL_TIME not in permissions:
        yield Finding("token", "warning", told, REAL_TIME_ACCOUNT, facts=facts)
    elif token.ends_at is not None and token.ends_at < moment.close:
        remedy = f"before it ends, {HOW_TO_RENEW}"
        found = f"{told}: it ends before the session does"
        yield Finding("token", "warning", found, remedy, facts=facts)
    else:
        yield Finding("token", "ok", told, facts=facts)


def _end(token: Token, now: datetime) -> str:
    if token.ends_at is None:
        return "it does not say until when it is good"
    until = "good until" if token.ends_at > now else "ended at"
    return f"{until} {token.ends_at.astimezone(IST):%Y-%m-%d %H:%M} IST"


def _answers(kept: Sequence[Kept]) -> Iterator[Finding]:
    """Tell which symbols stood for those that were asked for: the delayed twin has its own."""
    found = {}
    twin = False
    for answer in kept:
        frames = decode(answer.body) if answer.about["kind"] == "history" else ()
        for frame in frames:
            if isinstance(frame, Message) and frame.method == "symbol_resolved":
                described = parse_resolved(frame)
                twin = twin or is_delayed_twin(described)
                found[str(answer.about.get("symbol"))] = str(described.get("full_name"))
    if twin:
        named = ", ".join(f"{name} is {full}" for name, full in found.items())
        told = f"{named}: delayed twins stand for what was asked"
        yield Finding("symbols", "warning", told, REAL_TIME_ACCOUNT, facts=found)
    elif found:
        told = f"{len(found)} resolved, none of them to its delayed twin (NSE_DLY)"
        yield Finding("symbols", "ok", told, facts=found)


def _remedy(error: SourceError) -> str | None:
    if isinstance(error, TokenEnded):
        return HOW_TO_RENEW
    if isinstance(error, AddressWrong):
        return None
    if isinstance(error, SeriesFailed) or "heartbeats" in str(error):  # as after a token's end
        return f"if you use a token, {HOW_TO_RENEW}; without one probe again in some minutes"
    return REFUSED if isinstance(error, SourceRefused) else None


def _secrets(settings: Any) -> Iterable[str]:
    secret = settings.tradingview_token
    if secret is not None:
        yield secret.get_secret_value()
    try:
        token = _token(settings)
    except ValueError:  # told by the account's finding
        return
    if token is not None:
        yield token.text


PROBE = Probe(
    account=_account, answers=_answers, remedy=_remedy, late=REAL_TIME_ACCOUNT, secrets=_secrets
)
