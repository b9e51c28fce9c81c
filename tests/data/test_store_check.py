"""A large cache opens at once; damage in it is found in the background and repaired like any other."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from desktop.data.store import Store
from desktop.domain.timeframe import ONE_MINUTE
from tests.data.test_store import PAGE, assert_same, covering, minutes, opened, set_aside_in

BARS = minutes(0, 300_000)  # 19 MB
KILLED = """
import asyncio, os, sys
from pathlib import Path
from tests.data.test_store import opened
async def main():
    store = await opened(Path(sys.argv[1]))
    await store.put_value("a", 1)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


async def filled(path: Path) -> None:
    async with await opened(path) as store:
        await store.put_bars("A", ONE_MINUTE, True, BARS, covering(BARS))
        await store.put_value("unharmed", 1)
        assert not await looked_through(store)


async def looked_through(store: Store) -> bool:
    """Waits for the look that is under way; answers whether there is one."""
    check = store._check
    if check is not None:
        await asyncio.to_thread(check._thread.join, 30)
        assert not check.is_running
    return check is not None


def test_once_a_day_and_after_a_kill(run_async, tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"

    async def scenario() -> None:
        await filled(path)
        for is_due in (True, False):
            async with await opened(path) as store:
                assert await looked_through(store) is is_due
                assert_same(await store.bars("A", ONE_MINUTE, True, 0, 1 << 50), BARS)
        await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, str(path)], check=False)
        async with await opened(path) as store:
            assert await looked_through(store)
            assert await store.get_value("a") == 1
            yesterday = "UPDATE meta SET value = value - 86401 WHERE name = 'checked_s'"
            await store._writer.run(lambda connection: connection.execute(yesterday))
        async with await opened(path) as store:
            assert not await looked_through(store), "closing noted the look anew"
            await store._writer.run(lambda connection: connection.execute(yesterday))
        async with await opened(path) as store:
            check = store._check
            assert check is not None
        assert not check.is_running, "closing ends the look"

    run_async(scenario())


def test_damage_nobody_has_met_is_found(run_async, tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"

    async def scenario() -> None:
        await filled(path)
        content = bytearray(path.read_bytes())
        content[-40 * PAGE :] = b"\xa5" * (40 * PAGE)
        path.write_bytes(content)
        events: list[str] = []
        async with await opened(path, events=events) as store:
            assert events == []
            assert await looked_through(store)
            assert await store.get_value("unharmed") is None
            assert len(events) == 1
            await store.put_value("after", 2)
            assert await store.get_value("after") == 2
        assert len(events) == 1
        assert len(set_aside_in(tmp_path)) == 1

    run_async(scenario())
