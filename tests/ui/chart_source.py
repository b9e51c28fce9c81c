"""A chart's source over generated bars: the data is made up, the object is real."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from desktop.domain.bars import Bar, Bars, BarSeries, SeriesChange
from desktop.domain.market import Market, TickerInfo, market_of
from desktop.domain.timeframe import ONE_MINUTE, Timeframe
from desktop.services.chart_status import BarState, ChartStatus
from desktop.services.live_end import BarOrigin

START_MS = 1_772_546_400_000  # 2026-03-03 14:00 UTC


def walk(count: int, *, price: float = 64_000.0, step_ms: int = 60_000, seed: int = 7, end_ms: int = START_MS) -> Bars:
    """A random walk of bars around a price; the last one starts at `end_ms`."""
    random = np.random.default_rng(seed)
    closes = price * np.exp(np.cumsum(random.normal(0, 0.0007, count)))
    opens = np.concatenate(([price], closes[:-1]))
    spread = np.abs(random.normal(0, 0.0006, (2, count)))
    starts = end_ms - step_ms * np.arange(count - 1, -1, -1, dtype=np.int64)
    return Bars(
        starts,
        opens,
        np.maximum(opens, closes) * (1 + spread[0]),
        np.minimum(opens, closes) * (1 - spread[1]),
        closes,
        random.gamma(2.0, 400.0, count) * (1 + 40 * np.abs(closes / opens - 1)),
        (opens + closes) / 2,
        random.integers(1, 900, count).astype(float),
    )


class FixedClock:
    """A clock that stands where it is put."""

    def __init__(self, now_ms: int = START_MS + 18_000) -> None:
        self.time_ms = now_ms

    def now_ms(self) -> int:
        return self.time_ms


class SeriesSource(QObject):
    """A `ChartSource` that does what a test says."""

    reset = Signal()
    prepended = Signal(int)
    changed = Signal(int)
    status_changed = Signal()

    def __init__(
        self, bars: Bars | None = None, ticker: str = "X:BTCUSD", timeframe: Timeframe = ONE_MINUTE, name: str = ""
    ) -> None:
        super().__init__()
        self.series = BarSeries(bars)
        self.ticker = ticker
        self.timeframe = timeframe
        self.info: TickerInfo | None = TickerInfo(ticker, name, self.market, currency="USD") if name else None
        self.status = ChartStatus(phase="ready" if bars is not None else "loading", source="Massive")
        self.asked_for_older = 0
        self.looked_at: list[tuple[int, int]] = []

    @property
    def market(self) -> Market:
        return market_of(self.ticker)

    def want_older(self) -> None:
        self.asked_for_older += 1

    def look_at(self, from_ms: int, to_ms: int) -> None:
        self.looked_at.append((from_ms, to_ms))

    def origin_of(self, start_ms: int) -> BarOrigin:
        return "REST"

    def state_of(self, start_ms: int) -> BarState:
        return "settled"

    def show(self, bars: Bars | None, ticker: str, timeframe: Timeframe) -> None:
        """Another series, announced as ChartData does: first empty, then with its first bars."""
        self.series, self.ticker, self.timeframe = BarSeries(), ticker, timeframe
        self.reset.emit()
        if bars is not None:
            self.series.merge(bars)
            self.reset.emit()

    def put(self, bar: Bar) -> None:
        self._announce(self.series.upsert(bar))

    def merge(self, bars: Bars) -> None:
        self._announce(self.series.merge(bars))

    def say(self, **changes: object) -> None:
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]
        self.status_changed.emit()

    def _announce(self, change: SeriesChange) -> None:
        if change.prepended:
            self.prepended.emit(change.prepended)
        if 0 <= change.first_index < len(self.series):
            self.changed.emit(change.first_index)
