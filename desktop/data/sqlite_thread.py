"""One SQLite connection and the one thread that uses it; callers await."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from desktop.data.store_files import translated
from desktop.domain.errors import CacheError

T = TypeVar("T")


class SqliteThread:
    """Runs functions of a connection one after another in a thread of its own.

    A caller that is cancelled leaves a function that has begun to its end: transactions are never cut.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._connection: sqlite3.Connection | None = None
        self._is_ended = False

    async def open(self, connect: Callable[[], sqlite3.Connection]) -> None:
        """Opens the connection in the thread, closing the one before."""

        def work() -> None:
            self._close_connection()
            self._connection = connect()

        await self._in_thread(work)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The answer of `work(connection)`; library errors become CacheError."""
        return await self._in_thread(lambda: self._guarded(work))

    def begin(self, work: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """The same, for callers in another thread."""
        return self._executor.submit(lambda: self._guarded(work))

    async def close(self) -> None:
        """Closes the connection after what is queued; the thread stays for another `open`."""
        await self._in_thread(self._close_connection)

    async def aclose(self) -> None:
        """Closes the connection and ends the thread."""
        if not self._is_ended:
            try:
                await self.close()
            finally:
                self._is_ended = True
                self._executor.shutdown(wait=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._is_ended:
            raise CacheError("The data file is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._connection is None:
            raise CacheError("The data file is closed.")
        with translated():
            return work(self._connection)

    def _close_connection(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()
