"""Looks after the readers of the database: nobody else is always there and may end them."""

import asyncio
import logging
from functools import partial

import psycopg

from chartserver.errors import brief
from db.server.reader import Pool, read
from db.server.readers import USUAL, end_long_readers

logger = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
LIMITS = USUAL


async def watch_readers(pool: Pool) -> None:
    """End sessions of readers that are too long, for ever."""
    while True:
        try:
            ended = await read(pool, partial(end_long_readers, limits=LIMITS))
            for pid, user, state in ended:
                logger.warning("ended the session %d of %s, %s for too long", pid, user, state)
        except (psycopg.Error, OSError) as error:
            logger.debug("readers not looked at: %s", brief(error))
        await asyncio.sleep(LOOK_SECONDS)
