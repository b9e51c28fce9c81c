"""Asks what is to be in a picture, and how large it is to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QDialog, QRadioButton, QVBoxLayout, QWidget

from desktop.ui.forms import DropDown, button, button_row, field_label, form_style, label
from desktop.ui.picture import SCALES
from desktop.ui.theme import Tokens

What = Literal["chart", "window"]


@dataclass(frozen=True, slots=True)
class PictureChoice:
    """What is shown, at how many pixels for each of the screen's logical ones; no scale: a drawing of any size."""

    what: What = "chart"
    scale: int | None = 2


class ImageDialog(QDialog):
    """`save_wanted` and `copy_wanted` follow the choice; the dialog closes before either and deletes itself."""

    save_wanted = Signal(object)  # PictureChoice
    copy_wanted = Signal(object)

    def __init__(
        self, chart: QSize, window: QSize, choice: PictureChoice, tokens: Tokens, parent: QWidget | None = None
    ) -> None:
        """chart, window: their sizes in logical pixels; choice: what is chosen at first."""
        super().__init__(parent)
        self.setWindowTitle("Save image")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._sizes = {"chart": chart, "window": window}
        self.chart = QRadioButton("The c&hart alone")
        self.window_too = QRadioButton("The &window with its panels")
        self.sizes = DropDown()
        self.save_button = button("&Save…", is_primary=True)
        self.copy_button = button("&Copy")
        self.cancel_button = button("Cancel")
        self._group = QButtonGroup(self)
        for radio in (self.chart, self.window_too):
            self._group.addButton(radio)
        (self.window_too if choice.what == "window" else self.chart).setChecked(True)
        self._lay_out()
        self._fill(choice.scale)
        self.chart.toggled.connect(lambda: self._fill(self.choice.scale))
        self.sizes.currentIndexChanged.connect(self._show_what_can_be_done)
        self.save_button.clicked.connect(self._save)
        self.copy_button.clicked.connect(self._copy)
        self.cancel_button.clicked.connect(self.reject)
        self.save_button.setDefault(True)
        self.set_tokens(tokens)

    @property
    def choice(self) -> PictureChoice:
        return PictureChoice("chart" if self.chart.isChecked() else "window", self.sizes.currentData())

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self.setStyleSheet(form_style(tokens) + f"QDialog {{ background: {tokens.panel}; }}")

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(6)
        layout.addWidget(label("Save image", "heading"))
        layout.addSpacing(4)
        layout.addWidget(self.chart)
        layout.addWidget(self.window_too)
        layout.addSpacing(8)
        layout.addWidget(field_label("Si&ze", self.sizes))
        layout.addWidget(self.sizes)
        layout.addSpacing(14)
        layout.addLayout(button_row(self.save_button, self.copy_button, at_the_end=self.cancel_button))
        self.setMinimumWidth(380)

    def _fill(self, scale: int | None) -> None:
        """The sizes there are for what is chosen."""
        size = self._sizes[self.choice.what]
        self.sizes.blockSignals(True)
        self.sizes.clear()
        for times in SCALES:
            self.sizes.addItem(f"{times}×: {size.width() * times:,} × {size.height() * times:,} pixels", times)
        if self.chart.isChecked():
            self.sizes.addItem("Any size: a drawing (SVG)", None)
        at = self.sizes.findData(scale)
        self.sizes.setCurrentIndex(max(0, at))
        self.sizes.blockSignals(False)
        self._show_what_can_be_done()

    def _show_what_can_be_done(self) -> None:
        self.copy_button.setEnabled(self.choice.scale is not None)

    def _save(self) -> None:
        self.close()
        self.save_wanted.emit(self.choice)

    def _copy(self) -> None:
        self.close()
        self.copy_wanted.emit(self.choice)
