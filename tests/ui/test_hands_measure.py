"""Measuring between two places, and the magnet that catches the crosshair."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bar, Bars
from desktop.domain.look import ChartKind
from desktop.ui import theme
from desktop.ui.chart.hand_options import HandOptions
from desktop.ui.chart.magnet import Magnet
from desktop.ui.chart.measure import Measurement, Place, length_text, measured
from desktop.ui.chart.model import ChartModel
from desktop.ui.formatting import PriceStyle
from tests.ui.chart_source import SeriesSource, walk
from tests.ui.hands import CTRL, PLOT, SHIFT, Desk

END = QPoint(460, 120)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


def pixels(desk: Desk) -> np.ndarray:
    image = desk.chart.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy() & 0xFFFFFF


def measure(desk: Desk, start: QPoint = PLOT, end: QPoint = END) -> None:
    desk.drag(start, end, modifiers=SHIFT)
    desk.settle()


# --- measuring -----------------------------------------------------------------------------------------------------


def test_shift_and_a_drag_measure_and_leave_the_view(desk: Desk) -> None:
    before = (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top)
    picture = desk.chart.grab().toImage()
    measure(desk)
    assert (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top) == before
    found = desk.chart.gestures.measurement
    assert found is not None
    assert found.start == Place(desk.frame.grid.slot_at(PLOT.x()), desk.frame.prices.price(PLOT.y()))
    assert found.end == Place(desk.frame.grid.slot_at(END.x()), desk.frame.prices.price(END.y()))
    assert found.bars == 20
    assert found.passed_ms == 20 * 60_000
    bars = desk.source.series.bars
    assert found.volume == pytest.approx(float(bars.volume[found.start.slot : found.end.slot + 1].sum()))
    now = desk.chart.grab().toImage()
    inside = QPoint(330, 130)
    assert now.pixel(inside) != picture.pixel(inside)
    assert now.pixelColor(inside) != QColor(theme.DARK.chart)


@pytest.mark.parametrize("end", ["click", "Esc", "press on an axis"])
def test_the_next_click_or_escape_ends_it(desk: Desk, end: str) -> None:
    measure(desk)
    match end:
        case "click":
            desk.click(QPoint(600, 300))
        case "Esc":
            desk.qtbot.keyClick(desk.chart, Qt.Key.Key_Escape)
        case _:
            desk.press(QPoint(880, 200))
    assert desk.chart.gestures.measurement is None


@pytest.mark.parametrize("modifiers", [SHIFT, CTRL])
def test_escape_ends_what_the_hand_is_drawing(qtbot: QtBot, modifiers: Qt.KeyboardModifier) -> None:
    desk = Desk(qtbot, options=HandOptions(has_box_zoom=True))
    before = (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top)
    desk.press(PLOT, modifiers=modifiers)
    desk.move(PLOT + QPoint(50, 20), END)
    desk.qtbot.keyClick(desk.chart, Qt.Key.Key_Escape)
    desk.move(END + QPoint(30, 0))
    desk.release(END + QPoint(30, 0), modifiers=modifiers)
    desk.settle()
    assert desk.chart.gestures.measurement is None
    assert (desk.view.right, desk.view.spacing, desk.view.bottom, desk.view.top) == before


def test_escape_leaves_the_measurement_before_the_crosshair(desk: Desk) -> None:
    measure(desk)
    desk.qtbot.keyClick(desk.chart, Qt.Key.Key_Escape)
    desk.settle()
    assert desk.chart.crosshair is not None
    desk.qtbot.keyClick(desk.chart, Qt.Key.Key_Escape)
    desk.settle()
    assert desk.chart.crosshair is None


def test_a_measurement_stays_over_its_bars_while_the_view_moves(desk: Desk) -> None:
    measure(desk)
    found = desk.chart.gestures.measurement
    desk.wheel(angle=120)
    desk.wheel(angle=100, modifiers=SHIFT)
    desk.settle()
    assert desk.chart.gestures.measurement == found


def test_shift_and_arrows_measure_from_the_crosshair(desk: Desk) -> None:
    desk.qtbot.keyClick(desk.chart, Qt.Key.Key_Right, SHIFT)
    assert desk.chart.gestures.measurement is None
    desk.move(PLOT)
    desk.settle()
    for _ in range(3):
        desk.qtbot.keyClick(desk.chart, Qt.Key.Key_Right, SHIFT)
    desk.qtbot.keyClick(desk.chart, Qt.Key.Key_Left, SHIFT)
    found, first = desk.chart.gestures.measurement, desk.frame.grid.slot_at(PLOT.x())
    assert found is not None
    assert found.start == Place(first, desk.frame.prices.price(PLOT.y()))
    assert found.end == Place(first + 2, desk.source.series.bars[first + 2].close)
    desk.settle()
    cross = desk.chart.crosshair
    assert cross is not None
    assert cross.x == desk.frame.grid.centre_of(first + 2)


def test_the_volume_follows_the_forming_bar(desk: Desk) -> None:
    x = round(desk.view.x_of(desk.view.last_slot + 0.5))
    measure(desk, QPoint(x - 80, 200), QPoint(x, 150))
    before = desk.chart.gestures.measurement
    last = desk.source.series.bars[-1]
    desk.source.put(Bar(last.start_ms, last.open, last.high, last.low, last.close, last.volume + 500))
    after = desk.chart.gestures.measurement
    assert before is not None
    assert after is not None
    assert before.volume is not None
    assert after.volume == pytest.approx(before.volume + 500)


def test_another_series_ends_it(desk: Desk) -> None:
    measure(desk)
    desk.source.show(walk(300), "X:ETHUSD", desk.source.timeframe)
    assert desk.chart.gestures.measurement is None


@pytest.mark.parametrize(("start", "end"), [((2, 2), (898, 555)), ((800, 500), (4, 3)), ((1, 300), (4, 300))])
def test_the_label_stays_in_the_plot(desk: Desk, start: tuple[int, int], end: tuple[int, int]) -> None:
    before = pixels(desk)
    measure(desk, QPoint(*start), QPoint(*end))
    desk.move(QPoint(300, 558))  # no crosshair
    desk.settle()
    now = pixels(desk)
    rows, columns = np.nonzero(now != before)
    assert rows.max() < desk.view.height
    assert columns.max() < desk.view.width
    assert (now == QColor(theme.DARK.crosshair_box).rgb() & 0xFFFFFF).sum() > 2000


def test_what_is_told_of_a_measurement() -> None:
    style = PriceStyle(2)
    up = Measurement(Place(3, 64_000.0), Place(18, 64_410.5), 15 * 15 * 60_000, 812_400.0)
    assert up.lines(style) == ("+410.50 (+0.64 %)", "15 bars, 3 h 45 m", "Vol 812 K")
    down = Measurement(Place(3, 100.0), Place(2, 99.0), -60_000, None)
    assert down.lines(style) == ("−1.00 (−1.00 %)", "−1 bar, −1 m", "Vol —")
    assert Measurement(Place(3, 0.0), Place(3, 1.0), 0, 0.0).lines(style) == ("+1.00 (—)", "0 bars, 0 s", "Vol 0")


@pytest.mark.parametrize(
    ("passed_ms", "text"),
    [
        (0, "0 s"),
        (250, "250 ms"),
        (30_000, "30 s"),
        (90_000, "1 m 30 s"),
        (86_400_000, "1 d"),
        (270_000_000, "3 d 3 h"),
    ],
)
def test_lengths_of_time(passed_ms: int, text: str) -> None:
    assert length_text(passed_ms) == text


@given(st.integers(0, 199), st.integers(0, 199), st.floats(1, 1e5), st.floats(1, 1e5))
def test_measuring_back_is_the_opposite(first: int, last: int, one: float, other: float) -> None:
    model = ChartModel(SeriesSource(walk(200)))
    there = measured(model, Place(first, one), Place(last, other))
    back = measured(model, Place(last, other), Place(first, one))
    assert (back.change, back.bars, back.passed_ms) == (-there.change, -there.bars, -there.passed_ms)
    assert back.volume == there.volume


def test_an_unknown_volume_makes_the_sum_unknown() -> None:
    bars = walk(50)
    volume = bars.volume.copy()
    volume[20] = np.nan
    columns = dict(zip(("open", "high", "low", "close", "volume", "vwap", "trades"), bars.values(), strict=True))
    columns["volume"] = volume
    model = ChartModel(SeriesSource(Bars(bars.start_ms, *columns.values())))
    assert measured(model, Place(10, 1.0), Place(30, 1.0)).volume is None
    assert measured(model, Place(21, 1.0), Place(30, 1.0)).volume is not None


# --- the magnet ----------------------------------------------------------------------------------------------------


def row_of(desk: Desk) -> int:
    desk.settle()
    cross = desk.chart.crosshair
    assert cross is not None
    assert cross.y is not None
    return cross.y


def prices_under(desk: Desk, at: QPoint) -> tuple[float, float, float, float]:
    bar = desk.source.series.bars[desk.frame.grid.slot_at(at.x())]
    return bar.open, bar.high, bar.low, bar.close


@pytest.mark.parametrize("y", [60, 200, 300, 450])
def test_the_magnet_catches_the_close_or_the_nearest_price(qtbot: QtBot, y: int) -> None:
    at = QPoint(300, y)
    free, close, ohlc = (Desk(qtbot, options=HandOptions(magnet=magnet)) for magnet in Magnet)
    for desk in (free, close, ohlc):
        desk.move(at)
    assert row_of(free) == y
    assert row_of(close) == close.frame.prices.row(prices_under(close, at)[3])
    rows = [ohlc.frame.prices.row(price) for price in prices_under(ohlc, at)]
    assert row_of(ohlc) == min(rows, key=lambda row: math.fabs(row - y))
    shown = ohlc.chart.crosshair
    assert shown is not None
    assert shown.price in [ohlc.chart.model.style.text(price) for price in prices_under(ohlc, at)]


@pytest.mark.parametrize("magnet", list(Magnet))
def test_ctrl_turns_the_magnet_over_while_it_is_held(qtbot: QtBot, magnet: Magnet) -> None:
    desk = Desk(qtbot, options=HandOptions(magnet=magnet))
    desk.move(PLOT)
    before = row_of(desk)
    desk.qtbot.keyPress(desk.chart, Qt.Key.Key_Control)
    held = row_of(desk)
    caught = {desk.frame.prices.row(price) for price in prices_under(desk, PLOT)}
    assert (held in caught) == (magnet is Magnet.OFF)
    assert held != before
    desk.qtbot.keyRelease(desk.chart, Qt.Key.Key_Control, CTRL)
    assert row_of(desk) == before


def test_the_caught_price_follows_its_bar(qtbot: QtBot) -> None:
    desk = Desk(qtbot, options=HandOptions(magnet=Magnet.CLOSE))
    desk.move(QPoint(round(desk.view.x_of(desk.view.last_slot + 0.5)), 100))
    last = desk.source.series.bars[-1]
    close = (last.low + last.high) / 2
    desk.source.put(Bar(last.start_ms, last.open, last.high, last.low, close, last.volume))
    assert row_of(desk) == desk.frame.prices.row(close)


def test_a_line_has_only_closes_and_synthetic_bars_catch_at_real_prices(qtbot: QtBot) -> None:
    desk = Desk(qtbot, options=HandOptions(magnet=Magnet.OHLC))
    desk.chart.set_kind(ChartKind.LINE)
    desk.settle()
    desk.move(QPoint(300, 20))
    assert row_of(desk) == desk.frame.prices.row(prices_under(desk, PLOT)[3])
    desk.chart.set_kind(ChartKind.HEIKIN_ASHI)
    desk.settle()
    assert row_of(desk) in {desk.frame.prices.row(price) for price in prices_under(desk, PLOT)}


def test_where_there_is_no_bar_nothing_is_caught(qtbot: QtBot) -> None:
    bars = walk(200)
    source = SeriesSource(Bars.from_rows([bars[0], *(bars[index] for index in range(190, 200))]))
    desk = Desk(qtbot, source, HandOptions(magnet=Magnet.OHLC))
    x = round(desk.view.x_of(170.5))
    desk.move(QPoint(x, 133))
    assert row_of(desk) == 133
