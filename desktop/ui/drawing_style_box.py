"""The small box that changes how one drawing looks: colour, width, dashes, text, lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QHideEvent, QIcon, QKeyEvent, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QToolButton, QVBoxLayout, QWidget

from desktop.domain.drawings import MOST_TEXT, WIDTHS, Dash, Drawing, Kind, Role, Style
from desktop.ui.chart.drawing_painting import colour_of
from desktop.ui.icons import icon
from desktop.ui.theme import Tokens

_ICON: Final = QSize(20, 16)
_MORE_COLOURS: Final = ("#9c6ade", "#e377c2")
_DASH_NAMES: Final = {Dash.SOLID: "Solid", Dash.DASHED: "Dashed", Dash.DOTTED: "Dotted"}
_PENS: Final = {
    Dash.SOLID: Qt.PenStyle.SolidLine,
    Dash.DASHED: Qt.PenStyle.DashLine,
    Dash.DOTTED: Qt.PenStyle.DotLine,
}


class DrawingStyleBox(QFrame):
    """Lies over a chart until something else is clicked. `changed` carries the drawing as it is to look.

    A text is told when the box closes, however that comes about.
    """

    changed = Signal(object)
    removal_wanted = Signal()
    left = Signal()  # by a key

    def __init__(self, drawing: Drawing, tokens: Tokens, over: QWidget) -> None:
        super().__init__(over)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"Style of the {drawing.kind.name_text.lower()}")
        self._drawing, self._tokens, self._over = drawing, tokens, over
        self._checks: list[tuple[QToolButton, Callable[[Style], bool]]] = []
        self.setStyleSheet(
            f"DrawingStyleBox {{ background: {tokens.panel}; border: 1px solid {tokens.line}; border-radius: 6px; }}"
            "QToolButton { padding: 4px; } QToolButton:focus { padding: 3px; }"
        )
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._column.setSpacing(4)
        self._edit: QPlainTextEdit | None = None
        if drawing.kind is Kind.TEXT:
            self._add_text()
        self._add_colours()
        if drawing.kind not in (Kind.TEXT, Kind.MEASURE):
            self._add_lines()
        self._add_rest()
        self._show_style()

    @property
    def drawing(self) -> Drawing:
        """As it looks now."""
        return self._drawing

    def open_at(self, place: QPoint) -> None:
        """Shows the box with its corner at a place of the widget it lies over, as far as it fits."""
        self.adjustSize()
        over = self._over
        left, top = min(place.x(), over.width() - self.width() - 8), min(place.y(), over.height() - self.height() - 8)
        self.move(max(0, left), max(0, top))
        self.show()
        self.raise_()
        self.setFocus()
        if self._edit is not None:
            self._edit.setFocus()
            self._edit.selectAll()
        QGuiApplication.instance().focusObjectChanged.connect(self._on_focus)  # type: ignore[union-attr]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape and Return are done with it."""
        if event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._leave()
        else:
            super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """A text that was typed is kept, however the box was left."""
        super().hideEvent(event)
        if self._edit is not None:
            text = self._edit.toPlainText().strip()[:MOST_TEXT]
            if text and text != self._drawing.text:
                self._put(replace(self._drawing, text=text))

    def _on_focus(self, focused: QObject | None) -> None:
        if isinstance(focused, QWidget) and focused is not self and not self.isAncestorOf(focused):
            self.close()

    def _leave(self) -> None:
        self.close()
        self.left.emit()

    def _put(self, drawing: Drawing) -> None:
        self._drawing = drawing
        self._show_style()
        self.changed.emit(drawing)

    def _restyle(self, **changes: object) -> None:
        self._put(replace(self._drawing, style=replace(self._drawing.style, **changes)))  # type: ignore[arg-type]

    def _show_style(self) -> None:
        for button, is_on in self._checks:
            button.setChecked(is_on(self._drawing.style))

    # --- parts -----------------------------------------------------------------------------------------------

    def _add_text(self) -> None:
        edit = self._edit = QPlainTextEdit(self._drawing.text)
        edit.setAccessibleName("Text")
        edit.setFixedHeight(64)
        edit.setTabChangesFocus(True)
        self._column.addWidget(edit)

    def _add_colours(self) -> None:
        row = self._row()
        for colour in (*(role.value for role in Role), *_MORE_COLOURS):
            button = self._choice(row, colour.capitalize(), partial(self._restyle, colour=colour))
            button.setIcon(self._swatch(colour))
            self._checks.append((button, partial(_has, colour=colour)))

    def _add_lines(self) -> None:
        row = self._row()
        for width in WIDTHS:
            button = self._choice(row, f"{width:g} pixels wide", partial(self._restyle, width=width))
            button.setIcon(self._sample(width, Dash.SOLID))
            self._checks.append((button, partial(_has, width=width)))
        row.addSpacing(8)
        for dash in Dash:
            button = self._choice(row, _DASH_NAMES[dash], partial(self._restyle, dash=dash))
            button.setIcon(self._sample(1.5, dash))
            self._checks.append((button, partial(_has, dash=dash)))
        row.addStretch(1)

    def _add_rest(self) -> None:
        row = self._row()
        lock = self._choice(
            row, "Lock: it cannot be moved", lambda: self._put(replace(self._drawing, is_locked=lock.isChecked()))
        )
        lock.setIcon(icon("lock", self._tokens.text))
        lock.setChecked(self._drawing.is_locked)
        hide = self._choice(row, "Hide: “Draw” in the menu shows it again", self._hide)
        hide.setCheckable(False)
        hide.setIcon(icon("eye-off", self._tokens.text))
        row.addStretch(1)
        remove = self._choice(row, "Remove", self._remove)
        remove.setCheckable(False)
        remove.setIcon(icon("remove", self._tokens.text))

    def _hide(self) -> None:
        self._put(replace(self._drawing, is_hidden=True))
        self._leave()

    def _remove(self) -> None:
        self._edit = None
        self.removal_wanted.emit()
        self._leave()

    def _row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        self._column.addLayout(row)
        return row

    def _choice(self, row: QHBoxLayout, name: str, do: Callable[[], object]) -> QToolButton:
        button = QToolButton()
        button.setProperty("flat", True)
        button.setCheckable(True)
        button.setIconSize(_ICON)
        button.setToolTip(name)
        button.setAccessibleName(name)
        button.clicked.connect(lambda _checked=False: do())
        row.addWidget(button)
        return button

    def _swatch(self, colour: str) -> QIcon:
        return self._picture(lambda painter: painter.fillRect(3, 1, 14, 14, colour_of(Style(colour), self._tokens)))

    def _sample(self, width: float, dash: Dash) -> QIcon:
        def draw(painter: QPainter) -> None:
            painter.setPen(QPen(QColor(self._tokens.text), width, _PENS[dash], Qt.PenCapStyle.FlatCap))
            painter.drawLine(1, 8, 19, 8)

        return self._picture(draw)

    def _picture(self, draw: Callable[[QPainter], None]) -> QIcon:
        scale = self.devicePixelRatioF()
        pixmap = QPixmap(round(_ICON.width() * scale), round(_ICON.height() * scale))
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        draw(painter)
        painter.end()
        return QIcon(pixmap)


def _has(style: Style, **wanted: object) -> bool:
    return all(getattr(style, name) == value for name, value in wanted.items())
