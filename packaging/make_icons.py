"""Draws the app icon's PNG files (16 to 256 px) from resources/candelabra.svg; run after changing the SVG."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
SIZES = (16, 24, 32, 48, 64, 128, 256)


def draw(svg: Path, size_px: int) -> QImage:
    """The icon as a square image."""
    image = QImage(size_px, size_px, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(svg)).render(painter)
    painter.end()
    return image


def main() -> int:
    app = QGuiApplication.instance() or QGuiApplication(sys.argv)
    folder = RESOURCES / "app"
    folder.mkdir(exist_ok=True)
    for size_px in SIZES:
        if not draw(RESOURCES / "candelabra.svg", size_px).save(str(folder / f"candelabra-{size_px}.png")):
            return 1
    del app
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
