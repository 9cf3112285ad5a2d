"""How the firewall before Trendlyne refuses, as public clients measured it in 2026. Pure.

HTTP 405 or 202 with the header `x-amzn-waf-action` and a page instead of JSON, for about ten
minutes, by the number of requests and not by their rate. A page in place of data is taken for the
same, whatever its status, but for errors of the server itself.
"""

from collections.abc import Mapping
from datetime import timedelta

from pipelines.sources.errors import SourceRefused
from pipelines.sources.politeness import retry_after

ACTION = "x-amzn-waf-action"
STATUSES = (202, 405)
PAUSE = timedelta(minutes=10)
REMEDY = (
    "open the site once in a browser, or set TRENDLYNE_USER_AGENT / TRENDLYNE_COOKIE_FILE to that"
    " browser's"
)


def refusal(
    what: str, status: int, headers: Mapping[str, str], body: bytes
) -> SourceRefused | None:
    """Return the refusal that an answer is; None for data, and for errors of another kind.

    It pauses for ten minutes at least. HTTP 401, 403 and 429 are refusals of their own, without a
    pause unless they ask for one.
    """
    action = headers.get(ACTION)
    page = status == 200 and _is_page(headers, body)
    if action is None and status not in STATUSES and not page:
        return None
    seen = f"HTTP {status}" + (f", {ACTION}: {action}" if action else "")
    error = SourceRefused(f"{what} answers with a page of the site's firewall ({seen}): {REMEDY}")
    error.status = status
    error.retry_after = max(PAUSE, retry_after(headers) or PAUSE)
    return error


def _is_page(headers: Mapping[str, str], body: bytes) -> bool:
    return headers.get("Content-Type", "").startswith("text/html") or body.lstrip()[:1] == b"<"
