"""What an archived answer of Trendlyne says, by the question. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pipelines.sources.errors import PayloadInvalid
from pipelines.sources.roles import Ladder, Reading
from pipelines.sources.trendlyne.build_ups import CLOCKS_DIFFER, parse_build_ups
from pipelines.sources.trendlyne.fields import parse_body
from pipelines.sources.trendlyne.ladders import parse_chain, parse_option_chain, updated_at
from pipelines.sources.trendlyne.parse import parse_expiries, parse_listing, parse_stock_id


def read(
    about: Mapping[str, Any], body: bytes, session: date, received_at: datetime | None = None
) -> Reading:
    """Return what an answer says; None where it only leads to the next question.

    Args:
        about: The question, as the client's payload has it.
        body: The answer's bytes.
        session: For which it was asked; rows of build-ups carry no date of their own.
        received_at: Market time of receipt: what lies after it shows a wrong clock, or rows of
            an earlier session.

    Raises:
        SourceError: The answer cannot be used.
    """
    match about["kind"]:
        case "search":
            parse_stock_id(body, about["underlying"])
        case "expiries":
            parse_expiries(body)
        case "listing":
            return parse_listing(body, about["underlying"], date.fromisoformat(about["expiry"]))
        case "chain":
            return _chain(about, body, received_at)
        case "option_chain":
            expiry = date.fromisoformat(about["expiry"])
            return parse_option_chain(body, about["underlying"], expiry)
        case "build_ups":
            return parse_build_ups(body, session, received_at)
        case "malformed":
            parse_body(body)
            # What was asked is lost with its answer.
            raise PayloadInvalid("can be parsed now: ingest the session again")
        case kind:
            raise PayloadInvalid(f"no answers of kind {kind!r} are known")
    return None


def _chain(about: Mapping[str, Any], body: bytes, received_at: datetime | None) -> Ladder:
    ladder = parse_chain(body, about["underlying"])
    expiry = date.fromisoformat(about["expiry"])
    if ladder.expiry not in {None, expiry}:
        raise PayloadInvalid(f"asked for expiry {expiry}, answered for {ladder.expiry}")
    if received_at is not None and (updated := updated_at(body)) > received_at + CLOCKS_DIFFER:
        raise PayloadInvalid(
            f"updated at {updated}, received at {received_at}: one of the clocks is wrong"
        )
    return ladder._replace(expiry=expiry)
