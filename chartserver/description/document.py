"""The description as a document of OpenAPI 3.1."""

from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from chartserver.description.operations import OPERATIONS, Operation
from chartserver.description.shapes import Schema, hoist, listed, record, text, whole

# Errors that every address may give, by status: what they mean and which details they have.
EVERYWHERE = {
    401: ("neither a login nor the token", ""),
    421: ("the server does not answer to that name", ""),
    429: ("the client has all that one may have, or sent too many wrong tokens", "`limit`"),
    503: ("the database does not answer, or too many questions are asked of it at once", ""),
    504: ("the question took too long: a table is locked, or too much is asked", ""),
}
BY_ADDRESS = {
    400: (
        "a parameter has a wrong value, comes twice, or is none of this address",
        "`parameter`, `allowed`",
    ),
    404: (
        "not stored: a symbol of `symbols`, a signal, a sweep, the ladder of an expiry; no such"
        " address",
        "`symbols`",
    ),
    413: ("the range is too large", "`limit_days`; of symbols times days, `limit_symbol_days`"),
}
# Of whatever is asked, before it is known for what.
OF_REQUESTS = {
    405: ("the address takes GET and HEAD; `Allow`", ""),
    408: ("the request did not arrive in time", ""),
    431: ("the request is too large", ""),
}
WITH_RETRY = {429, 503}

ERROR = record(
    "Error",
    "The one shape of errors, with details where they help.",
    ("parameter", "allowed", "symbols", "limit", "limit_days", "limit_symbol_days"),
    error=text("a sentence"),
    status=whole("as the answer's"),
    parameter=text("which one is wrong"),
    allowed={
        "type": ["string", "array"],
        "items": {"type": "string"},
        "description": "in words, or all values",
    },
    symbols=listed("those that are not stored", text("")),
    limit=whole("how many of them one client may have"),
    limit_days=whole("how long a range may be", "days"),
    limit_symbol_days=whole("how many symbols times days there may be"),
)


@cache
def describe() -> dict[str, Any]:
    """Return the document; callers leave it as it is."""
    found: dict[str, Schema] = {}
    error = hoist(ERROR, found)
    paths = {one.path: {"get": hoist(_operation(one), found)} for one in OPERATIONS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OptionScalp",
            "version": version("optionscalp"),
            "description": "Market data of Nifty and Bank Nifty options: every value with the"
            " moment it became knowable. Times are whole UTC seconds, dates are India's.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"login": []}],
        "paths": paths,
        "components": {
            "schemas": found,
            "responses": {
                str(status): _error(status, about, error)
                for status, (about, _) in (BY_ADDRESS | EVERYWHERE | OF_REQUESTS).items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`CHART_TOKEN`"},
                "login": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "chart_login",
                    "description": "what a browser has after its login",
                },
            },
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    if one.answer is not None:
        content: Schema = {"application/json": {"schema": one.answer}}
    else:
        content = {one.media: {"schema": {"type": "string"}}}
    responses = {"200": {"description": one.summary, "content": content}}
    is_health = one.path == "/healthz"
    for status in sorted({*one.errors, *EVERYWHERE, *OF_REQUESTS} - {405}):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    if is_health:
        del responses["401"]
        responses["503"] = {"description": "The database does not answer.", "content": content}
    return {
        "operationId": one.name,
        "summary": one.summary,
        **({"description": one.about} if one.about else {}),
        **({"security": []} if is_health else {}),
        **({"parameters": list(one.parameters)} if one.parameters else {}),
        "responses": responses,
    }


def _error(status: int, about: str, schema: Schema) -> dict[str, Any]:
    whole_seconds = {"description": "seconds", "schema": {"type": "integer", "minimum": 0}}
    return {
        "description": f"{HTTPStatus(status).phrase}: {about}.",
        **({"headers": {"Retry-After": whole_seconds}} if status in WITH_RETRY else {}),
        "content": {"application/json": {"schema": schema}},
    }
