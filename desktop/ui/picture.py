"""A chart, or the whole window, as a picture: painted anew for the size asked for, never enlarged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QCoreApplication, QEvent, QIODevice, QPoint, QRect, QSize
from PySide6.QtGui import QFont, QImage, QImageWriter, QPainter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from desktop.domain.errors import BadInput
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.texts import Texts

SCALES: Final = (1, 2, 3, 4)
_SVG_DPI: Final = 96  # Qt's own pixels


def picture_of(widget: QWidget, scale: float) -> QImage:
    """The widget as it stands, with so many device pixels for a logical one. Raises BadInput when that is too large."""
    size = QSize(round(widget.width() * scale), round(widget.height() * scale))
    image = QImage(size, QImage.Format.Format_RGB32)
    if image.isNull():
        raise BadInput("The picture would be too large for the memory.", next_step="Choose a smaller size.")
    image.setDevicePixelRatio(scale)
    image.fill(widget.palette().window().color())
    with _charts_painted_for(widget, scale):
        flags = QWidget.RenderFlag.DrawWindowBackground | QWidget.RenderFlag.DrawChildren
        widget.render(image, QPoint(), QRegion(), flags)
    return image


def png_of(image: QImage) -> bytes:
    """The picture as a PNG file; empty when it cannot be made. May be called in any thread."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def svg_of(chart: ChartWidget) -> bytes:
    """The chart as an SVG file with lines and letters; empty before anything was painted."""
    frame = chart.frame
    if frame is None:
        return b""
    whole = QRect(0, 0, frame.width, frame.height)
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(_SVG_DPI)
    generator.setSize(whole.size())
    generator.setViewBox(whole)
    generator.setTitle(chart.accessibleName())
    generator.setDescription(chart.legend_text)
    painter = QPainter(generator)
    chart.paint_again(painter, _Letters())
    painter.end()
    return bytes(buffer.data().data())


class _Letters(Texts):
    """Draws labels as text where pictures of them would not do."""

    def draw(self, painter: QPainter, left: int, top: int, font: QFont, text: str, ink: str, ground: str) -> None:
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(left, top + self.metrics(font).ascent(), text)


@contextmanager
def _charts_painted_for(widget: QWidget, scale: float) -> Iterator[None]:
    """Charts in the widget paint for another density; afterwards for that of the screen again."""
    charts = [*widget.findChildren(ChartWidget), *([widget] if isinstance(widget, ChartWidget) else [])]
    for chart in charts:
        _set_scale(chart, scale)
    try:
        yield
    finally:
        for chart in charts:
            _set_scale(chart, None)


def _set_scale(chart: ChartWidget, scale: float | None) -> None:
    chart.view.picture_scale = scale
    QCoreApplication.sendEvent(chart, QEvent(QEvent.Type.DevicePixelRatioChange))
