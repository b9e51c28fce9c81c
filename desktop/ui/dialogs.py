"""What small dialogs are made of, and the page about the application. Shown by `open()`."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from desktop import __version__
from desktop.ui.icons import app_icon
from desktop.ui.theme import Tokens, style_sheet, text_font


class AboutDialog(QDialog):
    """Which version this is, and where it keeps its data."""

    def __init__(self, data_folder: str, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About Candelabra")
        picture = QLabel()
        picture.setPixmap(app_icon().pixmap(64, 64))
        picture.setAlignment(Qt.AlignmentFlag.AlignTop)
        name = plain_label("Candelabra")
        name.setFont(text_font(20))
        about = [
            name,
            plain_label(f"Version {__version__}", "quiet"),
            plain_label("Live charts of Massive.com market data: complete, current and checkable."),
        ]
        if data_folder:
            folder = plain_label(f"Data and logs are kept in {data_folder}", "quiet")
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
        layout = framed(self, tokens)
        layout.addLayout(row)
        layout.addSpacing(12)
        layout.addWidget(close_button(self))
        self.setMinimumWidth(460)


def framed(dialog: QDialog, tokens: Tokens) -> QVBoxLayout:
    """The layout of a dialog that deletes itself when it closes."""
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


def plain_label(text: str, kind: str = "") -> QLabel:
    """Plain text; kind is "key", "heading", "quiet" or nothing."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("kind", kind)
    return label


def close_button(dialog: QDialog) -> QDialogButtonBox:
    """The row of a dialog's only button."""
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    return buttons
