"""`python -m chartserver`: serve until SIGTERM or Ctrl-C."""

import logging
import signal
import sys
from contextlib import ExitStack
from types import FrameType

from pydantic import SecretStr

import db.server.embedded
from chartserver.app import create_app
from chartserver.errors import SettingsError
from chartserver.server import Server, bind, drop_expected
from chartserver.settings import Settings, read_settings
from db.server.connection import connect
from db.server.errors import (
    DatabaseUnavailableError,
    EmbeddedServerError,
    MigrationChangedError,
    SchemaOutdatedError,
)
from db.server.migrate import require_current

logger = logging.getLogger("chartserver")


def serve(settings: Settings) -> None:
    """Serve until a signal.

    Raises:
        SettingsError: The address or the packages cannot be used.
        DatabaseUnavailableError: Nothing answers at DATABASE_URL.
        SchemaOutdatedError: Migrations are missing.
    """
    with ExitStack() as stack:
        if settings.database_url is None:
            dsn = stack.enter_context(db.server.embedded.use(settings.home))
            settings = settings.model_copy(update={"database_url": SecretStr(dsn)})
        else:
            dsn = settings.database_url.get_secret_value()
        with connect(dsn) as connection:
            require_current(connection)
        sock = stack.enter_context(bind(settings))
        app = create_app(settings)
        host, port = sock.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        logger.info("listening on http://%s:%s", shown, port)
        Server(app, settings).run(sockets=[sock])


def main() -> None:
    """Run the server; a problem at the start is one line and exit code 1."""
    # uvicorn, once it has stopped, sends itself the signal again: that must not end the process
    # before the embedded server is left, which the last one to leave stops.
    signal.signal(signal.SIGTERM, _leave)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn.error").addFilter(drop_expected)
    # The hub says once that the database is out; the pool would say it at every try.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    try:
        serve(read_settings())
    except (
        SettingsError,
        DatabaseUnavailableError,
        EmbeddedServerError,
        MigrationChangedError,
        SchemaOutdatedError,
    ) as error:
        sys.exit(f"chart server: {error}")


def _leave(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()
