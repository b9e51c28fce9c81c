"""The calls used against the plan's limit: a little bar, a text, and everything else in the tooltip."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from desktop.domain.usage import Usage, UsageLevel, UsageWarning
from desktop.ui.elided_label import ElidedLabel
from desktop.ui.theme import Tokens

_MOST_SEGMENTS: Final = 10
_SEGMENT: Final = QSize(5, 10)
_GAP_PX: Final = 2


class UsageMeter(QWidget):
    """Calls of the plan's window as segments; without a limit only a number. The colour warns before the limit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = _Segments()
        self.label = ElidedLabel()
        self.label.setAccessibleName("API calls used")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.bar)
        layout.addWidget(self.label)

    def show_usage(self, usage: Usage, warning: UsageWarning, tokens: Tokens) -> None:
        """Shows the counts as they are now."""
        colour = tokens.secondary if warning.level is UsageLevel.CALM else tokens.warning
        self.label.setText(warning.sentence.rstrip(".") or _calm_text(usage))
        sheet = f"color: {colour};"
        if self.label.styleSheet() != sheet:
            self.label.setStyleSheet(sheet)
        details = usage_details(usage)
        if details != self.toolTip():
            self.setToolTip(details)
            self.label.setToolTip(details)
            self.label.setAccessibleDescription(details)
        self.bar.show_share(usage.in_window, usage.limit_per_minute, colour, tokens.hover)


def _calm_text(usage: Usage) -> str:
    if usage.limit_per_minute is None:
        text = f"{usage.last_minute} call{'' if usage.last_minute == 1 else 's'} in the last minute"
    else:
        text = f"{usage.in_window}/{usage.limit_per_minute} calls this minute"
    return f"{text} · {usage.waiting} waiting" if usage.waiting else text


def usage_details(usage: Usage) -> str:
    """Everything that is counted, a line each."""
    lines = [
        f"Calls in the last minute: {usage.last_minute:,}",
        f"in the last hour: {usage.last_hour:,}",
        f"in the last day: {usage.last_day:,}",
    ]
    if usage.rechecks_last_day:
        lines.append(f"of these to check settled bars again: {usage.rechecks_last_day:,}")
    if usage.waiting:
        lines.append(f"Waiting: {usage.waiting:,}")
    if usage.limit_per_minute is None:
        lines.append("The plan has no limit of calls a minute.")
    else:
        lines.append(f"The plan allows {usage.limit_per_minute} a minute.")
        free = "now" if usage.next_free_s <= 0 else f"in {max(1, round(usage.next_free_s))} s"
        lines.append(f"The next call can start {free}.")
    return "\n".join(lines)


class _Segments(QWidget):
    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[int, int, str, str] = (0, 0, "", "")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    @property
    def filled(self) -> int:
        """Segments that are filled now."""
        return self._shown[0]

    def show_share(self, used: int, limit: int | None, colour: str, ground: str) -> None:
        """Fills as many of the segments as calls are used; at most ten stand for the whole limit."""
        if not limit:
            self.hide()
            return
        count = min(limit, _MOST_SEGMENTS)
        filled = min(count, -(-used * count // limit))
        shown = (filled, count, colour, ground)
        if shown != self._shown:
            self._shown = shown
            self.setFixedSize(count * (_SEGMENT.width() + _GAP_PX) - _GAP_PX, _SEGMENT.height())
            self.update()
        self.show()

    def paintEvent(self, event: QPaintEvent) -> None:
        filled, count, colour, ground = self._shown
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for index in range(count):
            painter.setBrush(QColor(colour if index < filled else ground))
            left = index * (_SEGMENT.width() + _GAP_PX)
            painter.drawRoundedRect(QRectF(left, 0, _SEGMENT.width(), _SEGMENT.height()), 1.5, 1.5)
        painter.end()
