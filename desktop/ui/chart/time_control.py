"""The time axis of one chart as a person set it, and the zone's name in its corner as a button."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QWidget

from desktop.domain.settings import Settings
from desktop.ui.chart.display import Display
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.regular_hours import RegularHours
from desktop.ui.chart.time_options import TimeOptions
from desktop.ui.chart.view import Press


class TimeControl(QObject):
    """Sets zone, hours and lines of one chart."""

    zone_clicked = Signal(QPoint)  # global position of the corner's top right
    axis_changed = Signal()  # bars stand in other slots

    def __init__(self, source: RegularHours, model: ChartModel, display: Display, chart: QWidget) -> None:
        super().__init__(chart)
        self._source, self._model, self._display = source, model, display
        self.options = TimeOptions()
        display.view.clicked.connect(self._on_clicked)

    def set(self, options: TimeOptions) -> None:
        """Other options; nothing happens when they are the same."""
        before, self.options = self.options, options
        if options == before:
            return
        self._display.renderer.framer.times = options
        self._model.closed_time = options.closed_time
        is_replaced = self._source.set_on(options.regular_hours_only)
        if options.closed_time is not before.closed_time and not is_replaced:
            self._model.on_reset()
            self.axis_changed.emit()
        self._display.forget()

    def follow(self, settings: Settings) -> None:
        """As the settings say."""
        self.set(TimeOptions.of(settings))

    def _on_clicked(self, press: Press) -> None:
        if press.area == "corner" and press.button == Qt.MouseButton.LeftButton and self._model.last is not None:
            view = self._display.view
            self.zone_clicked.emit(view.mapToGlobal(QPoint(view.width(), round(view.plot_size.y()))))
