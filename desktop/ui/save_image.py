"""Saves the chart as a picture: asks where, writes, says what came of it."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from desktop.domain.timeframe import Timeframe
from desktop.ui.services_api import NoticesApi


def file_name(ticker: str, timeframe: Timeframe, world_label: str) -> str:
    """`X_BTCUSD-15m-DEMO.png`: a name every file system takes, which says when the data are not the vendor's."""
    parts = (re.sub(r"[^\w.\-]", "_", ticker), str(timeframe), world_label)
    return "-".join(part for part in parts if part) + ".png"


def ask_where(picture_of: QWidget, name: str, notices: NoticesApi, parent: QWidget) -> QFileDialog:
    """Opens the file dialog; when it is accepted the widget's picture is written. The dialog deletes itself."""
    dialog = QFileDialog(parent, "Save image", name, "PNG picture (*.png)")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("png")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(lambda path: save(picture_of, Path(path), notices))
    dialog.open()
    return dialog


def save(picture_of: QWidget, path: Path, notices: NoticesApi) -> None:
    """Writes the picture, in device pixels, and says so."""
    if picture_of.grab().save(str(path), "PNG"):
        notices.post(f"The picture was saved as {path.name}.", key="picture")
    else:
        notices.post(f"The picture could not be written to {path}.", "warning", key="picture")
