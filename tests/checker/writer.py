"""A process that publishes batch after batch as the feed does, and says what became of each."""

import sys
import time
from contextlib import closing

import psycopg
from psycopg import Connection

from db.server.connection import connect
from db.server.errors import DatabaseUnavailableError
from db.writing.bulk import write
from db.writing.relations import BUILD_UP, CANDLE
from tests.checker.batches import BATCHES, build_ups, candles

PAUSE_SECONDS = 0.25


def main(dsn: str, writer: str, first: int) -> None:
    """Write until killed; a batch that fails is written again until it is acknowledged."""
    number = first
    while True:
        try:
            with closing(connect(dsn)) as connection:
                while number < BATCHES:
                    store(connection, writer, number)
                    number += 1
                    time.sleep(PAUSE_SECONDS)
                raise SystemExit("no more batches: let fewer be written")
        except (psycopg.Error, DatabaseUnavailableError) as error:
            print("failed", number, repr(str(error)), flush=True)
            time.sleep(PAUSE_SECONDS)


def store(connection: Connection, writer: str, number: int) -> None:
    """Write one batch."""
    print("sent", number, flush=True)
    write(connection, CANDLE, candles(writer, number))
    write(connection, BUILD_UP, build_ups(writer, number))
    print("stored", number, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
