"""A chart's series with or without the hours outside regular trading."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PySide6.QtCore import QObject, Signal

from desktop.domain.bars import Bars, BarSeries
from desktop.domain.market import Market, TickerInfo
from desktop.domain.sessions import in_regular_hours
from desktop.domain.timeframe import Timeframe
from desktop.services.chart_status import BarState, ChartStatus
from desktop.services.live_end import BarOrigin
from desktop.ui.chart.source import ChartSource


class RegularHours(QObject):
    """A `ChartSource` over another one: the same, or its bars of stocks that hold regular trading alone.

    `is_on` filters stocks below a day a bar; nothing else has such hours.
    """

    reset = Signal()
    prepended = Signal(int)
    changed = Signal(int)
    status_changed = Signal()

    def __init__(self, source: ChartSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source = source
        self.is_on = False
        self._shown = source.series
        source.reset.connect(self._on_reset)
        source.prepended.connect(self._on_prepended)
        source.changed.connect(self._on_changed)
        source.status_changed.connect(self.status_changed)

    def set_on(self, is_on: bool) -> bool:
        """Filters or does not; True when the series is another one now, which `reset` has said."""
        before, self.is_on = self._length_ms, is_on
        if self._length_ms == before:
            return False
        self._on_reset()
        return True

    # --- as the source says --------------------------------------------------------------------------------

    @property
    def series(self) -> BarSeries:
        return self._shown

    @property
    def ticker(self) -> str:
        return self._source.ticker

    @property
    def info(self) -> TickerInfo | None:
        return self._source.info

    @property
    def timeframe(self) -> Timeframe:
        return self._source.timeframe

    @property
    def market(self) -> Market:
        return self._source.market

    @property
    def status(self) -> ChartStatus:
        """The source's; state and origin are those of the last bar that is shown."""
        status, last_ms = self._source.status, self.series.last_start_ms
        if self.series is self._source.series or last_ms is None or last_ms == self._source.series.last_start_ms:
            return status
        return replace(status, bar_state=self.state_of(last_ms), bar_origin=self.origin_of(last_ms))

    def want_older(self) -> None:
        self._source.want_older()

    def look_at(self, from_ms: int, to_ms: int) -> None:
        self._source.look_at(from_ms, to_ms)

    def origin_of(self, start_ms: int) -> BarOrigin:
        return self._source.origin_of(start_ms)

    def state_of(self, start_ms: int) -> BarState:
        return self._source.state_of(start_ms)

    # --- inner ---------------------------------------------------------------------------------------------

    @property
    def _length_ms(self) -> int | None:
        """Length of the bars to be filtered; None: all are shown."""
        return self._source.timeframe.fixed_ms if self.is_on and self._source.market is Market.STOCKS else None

    def _filtered(self, bars: Bars, length_ms: int) -> Bars:
        keep = in_regular_hours(bars.start_ms, length_ms)
        return Bars(bars.start_ms[keep], *(column[keep] for column in bars.values()))

    def _on_reset(self) -> None:
        length_ms, series = self._length_ms, self._source.series
        self._shown = series if length_ms is None else BarSeries(self._filtered(series.bars, length_ms))
        self.reset.emit()

    def _on_prepended(self, count: int) -> None:
        length_ms = self._length_ms
        if length_ms is None:
            self.prepended.emit(count)
            return
        older = self._filtered(self._source.series.bars.take(0, count), length_ms)
        if not len(self.series):
            self._on_reset()
        elif len(older):
            self.prepended.emit(self.series.merge(older).prepended)
        else:
            self._source.want_older()  # nobody sees that anything came, so nobody else would ask on

    def _on_changed(self, first_index: int) -> None:
        length_ms = self._length_ms
        if length_ms is None:
            self.changed.emit(first_index)
            return
        bars, held = self._source.series.bars, self.series.bars.start_ms
        first_index = max(0, min(first_index, len(bars) - 1))
        newer = self._filtered(bars.take(first_index, len(bars)), length_ms)
        first = int(np.searchsorted(held, bars.start_ms[first_index])) if len(bars) else 0
        if not len(held) or not np.isin(held[first:], newer.start_ms).all():
            if len(held) or len(newer):
                self._on_reset()  # bars were taken out, or these are the first
            return
        change = self.series.merge(newer)
        if not change.is_nothing:
            self.changed.emit(change.first_index)
