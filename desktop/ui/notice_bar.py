"""Messages above the chart: one line each, repeats with a count, an action where there is one."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from desktop.services.notices import Notice
from desktop.ui.icons import icon
from desktop.ui.services_api import NoticesApi
from desktop.ui.theme import Tokens, blend

_INFO_STAYS_MS = 8_000
_LINES = 3


class NoticeBar(QWidget):
    """The newest three messages; informative ones leave by themselves."""

    action_chosen = Signal(str)

    def __init__(
        self,
        notices: NoticesApi,
        tokens: Tokens,
        parent: QWidget | None = None,
        *,
        info_stays_ms: int = _INFO_STAYS_MS,
    ) -> None:
        super().__init__(parent)
        self._notices = notices
        self._info_stays_ms = info_stays_ms
        self._tokens = tokens
        self._lines: dict[str, _Line] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)
        self.setAccessibleName("Messages")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.hide()
        notices.posted.connect(self.show_notice)
        notices.cleared.connect(self._remove)

    def set_tokens(self, tokens: Tokens) -> None:
        self._tokens = tokens
        for line in self._lines.values():
            line.set_tokens(tokens)

    def show_notice(self, notice: Notice) -> None:
        """Adds a line, or renews the one with the same key."""
        line = self._lines.get(notice.key)
        if line is None:
            line = self._lines[notice.key] = _Line(self._tokens, self._info_stays_ms, self)
            line.dismissed.connect(lambda key=notice.key: self._notices.clear(key))
            line.action_chosen.connect(self.action_chosen)
            self._layout.insertWidget(0, line)
        line.show_notice(notice)
        for key in list(self._lines)[:-_LINES]:
            self._notices.clear(key)
        self.show()

    def _remove(self, key: str) -> None:
        line = self._lines.pop(key, None)
        if line is not None:
            line.hide()
            line.deleteLater()
        self.setVisible(bool(self._lines))


class _Line(QFrame):
    dismissed = Signal()
    action_chosen = Signal(str)

    def __init__(self, tokens: Tokens, info_stays_ms: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._info_stays_ms = info_stays_ms
        self._notice = Notice("")
        self._sign = QLabel()
        self._text = QLabel()
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._count = QLabel()
        self._count.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._action = QPushButton()
        self._action.clicked.connect(self._on_action)
        self._close = QToolButton()
        self._close.setAccessibleName("Dismiss message")
        self._close.setToolTip("Dismiss")
        self._close.setProperty("flat", True)
        self._close.clicked.connect(self.dismissed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(10)
        for widget in (self._sign, self._text, self._count, self._action, self._close):
            layout.addWidget(widget)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismissed)
        self.set_tokens(tokens)

    def set_tokens(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._close.setIcon(icon("close", tokens.secondary))
        self.show_notice(self._notice)

    def show_notice(self, notice: Notice) -> None:
        self._notice = notice
        tokens = self._tokens
        colour = {"warning": tokens.warning, "error": tokens.error}.get(notice.level, tokens.accent)
        self.setStyleSheet(
            f"_Line {{ background: {blend(colour, tokens.panel, 0.14)}; border: none;"
            f" border-left: 3px solid {colour}; border-bottom: 1px solid {tokens.line}; }}"
        )
        self._sign.setPixmap(icon(notice.level, colour).pixmap(16, 16))
        self._text.setText(notice.text)
        self._count.setText(f"×{notice.count}")
        self._count.setToolTip(f"This happened {notice.count} times.")
        self._count.setVisible(notice.count > 1)
        self._count.setStyleSheet(
            f"color: {colour}; border: 1px solid {colour}; border-radius: 8px; padding: 0 6px; font-weight: bold;"
        )
        self._action.setText(notice.action or "")
        self._action.setVisible(notice.action is not None)
        self.setAccessibleName(notice.text if notice.count == 1 else f"{notice.text} ({notice.count} times)")
        if notice.level == "info":
            self._timer.start(self._info_stays_ms)
        else:
            self._timer.stop()

    def _on_action(self) -> None:
        if self._notice.action_id is not None:
            self.action_chosen.emit(self._notice.action_id)
        self.dismissed.emit()
