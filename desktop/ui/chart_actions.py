"""What the window does with the chart in front: its data, its place in time, its price scale, its menus."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from desktop.domain.bar_text import bar_tsv
from desktop.domain.look import ScaleKind
from desktop.domain.timeframe import Timeframe
from desktop.ui.action_set import ActionSet
from desktop.ui.audit_dialog import AuditDialog
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.source import ChartSource
from desktop.ui.chart_menus import ChartMenus, Spot
from desktop.ui.drawing_actions import DrawingActions
from desktop.ui.go_to import GoTo, go_to_box
from desktop.ui.services_api import WindowServices
from desktop.ui.study_actions import StudyActions
from desktop.ui.theme import Tokens
from desktop.ui.ticker_panel import TickerPanel
from desktop.ui.time_actions import TimeActions
from desktop.ui.timeframe_bar import USUAL, IntervalBox, words_of


class ChartActions(QObject):
    """Binds the actions of the chart that `chart()` gives; the dialog and the boxes they open belong to the window."""

    def __init__(
        self,
        services: WindowServices,
        actions: ActionSet,
        chart: Callable[[], ChartWidget],
        tokens: Tokens,
        window: QWidget,
    ) -> None:
        super().__init__(window)
        self._services = services
        self._actions = actions
        self._chart = chart
        self._tokens = tokens
        self._window = window
        self.dialog: AuditDialog | None = None
        self.go_to = GoTo(chart, services.notices, self)
        self.menus = ChartMenus(actions)
        self.times = TimeActions(services.preferences, actions, chart, tokens, window)
        self.looks = StudyActions(actions, self.menus, chart, tokens, window)
        self.drawing = DrawingActions(services, actions, self.menus, chart, tokens, window)
        self.interval_box = IntervalBox(tokens, chart())
        self.date_box = go_to_box(tokens, chart, services.clock)
        self.date_box.chosen.connect(self.go_to.jump)
        services.preferences.changed.connect(self._follow_motion)
        self._follow_motion()
        self._bind()

    def attach(self, chart: ChartWidget) -> None:
        """Keys, menus and buttons of this chart start the window's actions."""
        self.menus.attach(chart)
        self.looks.attach(chart)
        self.times.attach(chart)
        self.drawing.attach(chart)
        chart.action_wanted.connect(self._actions.run)
        chart.maximise_requested.connect(partial(self._actions.run, "view.maximise"))
        chart.keys.on_leave(self.go_to.stop)
        chart.buttons.check_again.clicked.connect(self._services.limits.check_again)

    def detach(self, chart: ChartWidget) -> None:
        """This chart is about to go: what stands on it goes elsewhere."""
        self.go_to.stop()
        for box in (self.interval_box, self.date_box):
            if box.parent() is chart:
                box.hide()
                box.setParent(self._window)

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self._tokens = tokens
        self.interval_box.set_tokens(tokens)
        self.date_box.set_tokens(tokens)
        self.looks.set_tokens(tokens)
        self.times.set_tokens(tokens)
        self.drawing.set_tokens(tokens)
        if self.dialog is not None:
            self.dialog.set_tokens(tokens)

    def bind_list(self, panel: TickerPanel, open_ticker: Callable[[str], None]) -> None:
        """The actions that go through the watchlist; its panel says in which order."""

        def step(by: int) -> None:
            tickers, shown = panel.model.tickers, self._source.ticker
            before = -1 if by > 0 else len(tickers)  # the first or the last one, from a ticker that is not listed
            place = (tickers.index(shown) if shown in tickers else before) + by
            if 0 <= place < len(tickers):
                open_ticker(tickers[place])

        self._actions.bind("symbol.next", lambda: step(1))
        self._actions.bind("symbol.previous", lambda: step(-1))
        self._actions.bind(
            "watchlist.toggle",
            lambda: panel.toggle(self._source.ticker),
            is_on=lambda: self._source.ticker in self._services.watchlist.tickers,
            is_possible=lambda: bool(self._source.ticker),
        )

    def bind_intervals(self, open_timeframe: Callable[[Timeframe], None]) -> None:
        """The submenu of usual timeframes, and the box for any other."""
        self.interval_box.chosen.connect(open_timeframe)
        self._actions.bind("interval.open", lambda: self.interval_box.open_with("", self._chart()))

        def submenu(menu: QMenu, _spot: Spot) -> QAction:
            intervals = menu.addMenu("Interval")
            for timeframe in map(Timeframe.parse, USUAL):
                action = intervals.addAction(words_of(timeframe))
                action.setCheckable(True)
                action.setChecked(timeframe == self._source.timeframe)
                action.triggered.connect(lambda _checked, timeframe=timeframe: open_timeframe(timeframe))
            intervals.addSeparator()
            intervals.addAction(self._actions.action("interval.open"))
            return intervals.menuAction()

        self.menus.register("interval", submenu)

    # --- inner ---------------------------------------------------------------------------------------------

    @property
    def _source(self) -> ChartSource:
        return self._chart().model.source

    def _bind(self) -> None:
        bind, chart = self._actions.bind, self._chart
        for action_id in chart().keys.commands:
            bind(action_id, partial(self._run, action_id))
        bind("time.go_to", lambda: self.date_box.open_with("", chart()))
        bind("audit.open", self._open_audit)
        bind("plan.check", self._services.limits.check_again)
        bind(
            "price.autoscale",
            lambda: chart().set_autoscale(not chart().model.view.is_autoscaled),
            is_on=lambda: chart().model.view.is_autoscaled,
        )
        bind("bar.copy", self._copy_bar, is_possible=lambda: chart().model.last is not None)
        bind("price.copy", self._copy_cross, is_possible=lambda: chart().crosshair is not None)
        self.menus.register("price.copy", self._copy_price_of)
        self._bind_scales()

    def _follow_motion(self) -> None:
        for box in (self.interval_box, self.date_box):
            box.is_still = self._services.preferences.settings.reduced_motion

    def _run(self, action_id: str) -> None:
        self._chart().keys.run(action_id)

    def _bind_scales(self) -> None:
        bind, chart = self._actions.bind, self._chart
        for kind in ScaleKind:
            bind(
                f"scale.{kind.value}",
                partial(self._toggle_scale, kind),
                is_on=partial(lambda kind: chart().scale.kind is kind, kind),
            )
        bind(
            "scale.invert",
            lambda: chart().set_scale(chart().scale.kind, is_inverted=not chart().scale.is_inverted),
            is_on=lambda: chart().scale.is_inverted,
        )

        def submenu(menu: QMenu, _spot: Spot) -> QAction:
            scales = menu.addMenu("Scale")
            for kind in ScaleKind:
                scales.addAction(self._actions.action(f"scale.{kind.value}"))
            scales.addSeparator()
            for action_id in ("scale.invert", "price.autoscale"):
                scales.addAction(self._actions.action(action_id))
            return scales.menuAction()

        self.menus.register("scale", submenu)

    def _toggle_scale(self, kind: ScaleKind) -> None:
        """The same scale again is linear."""
        scale = self._chart().scale
        wanted = ScaleKind.LINEAR if scale.kind is kind else kind
        self._chart().set_scale(wanted, is_inverted=scale.is_inverted)

    # --- prices and bars to the clipboard --------------------------------------------------------------------

    def _copy_bar(self) -> None:
        """The bar under the crosshair, else the last one."""
        chart = self._chart()
        index = chart.model.nearest_index(chart.keys.focused_slot)
        if index is not None:
            QGuiApplication.clipboard().setText(bar_tsv(chart.model.bars[index]))
            self._services.notices.post("The bar was copied.", key="copied")

    def _copy_price_of(self, menu: QMenu, spot: Spot) -> QAction | None:
        if (price := spot.price) is None:
            return None
        action = menu.addAction(f"Copy price {spot.chart.model.style.text(price)}")
        action.triggered.connect(lambda: self._copy_price(price))
        return action

    def _copy_cross(self) -> None:
        chart = self._chart()
        cross, frame = chart.crosshair, chart.frame
        if cross is not None and cross.y is not None and frame is not None:
            self._copy_price(frame.prices.price(cross.y))

    def _copy_price(self, price: float) -> None:
        text = f"{price:.{self._chart().model.style.decimals}f}"
        QGuiApplication.clipboard().setText(text)
        self._services.notices.post(f"{text} was copied.", key="copied")

    # --- the audit -------------------------------------------------------------------------------------------

    def _open_audit(self) -> None:
        chart = self._chart()
        visible, source = chart.model.visible_range, chart.model.source
        if visible is None:
            self._services.notices.post("There are no bars on the screen to audit.", key="audit")
            return
        self._services.audit.offer(source.ticker, source.timeframe, *visible)
        if self.dialog is None:
            self.dialog = AuditDialog(self._services.audit, self._tokens, self._window)
        self.dialog.open()
