"""What befalls a desk: each does its harm and leaves everything running again."""

import asyncio
import os
import shutil
import signal
import subprocess
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import db.server.embedded
from db.server.backup import back_up, put_back
from db.server.connection import connect, create_database
from optionscalp.output import progress
from tests.checker.desk import Desk
from tests.small_disk import Fill

Nemesis = Callable[[Desk], Awaitable[None]]
PAUSE_SECONDS = 2
OTHERS = """
select pid from pg_stat_activity
 where datname = current_database() and backend_type = 'client backend'
   and pid <> pg_backend_pid()
"""


async def writer_killed(desk: Desk) -> None:
    """In the middle of whatever it writes."""
    writer = desk.chance.choice(desk.writers)
    await writer.kill()
    await writer.start()


async def writer_paused(desk: Desk) -> None:
    """Perhaps while it holds the lock that all who publish wait for."""
    writer = desk.chance.choice(desk.writers)
    writer.signal(signal.SIGSTOP)
    await asyncio.sleep(PAUSE_SECONDS)
    writer.signal(signal.SIGCONT)


async def chart_server_killed(desk: Desk) -> None:
    """And another one started, which knows nothing of its clients."""
    await desk.kill_chart()
    await desk.start_chart()


async def chart_server_paused(desk: Desk) -> None:
    """So that everything piles up."""
    desk.chart.process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(PAUSE_SECONDS)
    desk.chart.process.send_signal(signal.SIGCONT)


async def notify_off(desk: Desk) -> None:
    """Until the chart server is killed the next time."""
    await desk.kill_chart()
    await desk.start_chart(listen=False)


async def connections_cut(desk: Desk) -> None:
    """All at once."""
    desk.proxy.cut()


async def connections_half_open(desk: Desk) -> None:
    """Only the clients' own patience ends these."""
    desk.proxy.half_open()


async def connections_slow(desk: Desk) -> None:
    """Every piece comes late."""
    desk.proxy.hold(1.0)
    await asyncio.sleep(PAUSE_SECONDS)
    desk.proxy.hold(0.0)


async def backends_terminated(desk: Desk) -> None:
    """Those of writers and of the chart server, as an administrator may."""
    query = f"select pg_terminate_backend(pid) from ({OTHERS}) others"
    with connect(desk.dsn) as connection:
        connection.execute(query)


@asynccontextmanager
async def _lost_since(desk: Desk) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Lose what is written from here on, until what is yielded has been awaited.

    Everyone has read some of it by then. Of three restores the first two are noticed only when as
    many numbers as were lost have been given again: until then the chart server is dead in the
    first, and stands still in the second.
    """
    kept, begins = dict(desk.written.acknowledged), [writer.stored for writer in desk.writers]
    dead, still = desk.restores % 3 == 0, desk.restores % 3 == 1

    async def end() -> None:
        await desk.everyone_has_newer()
        await desk.kill_writers()
        desk.restores += 1
        if dead:
            await desk.kill_chart()
        elif still:
            desk.chart.process.send_signal(signal.SIGSTOP)

    try:
        yield end
        ends = [writer.stored for writer in desk.writers]
        desk.written.acknowledged = kept
        await desk.start_writers()
        if dead or still:
            goals = [2 * end - begin + 2 for begin, end in zip(begins, ends, strict=True)]
            await desk.writers_reach(goals)
        if dead:
            await desk.start_chart()
    finally:
        desk.chart.process.send_signal(signal.SIGCONT)


async def dump_put_back(desk: Desk) -> None:
    """Into the same server, under the running chart server; what was written since is gone."""
    dump = desk.folder / f"{uuid4().hex}.dump"
    async with _lost_since(desk) as begin:
        await to_thread(back_up, desk.dsn, dump, progress)
        await begin()
        await to_thread(create_database, desk.dsn, anew=True)
        await to_thread(put_back, desk.dsn, dump, progress)
        dump.unlink()


async def backend_killed(desk: Desk) -> None:
    """As by the kernel when memory is short: PostgreSQL ends all others and recovers."""
    with connect(desk.dsn) as connection:
        pids = [pid for (pid,) in connection.execute(OTHERS)]
        os.kill(desk.chance.choice(pids), signal.SIGKILL)


async def backends_paused(desk: Desk) -> None:
    """The server answers nobody for a while."""
    with connect(desk.dsn) as connection:
        pids = [pid for (pid,) in connection.execute(OTHERS)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(PAUSE_SECONDS)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


async def postmaster_killed(desk: Desk) -> None:
    """Together with all its children, which notice."""
    os.kill(db.server.embedded.postmaster_pid(desk.home), signal.SIGKILL)
    await desk.start_server()


async def files_put_back(desk: Desk) -> None:
    """A copy of the server's files; what was written since is gone."""
    data, copy = desk.home / "postgres" / "data", desk.folder / uuid4().hex
    await desk.kill_writers()
    async with _lost_since(desk) as begin:
        await to_thread(db.server.embedded.stop, desk.home)
        await _copy(data, copy)
        await desk.start_server()
        await desk.start_writers()
        await begin()
        await to_thread(db.server.embedded.stop, desk.home)
        await to_thread(shutil.rmtree, data)
        await _copy(copy, data)
        await to_thread(shutil.rmtree, copy)
        await desk.start_server()


async def _copy(source: object, target: object) -> None:
    await to_thread(subprocess.run, ["cp", "-a", str(source), str(target)], check=True)


async def disk_full(desk: Desk) -> None:
    """Until a writer has failed for it."""
    before = sum(writer.failures for writer in desk.writers)
    fill = Fill(desk.home / "postgres")
    try:
        await desk.news.until(
            lambda: sum(writer.failures for writer in desk.writers) > before,
            lambda: "nobody noticed that the disk is full",
        )
    finally:
        await to_thread(fill.empty)
    await desk.start_server()


ANYWHERE = (
    *(writer_killed, writer_paused, chart_server_killed, chart_server_paused, notify_off),
    *(connections_cut, connections_half_open, connections_slow),
    *(backends_terminated, dump_put_back),
)
OWN_SERVER = (backend_killed, backends_paused, postmaster_killed, files_put_back)
OWN_DISK = (disk_full,)
