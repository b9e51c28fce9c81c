"""Small dialogs of the window: the sheet of shortcuts and the page about the application. Shown by `open()`."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop import __version__
from desktop.ui.icons import app_icon
from desktop.ui.theme import Tokens, style_sheet, text_font

_Group = tuple[str, tuple[tuple[tuple[str, ...], str], ...]]

SHORTCUTS: Final[tuple[_Group, ...]] = (
    (
        "Everywhere",
        (
            (("Ctrl+F",), "search a symbol"),
            (("Ctrl+,",), "settings"),
            (("Alt+S",), "save the chart as a picture"),
            (("F1",), "this sheet"),
            (("Ctrl+Q",), "quit"),
        ),
    ),
    (
        "On the chart",
        (
            (("A … Z",), "search, starting with that letter"),
            (("0 … 9",), "another timeframe: 15, 4h, 1D"),
            (("←", "→"), "one bar; with Ctrl ten"),
            (("Home", "End"), "first bar, latest bar"),
            (("PgUp", "PgDn"), "one screen back, forward"),
            (("+", "−"), "zoom in, out"),
            (("Alt+R",), "reset the view"),
            (("Alt+A",), "audit what is on the screen"),
        ),
    ),
    (
        "With the mouse",
        (
            (("Wheel",), "zoom at the pointer"),
            (("Shift+Wheel",), "scroll in time"),
            (("Drag",), "move the chart; on an axis: stretch it"),
            (("Double-click",), "on an axis: automatic again"),
        ),
    ),
    (
        "In the watchlist and the search",
        (
            (("↑", "↓"), "choose"),
            (("Enter",), "open"),
            (("Del",), "remove from the watchlist"),
            (("Shift+Enter",), "add to the watchlist"),
        ),
    ),
)
"""(group, ((keys, what they do), …)) as the sheet shows them."""


class ShortcutSheet(QDialog):
    """Every key and gesture, by place."""

    def __init__(self, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Shortcuts")
        columns = QHBoxLayout()
        columns.setSpacing(40)
        for half in (SHORTCUTS[:2], SHORTCUTS[2:]):
            columns.addLayout(_column(half))
        layout = _framed(self, tokens)
        layout.addLayout(columns)
        layout.addSpacing(12)
        layout.addWidget(_close_button(self))


class AboutDialog(QDialog):
    """Which version this is, and where it keeps its data."""

    def __init__(self, data_folder: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About Candelabra")
        picture = QLabel()
        picture.setPixmap(app_icon().pixmap(64, 64))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        name = _label("Candelabra")
        name.setFont(text_font(20))
        about = [
            name,
            _label(f"Version {__version__}", "quiet"),
            _label("Live charts of Massive.com market data: complete, current and checkable."),
        ]
        if data_folder:
            folder = _label(f"Data and logs are kept in {data_folder}", "quiet")
            folder.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            about.append(folder)
        texts = QVBoxLayout()
        texts.setSpacing(6)
        for label in about:
            label.setWordWrap(True)
            texts.addWidget(label)
        row = QHBoxLayout()
        row.setSpacing(20)
        row.addWidget(picture)
        row.addLayout(texts, 1)
        layout = _framed(self, tokens)
        layout.addLayout(row)
        layout.addSpacing(12)
        layout.addWidget(_close_button(self))
        self.setMinimumWidth(460)


def _framed(dialog: QDialog, tokens: Tokens) -> QVBoxLayout:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setStyleSheet(
        style_sheet(tokens)
        + f"""
        QLabel[kind="key"] {{ background: {tokens.raised}; border: 1px solid {tokens.line}; border-radius: 4px;
            padding: 1px 7px; }}
        QLabel[kind="heading"] {{ font-weight: 600; }}
        QLabel[kind="quiet"] {{ color: {tokens.secondary}; }}
        """
    )
    layout = QVBoxLayout(dialog)
    layout.setContentsMargins(24, 20, 24, 16)
    return layout


def _column(groups: tuple[_Group, ...]) -> QGridLayout:
    """Groups below each other, their keys and meanings in line."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(20)
    grid.setVerticalSpacing(6)
    for title, rows in groups:
        if grid.count():
            grid.setRowMinimumHeight(grid.rowCount(), 14)
        grid.addWidget(_label(title, "heading"), grid.rowCount(), 0, 1, 2)
        for keys, meaning in rows:
            row = grid.rowCount()
            grid.addLayout(_caps(keys), row, 0)
            grid.addWidget(_label(meaning), row, 1)
    grid.setRowStretch(grid.rowCount(), 1)
    return grid


def _caps(keys: tuple[str, ...]) -> QHBoxLayout:
    caps = QHBoxLayout()
    caps.setSpacing(4)
    for key in keys:
        caps.addWidget(_label(_native(key), "key"))
    caps.addStretch(1)
    return caps


def _native(keys: str) -> str:
    """The keys as this system writes them; gestures and ranges as they are."""
    sequence = QKeySequence(keys)
    is_known = "Wheel" not in keys and "…" not in keys and keys.isascii() and not sequence.isEmpty()
    return sequence.toString(QKeySequence.SequenceFormat.NativeText) or keys if is_known else keys


def _label(text: str, kind: str = "") -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("kind", kind)
    return label


def _close_button(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    return buttons
