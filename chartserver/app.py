"""The application: routes and middleware, nothing opened."""

from starlette.applications import Starlette
from starlette.middleware import Middleware

from chartserver.auth import RequireToken
from chartserver.errors import EXCEPTION_HANDLERS
from chartserver.lifespan import make_lifespan
from chartserver.routes import chain, health, history, page, replay, signals, stream
from chartserver.settings import Settings


def create_app(settings: Settings) -> Starlette:
    """Return the chart server of some settings; its lifespan opens the database.

    Raises:
        SettingsError: The settings name no database, or npm packages are missing.
    """
    page.require_packages()
    token = settings.token
    guards = [Middleware(RequireToken, token.get_secret_value())] if token else []
    return Starlette(
        routes=[
            *stream.routes,
            *history.routes,
            *replay.routes,
            *signals.routes,
            *chain.routes,
            *health.routes,
            *page.routes(),
        ],
        middleware=guards,
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=make_lifespan(settings),
    )
