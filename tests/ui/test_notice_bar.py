"""Messages above the chart: one line each, folded repeats, an action, and a way to send them off."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QFrame, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from desktop.services.notices import Notices
from desktop.ui.notice_bar import NoticeBar
from desktop.ui.theme import DARK, LIGHT


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def bar(qtbot: QtBot, notices: Notices) -> Iterator[NoticeBar]:
    bar = NoticeBar(notices, DARK, info_stays_ms=20)
    qtbot.addWidget(bar)
    bar.resize(700, 100)
    return bar


def texts(bar: NoticeBar) -> list[str]:
    """Every text a person sees, top to bottom, left to right."""
    return [
        label.text()
        for label in bar.findChildren(QLabel)
        if label.isVisibleTo(bar) and label.text() and label.pixmap().isNull()
    ]


def sheets(bar: NoticeBar) -> str:
    return "".join(frame.styleSheet() for frame in bar.findChildren(QFrame))


def button(bar: NoticeBar, name: str) -> QAbstractButton:
    return next(b for b in bar.findChildren(QAbstractButton) if name in (b.text(), b.accessibleName()))


def test_is_not_there_without_messages(bar: NoticeBar, notices: Notices) -> None:
    assert not bar.isVisibleTo(bar.parentWidget() or bar)
    notices.post("Something happened.", "warning")
    assert not bar.isHidden()


def test_a_repeat_is_one_line_with_a_count(bar: NoticeBar, notices: Notices) -> None:
    for _ in range(4):
        notices.post("The disk is full.", "error")
    assert texts(bar) == ["The disk is full.", "×4"]


def test_a_single_message_has_no_count(bar: NoticeBar, notices: Notices) -> None:
    notices.post("The disk is full.", "error")
    assert texts(bar) == ["The disk is full."]


def test_markup_from_outside_is_shown_as_it_is(bar: NoticeBar, notices: Notices) -> None:
    notices.post("<b>bold</b> <img src='x'>", "warning")
    label = next(label for label in bar.findChildren(QLabel) if "bold" in label.text())
    assert label.textFormat() is Qt.TextFormat.PlainText


def test_dismissing_clears_the_message_for_everyone(qtbot: QtBot, bar: NoticeBar, notices: Notices) -> None:
    notices.post("The disk is full.", "error")
    qtbot.mouseClick(button(bar, "Dismiss message"), Qt.MouseButton.LeftButton)
    assert notices.open == ()
    assert bar.isHidden()


def test_the_action_is_told_and_the_line_leaves(qtbot: QtBot, bar: NoticeBar, notices: Notices) -> None:
    notices.post("BTC/USD was removed.", action="Undo", action_id="undo-remove:X:BTCUSD")
    with qtbot.waitSignal(bar.action_chosen) as told:
        qtbot.mouseClick(button(bar, "Undo"), Qt.MouseButton.LeftButton)
    assert told.args == ["undo-remove:X:BTCUSD"]
    assert notices.open == ()


def test_a_message_without_action_has_no_button(bar: NoticeBar, notices: Notices) -> None:
    notices.post("The disk is full.", "error")
    assert [b.text() for b in bar.findChildren(QPushButton) if b.isVisibleTo(bar)] == []


def test_information_leaves_by_itself_and_errors_stay(qtbot: QtBot, bar: NoticeBar, notices: Notices) -> None:
    notices.post("The disk is full.", "error")
    with qtbot.waitSignal(notices.cleared) as cleared:
        notices.post("The picture was saved.", key="saved")
    assert cleared.args == ["saved"]
    assert texts(bar) == ["The disk is full."]


def test_a_message_that_became_a_warning_stays(qtbot: QtBot, bar: NoticeBar, notices: Notices) -> None:
    notices.post("Saving…", key="save")
    notices.post("Not saved.", "warning", key="save")
    with qtbot.waitSignal(notices.cleared) as cleared:
        notices.post("Something else.", key="else")
    assert cleared.args == ["else"]
    assert [notice.key for notice in notices.open] == ["save"]


def test_only_the_newest_three_are_kept_newest_first(qtbot: QtBot, bar: NoticeBar, notices: Notices) -> None:
    for number in range(5):
        notices.post(f"Message {number}.", "warning")
    qtbot.waitUntil(lambda: len(texts(bar)) == 3)
    shown = [label for label in bar.findChildren(QLabel) if label.text() in texts(bar)]
    shown.sort(key=lambda label: label.mapTo(bar, QPoint(0, 0)).y())
    assert [label.text() for label in shown] == ["Message 4.", "Message 3.", "Message 2."]
    assert [notice.text for notice in notices.open] == ["Message 2.", "Message 3.", "Message 4."]


def test_a_long_message_wraps_instead_of_widening_the_window(bar: NoticeBar, notices: Notices) -> None:
    notices.post("word " * 200, "warning")
    assert bar.minimumSizeHint().width() < 500


def test_another_theme_recolours_open_messages(bar: NoticeBar, notices: Notices) -> None:
    notices.post("The disk is full.", "error")
    assert DARK.error in sheets(bar)
    bar.set_tokens(LIGHT)
    assert LIGHT.error in sheets(bar)
    assert DARK.error not in sheets(bar)
    assert texts(bar) == ["The disk is full."]
