"""Drawings as they are painted: where, in which colour, how wide, and how little of the screen they make anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bar
from desktop.domain.drawings import Dash, Kind, Role, Style
from desktop.ui import theme
from desktop.ui.chart.drawing_painting import colour_of
from tests.ui.held_drawings import Board, board
from tests.ui.test_drawing_tool import BODIES, PLACES

RED = Style("#ff00ff", 1.5)
INK = QColor("#ff00ff")


@pytest.fixture
def on(qtbot: QtBot) -> Board:
    return board(qtbot)


def screen(on: Board) -> QImage:
    on.settle()
    return on.chart.grab().toImage()


def has_ink(image: QImage, x: int, y: int, reach: int = 2) -> bool:
    """Whether a pixel near a place has the drawing's colour, or one mixed with it."""
    near = (image.pixelColor(x + dx, y + dy) for dx in range(-reach, reach + 1) for dy in range(-reach, reach + 1))
    return any(pixel.red() > 150 and pixel.blue() > 150 and pixel.green() < 110 for pixel in near)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.MEASURE])
def test_every_kind_is_seen_where_it_can_be_taken(on: Board, kind: Kind) -> None:
    before = screen(on)
    assert not has_ink(before, *BODIES[kind])
    on.put(kind, *PLACES[: kind.anchor_count], style=RED, text="MM" if kind is Kind.TEXT else "")
    assert has_ink(screen(on), *BODIES[kind], 5 if kind is Kind.TEXT else 2)
    on.held.clear(on.source.ticker)
    assert screen(on) == before


def test_a_measure_is_seen_with_its_figures(on: Board) -> None:
    before = screen(on)
    on.put(Kind.MEASURE, *PLACES[:2])
    after = screen(on)
    label = theme.DARK.crosshair_box
    assert sum(after.pixelColor(x, 150).name() == label.lower() for x in range(200, 420)) > 20
    assert after != before


def test_lines_are_as_wide_as_said_and_wider_when_selected(on: Board) -> None:
    drawing = on.put(Kind.HORIZONTAL, (300, 250), style=RED)
    assert rows_of(screen(on), 700) == 2
    on.desk.select(drawing.id)
    assert rows_of(screen(on), 700) == 3
    on.desk.replace(replace(drawing, style=Style("#ff00ff", 4.0)))
    on.desk.select("")
    assert rows_of(screen(on), 700) == 4


def rows_of(image: QImage, x: int) -> int:
    return sum(image.pixelColor(x, y) == INK for y in range(100, 400))


@pytest.mark.parametrize("dash", [Dash.DASHED, Dash.DOTTED])
def test_dashes_move_with_the_chart(on: Board, dash: Dash) -> None:
    on.put(Kind.HORIZONTAL, (300, 60), style=Style("#ff00ff", 1.5, dash))

    def columns() -> list[int]:
        image = screen(on)
        y = next(row for row in range(40, 90) if any(image.pixelColor(x, row) == INK for x in range(40)))
        return [x for x in range(700) if image.pixelColor(x, y) == INK]

    before = columns()
    assert 200 < len(before) < 600
    on.drag((500, 300), (540, 300))  # a line over the whole chart has no place of its own to be dashed from
    assert len(columns()) == pytest.approx(len(before), abs=10)


def test_roles_follow_the_theme() -> None:
    for role in Role:
        assert colour_of(Style(role.value), theme.DARK) == QColor(getattr(theme.DARK, role.value))
    assert colour_of(Style("#123456"), theme.LIGHT).name() == "#123456"


def test_a_tick_leaves_the_drawings_whole(on: Board) -> None:
    on.put(Kind.TREND, (700, 300), (880, 180), style=RED)
    on.put(Kind.HORIZONTAL, (300, 250), style=RED)
    before = screen(on)
    last = on.source.series.bars[-1]
    for close in (last.close * 1.0001, last.close):
        on.source.put(Bar(last.start_ms, last.open, last.high, last.low, close, last.volume, last.vwap, last.trades))
        on.settle()
    # Where a smoothed line is cut, Qt mixes its colour a shade differently.
    assert np.abs(levels(screen(on)) - levels(before)).max() <= 3


def levels(image: QImage) -> NDArray[np.int16]:
    """Red, green and blue of every pixel, (height, width, 3)."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : plain.width() * 3].reshape(plain.height(), -1, 3).astype(np.int16)


def test_moving_one_drawing_makes_no_new_picture(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2], style=RED)
    on.desk.select(drawing.id)
    on.settle()
    key = on.chart.picture.cacheKey()
    on.drag((310, 240), (350, 260), release=False)
    assert on.chart.picture.cacheKey() == key
    assert has_ink(screen(on), 350, 260)
    assert not has_ink(screen(on), 230, 284 - 12)  # nothing stays behind
    on.qtbot.mouseRelease(
        on.chart.view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(350, 260)
    )
    on.settle()
    assert has_ink(screen(on), 350, 260)


def test_hidden_drawings_are_not_painted(on: Board) -> None:
    before = screen(on)
    on.put(Kind.TREND, *PLACES[:2], style=RED)
    on.desk.set_hidden(True)
    assert screen(on) == before
    on.desk.set_hidden(False)
    assert has_ink(screen(on), *BODIES[Kind.TREND])
