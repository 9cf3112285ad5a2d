"""The hub's parts: queue, ring, heartbeat, status; and the hub at its limits."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from chart_help import OPEN, candle, seconds

import chartserver.hub
from chartserver.follow import follow
from chartserver.frames import PING, Batch, Frame, candle_object, encode
from chartserver.hub import Hub
from chartserver.payload import Coding, Gzip, Payload
from chartserver.ring import Ring
from chartserver.subscription import Notice, Subscription
from db.pages.change_log import Change, Cursor
from db.server.connection import connect
from db.server.reader import connect_reader, reader_pool
from db.writing.bulk import write
from db.writing.relations import CANDLE
from strategy.clock import MarketClock

CLOCK = MarketClock.real()


def batch(*numbers: int, underlying: str = "NIFTY") -> Batch:
    frames = [Frame(number, underlying, b"%d " % number) for number in numbers]
    return Batch(Cursor("e", numbers[-1]), frames)


async def with_hub(dsn: str, use: Callable[[Hub], Awaitable[None]], **options) -> None:
    async with reader_pool(dsn) as pool:
        hub = Hub(dsn, pool, CLOCK, **options)
        task = asyncio.create_task(hub.run())
        try:
            await use(hub)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def test_all_clients_of_an_underlying_share_the_same_bytes():
    changes = [Change(1, candle("NIFTY")), Change(2, candle("BANKNIFTY"))]
    made = encode(changes, Cursor("e", 2))
    assert made.payload("NIFTY").plain is made.payload("NIFTY").plain
    assert made.payload("NIFTY").packed is made.payload("NIFTY").packed
    assert made.payload("NIFTY").plain.endswith(b"\nid: e:1\n\n")
    assert made.payload("BANKNIFTY").plain.count(b"event: candle") == 1
    assert made.payload(None).events == 2


def test_shared_bytes_are_compressed_for_the_first_client_that_wants_it():
    payload = encode([Change(1, candle())], Cursor("e", 1)).payload(None)
    Coding().encode(payload)
    assert "packed" not in vars(payload)
    first = Gzip().encode(payload)
    assert first.endswith(vars(payload)["packed"])


def test_compressed_payloads_mean_the_same_in_any_order_and_every_one_is_whole():
    payloads = [Payload(b"event: %d\n\n" % number * 50) for number in range(4)]
    for order in (payloads, payloads[::-1], payloads[:1], []):
        coding, unpacker = Gzip(), zlib.decompressobj(wbits=31)
        for payload in order:
            assert unpacker.decompress(coding.encode(payload)) == payload.plain
            assert len(payload.packed) < len(payload.plain)
        assert unpacker.decompress(coding.end()) == b""
        assert unpacker.eof


def test_a_stored_number_that_json_lacks_becomes_null():
    assert candle_object(candle(close=float("nan")))["c"] is None


def test_the_ring_gives_what_follows_a_number_or_nothing():
    ring = Ring(keep_frames=4)
    ring.restart(10)
    for numbers in ((11, 12), (13,), (14, 15)):
        ring.append(batch(*numbers))
    assert ring.start == 12
    assert ring.after(11) is None
    assert [found.cursor.seq for found in ring.after(12)] == [13, 15]
    assert [found.cursor.seq for found in ring.after(14)] == [15]
    assert list(ring.after(15)) == []


def test_the_ring_forgets_what_is_old():
    ring = Ring(keep_seconds=-1.0)
    ring.append(batch(1))
    assert ring.start == 1


def test_a_full_queue_refuses_and_a_closed_one_ends():
    async def use() -> None:
        subscription = Subscription(None, limit=2)
        assert subscription.offer(batch(1))
        assert subscription.offer(batch(2))
        assert not subscription.offer(batch(3))
        assert [item.cursor.seq for item in await subscription.take()] == [1, 2]
        waiting = asyncio.create_task(subscription.take())
        await asyncio.sleep(0)
        subscription.close("overflow")
        assert await waiting == []

    asyncio.run(use())


def test_closing_reaches_a_task_that_is_stuck_in_a_send():
    async def use() -> None:
        subscription = Subscription(None)
        stuck = asyncio.create_task(asyncio.Event().wait())
        subscription.abort = stuck.cancel
        await asyncio.sleep(0)
        subscription.close("overflow")
        with pytest.raises(asyncio.CancelledError):
            await stuck

    asyncio.run(use())


def test_heartbeats_go_to_everybody_and_stuck_clients_are_closed(monkeypatch, database):
    monkeypatch.setattr(chartserver.hub, "PING_SECONDS", 0.001)
    monkeypatch.setattr(chartserver.hub, "SEND_TIMEOUT_SECONDS", 0.0)

    async def use(hub: Hub) -> None:
        beat = asyncio.create_task(hub.keep_alive())
        with hub.register(None) as idle, hub.register("NIFTY") as stuck:
            stuck.sending_since = asyncio.get_running_loop().time() - 1
            (notice,) = (await idle.take())[:1]
            assert notice == Notice({None: PING})
            assert await stuck.take() == []
            assert stuck.closed == "send timeout"
            assert idle.closed is None
        beat.cancel()

    asyncio.run(with_hub(database, use))


def test_the_first_live_batch_is_cut_where_the_client_stands(connection, database):
    """A history read a moment ago may be ahead of the hub."""

    async def use() -> None:
        async with reader_pool(database) as pool, await connect_reader(database) as reader:
            hub = Hub(database, pool, CLOCK)
            await hub.catch_up(reader)
            write(connection, CANDLE, [candle(minute=minute) for minute in range(5)])
            with hub.register(None) as subscription:
                ahead = Cursor(hub.cursor.epoch, 3)
                first = asyncio.create_task(anext(follow(hub, ahead, subscription)))
                await hub.catch_up(reader)
                payload = await first
        assert payload.events == 2
        assert b":3\n" not in payload.plain
        assert b":4\n" in payload.plain

    asyncio.run(use())


def test_who_was_ahead_of_the_hub_and_read_what_is_lost_is_reset_and_nobody_else(
    connection, database
):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(3)])

    async def use() -> None:
        async with reader_pool(database) as pool, await connect_reader(database) as reader:
            hub = Hub(database, pool, CLOCK)
            await hub.catch_up(reader)
            write(connection, CANDLE, [candle(minute=minute) for minute in range(3, 5)])
            with hub.register(None) as one, hub.register(None) as other:
                ahead = follow(hub, Cursor(hub.cursor.epoch, 5), one)
                assert (await anext(ahead)).events == 0
                behind = asyncio.create_task(anext(follow(hub, None, other)))
                await asyncio.sleep(0)
                lose_what_follows(connection, 3)
                write(connection, CANDLE, [candle(minute=minute) for minute in range(10, 14)])
                await hub.catch_up(reader)
                assert (await anext(ahead)).plain.startswith(b"event: reset")
                assert (await anext(ahead)).events == (await behind).events == 4

    asyncio.run(use())


def lose_what_follows(connection, seq: int) -> None:
    """Bring the log to the state of a copy that was put back, as a server finds it."""
    connection.execute("delete from change_log where seq > %s", (seq,))
    connection.execute("select setval(pg_get_serial_sequence('change_log', 'seq'), %s)", (seq,))
    connection.execute("update feed_meta set place = 'before'")


@pytest.mark.parametrize("since", [0, 5])
def test_too_long_a_backlog_is_a_reset(connection, database, since):
    write(connection, CANDLE, [candle(minute=minute) for minute in range(40)])

    async def use(hub: Hub) -> None:
        cursor = await hub.ready()
        hub.ring.restart(cursor.seq)
        with hub.register(None) as subscription:
            chunks = follow(hub, Cursor(cursor.epoch, since), subscription)
            payload = await anext(chunks)
            await chunks.aclose()
        assert b'event: reset\ndata: {"reason":"backlog"}' in payload.plain

    asyncio.run(with_hub(database, use, backlog=30))


def test_a_hub_that_was_away_too_long_resets_its_clients(connection, database):
    async def use(hub: Hub) -> None:
        await hub.ready()
        with hub.register(None) as subscription:
            write(connection, CANDLE, [candle(minute=minute) for minute in range(40)])
            (notice,) = await subscription.take()
            assert b'"reason":"backlog"' in notice.payloads[None].plain
            assert hub.cursor.seq == 40

    asyncio.run(with_hub(database, use, backlog=30))


class Looking(Hub):
    """Counts how often it looks."""

    looks = 0

    async def catch_up(self, connection) -> None:
        self.looks += 1
        await super().catch_up(connection)


def test_a_flood_of_notifications_costs_clients_nothing(connection, database):
    """Whoever can read can notify, and nobody can forbid it."""
    flood = "select pg_notify('feed', n || repeat('x', 1000)) from generate_series(1, 500) n"
    turns = 60

    def notify() -> None:
        with connect(database) as reader:
            reader.execute("set role optionscalp_reader")
            for turn in range(turns):
                reader.execute(flood)
                write(connection, CANDLE, [candle(minute=turn)])
                for number in range(200):
                    reader.execute("select pg_notify('feed', %s)", (str(number),))

    async def use() -> None:
        async with reader_pool(database) as pool:
            hub = Looking(database, pool, CLOCK)
            task = asyncio.create_task(hub.run())
            await hub.ready()
            with hub.register(None) as subscription:
                flooding = asyncio.create_task(asyncio.to_thread(notify))
                numbers = []
                while len(numbers) < turns:
                    for item in await subscription.take():
                        numbers += [frame.seq for frame in item.frames]
                await flooding
                assert numbers == list(range(1, turns + 1))
                assert hub.looks < turns * 20  # of 42,000 notifications
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(use())


def test_the_change_reaches_clients_without_notify(connection, database):
    async def use(hub: Hub) -> None:
        await hub.ready()
        with hub.register("NIFTY") as subscription:
            write(connection, CANDLE, [candle(), candle("BANKNIFTY")])
            (item,) = await subscription.take()
        assert [frame.underlying for frame in item.frames] == ["BANKNIFTY", "NIFTY"]
        assert b'"t":%d' % seconds(OPEN) in item.payload("NIFTY").plain

    asyncio.run(with_hub(database, use, listen=False))
