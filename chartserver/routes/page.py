"""`GET /`, `GET /replay` and `GET /signals`: the pages and their modules."""

import base64
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from chartserver.errors import SettingsError
from chartserver.markup import PAGES, read_markup
from chartserver.modules import LIBRARIES, elements

STATIC = Path(__file__).parent.parent / "static"
CHARTS = (
    Path(__file__).parent.parent
    / "node_modules/lightweight-charts/dist/lightweight-charts.standalone.production.mjs"
)
# Asked again each time, answered with 304 while unchanged: an update shows at the next load.
REVALIDATE = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}

_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


class Modules(StaticFiles):
    """Static files that browsers revalidate; markup is for the pages only."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        if path.endswith(".html"):
            raise HTTPException(404)
        return await super().get_response(path, scope)

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


def content_security_policy(page: str) -> str:
    """Return the policy of a page: nothing but this server, and the page's own inline scripts."""
    # An import map can only be inline; its hash allows it and nothing else.
    hashes = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _INLINE_SCRIPT.findall(page)
    ]
    scripts = " ".join(["'self'", *(f"'sha256-{value}'" for value in hashes)])
    return (
        f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
        " form-action 'self'"
    )


def page_route(path: str, page: str) -> Route:
    """Return the route of a page."""
    etag = f'"{hashlib.sha256(page.encode()).hexdigest()[:32]}"'
    headers = {**REVALIDATE, "ETag": etag, "Content-Security-Policy": content_security_policy(page)}

    async def get_page(request: Request) -> Response:
        """Return the page, or that it is unchanged."""
        if etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return HTMLResponse(page, headers=headers)

    return Route(path, get_page)


async def get_charts(request: Request) -> Response:
    """Return the chart library from where npm put it."""
    return MODULES.file_response(CHARTS, CHARTS.stat(), request.scope)


def routes() -> Sequence[BaseRoute]:
    """Return the routes; the vendor module's comes before the folder around it.

    Raises:
        PagesError: A page's files are incomplete.
    """
    pages = []
    for path, name in PAGES.items():
        markup = read_markup(STATIC, name)
        pages.append(page_route(path, markup.page([*elements(STATIC, markup.assets)])))
    return [
        *pages,
        Route(LIBRARIES["lightweight-charts"], get_charts),
        Mount("/static", MODULES),
    ]
