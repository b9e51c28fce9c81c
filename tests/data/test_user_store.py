"""What a person made outlives damage."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from desktop.data.user_store import UserStore
from desktop.domain.errors import CacheError
from desktop.domain.world import VENDOR, World


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def set_aside_in(folder: Path) -> list[Path]:
    return [file for file in folder.glob("*.sqlite.*-*") if not file.name.endswith(("-wal", "-shm"))]


async def opened(path: Path, world: World = VENDOR, events: list[str] | None = None) -> UserStore:
    return await UserStore.open(path, world, on_event=(events if events is not None else []).append)


def spoil(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[2000:] = b"\xa5" * (len(content) - 2000)
    path.write_bytes(content)


def test_a_watchlist_keeps_its_order(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await opened(tmp_path / "user.sqlite") as store:
            assert await store.watchlist("Watchlist") is None
            await store.put_watchlist("Watchlist", ["X:BTCUSD", "AAPL", "X:BTCUSD", "C:EURUSD"])
            await store.put_watchlist("Other", [])
        async with await opened(tmp_path / "user.sqlite") as store:
            assert await store.watchlist("Watchlist") == ["X:BTCUSD", "AAPL", "C:EURUSD"]
            assert await store.watchlist("Other") == []
            await store.put_watchlist("Watchlist", ["C:EURUSD", "X:BTCUSD"])
            assert await store.watchlist("Watchlist") == ["C:EURUSD", "X:BTCUSD"]

    run_async(scenario())


def test_backups_only_when_something_changed_and_five_at_most(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await opened(tmp_path / "user.sqlite") as store:
            assert await store.back_up() is None
            for number in range(8):
                await store.put_watchlist("W", [f"T{number}"])
                assert await store.back_up() is not None
                assert await store.back_up() is None
            held = sorted(store.backups_dir.iterdir())
            assert len(held) == 5
            lists = []
            for backup in held:
                with sqlite3.connect(backup) as connection:
                    lists += connection.execute("SELECT ticker FROM watchlist_ticker").fetchall()
                connection.close()
            assert lists == [("T3",), ("T4",), ("T5",), ("T6",), ("T7",)]
            assert {oct(file.stat().st_mode & 0o777) for file in held} == {"0o600"}
        assert len(list((tmp_path / "backups").iterdir())) == 5

    run_async(scenario())


@pytest.mark.parametrize("spoiled_backups", [0, 1])
def test_a_damaged_file_gives_way_to_the_newest_good_backup(run_async, tmp_path: Path, spoiled_backups: int) -> None:
    path = tmp_path / "user.sqlite"

    async def scenario() -> None:
        for tickers in (["A"], ["A", "B"]):
            async with await opened(path) as store:
                await store.put_watchlist("W", tickers)
        backups = sorted((tmp_path / "backups").iterdir())
        assert len(backups) == 2
        for backup in backups[len(backups) - spoiled_backups :]:
            spoil(backup)
        spoil(path)
        damaged = bytes_of(path)
        events: list[str] = []
        async with await opened(path, events=events) as store:
            assert await store.watchlist("W") == ["A", "B"][: 2 - spoiled_backups]
            await store.put_watchlist("W", ["C"])
        assert len(events) == 1
        assert "was restored" in events[0]
        (aside,) = set_aside_in(tmp_path)
        assert bytes_of(aside) == damaged

    run_async(scenario())


def test_damage_met_later_is_repaired_too(run_async, tmp_path: Path) -> None:
    path = tmp_path / "user.sqlite"

    async def scenario() -> None:
        async with await opened(path) as store:
            await store.put_watchlist("W", ["A"])
        events: list[str] = []
        async with await opened(path, events=events) as store:
            os.truncate(path, 4096)
            spoil(path)
            assert await store.watchlist("W") == ["A"]
            await store.put_watchlist("W", ["A", "B"])
            assert await store.watchlist("W") == ["A", "B"]
        assert len(events) == 1

    run_async(scenario())


def test_without_a_backup_it_begins_anew_and_says_so(run_async, tmp_path: Path) -> None:
    path = tmp_path / "user.sqlite"
    path.write_bytes(b"broken" * 100)

    async def scenario() -> None:
        events: list[str] = []
        async with await opened(path, events=events) as store:
            assert await store.watchlist("W") is None
        assert "no backup" in events[0]

    run_async(scenario())


def test_another_world_and_a_newer_version_are_refused_unaltered(run_async, tmp_path: Path) -> None:
    path = tmp_path / "user.sqlite"

    async def scenario() -> None:
        async with await opened(path, World("demo-7")):
            pass
        content = bytes_of(path)
        with pytest.raises(CacheError, match="another source"):
            await opened(path)
        assert path.read_bytes() == content
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        content = bytes_of(path)
        with pytest.raises(CacheError, match="newer version"):
            await opened(path, World("demo-7"))
        assert path.read_bytes() == content

    run_async(scenario())
