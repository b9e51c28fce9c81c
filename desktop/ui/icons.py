"""Line icons from `resources/icons`, drawn in a theme's colour."""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

_SIZES_PX = (16, 20, 24, 32, 48)


def resources() -> Path:
    """The folder of icons and pictures: beside the package, or inside a frozen application."""
    root = getattr(sys, "_MEIPASS", None)
    return (Path(root) if root else Path(__file__).resolve().parents[2]) / "resources"


def icon(name: str, colour: str) -> QIcon:
    """The icon `name` with its strokes in `colour` (#RRGGBB); an empty icon when there is no such file."""
    answer = QIcon()
    try:
        svg = (resources() / "icons" / f"{name}.svg").read_text("utf-8").replace("#000000", colour)
    except OSError:
        return answer
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    for size_px in _SIZES_PX:
        pixmap = QPixmap(size_px, size_px)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter)
        painter.end()
        answer.addPixmap(pixmap)
    return answer


def app_icon() -> QIcon:
    """The application's own icon in all its sizes."""
    answer = QIcon()
    for path in sorted((resources() / "app").glob("candelabra-*.png")):
        answer.addFile(str(path))
    return answer
