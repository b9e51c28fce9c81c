"""Drawing in the window: its bar, its keys, the style box, the clipboard."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QToolButton
from pytestqt.qtbot import QtBot

from desktop.domain.drawings import Dash, Drawing, Kind
from desktop.ui.actions import DRAWN
from desktop.ui.chart.magnet import Magnet
from desktop.ui.chart_menus import Spot
from desktop.ui.drawing_style_box import DrawingStyleBox
from desktop.ui.main_window import MainWindow
from tests.ui.held_drawings import Board
from tests.ui.window_services import Parts, make_parts

_KEYS = Qt.KeyboardModifier


class Window(Board):
    """The chart of a window as a board, and the window around it."""

    def __init__(self, qtbot: QtBot) -> None:
        self.parts: Parts = make_parts()
        self.window = MainWindow(self.parts.services)
        qtbot.addWidget(self.window)
        self.window.resize(1280, 800)
        with qtbot.waitExposed(self.window):
            self.window.show()
        self.actions = self.window.actions_of_chart.drawing
        desk, tool = self.actions._hands[self.window.chart]
        super().__init__(qtbot, self.parts.chart, self.window.chart, self.parts.drawings, desk, tool)
        self.chart.setFocus()
        self.settle()

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = _KEYS.NoModifier) -> None:
        self.qtbot.keyClick(self.chart, key, modifiers)
        self.settle()

    def button(self, action_id: str) -> QToolButton:
        (found,) = [
            button
            for button in self.actions.bar.findChildren(QToolButton)
            if button.defaultAction() is not None and button.defaultAction().objectName() == action_id
        ]
        return found


@pytest.fixture
def on(qtbot: QtBot) -> Window:
    return Window(qtbot)


PLACES = ((200, 300), (420, 180), (300, 360))


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_button_that_shows_that_it_is_in_the_hand(on: Window, kind: Kind) -> None:
    button = on.button(f"draw.{kind.value}")
    assert not button.icon().isNull()
    on.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert button.isChecked()
    assert not on.button("draw.select").isChecked()
    assert on.desk.kind is kind
    assert on.chart.hasFocus()
    for place in PLACES[: kind.anchor_count]:
        on.click(*place)
    assert on.only.kind is kind
    assert not button.isChecked()
    assert on.button("draw.select").isChecked()
    assert (on.actions.style_box is not None) == (kind is Kind.TEXT)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (Qt.Key.Key_T, Kind.TREND),
        (Qt.Key.Key_J, Kind.RAY),
        (Qt.Key.Key_M, Kind.MEASURE),
        (Qt.Key.Key_F, Kind.FIBONACCI),
    ],
)
def test_a_key_takes_the_tool_and_puts_it_away(on: Window, key: Qt.Key, kind: Kind) -> None:
    on.key(key, _KEYS.AltModifier)
    assert on.desk.kind is kind
    on.key(key, _KEYS.AltModifier)
    assert on.desk.kind is None
    on.key(key, _KEYS.AltModifier)
    on.drag(*PLACES[:2])
    assert on.only.kind is kind


@pytest.mark.parametrize(("key", "kind"), [(Qt.Key.Key_H, Kind.HORIZONTAL), (Qt.Key.Key_V, Kind.VERTICAL)])
def test_lines_of_one_place_are_drawn_at_the_crosshair(on: Window, key: Qt.Key, kind: Kind) -> None:
    on.key(key, _KEYS.AltModifier)
    assert (on.desk.kind, on.drawings) == (kind, ())  # no crosshair: it waits for a click
    on.key(Qt.Key.Key_Escape)
    for place in (QPoint(310, 210), QPoint(300, 200)):  # a mouse that is there already does not move
        on.qtbot.mouseMove(on.chart.view.viewport(), place)
    on.settle()
    on.key(key, _KEYS.AltModifier)
    assert on.only.kind is kind
    assert on.only.anchors == (on.place(300, 200),)


def test_keys_of_the_selected_drawing(on: Window) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    before = on.parts.chart.ticker
    on.click(310, 240)
    for key, ticks, bars in (
        (Qt.Key.Key_Up, 1, 0),
        (Qt.Key.Key_Right, 1, 1),
        (Qt.Key.Key_Down, 0, 1),
        (Qt.Key.Key_Left, 0, 0),
    ):
        on.key(key)
        for old, new in zip(drawing.anchors, on.only.anchors, strict=True):
            assert new == (old.time_ms + bars * 60_000, pytest.approx(old.price + ticks * 0.01, abs=1e-9))
    assert on.parts.chart.ticker == before
    on.key(Qt.Key.Key_Delete)
    assert on.drawings == ()
    on.key(Qt.Key.Key_Z, _KEYS.ControlModifier)
    assert on.only.anchors == drawing.anchors
    for _ in range(5):
        on.key(Qt.Key.Key_Z, _KEYS.ControlModifier)
    assert on.drawings == ()
    on.key(Qt.Key.Key_Y, _KEYS.ControlModifier)
    assert on.only == drawing


def test_escape_leaves_one_thing_at_a_time(on: Window) -> None:
    on.put(Kind.TREND, *PLACES[:2])
    on.click(310, 240)
    assert on.desk.selected is not None
    on.key(Qt.Key.Key_T, _KEYS.AltModifier)
    on.click(500, 400)
    on.key(Qt.Key.Key_Escape)
    assert (on.desk.active, on.desk.kind) == (None, Kind.TREND)
    on.key(Qt.Key.Key_Escape)
    assert on.desk.kind is None
    on.click(310, 240)
    assert on.chart.crosshair is not None
    on.key(Qt.Key.Key_Escape)
    assert on.desk.selected is None
    assert on.chart.crosshair is not None
    on.key(Qt.Key.Key_Escape)
    on.settle()
    assert on.chart.crosshair is None


def test_a_trend_line_by_the_keyboard_alone(on: Window) -> None:
    on.key(Qt.Key.Key_T, _KEYS.AltModifier)
    on.qtbot.mouseMove(on.chart.view.viewport(), QPoint(300, 200))
    on.settle()
    on.key(Qt.Key.Key_Return)
    on.key(Qt.Key.Key_Right)
    on.key(Qt.Key.Key_Return)
    first, second = on.only.anchors
    assert second.time_ms - first.time_ms == 60_000


def test_copy_and_paste(on: Window) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    on.click(310, 240)
    on.key(Qt.Key.Key_C, _KEYS.ControlModifier)
    on.key(Qt.Key.Key_V, _KEYS.ControlModifier)
    original, copy = on.drawings
    assert original == drawing
    assert copy.id != drawing.id
    assert [new.time_ms - old.time_ms for new, old in zip(copy.anchors, drawing.anchors, strict=True)] == [180_000] * 2
    assert on.desk.selected == copy
    QGuiApplication.clipboard().setText("something else")
    on.key(Qt.Key.Key_V, _KEYS.ControlModifier)
    assert len(on.drawings) == 2
    assert "no drawings in the clipboard" in on.parts.notices.open[-1].text


def test_drawings_are_hidden_and_shown(on: Window) -> None:
    on.put(Kind.TREND, *PLACES[:2])
    on.key(Qt.Key.Key_H, _KEYS.ControlModifier | _KEYS.AltModifier)
    assert on.desk.shown == ()
    assert on.button("drawings.hide").isChecked()
    on.button("drawings.hide").click()
    assert len(on.desk.shown) == 1
    on.button("drawings.remove_all").click()
    assert on.drawings == ()
    on.button("edit.undo").click()
    assert len(on.drawings) == 1


def test_the_magnet_is_switched(on: Window) -> None:
    on.button("draw.magnet").click()
    assert on.chart.pointer.magnet is Magnet.OHLC
    assert on.button("draw.magnet").isChecked()
    on.button("draw.magnet").click()
    assert on.chart.pointer.magnet is Magnet.OFF


def box_of(on: Window) -> DrawingStyleBox:
    box = on.actions.style_box
    assert box is not None
    assert box.isVisible()
    return box


def choice(box: DrawingStyleBox, name: str) -> QToolButton:
    (found,) = [button for button in box.findChildren(QToolButton) if button.accessibleName() == name]
    return found


def test_the_style_box_changes_the_look_and_remembers_it(on: Window) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    on.click(310, 240)
    on.key(Qt.Key.Key_Return)
    box = box_of(on)
    for name in ("Warning", "4 pixels wide", "Dotted", "Lock: it cannot be moved"):
        choice(box, name).click()
    assert choice(box, "Warning").isChecked()
    assert not choice(box, "Accent").isChecked()
    style = on.only.style
    assert (style.colour, style.width, style.dash) == ("warning", 4.0, Dash.DOTTED)
    assert on.only.is_locked
    assert on.only.anchors == drawing.anchors
    box.close()
    on.desk.choose(Kind.HORIZONTAL)
    on.click(600, 100)
    assert on.drawings[-1].style == style


def test_the_style_box_goes_when_something_else_is_clicked_or_by_a_key(on: Window) -> None:
    on.put(Kind.HORIZONTAL, (300, 250))
    for leave in (lambda: on.click(600, 500), lambda: on.qtbot.keyClick(box_of(on), Qt.Key.Key_Escape)):
        on.click(500, 250)
        on.key(Qt.Key.Key_Return)
        assert box_of(on).hasFocus()
        leave()
        on.qtbot.waitUntil(lambda: on.actions.style_box is None)
        assert on.chart.hasFocus()


def test_the_style_box_removes(on: Window) -> None:
    on.put(Kind.HORIZONTAL, (300, 250))
    on.click(500, 250)
    on.key(Qt.Key.Key_Return)
    choice(box_of(on), "Remove").click()
    assert on.drawings == ()


def test_one_drawing_is_hidden_and_shown_again(on: Window) -> None:
    drawing = on.put(Kind.HORIZONTAL, (300, 250))
    reveal = on.window.commands.action("drawings.reveal")
    assert not reveal.isEnabled()
    on.click(500, 250)
    on.key(Qt.Key.Key_Return)
    choice(box_of(on), "Hide: “Draw” in the menu shows it again").click()
    assert on.only.is_hidden
    assert on.desk.shown == ()
    on.click(500, 250)
    assert on.desk.selected is None
    reveal.trigger()
    assert on.only == drawing


def test_a_text_is_typed_where_it_was_put(on: Window) -> None:
    on.desk.choose(Kind.TEXT)
    on.click(300, 250)
    box = box_of(on)
    edit = box.findChild(QPlainTextEdit)
    assert isinstance(edit, QPlainTextEdit)
    edit.setPlainText("support\nsince March")
    choice(box, "Up").click()
    box.close()
    assert (on.only.text, on.only.style.colour) == ("support\nsince March", "up")


def test_the_menu_of_the_chart_draws_a_line_where_it_was_opened(on: Window) -> None:
    at = QPoint(300, 200)
    menu: QMenu = on.window.actions_of_chart.menus.menu(Spot.of(on.chart, at))
    (action,) = [action for action in menu.actions() if action.text() == "Draw horizontal line here"]
    action.trigger()
    assert on.only.kind is Kind.HORIZONTAL
    assert on.only.anchors[0].price == pytest.approx(on.place(300, 200).price, abs=0.02)
    assert {"drawings.hide", "drawings.remove_all"} <= {action.objectName() for action in menu.actions()}
    menu.close()


def test_drawings_leave_and_come_back_as_a_file(on: Window, tmp_path: Path) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    path = tmp_path / "drawings.json"
    path.write_text(on.held.exported(on.source.ticker), "utf-8")
    on.held.clear(on.source.ticker)
    on.parts.services.drawings.import_file(on.source.ticker, path)
    assert on.only.anchors == drawing.anchors


def test_every_action_of_drawing_is_bound(on: Window) -> None:
    assert {spec.id for spec in DRAWN} <= on.window.commands.bound


def test_a_new_tick_keeps_a_drawing_in_the_making(on: Window) -> None:
    on.desk.choose(Kind.TREND)
    on.click(*PLACES[0])
    draft = on.desk.active
    bars = on.source.series.bars
    on.source.put(bars[-1])
    on.settle()
    assert isinstance(on.desk.active, Drawing)
    assert on.desk.active == draft
