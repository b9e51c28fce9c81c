"""The charts of the workspace on the screen: the row of tabs, and each tab's charts in their grid."""

from __future__ import annotations

from typing import Any, Final, cast

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.domain.layout import Grid
from desktop.services.workspace import OpenTab
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.linking import Edges
from desktop.ui.chart_pane import ChartPane
from desktop.ui.services_api import WindowServices
from desktop.ui.tab_row import TabRow
from desktop.ui.theme import Tokens

_MOST_LINES: Final = 3  # rows or columns of a grid


class WorkspaceView(QWidget):
    """Has a widget for every open chart, and follows what the workspace does."""

    opened = Signal(ChartWidget)
    closing = Signal(ChartWidget)  # about to go
    active_changed = Signal()  # `chart` is another one

    def __init__(self, services: WindowServices, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._workspace = services.workspace
        self._tokens = tokens
        self._panes: dict[Any, ChartPane] = {}
        self._pages: dict[OpenTab[Any], _Page] = {}
        self.tab_row = TabRow(services.workspace, tokens)
        self._stack = QStackedWidget()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tab_row)
        column.addWidget(self._stack, 1)
        self._is_syncing = False
        self._sync()
        self._workspace.changed.connect(self._sync)
        self._workspace.active_changed.connect(self._on_active)

    @property
    def chart(self) -> ChartWidget:
        """The active one."""
        return self._panes[self._workspace.active].chart

    @property
    def charts(self) -> tuple[ChartWidget, ...]:
        """Those of all tabs."""
        return tuple(pane.chart for pane in self._panes.values())

    @property
    def panes(self) -> tuple[ChartPane, ...]:
        """Those of the tab in front, in reading order."""
        return tuple(self._panes[data] for data in self._workspace.tab.charts)

    def set_tokens(self, tokens: Tokens) -> None:
        """Other colours."""
        self._tokens = tokens
        self.tab_row.set_tokens(tokens)
        for pane in self._panes.values():
            pane.set_tokens(tokens)

    def step(self, by: int) -> None:
        """The next chart is the active one, on into the next tab after the last."""
        charts = self._workspace.charts
        self._workspace.activate(charts[(charts.index(self._workspace.active) + by) % len(charts)])

    def step_tab(self, by: int) -> None:
        """The next tab comes to the front."""
        tabs = self._workspace.tabs
        tab = tabs[(tabs.index(self._workspace.tab) + by) % len(tabs)]
        self._workspace.activate(tab.charts[tab.active])

    def activate_number(self, number: int) -> None:
        """The chart of this number, from 1, of the tab in front; where that has one alone, the tab."""
        charts = self._workspace.tab.charts
        if len(charts) == 1:
            charts = tuple(tab.charts[tab.active] for tab in self._workspace.tabs)
        if number <= len(charts):
            self._workspace.activate(charts[number - 1])

    def show_alone(self, is_alone: bool) -> None:
        """The active chart has the whole grid, or all have their places again."""
        for page in self._pages.values():
            page.show_alone(None)
        if is_alone:
            self._pages[self._workspace.tab].show_alone(self._panes[self._workspace.active])

    # --- inner ---------------------------------------------------------------------------------------------

    def _sync(self) -> None:
        """Widgets for what is open, none for what is not."""
        self._is_syncing = True  # pages that come and go hand the focus on: that is no touch
        try:
            self._rebuild()
        finally:
            self._is_syncing = False

    def _rebuild(self) -> None:
        tabs, charts = self._workspace.tabs, self._workspace.charts
        for tab in tabs:
            if tab not in self._pages:
                page = self._pages[tab] = _Page()
                self._stack.addWidget(page)
            self._fill(self._pages[tab], tab)
        for data in [data for data in self._panes if data not in charts]:
            self._drop(self._panes.pop(data))
        for tab in [tab for tab in self._pages if tab not in tabs]:
            page = self._pages.pop(tab)
            self._stack.removeWidget(page)
            page.deleteLater()
        self._stack.setCurrentWidget(self._pages[self._workspace.tab])
        self._show_states()

    def _fill(self, page: _Page, tab: OpenTab[Any]) -> None:
        wanted = tuple(tab.charts)
        if page.shown == (tab.grid, wanted):
            return
        for data in wanted:
            if data not in self._panes:
                self._panes[data] = self._open(data, page)
        page.arrange(tab.grid, wanted, [self._panes[data] for data in wanted])

    def _open(self, data: Any, page: QWidget) -> ChartPane:
        pane = ChartPane(self._services, data, self._tokens, page)
        pane.chart.set_look(self._workspace.look_of(data))
        pane.chart.look_changed.connect(lambda: self._workspace.set_look(data, pane.chart.look))
        pane.touched.connect(lambda: self._on_touched(data))
        pane.chart.ticker_dropped.connect(lambda ticker: data.show(ticker, data.timeframe))
        pane.chart.link.crosshair_moved.connect(lambda time_ms: self._share_crosshair(data, time_ms))
        pane.chart.link.range_moved.connect(lambda edges: self._share_range(data, edges))
        self.opened.emit(pane.chart)
        return pane

    def _drop(self, pane: ChartPane) -> None:
        self.closing.emit(pane.chart)
        pane.hide()
        pane.setParent(None)
        pane.deleteLater()

    def _on_touched(self, data: Any) -> None:
        if not self._is_syncing:
            self._workspace.activate(data)

    def _on_active(self) -> None:
        self._show_states()
        self.active_changed.emit()

    def _show_states(self) -> None:
        is_alone = len(self._panes) == 1
        for tab in self._workspace.tabs:
            for data in tab.charts:
                self._panes[data].show_state(
                    is_framed=tab.grid is not Grid.ONE,
                    is_active=data is self._workspace.active,
                    has_dot=not is_alone,
                )

    # --- links ---------------------------------------------------------------------------------------------

    def _share_crosshair(self, data: Any, time_ms: int | None) -> None:
        link = self._workspace.link_of(data)
        if link is not None and self._workspace.options(link).crosshair:
            for other in self._workspace.linked(data):
                self._panes[other].chart.link.show_crosshair(time_ms)

    def _share_range(self, data: Any, edges: Edges) -> None:
        link = self._workspace.link_of(data)
        if link is not None and self._workspace.options(link).range:
            for other in self._workspace.linked(data):
                self._panes[other].chart.link.show_range(edges)


class _Page(QWidget):
    """The charts of one tab."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: tuple[Grid, tuple[Any, ...]] | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(1)

    def arrange(self, grid: Grid, charts: tuple[Any, ...], panes: list[ChartPane]) -> None:
        """Puts them into the places of a grid."""
        self.shown = grid, charts
        layout = self._grid
        while layout.takeAt(0) is not None:
            pass
        for pane, place in zip(panes, grid.places, strict=True):
            layout.addWidget(pane, *place)
            pane.show()
        self._stretch(list(grid.places))

    def show_alone(self, pane: ChartPane | None) -> None:
        """This one takes the room of all; None: all have their places."""
        places = []
        for n in range(self._grid.count()):
            item = self._grid.itemAt(n)
            widget = item.widget() if item is not None else None
            if widget is None:
                continue
            is_shown = pane is None or widget is pane
            widget.setVisible(is_shown)
            if is_shown:
                places.append(cast("tuple[int, int, int, int]", self._grid.getItemPosition(n)))
        self._stretch(places)

    def _stretch(self, places: list[tuple[int, int, int, int]]) -> None:
        """Lines of the grid share the room when one of these (row, column, rows, columns) lies on them."""
        for line in range(_MOST_LINES):
            has_row = any(row <= line < row + rows for row, _, rows, _ in places)
            has_column = any(column <= line < column + columns for _, column, _, columns in places)
            self._grid.setRowStretch(line, int(has_row))
            self._grid.setColumnStretch(line, int(has_column))
