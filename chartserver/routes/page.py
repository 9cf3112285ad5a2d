"""`GET /`, `GET /replay` and `GET /signals`: the pages and their modules, served as they are."""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from chartserver.errors import SettingsError

STATIC = Path(__file__).parent.parent / "static"
CHARTS = (
    Path(__file__).parent.parent
    / "node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs"
)
VENDOR_PATH = "/static/vendor/lightweight-charts.mjs"
PAGES = {"/": "index.html", "/replay": "replay.html", "/signals": "signals.html"}
# Asked again each time, answered with 304 while unchanged: an update shows at the next load.
REVALIDATE = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


class Modules(StaticFiles):
    """Static files that browsers revalidate."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Return a file with its caching headers."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(REVALIDATE)
        return response


MODULES = Modules(directory=STATIC, check_dir=False)


def require_packages() -> None:
    """Check that the npm packages are there.

    Raises:
        SettingsError: They are not.
    """
    if not CHARTS.is_file():
        raise SettingsError("lightweight-charts is not installed: run `make setup`")


def content_security_policy(page: Path) -> str:
    """Return the policy of a page: nothing but this server, and the page's own inline scripts."""
    # An import map can only be inline; its hash allows it and nothing else.
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _INLINE_SCRIPT.findall(page.read_text("utf-8"))
    ]
    scripts = " ".join(["'self'", *(f"'sha256-{value}'" for value in hashes)])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
        " form-action 'self'"
    )


def _page(name: str) -> Path:
    page = STATIC / name
    # One document may serve both addresses.
    return page if page.is_file() else STATIC / "index.html"


async def get_page(request: Request) -> Response:
    """Return the page of an address."""
    page = _page(PAGES[request.url.path])
    response = MODULES.file_response(page, page.stat(), request.scope)
    response.headers["Content-Security-Policy"] = content_security_policy(page)
    return response


async def get_charts(request: Request) -> Response:
    """Return the chart library from where npm put it."""
    return MODULES.file_response(CHARTS, CHARTS.stat(), request.scope)


def routes() -> Sequence[BaseRoute]:
    """Return the routes; the vendor module's comes before the folder around it."""
    return [
        *(Route(path, get_page) for path in PAGES),
        Route(VENDOR_PATH, get_charts),
        Mount("/static", MODULES),
    ]
