"""Layouts in the user's file."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from desktop.data.user_store import UserStore
from desktop.domain.layout import Cell, Grid, Layout, Link, LinkOptions, Tab
from desktop.domain.timeframe import ONE_MINUTE
from desktop.domain.world import VENDOR


async def opened(path: Path) -> UserStore:
    return await UserStore.open(path, VENDOR, on_event=lambda _sentence: None)


def test_a_layout_is_kept_and_replaced(run_async, tmp_path: Path) -> None:
    cell = Cell("X:BTCUSD", ONE_MINUTE, Link.RED)
    one = Layout((Tab((cell,), name="Coins"),), links={Link.RED: LinkOptions(range=True)})
    other = Layout((Tab((cell,) * 9, Grid.NINE, 8), Tab((cell,))), 1)

    async def scenario() -> None:
        async with await opened(tmp_path / "user.sqlite") as store:
            assert await store.layout("Last") is None
            await store.put_layout("Last", one)
            assert await store.layout("Last") == one
            await store.put_layout("Last", other)
        async with await opened(tmp_path / "user.sqlite") as store:
            assert await store.layout("Last") == other

    run_async(scenario())


def test_one_that_cannot_be_read_is_none(run_async, tmp_path: Path) -> None:
    path = tmp_path / "user.sqlite"

    async def scenario() -> None:
        async with await opened(path) as store:
            await store.put_layout("Last", Layout((Tab((Cell("AAPL", ONE_MINUTE),)),)))
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("UPDATE layout SET record = replace(record, 'AAPL', '')")
        async with await opened(path) as store:
            assert await store.layout("Last") is None

    run_async(scenario())
