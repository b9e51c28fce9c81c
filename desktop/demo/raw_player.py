"""Plays a recording's frames and losses at their times on the virtual clock, reading the files a little ahead."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from itertools import islice
from typing import Final

from desktop.data.recording_format import ConnectionLine, FrameLine
from desktop.demo.clock import VirtualClock
from desktop.demo.raw_files import Part, RawRecording, SocketLine
from desktop.demo.raw_sessions import is_routine
from desktop.demo.raw_socket import RawCluster
from desktop.demo.raw_tail import StreamTail

_TICK_S: Final = 0.01
_LINES_AHEAD: Final = 500
_LINES_AT_ONCE: Final = 100  # before others get a turn
_PING_EVERY_S: Final = 20.0
_SETTLE_S: Final = 0.3  # at the fastest speed, for subscriptions that come in batches
_BACKLOG_BYTES: Final = 256 << 10


class Player:
    """What lies behind the clock has been sent, or was passed over by a jump; the tail has heard all of it."""

    def __init__(
        self,
        recording: RawRecording,
        clock: VirtualClock,
        clusters: Mapping[str, RawCluster],
        tail: StreamTail,
        worker: Executor,
    ) -> None:
        self._recording = recording
        self._clock = clock
        self._clusters = clusters
        self._tail = tail
        self._worker = worker
        self._jumps = clock.jumps
        self._lines: Iterator[tuple[Part, SocketLine]] = iter(())
        self._ahead: deque[SocketLine] = deque()
        self._rewind()

    def _rewind(self) -> None:
        self._lines = self._recording.socket_lines()
        self._is_read = False  # to the end
        self._ahead.clear()
        self._tail.clear()
        self._skipped_ms = self._clock.now_ms()  # what lies before is passed over

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._play())
            group.create_task(self._keep_alive())

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        changes, changed_s = -1, 0.0
        while True:
            self._follow_jumps()
            if not self._ahead and not self._is_read:
                lines = self._lines
                read = await loop.run_in_executor(self._worker, _read, lines)
                if lines is self._lines:
                    self._ahead.extend(read)
                    self._is_read = not read
            now = sum(cluster.changes for cluster in self._clusters.values())
            if now != changes:
                changes, changed_s = now, time.monotonic()
            if self._clock.is_stepped and not self._clock.is_paused:
                if not self._is_ready(changed_s):
                    await asyncio.sleep(_TICK_S)
                    continue
                target = self._ahead[0].ms if self._ahead else self._recording.end_ms
                self._clock.advance_to(target)
            await asyncio.sleep(0 if self._play_some() else _TICK_S)

    def _is_ready(self, changed_s: float) -> bool:
        """Whether the fastest replay may take a step: somebody listens, has subscribed, and keeps up."""
        clusters = self._clusters.values()
        is_heard = any(cluster.is_heard for cluster in clusters)
        has_backlog = any(cluster.backlog_bytes > _BACKLOG_BYTES for cluster in clusters)
        return is_heard and not has_backlog and time.monotonic() - changed_s >= _SETTLE_S

    def _play_some(self) -> bool:
        """Plays what is due, up to a number of lines; False when nothing more is due."""
        now_ms = self._clock.now_ms()
        for _ in range(_LINES_AT_ONCE):
            if not self._ahead or self._ahead[0].ms > now_ms:
                return False
            line = self._ahead.popleft()
            self._play_line(line, is_heard=line.ms >= self._skipped_ms)
        return True

    def _play_line(self, line: SocketLine, *, is_heard: bool) -> None:
        cluster = self._clusters.get(line.cluster)
        if cluster is None:
            return
        if isinstance(line, FrameLine):
            self._tail.feed(line.cluster, line.content)
            if is_heard:
                cluster.send(line.content)
            return
        if line.kind == "status" and line.text is not None:
            self._tail.feed(line.cluster, line.text.encode())
        if is_heard:
            _play_event(cluster, line)

    def _follow_jumps(self) -> None:
        if self._clock.jumps != self._jumps:
            self._jumps = self._clock.jumps
            self._rewind()

    async def _keep_alive(self) -> None:
        while True:
            await asyncio.sleep(_PING_EVERY_S)
            for cluster in self._clusters.values():
                cluster.ping()


def _play_event(cluster: RawCluster, line: ConnectionLine) -> None:
    if line.kind == "closed" and not line.is_ours:
        cluster.end_all(line.code, line.reason)
    elif line.kind == "status" and line.text is not None and not is_routine(line.text):
        cluster.send(line.text.encode())


def _read(lines: Iterator[tuple[Part, SocketLine]]) -> list[SocketLine]:
    return [line for _, line in islice(lines, _LINES_AHEAD)]
