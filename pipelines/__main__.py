"""`python -m pipelines`: the live feed process."""

import asyncio
import logging
import signal
import sys

import psycopg
from pydantic import ValidationError

from db.server.errors import DatabaseUnavailableError, SchemaOutdatedError
from db.server.timeouts import timed_out
from pipelines.ingest.desk import open_desk
from pipelines.live.clock_guard import ClockJumpedError
from pipelines.live.feed import AnotherFeedError, run
from pipelines.settings import Settings, fault_line
from strategy.errors import CalendarUnknownError

logger = logging.getLogger("pipelines.live.feed")


async def _follow(settings: Settings) -> None:
    feed = asyncio.current_task()
    if feed is None:
        raise RuntimeError("not in a task")
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, feed.cancel)
    try:
        async with open_desk(settings) as desk:
            await run(desk)
    except psycopg.OperationalError as error:
        raise _lost(error) from error
    except BaseExceptionGroup as group:
        ours, others = group.split((psycopg.OperationalError, ClockJumpedError))
        if ours is None or others is not None:
            raise
        cause = ours.exceptions[0]
        if isinstance(cause, ClockJumpedError):
            raise cause from group
        raise _lost(cause) from group


def _lost(error: BaseException) -> DatabaseUnavailableError:
    told = " ".join(str(error).split())
    if timed_out(error):
        return DatabaseUnavailableError(
            f"a question took too long ({told}): `optionscalp doctor` names who keeps it waiting"
        )
    return DatabaseUnavailableError(f"database lost: {told}")


def main() -> int:
    """Run until stopped; return the exit code. A lost database ends it, to be started again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        asyncio.run(_follow(Settings()))
    except ValidationError as error:
        logger.error("%s", fault_line(error))  # noqa: TRY400 - one clear line
        return 1
    except asyncio.CancelledError:
        return 0
    except (
        *(DatabaseUnavailableError, SchemaOutdatedError),
        *(AnotherFeedError, CalendarUnknownError, ClockJumpedError),
    ) as error:
        logger.error("%s", error)  # noqa: TRY400 - one clear line is what a user needs
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
