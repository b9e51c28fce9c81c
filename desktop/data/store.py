"""The cache of one world: bars with their coverage, the ticker catalogue, snapshots, small values."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import msgspec

from desktop.data.closing import ClosesAtExit
from desktop.data.migrations import CACHE_ID, cache_steps
from desktop.data.sqlite_thread import SqliteThread
from desktop.data.store_bars import (
    SeriesKey,
    find_series,
    make_series,
    read_coverage,
    write_bars,
    write_coverage,
)
from desktop.data.store_check import CHECKED_AT_OPEN_BYTES, FileCheck, is_check_due, record_check
from desktop.data.store_files import (
    DamagedFile,
    NewerFile,
    open_reader,
    open_writer,
    set_aside,
    snapshot,
    transaction,
    was_cut_off,
)
from desktop.data.store_read import read_bars
from desktop.domain.bars import Bars
from desktop.domain.coverage import Covered
from desktop.domain.errors import CacheError
from desktop.domain.market import Market, Snapshot, TickerInfo
from desktop.domain.timeframe import Timeframe
from desktop.domain.world import World

T = TypeVar("T")
_log = logging.getLogger(__name__)
_PAGE_BYTES: Final = 32_768  # a chunk is some thirty pages: few, long reads
_TICKER_COLUMNS: Final = "ticker, name, market, base, currency, is_active, kind, exchange"


class Store(ClosesAtExit):
    """cache.sqlite: one thread writes, another reads, with a helper where there is much to read.

    Close it with `aclose` or as an async context manager. A file found damaged, now or later, is set aside and a new
    one begun; `on_event` is told in one sentence. A large file is looked through in the background, once a day and
    after an end that was none.
    Every method raises CacheError for what the disk does to us.
    """

    def __init__(self, path: Path, world: World, *, on_event: Callable[[str], None]) -> None:
        self.path = path
        self.world = world
        self._on_event = on_event
        self._writer = SqliteThread("store-writer")
        self._reader = SqliteThread("store-reader")
        self._helper = SqliteThread("store-helper")
        self._check: FileCheck | None = None
        self._repair = asyncio.Lock()
        self._generation = 0

    @classmethod
    async def open(cls, path: Path, world: World, *, on_event: Callable[[str], None]) -> Self:
        """Opens or makes the cache. Raises CacheError when it is another world's or cannot be used."""
        store = cls(path, world, on_event=on_event)
        try:
            was_cut = await asyncio.to_thread(was_cut_off, path)
            await store._open()
            if await store._reader.run(lambda connection: is_check_due(connection, path, was_cut=was_cut)):
                store._check = FileCheck(path)
        except BaseException:
            await store.aclose()
            raise
        return store

    async def aclose(self) -> None:
        """Finishes the writes under way and ends the threads."""
        await self._end_check()
        await self._reader.aclose()
        await self._helper.aclose()
        await self._writer.aclose()

    # Bars

    async def bars(self, ticker: str, base: Timeframe, adjusted: bool, from_ms: int, to_ms: int) -> Bars:
        """The stored bars whose start lies in [from_ms, to_ms)."""
        key = _key(ticker, base, adjusted)

        def work(connection: sqlite3.Connection) -> Bars:
            with snapshot(connection):
                found = find_series(connection, key)
                return (
                    Bars.empty() if found is None else read_bars(connection, found, from_ms, to_ms, self._helper.begin)
                )

        return await self._read(work)

    async def covered(self, ticker: str, base: Timeframe, adjusted: bool, from_ms: int, to_ms: int) -> list[Covered]:
        """What of the series the vendor was asked for: the ranges that touch [from_ms, to_ms), in order."""
        key = _key(ticker, base, adjusted)

        def work(connection: sqlite3.Connection) -> list[Covered]:
            found = find_series(connection, key)
            return [] if found is None else read_coverage(connection, found, from_ms, to_ms)

        return await self._read(work)

    async def put_bars(self, ticker: str, base: Timeframe, adjusted: bool, bars: Bars, covered: Covered | None) -> None:
        """Stores bars in one transaction.

        With `covered` they are all there is in that range: what was held there before goes, and the range is recorded.
        Without, they replace those of equal start only.
        """
        key = _key(ticker, base, adjusted)

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                found = make_series(connection, key)
                write_bars(connection, found, bars, covered)
                if covered is not None:
                    write_coverage(connection, found, covered)

        await self._write(work)

    async def forget_series(self, ticker: str, *, adjusted: bool | None = None) -> None:
        """Removes all bars and coverage of a ticker; of its adjusted or unadjusted series only, when given."""

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                chosen = "SELECT id FROM series WHERE ticker = :ticker AND adjusted = coalesce(:adjusted, adjusted)"
                values = {"ticker": ticker, "adjusted": None if adjusted is None else int(adjusted)}
                for table in ("bar_tail", "bar_chunk", "coverage"):
                    connection.execute(f"DELETE FROM {table} WHERE series_id IN ({chosen})", values)

        await self._write(work)

    # Catalogue and snapshots

    async def put_tickers(self, market: Market | None, rows: Iterable[TickerInfo], fetched_ms: int) -> None:
        """Takes over catalogue rows; with `market` they are its whole catalogue and all others of it go."""
        table = [
            (r.ticker, r.name, r.market.value, r.base, r.currency, int(r.is_active), r.kind, r.exchange, fetched_ms)
            for r in rows
        ]

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                if market is not None:
                    connection.execute("DELETE FROM ticker WHERE market = ?", (market.value,))
                connection.executemany(
                    f"INSERT OR REPLACE INTO ticker ({_TICKER_COLUMNS}, fetched_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    table,
                )

        await self._write(work)

    async def tickers(self, market: Market | None = None) -> list[TickerInfo]:
        """The catalogue, of one market or of all, by ticker."""

        def work(connection: sqlite3.Connection) -> list[TickerInfo]:
            rows = connection.execute(
                f"SELECT {_TICKER_COLUMNS} FROM ticker WHERE market = coalesce(?, market) ORDER BY ticker",
                (None if market is None else market.value,),
            )
            return [_ticker_info(row) for row in rows]

        return await self._read(work)

    async def ticker(self, ticker: str) -> TickerInfo | None:
        """One row of the catalogue."""

        def work(connection: sqlite3.Connection) -> TickerInfo | None:
            row = connection.execute(f"SELECT {_TICKER_COLUMNS} FROM ticker WHERE ticker = ?", (ticker,)).fetchone()
            return None if row is None else _ticker_info(row)

        return await self._read(work)

    async def put_snapshots(self, snapshots: Iterable[Snapshot], fetched_ms: int) -> None:
        """Keeps the newest snapshot of each ticker."""
        rows = [(s.ticker, fetched_ms, msgspec.json.encode(s).decode()) for s in snapshots]

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.executemany(
                    "INSERT OR REPLACE INTO snapshot (ticker, fetched_ms, body) VALUES (?, ?, ?)", rows
                )

        await self._write(work)

    async def snapshots(self, tickers: Collection[str]) -> dict[str, tuple[Snapshot, int]]:
        """The kept snapshots of these tickers, each with the market time it was fetched at."""
        names = msgspec.json.encode(list(tickers)).decode()

        def work(connection: sqlite3.Connection) -> dict[str, tuple[Snapshot, int]]:
            rows = connection.execute(
                "SELECT ticker, body, fetched_ms FROM snapshot WHERE ticker IN (SELECT value FROM json_each(?))",
                (names,),
            )
            return {name: (msgspec.json.decode(body, type=Snapshot), fetched_ms) for name, body, fetched_ms in rows}

        return await self._read(work)

    # Small values

    async def put_value(self, name: str, value: object) -> None:
        """Keeps something small under a name, as JSON."""
        body = msgspec.json.encode(value).decode()

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO value (name, body) VALUES (?, ?)", (name, body))

        await self._write(work)

    async def get_value(self, name: str) -> Any:
        """What was kept under a name, as plain lists, dicts, numbers and strings; None when nothing was."""

        def work(connection: sqlite3.Connection) -> Any:
            row = connection.execute("SELECT body FROM value WHERE name = ?", (name,)).fetchone()
            return None if row is None else msgspec.json.decode(row[0])

        return await self._read(work)

    # Threads and repair

    async def _open(self) -> None:
        def connect() -> sqlite3.Connection:
            return _connect_writer(self.path, self.world)

        try:
            await self._writer.open(connect)
        except (DamagedFile, NewerFile) as error:
            self._start_anew(error)
            await self._writer.open(connect)
        for thread in (self._reader, self._helper):
            await thread.open(lambda: open_reader(self.path))

    async def _end_check(self) -> None:
        check, self._check = self._check, None
        if check is not None:
            await asyncio.to_thread(check.stop)
            if check.is_passed:
                with contextlib.suppress(CacheError):
                    await self._writer.run(record_check)

    def _start_anew(self, error: DamagedFile | NewerFile) -> None:
        is_damaged = isinstance(error, DamagedFile)
        target = set_aside(self.path, "corrupt" if is_damaged else "newer")
        _log.warning("cache set aside as %s: %s", target.name, error)
        told = "was damaged" if is_damaged else "was written by a newer version"
        self._on_event(f"The cache {told}; it was set aside as {target.name} and is being built anew.")

    async def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._guarded(self._reader, work)

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        return await self._guarded(self._writer, work)

    async def _guarded(self, thread: SqliteThread, work: Callable[[sqlite3.Connection], T]) -> T:
        generation = self._generation
        try:
            if self._check is not None and self._check.damage is not None:
                raise self._check.damage
            return await thread.run(work)
        except DamagedFile as error:
            await self._rebuild(generation, error)
        return await thread.run(work)

    async def _rebuild(self, generation: int, error: DamagedFile) -> None:
        """Sets the file aside and begins a new one; once, however many callers met the damage."""
        async with self._repair:
            if generation != self._generation:
                return
            self._generation += 1
            await self._end_check()
            await self._reader.close()
            await self._helper.close()
            await self._writer.close()
            self._start_anew(error)
            await self._open()


def _connect_writer(path: Path, world: World) -> sqlite3.Connection:
    return open_writer(
        path,
        world,
        cache_steps(),
        CACHE_ID,
        synchronous="NORMAL",
        page_bytes=_PAGE_BYTES,
        checked_bytes=CHECKED_AT_OPEN_BYTES,
    )


def _key(ticker: str, base: Timeframe, adjusted: bool) -> SeriesKey:
    return ticker, str(base), int(adjusted)


def _ticker_info(row: tuple[Any, ...]) -> TickerInfo:
    ticker, name, market, base, currency, is_active, kind, exchange = row
    return TickerInfo(ticker, name, Market(market), base, currency, bool(is_active), kind, exchange)
