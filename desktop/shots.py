"""Runs that end by themselves: a screenshot, a proof that live candles move, a fixed time (composition root)."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QWidget

from desktop.commands.environment import say
from desktop.domain.errors import BadInput
from desktop.services.chart_data import ChartData
from desktop.services.live import LiveMarket

_LIVE_WITHIN_S = 60.0
_READY_WITHIN_S = 20.0
_SETTLE_S = 1.5  # for prices and colours to fill in before a picture
_LOOK_S = 0.05
_MOVES = 3


def process_age_s() -> float:
    """Seconds since this process was started by the system; 0 where the system does not tell."""
    try:
        with open("/proc/self/stat", encoding="ascii") as file:
            started_ticks = int(file.read().rsplit(")", 1)[1].split()[19])
        with open("/proc/uptime", encoding="ascii") as file:
            uptime_s = float(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return 0.0
    return uptime_s - started_ticks / os.sysconf("SC_CLK_TCK")


def parse_size(text: str) -> tuple[int, int]:
    """`1280x800` -> (1280, 800). Raises BadInput."""
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit() and 320 <= int(width) <= 8192 and 240 <= int(height) <= 8192):
        raise BadInput(f"“{text}” is not a window size.", next_step="Use 1280x800.")
    return int(width), int(height)


class Shots:
    """Ends the run by the options `--screenshot`, `--until-live` and `--seconds`; without them never."""

    def __init__(self, arguments: Namespace) -> None:
        self._picture: Path | None = arguments.screenshot
        self._is_until_live: bool = arguments.until_live
        self._seconds: float | None = arguments.window_seconds
        self._is_announced = hasattr(arguments, "demo") or hasattr(arguments, "replay")
        self._started_s = time.monotonic() - process_age_s()
        self.exit_code = 0

    async def run(self, window: QWidget, chart: ChartData, live: LiveMarket) -> None:
        """Returns when the run is over."""
        first_candle_s = asyncio.get_running_loop().create_future()
        moves = 0

        def on_moved(_index: int) -> None:
            nonlocal moves
            if chart.status.live_events:
                moves += 1
                if not first_candle_s.done():
                    first_candle_s.set_result(time.monotonic() - self._started_s)

        chart.changed.connect(on_moved)
        try:
            if self._is_until_live:
                await self._until_live(chart, lambda: moves >= _MOVES)
            elif self._seconds is not None:
                await asyncio.sleep(self._seconds)
            elif self._picture is not None:
                await self._until_ready(chart)
            else:
                if self._is_announced:
                    self._announce(chart, live, await first_candle_s)
                await asyncio.get_running_loop().create_future()
        finally:
            chart.changed.disconnect(on_moved)
        if self._picture is not None:
            await asyncio.sleep(_SETTLE_S)
            if not window.grab().save(str(self._picture)):
                say(f"The picture could not be written to {self._picture}.")
                self.exit_code = 9
        if self._is_until_live and not self.exit_code:
            self._announce(chart, live, first_candle_s.result())

    def _announce(self, chart: ChartData, live: LiveMarket, first_candle_s: float) -> None:
        """One line of facts on stdout."""
        picture = f" screenshot={self._picture.resolve()}" if self._picture is not None else ""
        sys.stdout.write(
            f"live: ticker={chart.ticker} timeframe={chart.timeframe} bars={len(chart.series)} "
            f"events={live.events} first_candle_s={first_candle_s:.2f}{picture}\n"
        )
        sys.stdout.flush()

    async def _until_live(self, chart: ChartData, has_moved: Callable[[], bool]) -> None:
        for _ in range(int(_LIVE_WITHIN_S / _LOOK_S)):
            if has_moved():
                return
            await asyncio.sleep(_LOOK_S)
        self.exit_code = 1
        said = chart.status.sentence or "no live event arrived"
        say(f"No live candle within {_LIVE_WITHIN_S:.0f} s: {said}")

    async def _until_ready(self, chart: ChartData) -> None:
        for _ in range(int(_READY_WITHIN_S / _LOOK_S)):
            if chart.status.live_events or chart.status.phase in ("failed", "empty"):
                return
            await asyncio.sleep(_LOOK_S)
