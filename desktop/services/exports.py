"""Writes bars and pictures to files: in the background, one after the other, and says what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal

from desktop.data.export_file import ExportFile
from desktop.domain.bar_text import CSV_HEADER, csv_lines
from desktop.domain.bars import Bars, BarSeries
from desktop.domain.errors import CacheError, MarketError
from desktop.services.notices import Notices
from desktop.services.tasks import Tasks

_BLOCK: Final = 10_000  # bars that go to the thread at a time
_STEP: Final = 100  # bars written at a time: a write lets the window's thread in, and a millisecond is soon over


@dataclass(frozen=True, slots=True)
class ExportProgress:
    """Of the file being written: bars done, of how many."""

    name: str
    done: int
    total: int


class Exports(QObject):
    """Files a person asked for. `changed` follows the progress; the end of each file is posted as a notice."""

    changed = Signal()

    def __init__(self, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._tasks = Tasks()
        self._one_at_a_time = asyncio.Lock()
        self._is_cancelled = self._is_closing = False
        self.progress: ExportProgress | None = None

    def save_bars(self, series: BarSeries, from_ms: int, to_ms: int, path: Path) -> None:
        """Writes the bars whose start lies in [from_ms, to_ms) as CSV."""

        async def write(file: ExportFile) -> str:
            count = await self._write_bars(file, series, from_ms, to_ms, path.name)
            return f": {count:,} bar{'' if count == 1 else 's'}"

        self._tasks.start(self._run(path, write), name="export bars")

    def save_bytes(self, make: Callable[[], bytes], path: Path) -> None:
        """Writes what `make` gives; it is called in a thread. Nothing means that it could not be made."""

        async def write(file: ExportFile) -> str:
            content = await asyncio.to_thread(make)
            if not content:
                raise CacheError(f"{path.name} could not be made.", next_step="Try a smaller size.")
            await asyncio.to_thread(file.write, content)
            return ""

        self._tasks.start(self._run(path, write), name="export file")

    def cancel(self) -> None:
        """Ends the file being written; nothing of it stays."""
        self._is_cancelled = True

    async def aclose(self) -> None:
        """Ends what runs. What is in a thread cannot be stopped, only waited for."""
        self._is_closing = True
        await self.finish()

    async def finish(self) -> None:
        """Waits until everything is written."""
        await self._tasks.finish()

    async def _run(self, path: Path, write: Callable[[ExportFile], Awaitable[str]]) -> None:
        """Opens, writes and commits; `write` answers what is said of the file."""
        async with self._one_at_a_time:
            self._is_cancelled, file = False, None
            try:
                file = await asyncio.to_thread(ExportFile, path)
                what = await write(file)
                if not self._must_end:
                    await asyncio.to_thread(file.commit)
                    self._notices.post(f"{path.name} is saved{what}.")
            except MarketError as error:
                self._notices.post(str(error), "warning")
            finally:
                if file is not None:
                    await asyncio.to_thread(file.close)
                self._show(None)

    async def _write_bars(self, file: ExportFile, series: BarSeries, from_ms: int, to_ms: int, name: str) -> int:
        """A block at a time, each as the series is then: it may grow and be corrected meanwhile."""
        total, done = len(series.bars.between(from_ms, to_ms)), 0
        await asyncio.to_thread(file.write, CSV_HEADER.encode())
        while not self._must_end:
            block = _copied(series.bars.between(from_ms, to_ms).take(0, _BLOCK))
            if not len(block):
                break
            await asyncio.to_thread(_write_block, file, block)
            from_ms = int(block.start_ms[-1]) + 1
            done += len(block)
            self._show(ExportProgress(name, done, max(done, total)))
        return done

    @property
    def _must_end(self) -> bool:
        return self._is_cancelled or self._is_closing

    def _show(self, progress: ExportProgress | None) -> None:
        if progress != self.progress:
            self.progress = progress
            self.changed.emit()


def _write_block(file: ExportFile, bars: Bars) -> None:
    for begin in range(0, len(bars), _STEP):
        file.write(csv_lines(bars.take(begin, begin + _STEP)).encode())


def _copied(bars: Bars) -> Bars:
    """For another thread: the series goes on being written to."""
    return Bars(bars.start_ms.copy(), *(column.copy() for column in bars.values()))
