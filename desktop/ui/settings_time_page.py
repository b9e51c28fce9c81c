"""The settings of the time axis."""

from __future__ import annotations

from PySide6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from desktop.domain.settings import ClosedTime
from desktop.domain.zones import EXCHANGE, LOCAL, zone_names
from desktop.ui.chart.time_options import choice_text
from desktop.ui.forms import field_label, label
from desktop.ui.services_api import PreferencesApi
from desktop.ui.settings_pages import Choices

_SWITCHES = (
    ("has_session_breaks", "&Session breaks", "Lines between sessions; pre-market and after hours are shaded."),
    ("has_day_lines", "&Day and week lines", "Where days and weeks begin on the clock of the chart."),
    ("regular_hours_only", "&Regular hours only", "Stocks without pre-market and after hours."),
)


class TimePage(QWidget):
    """Zone, lines and closed hours; a choice applies at once."""

    def __init__(self, preferences: PreferencesApi, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self.zone = QComboBox()
        for choice in ("UTC", LOCAL, EXCHANGE, *zone_names()):
            self.zone.addItem(choice_text(choice), choice)
        self.closed = Choices(
            (
                (ClosedTime.MARKET, "As the &market", "Crypto never closes; nights and weekends of others are cut."),
                (ClosedTime.SHOWN, "Sho&w", "Nights and weekends take the room of their length."),
                (ClosedTime.CUT, "&Cut", "Bars stand side by side, also in crypto, where holes are not seen then."),
            )
        )
        self.switches = {name: QCheckBox(text) for name, text, _ in _SWITCHES}
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addWidget(label("Time axis", "heading"))
        layout.addWidget(label("A choice applies at once, to all charts.", "quiet"))
        layout.addSpacing(4)
        layout.addWidget(field_label("Time &zone", self.zone))
        layout.addWidget(self.zone)
        layout.addWidget(label("Bars of a day and longer keep the dates of their market.", "quiet"))
        layout.addSpacing(14)
        layout.addWidget(label("Lines and hours", "heading"))
        for name, _, explanation in _SWITCHES:
            switch = self.switches[name]
            switch.setAccessibleDescription(explanation)
            switch.toggled.connect(lambda is_on, name=name: preferences.update(**{name: is_on}))
            layout.addWidget(switch)
            text = label(explanation, "quiet")
            text.setContentsMargins(28, 0, 0, 8)
            layout.addWidget(text)
        layout.addSpacing(14)
        layout.addWidget(label("Closed time", "heading"))
        layout.addWidget(self.closed)
        layout.addStretch(1)
        self.zone.activated.connect(lambda _row: preferences.update(zone=self.zone.currentData()))
        self.closed.chosen.connect(lambda: preferences.update(closed_time=self.closed.value))
        preferences.changed.connect(self.renew)
        self.renew()

    def renew(self) -> None:
        """Shows what is set."""
        settings = self._preferences.settings
        row = self.zone.findData(settings.zone)
        if row < 0:  # a name from the settings file that is no place
            self.zone.addItem(choice_text(settings.zone), settings.zone)
            row = self.zone.count() - 1
        self.zone.setCurrentIndex(row)
        self.closed.show_value(settings.closed_time)
        for name, switch in self.switches.items():
            switch.setChecked(getattr(settings, name))
