"""Pictures of a chart: painted anew at any density, and the screen is as before afterwards."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.model import Dirty
from desktop.ui.chart.overlay import Layout
from desktop.ui.chart.painting import Frame
from desktop.ui.picture import SCALES, picture_of, png_of, svg_of
from tests.ui.chart_source import FixedClock, SeriesSource, walk


@pytest.fixture
def chart(qtbot: QtBot) -> ChartWidget:
    widget = ChartWidget(SeriesSource(walk(400), name="Bitcoin"), FixedClock(), theme.DARK)
    qtbot.addWidget(widget)
    widget.resize(640, 400)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.paint_now()
    return widget


def pixels(image: QImage) -> np.ndarray:
    """(height, width) 0xRRGGBB."""
    plain = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(plain.constBits(), np.uint32).reshape(plain.height(), plain.width()) & 0xFFFFFF


def on_screen(chart: ChartWidget) -> np.ndarray:
    chart.paint_now()
    return pixels(chart.grab().toImage()).copy()


def test_a_picture_at_the_screens_density_is_what_the_screen_shows(chart: ChartWidget) -> None:
    np.testing.assert_array_equal(pixels(picture_of(chart, chart.devicePixelRatioF())), on_screen(chart))


@pytest.mark.parametrize("scale", SCALES)
def test_a_larger_picture_is_painted_anew(chart: ChartWidget, scale: int) -> None:
    before, style = on_screen(chart), (chart.model.view.bottom, chart.model.view.top, chart.model.view.right)
    image = picture_of(chart, scale)
    assert (image.width(), image.height()) == (640 * scale, 400 * scale)
    painted = pixels(image)
    if scale > 1:
        enlarged = painted[::scale, ::scale].repeat(scale, 0).repeat(scale, 1)
        assert (painted != enlarged).mean() > 0.003, "every pixel is repeated"
    at_last = int(np.flatnonzero((painted == int(theme.DARK.line[1:], 16)).mean(axis=0) > 0.9)[0])
    assert at_last // scale == pytest.approx(chart.model.view.width, abs=1)
    np.testing.assert_array_equal(on_screen(chart), before)
    assert (chart.model.view.bottom, chart.model.view.top, chart.model.view.right) == style


def test_what_surrounds_a_chart_is_in_the_picture_of_the_window(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    column.addWidget(QLabel("Above"))
    chart = ChartWidget(SeriesSource(walk(400)), FixedClock(), theme.DARK)
    column.addWidget(chart, 1)
    window.resize(500, 300)
    with qtbot.waitExposed(window):
        window.show()
    alone, whole = pixels(picture_of(chart, 3)), pixels(picture_of(window, 3))
    left, top = 3 * chart.x(), 3 * chart.y()
    assert top > 0
    np.testing.assert_array_equal(whole[top : top + alone.shape[0], left : left + alone.shape[1]], alone)


def test_the_png_reads_back(chart: ChartWidget) -> None:
    image = picture_of(chart, 2)
    np.testing.assert_array_equal(pixels(QImage.fromData(png_of(image))), pixels(image))


def test_the_svg_has_letters_and_looks_like_the_chart(chart: ChartWidget) -> None:
    content = svg_of(chart)
    root = ElementTree.fromstring(content)
    texts = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert chart.frame is not None
    whole = {label.text for label in chart.frame.price_labels if 10 < label.at < chart.frame.plot_height - 10}
    assert len(whole) > 3
    assert whole <= {text.strip() for text in texts}
    assert any("X:BTCUSD" in text for text in texts)
    assert chart.accessibleName() in content.decode()
    drawn = QImage(640, 400, QImage.Format.Format_RGB32)
    painter = QPainter(drawn)
    QSvgRenderer(content).render(painter)
    painter.end()
    shown = on_screen(chart)
    assert (pixels(drawn) == shown).mean() > 0.9  # edges are smoothed
    for colour in (int(theme.DARK.up[1:], 16), int(theme.DARK.down[1:], 16)):
        assert (pixels(drawn) == colour).sum() == pytest.approx((shown == colour).sum(), rel=0.25)


def test_what_others_draw_over_the_bars_is_in_the_svg(chart: ChartWidget) -> None:
    def write(text: str) -> Callable[[Layout, Frame], None]:
        return lambda layout, frame: layout.add(lambda painter: painter.drawText(50, 200, text), frame.plot)

    chart.decorate(write("below"), write("above"))(Dirty.ALL)
    chart.paint_now()
    assert {"below", "above"} <= {text.strip() for text in ElementTree.fromstring(svg_of(chart)).itertext()}


def test_a_chart_that_was_never_painted_has_no_svg(qtbot: QtBot) -> None:
    widget = ChartWidget(SeriesSource(walk(10)), FixedClock(), theme.DARK)
    qtbot.addWidget(widget)
    assert svg_of(widget) == b""


def test_another_density_of_the_screen_paints_anew(chart: ChartWidget) -> None:
    assert chart.is_settled
    QCoreApplication.sendEvent(chart, QEvent(QEvent.Type.DevicePixelRatioChange))
    assert not chart.is_settled
