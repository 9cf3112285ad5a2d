"""`GET /`, `/replay`, `/signals` and `/sweeps`: the pages and their files."""

from collections.abc import Sequence

from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from chartserver import bundle
from chartserver.errors import PagesError, error_response
from chartserver.markup import PAGES
from chartserver.modules import LIBRARIES
from chartserver.pages import REVALIDATE, Pages

COMPRESSED = [Middleware(GZipMiddleware)]


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
        # Compressed or not, it is the same to readers but not byte for byte.
        response.headers["ETag"] = f"W/{response.headers['ETag'].removeprefix('W/')}"
        return response


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Return the routes of the pages and all their files."""
    modules = Modules(directory=pages.static)

    async def get_page(request: Request) -> Response:
        """Return the page of an address."""
        try:
            return pages.page(request.url.path).respond(request)
        except PagesError as error:
            return error_response(str(error), 500)

    async def get_bundled(request: Request) -> Response:
        """Return a file whose address never means another."""
        asset = pages.file(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        return asset.respond(request)

    async def get_library(request: Request) -> Response:
        """Return the chart library from where npm put it."""
        return modules.file_response(pages.library, pages.library.stat(), request.scope)

    # What lies in a folder comes before the folder.
    return [
        *(Route(path, get_page) for path in PAGES),
        Route(f"{bundle.ADDRESS}{{name}}", get_bundled),
        Route(LIBRARIES["lightweight-charts"], get_library, middleware=COMPRESSED),
        Mount("/static", modules, middleware=COMPRESSED),
    ]
