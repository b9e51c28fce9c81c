"""The reading side of a store: two connections in threads of their own, which share the work of a long series."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from desktop.data.sqlite_thread import SqliteThread
from desktop.data.store_bars import Layout, SeriesKey, find_series, layout, read_bars, read_into
from desktop.data.store_files import open_reader
from desktop.domain.bars import VALUE_COLUMNS, Bars

T = TypeVar("T")
_SHARED_BARS: Final = 150_000  # from here on two threads are faster than one


class Readers:
    """`run` reads with the first connection; `bars` with both where there are many. Raises CacheError."""

    def __init__(self) -> None:
        self._first, self._second = SqliteThread("store-reader"), SqliteThread("store-reader-2")

    async def open(self, path: Path) -> None:
        for thread in (self._first, self._second):
            await thread.open(lambda: open_reader(path))

    async def close(self) -> None:
        for thread in (self._first, self._second):
            await thread.close()

    async def aclose(self) -> None:
        for thread in (self._first, self._second):
            await thread.aclose()

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The answer of `work(connection)`."""
        return await self._first.run(work)

    async def bars(self, key: SeriesKey, from_ms: int, to_ms: int) -> Bars:
        """The bars of a series whose start lies in [from_ms, to_ms)."""

        def look(connection: sqlite3.Connection) -> Bars | Layout:
            series_id = find_series(connection, key)
            if series_id is None:
                return Bars.empty()
            plan = layout(connection, series_id, from_ms, to_ms)
            return plan if plan.chunked >= _SHARED_BARS else read_bars(connection, series_id, from_ms, to_ms)

        found = await self._first.run(look)
        if isinstance(found, Bars):
            return found
        shared = await self._shared(found)
        if shared is not None:
            return shared.between(from_ms, to_ms)
        series_id = found.series_id  # it was written to meanwhile: once more, in one go
        return await self._first.run(lambda connection: read_bars(connection, series_id, from_ms, to_ms))

    async def _shared(self, plan: Layout) -> Bars | None:
        """Half of the chunks by each thread into the same columns; None when they are not as planned any more.

        Both see the file at moments of their own; every bar is in one half only, so each is as it was at one of them.
        """
        total = plan.chunked + len(plan.tail)
        starts, values = np.empty(total, np.int64), np.empty((len(VALUE_COLUMNS), total))
        half = len(plan.chunks) // 2
        middle = sum(count for _, count in plan.chunks[:half])
        parts = ((self._first, plan.chunks[:half], 0, middle), (self._second, plan.chunks[half:], middle, plan.chunked))
        jobs = [
            thread.run(
                lambda connection, chunks=chunks, begin=begin, end=end: read_into(  # type: ignore[misc]
                    connection, plan.series_id, chunks, starts[begin:end], values[:, begin:end]
                )
            )
            for thread, chunks, begin, end in parts
        ]
        if not all(await asyncio.gather(*jobs)):
            return None
        starts[plan.chunked :] = plan.tail.start_ms
        for column, rows in zip(values, plan.tail.values(), strict=True):
            column[plan.chunked :] = rows
        is_ascending = not len(plan.tail) or starts[plan.chunked] > starts[plan.chunked - 1]
        return Bars(starts, *values) if is_ascending else None
