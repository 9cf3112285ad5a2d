"""How long readers of a full database wait while it is migrated: `make test-long` measures it."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.errors import LockNotAvailable
from psycopg.sql import SQL, Identifier

from db.server.connection import connect
from db.server.hypertables import make_hypertables
from db.server.migrate import CREATE_RECORD, Migration, apply, migrations
from tests.long import in_full

# Those until here were released before anybody measured: they are never edited, docs/operations.md
# says what they cost.
MEASURED_BEFORE = "0023_strategies.sql"
LONGEST_WAIT = "1s"
NO_LIMIT = "0"

# What the first migration's tables hold after some months, most of it candles: 40 symbols.
FILL = b"""
insert into candle
select symbol, 1, open_time, 'NIFTY', 100, 101, 99, 100, 65, 6500, 'tradingview',
       open_time + interval '1 minute', true
  from generate_series(0, 66) day, generate_series(0, 374) minute,
       lateral (select timestamptz '2025-11-03 03:45Z' + make_interval(days => day, mins => minute)
                       as open_time) t,
       (select 'NIFTY' as symbol
         union all select 'NIFTY260127' || k || 25000 + 50 * n
                     from generate_series(0, 19) n, unnest(array['C', 'P']) k limit 40) s;
insert into contract
select distinct symbol, 'NIFTY', date '2026-01-27', right(symbol, 5)::integer,
       substring(symbol from 12 for 1), 65, date '2025-11-03', date '2026-01-08', 'trendlyne'
  from candle where symbol <> 'NIFTY';
insert into build_up
select symbol, open_time, 'NIFTY', open_time + interval '5 minutes', 100, 6500, 65, 325,
       'long_build_up', 'trendlyne', open_time + interval '8 minutes'
  from candle where symbol <> 'NIFTY' and extract(minute from open_time)::integer % 5 = 0;
insert into chain_oi
select 'NIFTY', '2026-01-27', 23000 + 50 * n, open_time, 6500, 5200, 6435, 5265, 'trendlyne',
       open_time + interval '8 minutes'
  from candle, generate_series(0, 39) n
 where symbol = 'NIFTY' and extract(minute from open_time)::integer % 5 = 0;
insert into raw_payload (source, request, session, received_at, sha256, body)
select 'trendlyne', 'GET ' || n % 50, '2025-11-03'::date + n % 60,
       timestamptz '2025-11-03 03:45Z' + make_interval(secs => n), sha256(int4send(n)),
       convert_to(repeat(md5(n::text), 60), 'UTF8')
  from generate_series(1, 50000) n;
insert into change_log (relation, underlying, symbol, interval_minutes, moment)
select 'candle', 'NIFTY', symbol, 1, open_time from candle limit 200000;
"""
# What has come since.
FILL_AT_RELEASE = b"""
insert into greeks
select symbol, 1, open_time, 'NIFTY', 25000, 'future', 0.12, 0.5, 0.001, -9, 12, known_at
  from candle where symbol <> 'NIFTY' limit 300000;
insert into forming
select symbol, 1, open_time, 'NIFTY', 100, 101, 99, 100, 65, 'tradingview', known_at
  from candle limit 300000;
insert into quote
select symbol, open_time, 99.95, 100.05, 65, 65, 'upstox', known_at
  from candle where symbol <> 'NIFTY' limit 300000;
insert into source_version
select 'candle', jsonb_build_object('symbol', symbol, 'interval_minutes', 1), 'upstox' || n % 2000,
       open_time, '{"close": 100}', known_at
  from (select *, row_number() over () as n from candle limit 80000) c
    on conflict do nothing;
"""
TABLES = """
select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
"""


class Reader:
    """Reads every table there is, again and again, and keeps how long the longest answer took."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._began, self._ended = threading.Event(), threading.Event()
        self.longest = 0.0
        self.table = "none"

    def run(self, lock_timeout: str) -> None:
        try:
            with connect(self._dsn) as connection:
                connection.execute("select set_config('lock_timeout', %s, false)", (lock_timeout,))
                while not self._ended.is_set():
                    self._read_all(connection)
                    self._began.set()
        finally:
            self._began.set()

    def _read_all(self, connection: psycopg.Connection) -> None:
        for (table,) in connection.execute(TABLES).fetchall():
            began = time.monotonic()
            connection.execute(SQL("select from {} limit 1").format(Identifier(table)))
            took = time.monotonic() - began
            if took > self.longest:
                self.longest, self.table = took, table

    @contextmanager
    def reading(self, lock_timeout: str) -> Iterator[None]:
        """Read beside the block; a wait for a lock that was longer ends in an error."""
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(self.run, lock_timeout)
            self._began.wait()
            try:
                yield
            finally:
                self._ended.set()
        running.result()


@in_full
@pytest.mark.timeout(1800)
def test_no_reader_of_a_million_candles_waits_for_a_new_migration_longer_than_a_second(
    empty_database: str, capsys: pytest.CaptureFixture[str]
):
    with connect(empty_database) as connection:
        connection.execute(CREATE_RECORD)
        for migration in migrations():
            reader = Reader(empty_database)
            before = migration.name <= MEASURED_BEFORE
            with reader.reading(NO_LIMIT if before else LONGEST_WAIT):
                began = time.monotonic()
                apply(connection, migration)
                took = time.monotonic() - began
            with capsys.disabled():
                print(
                    f"{migration.name}: {took:.2f} s; longest answer to a reader"
                    f" {reader.longest:.2f} s ({reader.table})"
                )
            if migration.name == migrations()[0].name:
                connection.execute(FILL)
                rows = connection.execute("select count(*) from candle").fetchone()
                assert rows
                assert rows[0] >= 1_000_000
            if migration.name == MEASURED_BEFORE:
                connection.execute(FILL_AT_RELEASE)
                make_hypertables(connection, move_rows=True)


def test_a_migration_that_keeps_readers_waiting_is_found(database: str, connection):
    slow = Migration("9999_slow.sql", b"lock table contract; select pg_sleep(2)")
    with pytest.raises(LockNotAvailable), Reader(database).reading(LONGEST_WAIT):
        apply(connection, slow)
