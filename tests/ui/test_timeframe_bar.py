"""The timeframe buttons and the box that takes a typed one."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from desktop.domain.timeframe import Span, Timeframe
from desktop.ui.theme import DARK
from desktop.ui.timeframe_bar import USUAL, IntervalBox, TimeframeBar, words_of


def checked(bar: TimeframeBar) -> list[str]:
    return [button.text() for button in bar.findChildren(QToolButton) if button.isChecked()]


@pytest.fixture
def bar(qtbot: QtBot) -> TimeframeBar:
    bar = TimeframeBar()
    qtbot.addWidget(bar)
    return bar


class Place(QWidget):
    """Where a chart would be."""

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.keys: list[int] = []
        self.resize(800, 600)


@pytest.fixture
def place(qtbot: QtBot) -> Place:
    place = Place()
    qtbot.addWidget(place)
    place.show()
    return place


@pytest.fixture
def box(place: Place) -> IntervalBox:
    return IntervalBox(DARK, place)


def edit_of(box: IntervalBox) -> QLineEdit:
    edit = box.findChild(QLineEdit)
    assert isinstance(edit, QLineEdit)
    return edit


def hint_of(box: IntervalBox) -> str:
    label = box.findChild(QLabel)
    assert isinstance(label, QLabel)
    return label.text()


@pytest.mark.parametrize("text", USUAL)
def test_a_click_chooses_the_timeframe(qtbot: QtBot, bar: TimeframeBar, text: str) -> None:
    button = next(b for b in bar.findChildren(QToolButton) if b.text() == text)
    with qtbot.waitSignal(bar.chosen) as chosen:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert chosen.args == [Timeframe.parse(text)]


def test_shows_the_timeframe_in_use(bar: TimeframeBar) -> None:
    bar.show_timeframe(Timeframe(4, Span.HOUR))
    assert checked(bar) == ["4h"]
    bar.show_timeframe(Timeframe(1, Span.DAY))
    assert checked(bar) == ["1D"]


def test_an_unusual_timeframe_checks_no_button(bar: TimeframeBar) -> None:
    bar.show_timeframe(Timeframe(1, Span.MINUTE))
    bar.show_timeframe(Timeframe(7, Span.MINUTE))
    assert checked(bar) == []
    bar.show_timeframe(Timeframe(1, Span.MINUTE))
    assert checked(bar) == ["1m"]


def test_every_button_says_its_timeframe_in_words(bar: TimeframeBar) -> None:
    assert [b.accessibleName() for b in bar.findChildren(QToolButton)][:3] == [
        "Timeframe 1 minute",
        "Timeframe 5 minutes",
        "Timeframe 15 minutes",
    ]


@pytest.mark.parametrize(
    ("typed", "timeframe"),
    [
        ("15", Timeframe(15, Span.MINUTE)),
        ("1H", Timeframe(1, Span.HOUR)),
        ("2D", Timeframe(2, Span.DAY)),
        ("30s", Timeframe(30, Span.SECOND)),
    ],
)
def test_typing_and_enter_choose(qtbot: QtBot, box: IntervalBox, typed: str, timeframe: Timeframe) -> None:
    box.open_with(typed[0])
    qtbot.keyClicks(edit_of(box), typed[1:])
    assert hint_of(box) == words_of(timeframe)
    with qtbot.waitSignal(box.chosen) as chosen:
        qtbot.keyClick(edit_of(box), Qt.Key.Key_Return)
    assert chosen.args == [timeframe]
    assert box.isHidden()


def test_an_empty_box_says_what_may_be_typed(box: IntervalBox) -> None:
    box.open_with("")
    assert hint_of(box) == "15, 4h, 1D, 2W …"


def test_wrong_input_is_explained_and_stays(qtbot: QtBot, box: IntervalBox) -> None:
    box.open_with("9")
    qtbot.keyClicks(edit_of(box), "9x")
    with qtbot.assertNotEmitted(box.chosen):
        qtbot.keyClick(edit_of(box), Qt.Key.Key_Return)
    assert not box.isHidden()
    assert hint_of(box).startswith("“99x” is not a timeframe.")
    assert edit_of(box).selectedText() == "99x"


def test_it_shakes_its_head_and_stands_where_it_stood(qtbot: QtBot, box: IntervalBox) -> None:
    box.open_with("99x")
    place = box.pos()
    seen: list[int] = []
    qtbot.keyClick(edit_of(box), Qt.Key.Key_Return)
    assert box.is_shaking
    qtbot.waitUntil(lambda: bool(seen.append(box.x())) or not box.is_shaking)
    assert {place.x()} != set(seen)
    assert box.pos() == place


def test_typing_ends_the_shaking_and_stillness_allows_none(qtbot: QtBot, box: IntervalBox) -> None:
    box.open_with("99x")
    place = box.pos()
    qtbot.keyClick(edit_of(box), Qt.Key.Key_Return)
    qtbot.keyClicks(edit_of(box), "1")
    assert not box.is_shaking
    assert box.pos() == place
    box.is_still = True
    qtbot.keyClicks(edit_of(box), "x")
    qtbot.keyClick(edit_of(box), Qt.Key.Key_Return)
    assert not box.is_shaking


def test_it_can_move_over_another_chart(qtbot: QtBot, box: IntervalBox) -> None:
    other = Place()
    qtbot.addWidget(other)
    other.show()
    box.open_with("1", other)
    assert box.parentWidget() is other
    qtbot.keyClick(edit_of(box), Qt.Key.Key_Escape)
    assert other.focusWidget() is other


def test_escape_gives_the_focus_back(qtbot: QtBot, place: Place, box: IntervalBox) -> None:
    box.open_with("1")
    with qtbot.assertNotEmitted(box.chosen):
        qtbot.keyClick(edit_of(box), Qt.Key.Key_Escape)
    assert box.isHidden()
    assert place.focusWidget() is place


def test_clicking_elsewhere_closes_the_box(qtbot: QtBot, place: Place, box: IntervalBox) -> None:
    qtbot.waitUntil(place.isActiveWindow)
    box.open_with("1")
    place.setFocus(Qt.FocusReason.MouseFocusReason)
    qtbot.waitUntil(box.isHidden)


def test_lies_inside_the_chart_whatever_it_says(box: IntervalBox, place: Place) -> None:
    for text in ("1", "99999x"):
        box.open_with(text)
        assert place.rect().contains(box.geometry())
