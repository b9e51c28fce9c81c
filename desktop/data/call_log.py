"""The calls of a world, on file before they are sent: a process that is killed has not forgotten one.

One line for each event, appended in one write by a thread of its own. A write that the system has taken survives the
process; it is not forced onto the disk, because a machine that lost power takes longer than a minute to come back.

    s <number> <wall ms> <elapsed ms>   <0|1>   a call starts; 1: a re-check
    a <number> <wall ms> <elapsed ms>   0       the server has answered it
    u <number> <wall ms> <elapsed ms>   0       it never reached the server
    m <calls> <wall ms> <re-checks> 0           calls of a minute, summed up
"""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import os
import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from desktop.data.call_counts import DAY_S, PastCalls
from desktop.data.clock import elapsed_s

_log = logging.getLogger(__name__)

_NEAR_S: Final = 120.0  # older calls have left any window
_MINUTE_MS: Final = 60_000
_SUMMED_UP_BYTES: Final = 256 * 1024
_READ_AT_MOST_BYTES: Final = 4 * 1024 * 1024
_LINE: Final = re.compile(rb"([saum]) (\d{1,15}) (\d{1,15}) (\d{1,15}) ([01])")


@dataclass(slots=True)
class _Event:
    """A call, or the calls of a minute (`number` None). Times in ms."""

    number: int | None
    wall_ms: int
    elapsed_ms: int = 0
    count: int = 1
    rechecks: int = 0
    is_answered: bool = False


class CallLog:
    """Use `open`. Nothing here raises: what cannot be written is told to the log once, and counted in memory alone."""

    def __init__(self, path: Path, wall: Callable[[], float], elapsed: Callable[[], float]) -> None:
        self._path = path
        self._wall = wall
        self._elapsed = elapsed
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="call log")
        self._file: io.FileIO | None = None
        self._size = self._summed_up_at = 0
        self._is_torn = False  # the last line may lack its end
        self._has_warned = False
        self._is_closed = False
        self.past: list[PastCalls] = []

    @classmethod
    async def open(
        cls, path: Path, *, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = elapsed_s
    ) -> CallLog:
        """The log in `path`, made where missing; `past` holds the calls of the last day, oldest first."""
        log = cls(path, wall, elapsed)
        await asyncio.get_running_loop().run_in_executor(log._executor, log._load)
        return log

    async def aclose(self) -> None:
        """Ends the thread after what is queued."""
        if not self._is_closed:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(self._executor, self._close_file)
            self._executor.shutdown(wait=True)

    async def started(self, number: int, *, is_recheck: bool) -> None:
        """A call is about to be sent: answers once that is written."""
        if not self._is_closed:
            line = self._line("s", number, is_recheck)
            await asyncio.get_running_loop().run_in_executor(self._executor, self._append, line)

    def answered(self, number: int) -> None:
        """The server has had it by now."""
        self._append_soon("a", number)

    def unused(self, number: int) -> None:
        """It never reached the server."""
        self._append_soon("u", number)

    def _append_soon(self, kind: str, number: int) -> None:
        if not self._is_closed:
            self._executor.submit(self._append, self._line(kind, number))

    def _line(self, kind: str, number: int, is_recheck: bool = False) -> bytes:
        wall_ms, elapsed_ms = self._now_ms()
        return f"{kind} {number} {wall_ms} {elapsed_ms} {int(is_recheck)}\n".encode()

    def _now_ms(self) -> tuple[int, int]:
        return int(self._wall() * 1000), int(self._elapsed() * 1000)

    # In the thread from here on.

    def _load(self) -> None:
        try:
            events = self._read()
        except OSError as error:
            self._warn(error)
            return
        now_ms, elapsed_ms = self._now_ms()
        has_changed = False
        for event in events:
            near_s = _near_s(event, now_ms, elapsed_ms)
            is_open = event.number is not None and not event.is_answered and near_s is not None
            if is_open or event.wall_ms > now_ms:
                # When the server got a call without an answer nobody knows, and the clock was set: as of now, once.
                event.wall_ms, event.elapsed_ms, event.is_answered = now_ms, elapsed_ms, True
                has_changed = True
            near_s = _near_s(event, now_ms, elapsed_ms)
            age_s = (now_ms - event.wall_ms) / 1000 if near_s is None else near_s
            self.past.append(PastCalls(event.count, event.rechecks, age_s, near_s))
        self.past.sort(key=lambda calls: -calls.age_s)
        if has_changed:
            try:
                self._write_anew(events)
            except OSError as error:
                self._warn(error)

    def _read(self) -> list[_Event]:
        """The events of the last day."""
        try:
            with self._path.open("rb") as file:
                self._size = file.seek(0, io.SEEK_END)
                file.seek(max(0, self._size - _READ_AT_MOST_BYTES))
                content = file.read(_READ_AT_MOST_BYTES)
        except FileNotFoundError:
            return []
        self._is_torn = not content.endswith(b"\n")
        now_ms, elapsed_ms = self._now_ms()
        return [
            event
            for event in _parsed(content.split(b"\n")[:-1])
            if now_ms - event.wall_ms < DAY_S * 1000 or _near_s(event, now_ms, elapsed_ms) is not None
        ]

    def _append(self, line: bytes) -> None:
        try:
            if self._file is None:
                self._file = self._path.open("ab", buffering=0)
            data = b"\n" + line if self._is_torn else line
            self._is_torn = True
            if (self._file.write(data) or 0) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._is_torn = False
            self._size += len(data)
            if self._size > max(_SUMMED_UP_BYTES, 4 * self._summed_up_at):
                self._write_anew(self._read())
        except OSError as error:
            self._warn(error)

    def _write_anew(self, events: Iterable[_Event]) -> None:
        """The same calls in fewer lines: those that may still be in a window one by one, the others by minute."""
        now_ms, elapsed_ms = self._now_ms()
        minutes: dict[int, list[int]] = {}
        lines = []
        for event in events:
            if event.number is not None and _near_s(event, now_ms, elapsed_ms) is not None:
                lines.append(f"s {event.number} {event.wall_ms} {event.elapsed_ms} {event.rechecks}\n")
                if event.is_answered:
                    lines.append(f"a {event.number} {event.wall_ms} {event.elapsed_ms} 0\n")
            else:
                sums = minutes.setdefault(event.wall_ms - event.wall_ms % _MINUTE_MS, [0, 0])
                sums[0] += event.count
                sums[1] += event.rechecks
        summed = [f"m {calls} {at} {rechecks} 0\n" for at, (calls, rechecks) in sorted(minutes.items())]
        partial = self._path.with_suffix(".part")
        with partial.open("wb") as file:
            file.write("".join([*summed, *lines]).encode())
            file.flush()
            os.fsync(file.fileno())  # else a loss of power could leave the name on an empty file
        self._close_file()
        partial.replace(self._path)
        self._size = self._summed_up_at = self._path.stat().st_size
        self._is_torn = False

    def _close_file(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def _warn(self, error: OSError) -> None:
        if not self._has_warned:
            self._has_warned = True
            _log.warning("calls are counted in memory alone: %s (%s)", self._path, error.strerror or error)


def _parsed(lines: Iterable[bytes]) -> list[_Event]:
    """The events of complete lines in their order; what is no line is left out."""
    calls: dict[int, _Event] = {}
    minutes = []
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            continue
        kind, number, wall_ms, third, flag = found[1], *(int(field) for field in found.groups()[1:])
        if kind == b"m":
            minutes.append(_Event(None, wall_ms, count=number, rechecks=third))
        elif kind == b"s":
            calls[number] = _Event(number, wall_ms, third, rechecks=flag)
        elif kind == b"u":
            calls.pop(number, None)
        elif (event := calls.get(number)) is not None:
            event.wall_ms, event.elapsed_ms, event.is_answered = wall_ms, third, True
    return [*minutes, *calls.values()]


def _near_s(event: _Event, now_ms: int, elapsed_ms: int) -> float | None:
    """How long ago a call was, as the clocks allow at the least; None when it has left any window.

    Nobody can set the clock of elapsed time: it tells of calls that a wall clock set forward makes look old.
    """
    if event.number is None:
        return None
    ages_ms = [now_ms - event.wall_ms]
    if elapsed_ms >= event.elapsed_ms:
        ages_ms.append(elapsed_ms - event.elapsed_ms)
    age_s = max(0, min(ages_ms)) / 1000
    return age_s if age_s < _NEAR_S else None
