"""The application: routes and middleware, nothing opened."""

from starlette.applications import Starlette
from starlette.middleware import Middleware

from chartserver.auth import RequireToken
from chartserver.clients import FairShares, Shares
from chartserver.errors import EXCEPTION_HANDLERS
from chartserver.hosts import AllowedHosts
from chartserver.lifespan import make_lifespan
from chartserver.pages import Pages
from chartserver.routes import (
    chain,
    description,
    health,
    history,
    page,
    replay,
    signals,
    stream,
    sweeps,
)
from chartserver.settings import Settings
from chartserver.taken import KnownParameters


def create_app(settings: Settings, pages: Pages | None = None) -> Starlette:
    """Return the chart server of some settings; its lifespan opens the database.

    The pages are by default those beside this package.

    Raises:
        SettingsError: The settings name no database, npm packages are missing, or the pages'
            files are incomplete.
    """
    token, shares = settings.token, Shares(settings)
    logins = [Middleware(RequireToken, token.get_secret_value(), shares)] if token else []
    guards = [
        Middleware(AllowedHosts, settings.allowed_hosts, settings.host),
        *logins,
        Middleware(FairShares, shares),
        Middleware(KnownParameters),
    ]
    return Starlette(
        routes=[
            *stream.routes,
            *history.routes,
            *replay.routes,
            *signals.routes,
            *sweeps.routes,
            *chain.routes,
            *health.routes,
            *description.routes,
            *page.routes(pages or Pages(has_logins=token is not None)),
        ],
        middleware=guards,
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=make_lifespan(settings),
    )
