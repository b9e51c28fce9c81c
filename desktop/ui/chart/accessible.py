"""Charts as screen readers meet them: the role of a chart, and what they are to say at once."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QWidget


class _ChartInterface(QAccessibleWidget):
    """Name and description are the widget's own: which series, and the bar in focus."""

    def __init__(self, chart: QWidget) -> None:
        super().__init__(chart, QAccessible.Role.Chart)


def make_charts_accessible() -> None:
    """From now on charts have their role; once a process, before the first window."""
    QAccessible.installFactory(_interface_of)


def say(widget: QWidget, text: str) -> None:
    """Has a screen reader say something now, if one listens."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))


def _interface_of(class_name: str, of: QObject) -> QAccessibleInterface | None:
    return _ChartInterface(of) if class_name == "ChartWidget" and isinstance(of, QWidget) else None
