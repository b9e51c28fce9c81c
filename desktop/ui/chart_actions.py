"""What can be done about a chart's data: audit the range on the screen, check the plan again; in menus and by keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from desktop.ui.audit_dialog import AuditDialog
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.services_api import WindowServices
from desktop.ui.theme import Tokens


class ChartActions(QObject):
    """The actions, the chart's context menu and the audit's dialog; they belong to the window."""

    def __init__(self, services: WindowServices, chart: ChartWidget, tokens: Tokens, window: QWidget) -> None:
        super().__init__(window)
        self._services = services
        self._chart = chart
        self._tokens = tokens
        self._window = window
        self.dialog: AuditDialog | None = None
        self._others: tuple[QAction, ...] = ()
        self.audit = QAction("&Audit this range…", self)
        self.audit.setShortcut(QKeySequence("Alt+A"))
        self.audit.setStatusTip("Fetch what is on the screen anew and compare it with the cache")
        self.audit.triggered.connect(self._open_audit)
        self.check_again = QAction("&Check the plan again", self)
        self.check_again.triggered.connect(services.limits.check_again)
        chart.buttons.check_again.clicked.connect(services.limits.check_again)
        chart.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chart.view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the chart itself answers
        chart.customContextMenuRequested.connect(self._pop_up)

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self._tokens = tokens
        if self.dialog is not None:
            self.dialog.set_tokens(tokens)

    def menu(self) -> QMenu:
        """The chart's context menu; deletes itself when it closes."""
        menu = QMenu(self._chart)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions([self.audit, self.check_again])
        menu.addSeparator()
        menu.addActions(self._others)
        return menu

    def put_into(self, menu: QMenu, others: Sequence[QAction]) -> None:
        """Adds the actions to a menu of the window; `others` stand below them in the context menu."""
        self._others = tuple(others)
        menu.addActions([self.audit, self.check_again])

    def _pop_up(self, at: QPoint) -> None:
        self.menu().popup(self._chart.mapToGlobal(at))

    def _open_audit(self) -> None:
        visible, chart = self._chart.model.visible_range, self._services.chart
        if visible is None:
            self._services.notices.post("There are no bars on the screen to audit.", key="audit")
            return
        self._services.audit.offer(chart.ticker, chart.timeframe, *visible)
        if self.dialog is None:
            self.dialog = AuditDialog(self._services.audit, self._tokens, self._window)
        self.dialog.open()
