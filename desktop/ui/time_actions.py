"""What the window does with the time axes of its charts: zone, lines, closed hours. All charts follow the settings."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QWidget

from desktop.domain.market import Market
from desktop.domain.settings import ClosedTime, Settings
from desktop.ui.action_set import ActionSet
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.services_api import PreferencesApi
from desktop.ui.theme import Tokens
from desktop.ui.zone_picker import ZonePicker


class TimeActions(QObject):
    """Binds the actions of the time axis; `chart()` is the one in front."""

    def __init__(
        self,
        preferences: PreferencesApi,
        actions: ActionSet,
        chart: Callable[[], ChartWidget],
        tokens: Tokens,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._preferences, self._chart, self._tokens, self._window = preferences, chart, tokens, window
        actions.bind("time.zone", self._pick_in_front)
        self._bind_switch(actions, "time.breaks", "has_session_breaks")
        self._bind_switch(actions, "time.day_lines", "has_day_lines")
        self._bind_switch(actions, "time.regular", "regular_hours_only")
        actions.bind("time.closed", self._toggle_closed, is_on=self._shows_closed)

    def attach(self, chart: ChartWidget) -> None:
        """This chart follows the settings, and its zone is chosen by a click."""
        chart.times.follow(self._settings)
        self._preferences.changed.connect(chart.times.follow)
        chart.times.zone_clicked.connect(lambda corner: self.pick_zone(chart, corner))

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self._tokens = tokens

    def pick_zone(self, chart: ChartWidget, corner: QPoint) -> ZonePicker:
        """Asks for the zone of all charts; the popup's lower right corner stands there (global)."""
        source, last = chart.model.source, chart.model.last
        now_ms = last.start_ms if last is not None else 0  # offsets as the axis shows them
        picker = ZonePicker(self._tokens, self._settings.zone, source.market, now_ms, self._window)
        picker.chosen.connect(lambda choice: self._preferences.update(zone=choice))
        picker.pop_up(corner)
        return picker

    @property
    def _settings(self) -> Settings:
        return self._preferences.settings

    def _bind_switch(self, actions: ActionSet, action_id: str, field: str) -> None:
        def toggle() -> None:
            self._preferences.update(**{field: not getattr(self._settings, field)})

        actions.bind(action_id, toggle, is_on=lambda: bool(getattr(self._settings, field)))

    def _pick_in_front(self) -> None:
        chart = self._chart()
        view = chart.view
        self.pick_zone(chart, view.mapToGlobal(QPoint(view.width(), round(view.plot_size.y()))))

    def _shows_closed(self) -> bool:
        """Whether closed hours take room on the chart in front."""
        chosen = self._settings.closed_time
        return chosen is ClosedTime.SHOWN or (
            chosen is ClosedTime.MARKET and self._chart().model.source.market is Market.CRYPTO
        )

    def _toggle_closed(self) -> None:
        """The other way for the chart in front: what its market is used to, or the opposite for all."""
        is_crypto = self._chart().model.source.market is Market.CRYPTO
        wanted = ClosedTime.CUT if self._shows_closed() else ClosedTime.SHOWN
        usual = ClosedTime.SHOWN if is_crypto else ClosedTime.CUT
        self._preferences.update(closed_time=ClosedTime.MARKET if wanted is usual else wanted)
