"""What a chart needs to be given: a growing series with its state, and a clock."""

from __future__ import annotations

from typing import Any, Protocol

from PySide6.QtCore import SignalInstance

from desktop.domain.bars import BarSeries
from desktop.domain.market import Market, TickerInfo
from desktop.domain.timeframe import Timeframe
from desktop.services.chart_status import BarState, ChartStatus
from desktop.services.live_end import BarOrigin


class ChartSource(Protocol):
    """The series of one ticker and timeframe, as `services.chart_data.ChartData` gives it. Times Unix ms UTC."""

    @property
    def series(self) -> BarSeries: ...

    @property
    def ticker(self) -> str: ...

    @property
    def info(self) -> TickerInfo | None: ...

    @property
    def timeframe(self) -> Timeframe: ...

    @property
    def status(self) -> ChartStatus: ...

    @property
    def reset(self) -> SignalInstance | Any:
        """Another series: nothing known about the old one holds."""

    @property
    def prepended(self) -> SignalInstance | Any:
        """So many bars (int) were put in front."""

    @property
    def changed(self) -> SignalInstance | Any:
        """Bars from this index (int) on are new or different."""

    @property
    def status_changed(self) -> SignalInstance | Any:
        """`status` is another one."""

    @property
    def market(self) -> Market: ...

    def want_older(self) -> None:
        """Asks for bars before the first one; may be called at any time."""

    def look_at(self, from_ms: int, to_ms: int) -> None:
        """Says which times are on the screen."""

    def origin_of(self, start_ms: int) -> BarOrigin:
        """Where the bar that starts there comes from."""

    def state_of(self, start_ms: int) -> BarState:
        """Whether the bar that starts there is forming, closed or settled."""


class Clock(Protocol):
    """The market's time."""

    def now_ms(self) -> int:
        """Unix ms UTC."""
