"""What the window does with a chart's look: how bars are drawn, which studies are on it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from desktop.domain.look import ChartKind
from desktop.domain.studies.study import Study
from desktop.ui.action_set import ActionSet
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.study_bar import StudyBar
from desktop.ui.chart_menus import ChartMenus, Spot
from desktop.ui.study_dialogs import StudyPicker, StudySettings
from desktop.ui.theme import Tokens


class StudyActions(QObject):
    """Binds the actions of the chart that `chart()` gives; dialogs belong to the window."""

    def __init__(
        self, actions: ActionSet, menus: ChartMenus, chart: Callable[[], ChartWidget], tokens: Tokens, window: QWidget
    ) -> None:
        super().__init__(window)
        self._actions, self._chart, self._tokens, self._window = actions, chart, tokens, window
        self._picker: StudyPicker | None = None
        self._bars: list[StudyBar] = []
        for kind in ChartKind:
            actions.bind(
                f"chart.kind.{kind.value}",
                partial(lambda kind: chart().set_kind(kind), kind),
                is_on=partial(lambda kind: chart().kind is kind, kind),
            )
        actions.group(*(f"chart.kind.{kind.value}" for kind in ChartKind))
        actions.bind("study.add", self.open_picker)
        menus.register("chart.kind", self._kinds_menu)
        menus.register("study.add", self._studies_menu)

    def attach(self, chart: ChartWidget) -> None:
        """The legend of this chart gets buttons for its studies."""
        bar = StudyBar(self._tokens, chart)
        chart.view.hovered.connect(lambda at: bar.point(chart.overlay, at))
        chart.studies.changed.connect(bar.leave)
        bar.hide_wanted.connect(partial(self._toggle, chart))
        bar.settings_wanted.connect(partial(self.open_settings, chart))
        bar.removal_wanted.connect(chart.studies.remove)
        bar.destroyed.connect(lambda: self._bars.remove(bar))
        self._bars.append(bar)

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self._tokens = tokens
        for bar in self._bars:
            bar.set_tokens(tokens)
        if self._picker is not None:
            self._picker.deleteLater()
            self._picker = None

    def open_picker(self) -> None:
        """Asks which study to add to the chart in front."""
        if self._picker is None:
            self._picker = StudyPicker(self._tokens, self._window)
            self._picker.chosen.connect(lambda kind: self._chart().studies.add(Study.of(kind)))
        self._picker.start()

    def open_settings(self, chart: ChartWidget, id_: int) -> None:
        """Parameters and colours of one study."""
        placed = next((placed for placed in chart.studies.items if placed.id == id_), None)
        if placed is None:
            return
        before = chart.studies.looks
        dialog = StudySettings(placed.study, self._tokens, self._window)
        dialog.edited.connect(partial(chart.studies.preview, id_))
        dialog.accepted.connect(lambda: chart.studies.settle(f"Change {placed.study.entry.label}", before))
        chart.destroyed.connect(dialog.close)
        dialog.open()

    def _toggle(self, chart: ChartWidget, id_: int) -> None:
        for placed in chart.studies.items:
            if placed.id == id_:
                chart.studies.set_hidden(id_, not placed.is_hidden)

    def _kinds_menu(self, menu: QMenu, _spot: Spot) -> QAction:
        kinds = menu.addMenu("Chart type")
        for kind in ChartKind:
            kinds.addAction(self._actions.action(f"chart.kind.{kind.value}"))
        return kinds.menuAction()

    def _studies_menu(self, menu: QMenu, spot: Spot) -> QAction:
        chart = spot.chart
        studies = menu.addMenu("Studies")
        studies.addAction(self._actions.action("study.add"))
        if chart.studies.items:
            studies.addSeparator()
        for placed in chart.studies.items:
            one = studies.addMenu(placed.study.label)
            steps: list[tuple[str, Callable[[], None]]] = [
                ("Settings…", partial(self.open_settings, chart, placed.id)),
                ("Show" if placed.is_hidden else "Hide", partial(self._toggle, chart, placed.id)),
                ("Remove", partial(chart.studies.remove, placed.id)),
            ]
            if placed.has_pane:
                steps.insert(2, ("Move up", partial(chart.studies.move, placed.id, -1)))
                steps.insert(3, ("Move down", partial(chart.studies.move, placed.id, 1)))
            for text, do in steps:
                one.addAction(text).triggered.connect(lambda _checked=False, do=do: do())
        return studies.menuAction()
