"""What lives as long as the server: the pool, the hub, the status watch, the logins."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette

from chartserver.errors import SettingsError
from chartserver.hub import Hub
from chartserver.logins import Logins
from chartserver.settings import Settings
from chartserver.status import StatusWatch
from chartserver.watchdog import watch_readers
from db.server.reader import Lookout, Pool, reader_pool


class State(TypedDict):
    """What request handlers find in `request.state`."""

    settings: Settings
    pool: Pool
    hub: Hub
    status: StatusWatch
    logins: Logins


Lifespan = Callable[[Starlette], AbstractAsyncContextManager[State]]


def make_lifespan(settings: Settings) -> Lifespan:
    """Return the lifespan of an application with these settings.

    Raises:
        SettingsError: They name no database.
    """
    if settings.database_url is None:
        raise SettingsError("DATABASE_URL is not set")
    dsn = settings.database_url.get_secret_value()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[State]:
        async with (
            reader_pool(dsn) as pool,
            aclosing(Lookout(dsn)) as lookout,
            asyncio.TaskGroup() as group,
        ):
            hub = Hub(dsn, pool, settings.clock, listen=settings.listen)
            status = StatusWatch(settings, pool, lookout, hub)
            await status.look()
            # Without a token nobody logs in, and this one finds nothing to do.
            token = settings.token.get_secret_value() if settings.token else ""
            logins = Logins(pool, token, settings)
            looks = (watch_readers(pool), logins.run())
            jobs = (hub.run(), hub.keep_alive(), status.run(), *looks)
            tasks = [group.create_task(job) for job in jobs]
            # For the server, which ends the streams before it waits for connections.
            app.state.hub = hub
            yield {
                "settings": settings,
                "pool": pool,
                "hub": hub,
                "status": status,
                "logins": logins,
            }
            hub.stop()
            for task in tasks:
                task.cancel()

    return lifespan
