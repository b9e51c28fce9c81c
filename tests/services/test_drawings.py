"""Drawings are kept per ticker over a restart, and every change has a way back."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from desktop.data.migrations import USER_ID, user_steps
from desktop.data.store_files import open_writer
from desktop.data.user_store import UserStore
from desktop.domain.drawings import Anchor, Drawing, Kind
from desktop.domain.errors import BadInput
from desktop.domain.world import VENDOR
from desktop.services.drawings import Drawings
from desktop.services.notices import Notices
from tests.services.live_desk import until

BTC, ETH = "X:BTCUSD", "X:ETHUSD"


def line(price: float = 64_231.55) -> Drawing:
    return Drawing(Kind.HORIZONTAL, (Anchor(1_772_546_400_123, price),))


@asynccontextmanager
async def opened(path: Path, notices: Notices | None = None) -> AsyncIterator[Drawings]:
    async with await UserStore.open(path / "user.sqlite", VENDOR, on_event=lambda _sentence: None) as store:
        drawings = Drawings(store, notices or Notices())
        await drawings.load()
        try:
            yield drawings
        finally:
            await drawings.aclose()


def test_drawings_outlive_the_program_each_with_its_ticker_and_order(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        lines = [line(price) for price in (0.1 + 0.2, 1e-8, 1e6)]
        other = Drawing(Kind.TEXT, (Anchor(-5, 2.0),), text="Größe, 大\n“quoted”", is_locked=True, is_hidden=True)
        async with opened(tmp_path) as drawings:
            for drawing in lines:
                drawings.add(BTC, drawing)
            drawings.add(ETH, other)
            drawings.remove(BTC, lines[1].id)
        async with opened(tmp_path) as drawings:
            assert drawings.of(BTC) == (lines[0], lines[2])
            assert drawings.of(ETH) == (other,)
            assert drawings.of("AAPL") == ()
            drawings.clear(BTC)
        async with opened(tmp_path) as drawings:
            assert drawings.of(BTC) == ()

    run_async(scenario())


def test_every_change_can_be_taken_back_and_done_again(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        first, second = line(1.0), line(2.0)
        higher = first.nudged(1, 0.5)
        async with opened(tmp_path) as drawings:
            told: list[str] = []
            drawings.changed.connect(told.append)
            drawings.add(BTC, first)
            drawings.add(ETH, line(9.0))
            drawings.replace(BTC, higher)
            drawings.add(BTC, second)
            drawings.remove(BTC, first.id)
            states: list[tuple[Drawing, ...]] = [(second,), (higher, second), (higher,), (first,), ()]
            for state in states:
                assert drawings.of(BTC) == state
                undone = drawings.undo(BTC)
            assert undone is None
            assert drawings.of(ETH) != ()
            for state in reversed(states[:-1]):
                assert drawings.redo(BTC) is not None
                assert drawings.of(BTC) == state
            assert drawings.redo(BTC) is None
            assert told == [BTC, ETH] + [BTC] * 11
            drawings.replace(BTC, line(5.0))  # not there: nothing happens
            drawings.remove(BTC, "nothing")
            assert len(told) == 13
        async with opened(tmp_path) as drawings:
            assert drawings.of(BTC) == (second,)

    run_async(scenario())


def test_export_and_import(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        held = line(3.0)
        async with opened(tmp_path) as drawings:
            drawings.add(BTC, held)
            text = drawings.exported(BTC)
            assert drawings.import_text(ETH, text) == 1
            assert drawings.of(ETH) == (held,)
            assert drawings.import_text(BTC, text) == 1  # there already: a copy
            assert [drawing.anchors for drawing in drawings.of(BTC)] == [held.anchors] * 2
            assert len({drawing.id for drawing in drawings.of(BTC)}) == 2
            with pytest.raises(BadInput):
                drawings.import_text(BTC, text[:-5])
            assert len(drawings.of(BTC)) == 2
            assert drawings.undo(BTC) == "Import drawings"
            assert drawings.of(BTC) == (held,)

    run_async(scenario())


def test_a_file_is_imported_or_a_notice_says_why_not(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        notices = Notices()
        async with opened(tmp_path, notices) as drawings:
            drawings.add(BTC, line(3.0))
            (tmp_path / "good.json").write_text(drawings.exported(BTC), "utf-8")
            (tmp_path / "bad.json").write_bytes(b"\xff\x00{")
            for name, said in (
                ("good.json", "1 drawing from good.json on X:ETHUSD."),
                ("bad.json", "This is no file with drawings."),
                ("none.json", "none.json cannot be read."),
            ):
                drawings.import_file(ETH, tmp_path / name)
                await until(lambda said=said: any(notice.text.startswith(said) for notice in notices.open), f"“{said}”")
            assert len(drawings.of(ETH)) == 1

    run_async(scenario())


def test_one_record_that_cannot_be_read_takes_no_other_with_it(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        lines = [line(price) for price in (1.0, 2.0, 3.0)]
        async with opened(tmp_path) as drawings:
            for drawing in lines:
                drawings.add(BTC, drawing)
        with sqlite3.connect(tmp_path / "user.sqlite") as connection:
            connection.execute("UPDATE drawing SET record = '{' WHERE position = 1")
        connection.close()
        async with opened(tmp_path) as drawings:
            assert drawings.of(BTC) == (lines[0], lines[2])

    run_async(scenario())


def test_a_file_of_an_older_version_gets_its_table(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        path = tmp_path / "user.sqlite"
        connection = open_writer(path, VENDOR, user_steps()[:1], USER_ID, synchronous="FULL")
        connection.execute("INSERT INTO watchlist (id, name) VALUES (1, 'Watchlist')")
        connection.execute("INSERT INTO watchlist_ticker VALUES (1, 0, 'AAPL')")
        connection.close()
        async with opened(tmp_path) as drawings:
            drawings.add(BTC, line())
        async with await UserStore.open(path, VENDOR, on_event=lambda _sentence: None) as store:
            assert await store.watchlist("Watchlist") == ["AAPL"]
            assert len((await store.drawings())[BTC]) == 1

    run_async(scenario())
