"""Going to a date: the box that takes it, and the way there through bars that are not loaded yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer

from desktop.domain.market import Market
from desktop.domain.moments import parse_moment
from desktop.domain.timeframe import Timeframe
from desktop.ui import formatting
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.source import ChartSource, Clock
from desktop.ui.services_api import NoticesApi
from desktop.ui.theme import Tokens
from desktop.ui.typed_box import TypedBox

_MOST_BARS: Final = 60_000  # loaded for one way; more is a matter of a longer timeframe
_MOST_LOADS: Final = 60
_OPEN_SHARE: Final = {Market.CRYPTO: 1.0, Market.FOREX: 5 / 7, Market.STOCKS: 0.5}  # of the time there are bars
_COARSER: Final = ("5m", "15m", "1h", "4h", "1D", "1W", "1M")
_KEY: Final = "go_to"


class GoTo(QObject):
    """Brings a chart to a time. One way at a time; another series on that chart, or `stop`, ends it."""

    def __init__(self, chart: Callable[[], ChartWidget], notices: NoticesApi, parent: QObject) -> None:
        super().__init__(parent)
        self._chart_of_now = chart
        self._notices = notices
        self._way: _Way | None = None
        self._later = QTimer(self, singleShot=True, interval=0)  # a source is not asked from within its own signal
        self._later.timeout.connect(self._go_on)

    def jump(self, time_ms: int) -> None:
        """The time in the middle of the chart, when its bars are there."""
        self.stop()
        chart = self._chart_of_now()
        source = chart.model.source
        if chart.model.last is None:
            self._notices.post("There are no bars on the chart yet.", key=_KEY)
            return
        asked = _words(time_ms, chart)
        needed = _bars_between(time_ms, int(chart.model.bars.start_ms[0]), source)
        if needed > _MOST_BARS:
            self._notices.post(_too_far(asked, needed, source), "warning", key=_KEY)
            return
        self._way = _Way(chart, time_ms)
        source.prepended.connect(self._on_news)
        source.status_changed.connect(self._on_news)
        source.reset.connect(self.stop)
        self._go_on()

    def stop(self) -> bool:
        """Stays where the chart is; False when there is no way to be ended."""
        way, self._way = self._way, None
        self._later.stop()
        if way is None:
            return False
        way.source.prepended.disconnect(self._on_news)
        way.source.status_changed.disconnect(self._on_news)
        way.source.reset.disconnect(self.stop)
        self._notices.clear(_KEY)
        return True

    def _on_news(self, _count: int = 0) -> None:
        if not self._later.isActive():  # a series that lives has news all the time
            self._later.start()

    def _go_on(self) -> None:
        way = self._way
        if way is None or way.source.status.is_loading_older:
            return
        chart, first_ms = way.chart, int(way.chart.model.bars.start_ms[0])
        if way.time_ms >= first_ms:
            self._arrive(way, way.time_ms, "")
        elif way.source.status.is_oldest_reached:
            self._arrive(way, first_ms, f"The bars begin at {_words(first_ms, chart)}.")
        elif way.loads >= _MOST_LOADS or (way.loads and first_ms == way.first_ms and way.source.status.sentence):
            reason = way.source.status.sentence or "Choose a longer timeframe to get there."
            self._arrive(way, first_ms, f"Bars are loaded down to {_words(first_ms, chart)}. {reason}")
        else:
            if not way.loads:
                self._notices.post(f"Loading older bars down to {_words(way.time_ms, chart)}…", key=_KEY)
            way.loads += 1
            way.first_ms = first_ms
            way.source.want_older()

    def _arrive(self, way: _Way, time_ms: int, sentence: str) -> None:
        self.stop()
        way.chart.keys.show_time(time_ms)
        if sentence:
            self._notices.post(sentence, key=_KEY)


class _Way:
    """Where to, on which chart, and how often older bars were asked for."""

    def __init__(self, chart: ChartWidget, time_ms: int) -> None:
        self.chart, self.time_ms = chart, time_ms
        self.source: ChartSource = chart.model.source
        self.loads = 0
        self.first_ms = 0  # the oldest bar before the last load


def go_to_box(tokens: Tokens, chart: Callable[[], ChartWidget], clock: Clock) -> TypedBox:
    """The box for a date; its `chosen` gives Unix ms."""
    return TypedBox(
        tokens,
        chart(),
        name="Date or time",
        hint="Go to: 2024-03-01, 2024-03-01 14:00, -30d, yesterday …",
        read=lambda text: parse_moment(text, clock.now_ms(), chart().zone),
        words=lambda time_ms: _words(time_ms, chart()),
    )


def _words(time_ms: object, chart: ChartWidget) -> str:
    assert isinstance(time_ms, int)
    when = formatting.bar_time(time_ms, has_time=True, zone=chart.zone)
    return f"{when} {formatting.zone_name(time_ms, chart.zone)}"


def _bars_between(time_ms: int, first_ms: int, source: ChartSource) -> int:
    return round((first_ms - time_ms) / source.timeframe.typical_ms * _OPEN_SHARE[source.market])


def _too_far(asked: str, needed: int, source: ChartSource) -> str:
    timeframes = [Timeframe.parse(text) for text in _COARSER]
    needed_ms = needed * source.timeframe.typical_ms
    better = next((one for one in timeframes if needed_ms / one.typical_ms <= _MOST_BARS), timeframes[-1])
    return f"{asked} is about {needed:,} bars of {source.timeframe} away. Choose {better} or longer first."
