"""The form that asks for the token, and where it leads."""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse, Response

NOT_KEPT = {"Cache-Control": "no-store"}

FORM = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>OptionScalp</title>
<form method="post" action="{action}"><p>{message}</p>
<label>Token <input type="password" name="token" autofocus autocomplete="current-password"></label>
<button>Open</button></form></html>
"""
RELOAD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="0">
<title>OptionScalp</title></html>
"""


def ask(
    action: str, message: str, status: int = 401, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the form, with what is to be said above it."""
    page = FORM.format(action=escape(action), message=escape(message))
    return HTMLResponse(page, status, {**NOT_KEPT, **(headers or {})})


def reload_here() -> Response:
    """Return a page that asks for its own address once more.

    A link on another site, or in a message, comes without the cookie; the page itself sends it.
    """
    return HTMLResponse(RELOAD, 401, NOT_KEPT)


def local(target: str) -> str:
    """Return a path on this server; never another site, whatever a link says."""
    parts = urlsplit(target)
    safe = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if safe and not parts.netloc else "/"
