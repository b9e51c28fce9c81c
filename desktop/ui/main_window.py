"""The main window: docks, bars and menus around the chart; no logic of its own."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.settings import Settings
from desktop.domain.timeframe import Timeframe
from desktop.ui.action_set import ActionSet
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart_actions import ChartActions
from desktop.ui.chart_bar import ChartBar
from desktop.ui.command_palette import CommandPalette
from desktop.ui.dialogs import AboutDialog
from desktop.ui.export_actions import ExportActions
from desktop.ui.first_start import FirstStart
from desktop.ui.icons import app_icon
from desktop.ui.notice_bar import NoticeBar
from desktop.ui.panel_dock import PanelDock
from desktop.ui.services_api import WindowServices
from desktop.ui.settings_dialog import SettingsDialog
from desktop.ui.shortcut_sheet import ShortcutSheet
from desktop.ui.status_bar import StatusBar
from desktop.ui.theme import Tokens, palette, resolve, style_sheet
from desktop.ui.ticker_panel import TickerPanel
from desktop.ui.window_state import restore_state, saved_state
from desktop.ui.window_view import WindowView
from desktop.ui.workspace_actions import bind_workspace
from desktop.ui.workspace_view import WorkspaceView

_WITHOUT_CHART = ("settings.", "app.", "demo.", "key.", "help.", "theme.", "colours.", "palette.", "view.full_screen")
_DOCK_PX = 424  # symbol, last, change, change % and age; a wider panel shows volume, bid and ask too


class _Themed(Protocol):
    def set_tokens(self, tokens: Tokens) -> None: ...


def current_tokens(settings: Settings) -> Tokens:
    """The colours for the settings and the desktop's own appearance; dark where the desktop does not say."""
    is_dark = QGuiApplication.styleHints().colorScheme() is not Qt.ColorScheme.Light
    return resolve(settings.theme, is_dark, settings.colours)


class MainWindow(QMainWindow):
    """One world on screen. It never closes by itself: it asks, and its owner unwinds."""

    close_requested = Signal()
    demo_requested = Signal()
    world_change_requested = Signal()

    def __init__(
        self,
        services: WindowServices,
        *,
        world_label: str = "",
        is_first_start: bool = False,
        data_folder: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._world_label = world_label
        self._data_folder = data_folder
        self._tokens = current_tokens(services.preferences.settings)
        self._settings_dialog: SettingsDialog | None = None
        self.setWindowIcon(app_icon())
        self.resize(1280, 800)
        self.setMinimumSize(720, 480)
        self._build(is_first_start)
        self._build_menus()
        self._connect()
        self._apply_theme()
        self._show_series()
        if is_first_start:
            self._hide_chart_parts()
        else:
            restore_state(self, services.preferences.settings.window)
            self.chart.setFocus()

    # --- building ------------------------------------------------------------------------------------------

    def _build(self, is_first_start: bool) -> None:
        services, tokens = self._services, self._tokens
        self.workspace_view = WorkspaceView(services, tokens)
        self.commands = ActionSet(self)
        self.actions_of_chart = ChartActions(services, self.commands, lambda: self.chart, tokens, self)
        self._exports = ExportActions(
            services, self.commands, lambda: self.chart, tokens, self, world_label=self._world_label
        )
        bar = self._bar = ChartBar(services, self.commands, tokens)
        self.search_box, self._timeframes = bar.search_box, bar.timeframes
        self.addToolBar(bar)
        self.addToolBar(Qt.ToolBarArea.LeftToolBarArea, self.actions_of_chart.drawing.bar)
        self._notice_bar = NoticeBar(services.notices, tokens)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.workspace_view)
        self._first_start: FirstStart | None = None
        if is_first_start:
            self._first_start = FirstStart(services, tokens)
            self._first_start.demo_chosen.connect(self.demo_requested)
            self._pages.addWidget(self._first_start)
            self._pages.setCurrentWidget(self._first_start)
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._notice_bar)
        layout.addWidget(self._pages, 1)
        self.setCentralWidget(central)
        self.panel = TickerPanel(services, tokens)
        self._dock = PanelDock("Watchlist", self.panel, tokens)
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self._dock)
        self.resizeDocks([self._dock], [_DOCK_PX], Qt.Orientation.Horizontal)
        self.status = StatusBar(services, tokens, self._world_label)
        self.setStatusBar(self.status)
        self._themed: list[_Themed] = [
            self.workspace_view,
            self.actions_of_chart,
            self._exports,
            self._bar,
            self.panel,
            self.status,
            self._notice_bar,
            self._dock,
        ]
        if self._first_start is not None:
            self._themed.append(self._first_start)

    def _build_menus(self) -> None:
        bind, services = self.commands.bind, self._services
        bind("settings.open", self.open_settings)
        bind("app.quit", self.close_requested.emit)
        bind("search.open", lambda: self.search_box.open_with(""))
        toggle = self._dock.toggleViewAction()
        toggle.toggled.connect(bind("panel.watchlist", toggle.trigger, is_on=toggle.isChecked).setChecked)
        bind("demo.open", self.demo_requested.emit)
        bind("key.settings", lambda: self.open_settings("API key"))
        bind("help.shortcuts", lambda: ShortcutSheet(self.commands, self._tokens, self).open())
        bind("help.about", self._about)
        self.palette_box = CommandPalette(
            self.commands,
            services.search,
            self._tokens,
            self,
            open_ticker=self.open_ticker,
            open_timeframe=self.open_timeframe,
        )
        self._themed.append(self.palette_box)
        bind("palette.open", self.palette_box.open)
        bind_workspace(self.commands, services.workspace, self.workspace_view)
        self.actions_of_chart.bind_list(self.panel, self.open_ticker)
        self.actions_of_chart.bind_intervals(self.open_timeframe)
        self._view = WindowView(
            self,
            self.commands,
            services.preferences,
            parts=lambda: (self._bar, self._pages, self._dock, self.status),
            around=lambda: (
                self._bar,
                self.actions_of_chart.drawing.bar,
                self._dock,
                self.status,
                self.workspace_view.tab_row,
            ),
            alone=self.workspace_view.show_alone,
        )
        self.workspace_view.active_changed.connect(self._view.show_all)
        self.commands.fill(self.menuBar())

    def _hide_chart_parts(self) -> None:
        """Before the first question is answered there is no chart to act on."""
        self._bar.hide()
        self.actions_of_chart.drawing.bar.hide()
        self._dock.hide()
        self.status.hide()
        self.commands.switch_off([one for one in self.commands.bound if not one.startswith(_WITHOUT_CHART)])

    def _connect(self) -> None:
        services = self._services
        self.search_box.ticker_chosen.connect(self.open_ticker)
        self.search_box.tab_wanted.connect(self._open_tab)
        self.search_box.dismissed.connect(self._focus_chart)
        self.panel.ticker_chosen.connect(self.open_ticker)
        self._timeframes.chosen.connect(self.open_timeframe)
        for chart in self.workspace_view.charts:
            self._attach(chart)
        self.workspace_view.opened.connect(self._attach)
        self.workspace_view.closing.connect(self.actions_of_chart.detach)
        self.workspace_view.active_changed.connect(self._on_active)
        self.workspace_view.tab_row.left.connect(self._focus_chart)
        self._notice_bar.action_chosen.connect(self._on_notice_action)
        services.workspace.changed.connect(self._show_series)
        services.preferences.changed.connect(self._apply_theme)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply_theme)
        for notice in services.notices.open:
            self._notice_bar.show_notice(notice)

    @property
    def chart(self) -> ChartWidget:
        """The active one."""
        return self.workspace_view.chart

    def _attach(self, chart: ChartWidget) -> None:
        chart.text_typed.connect(self._on_text_typed)
        self.actions_of_chart.attach(chart)

    def _focus_chart(self) -> None:
        self.chart.setFocus()

    def _on_active(self) -> None:
        self._show_series()
        if not self.chart.isAncestorOf(QApplication.focusWidget() or self):
            self._focus_chart()

    # --- what a person does --------------------------------------------------------------------------------

    def open_ticker(self, ticker: str) -> None:
        """Shows another ticker at the same timeframe."""
        self._services.search.remember(ticker)
        self._services.chart.show(ticker, self._services.chart.timeframe)
        self.chart.setFocus()

    def _open_tab(self, ticker: str) -> None:
        self._services.search.remember(ticker)
        self._services.workspace.add_tab(ticker)

    def open_timeframe(self, timeframe: Timeframe) -> None:
        """Shows the same ticker at another timeframe."""
        if self._services.chart.ticker:
            self._services.chart.show(self._services.chart.ticker, timeframe)
        self.chart.setFocus()

    def open_settings(self, page: str = "") -> None:
        """Opens the settings, at a page by name."""
        if self._settings_dialog is None:
            dialog = self._settings_dialog = SettingsDialog(
                self._services, self._tokens, self, data_folder=self._data_folder
            )
            dialog.world_change_requested.connect(self.world_change_requested)
            dialog.demo_requested.connect(self.demo_requested)
            self._themed.append(dialog)
        if page:
            self._settings_dialog.show_page(page)
        self._settings_dialog.open()

    def _on_text_typed(self, text: str) -> None:
        if text.isdigit():
            self.actions_of_chart.interval_box.open_with(text, self.chart)
        else:
            self.search_box.open_with(text)

    def _on_notice_action(self, action_id: str) -> None:
        if not self.panel.run_action(action_id):
            self._services.connection.run_action(action_id)

    def run_action(self, action_id: str) -> None:
        """What a button of the status bar asks of the window."""
        if action_id == "enter_key":
            self.open_settings("API key")

    def _about(self) -> None:
        AboutDialog(self._data_folder, self._tokens, self).open()

    # --- state ---------------------------------------------------------------------------------------------

    def _show_series(self) -> None:
        chart = self._services.chart
        parts = [f"{chart.ticker} {chart.timeframe}"] if chart.ticker else []
        parts.append("Candelabra")
        if self._world_label:
            parts.append(self._world_label)
        self.setWindowTitle(" – ".join(parts))
        self._timeframes.show_timeframe(chart.timeframe)

    def _apply_theme(self) -> None:
        tokens = self._tokens = current_tokens(self._services.preferences.settings)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.setPalette(palette(tokens))
        self.setStyleSheet(style_sheet(tokens))
        for part in self._themed:
            part.set_tokens(tokens)

    def save_layout(self) -> None:
        """Keeps size and docks in the settings; called by the owner before the window goes."""
        if self._first_start is None:
            self._view.show_all()
            self._services.preferences.update(window=saved_state(self))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Asks instead of closing: the owner unwinds everything and then lets the window go."""
        event.ignore()
        self.close_requested.emit()
