"""The menus of the right mouse button on a chart: of the plot, the price axis and the time axis.

Entries stand in a fixed order by their ids. An id of the table of actions brings its action; any part of the window can
register an entry of its own, for example a submenu.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QObject, QPoint, QPointF, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from desktop.ui.action_set import ActionSet
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.view import Area

SEPARATOR: Final = ""
PLOT: Final = (
    "view.reset",
    "price.copy",
    "alert.add",
    "draw.horizontal_here",
    "time.go_to",
    "measure.start",
    SEPARATOR,
    "chart.kind",
    "interval",
    "scale",
    "study.add",
    "compare.add",
    SEPARATOR,
    "drawings.hide",
    "alerts.hide",
    "drawings.remove_all",
    SEPARATOR,
    "bar.details",
    "audit.open",
    "plan.check",
    SEPARATOR,
    "bar.copy",
    "image.copy",
    "image.save",
    "csv.save",
    "table.show",
    "settings.open",
)
PRICE: Final = (
    "price.autoscale",
    "scale.lock_ratio",
    SEPARATOR,
    "scale.linear",
    "scale.log",
    "scale.percent",
    "scale.indexed",
    SEPARATOR,
    "scale.invert",
    "scale.labels",
    SEPARATOR,
    "price.copy",
    "view.reset",
)
TIME: Final = (
    "time.zone",
    "time.breaks",
    "time.day_lines",
    "time.regular",
    "time.closed",
    SEPARATOR,
    "time.go_to",
    "view.reset",
)
PLUS: Final = ("alert.add", "draw.horizontal_here", "price.copy")  # of the button beside the crosshair's price
ORDERS: Final[dict[Area, tuple[str, ...]]] = {
    "plot": PLOT,
    "pane": PLOT,
    "border": PLOT,
    "price": PRICE,
    "pane price": ("view.reset",),
    "time": TIME,
    "corner": ("time.zone",),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where on a chart the button was pressed: logical pixels, and the price of that row (None: there is none)."""

    chart: ChartWidget
    area: Area
    at: QPoint
    price: float | None

    @classmethod
    def of(cls, chart: ChartWidget, at: QPoint) -> Spot:
        frame, area = chart.frame, chart.view.area_at(QPointF(at))
        has_price = area in ("plot", "price") and chart.model.last is not None
        price = frame.prices.price(at.y() * frame.scale) if frame is not None and has_price else None
        return cls(chart, area, at, price)


Make = Callable[[QMenu, Spot], QAction | None]
"""Builds an entry for a menu, which owns it; None: there is nothing to offer."""


class ChartMenus(QObject):
    """Builds and shows the menus of the charts that were attached."""

    def __init__(self, actions: ActionSet) -> None:
        super().__init__(actions)
        self._actions = actions
        self._made: dict[str, Make] = {}

    def register(self, entry_id: str, make: Make) -> None:
        """An entry for every menu that has a place for this id; it goes before the action of that id."""
        self._made[entry_id] = make

    def attach(self, chart: ChartWidget) -> None:
        """The right mouse button and the menu key work on this chart."""
        chart.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        chart.view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)  # the chart itself answers
        chart.customContextMenuRequested.connect(lambda at: self.menu(Spot.of(chart, at)).popup(chart.mapToGlobal(at)))
        chart.price_menu_requested.connect(
            lambda price, at: self.menu(Spot(chart, "price", chart.mapFromGlobal(at), price), PLUS).popup(at)
        )

    def menu(self, spot: Spot, order: Sequence[str] | None = None) -> QMenu:
        """The menu for a place, of these entries or those of its part; deletes itself when it closes."""
        menu = QMenu(spot.chart)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._actions.refresh()
        for entry_id in ORDERS[spot.area] if order is None else order:
            if entry_id == SEPARATOR:
                menu.addSeparator()  # neighbours and ends collapse by themselves
            elif (entry := self._entry(entry_id, menu, spot)) is not None:
                menu.addAction(entry)
        return menu

    def _entry(self, entry_id: str, menu: QMenu, spot: Spot) -> QAction | None:
        if (make := self._made.get(entry_id)) is not None:
            return make(menu, spot)
        return self._actions.action(entry_id) if entry_id in self._actions.bound else None
