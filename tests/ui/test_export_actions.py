"""Saving and copying from the window as a person does it: pictures, bars, the table."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QProgressDialog, QPushButton
from pytestqt.qtbot import QtBot

from desktop.domain.settings import Settings, Theme
from desktop.domain.timeframe import Span, Timeframe
from desktop.services.exports import ExportProgress
from desktop.ui.bar_table import BarTableDialog
from desktop.ui.export_actions import file_name
from desktop.ui.image_dialog import ImageDialog
from desktop.ui.main_window import MainWindow
from tests.ui.window_services import Parts, make_parts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # popups and raise() off screen


@pytest.fixture
def parts() -> Parts:
    return make_parts(Settings(theme=Theme.DARK))


@pytest.fixture
def window(qtbot: QtBot, parts: Parts) -> MainWindow:
    built = MainWindow(parts.services, world_label="DEMO")
    qtbot.addWidget(built)
    with qtbot.waitActive(built):
        built.show()
    built.chart.paint_now()
    return built


def test_alt_s_asks_for_the_size_and_escape_leaves(qtbot: QtBot, window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.AltModifier)
    dialog = window.findChild(ImageDialog)
    assert isinstance(dialog, ImageDialog)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.findChild(ImageDialog) is None)
    assert window.findChild(QFileDialog) is None


def image_dialog(window: MainWindow) -> ImageDialog:
    window.commands.run("image.save")
    dialog = window.findChild(ImageDialog)
    assert isinstance(dialog, ImageDialog)
    return dialog


def choose_file(qtbot: QtBot, window: MainWindow, path: Path) -> None:
    """Ends the file dialog that is open with a path."""
    dialog = window.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    dialog.fileSelected.emit(str(path))
    dialog.reject()
    qtbot.waitUntil(lambda: window.findChild(QFileDialog) is None)


@pytest.mark.parametrize(("size", "scale"), [(0, 1), (1, 2), (3, 4)])
def test_the_chart_is_saved_at_the_size_chosen(
    qtbot: QtBot, parts: Parts, window: MainWindow, tmp_path: Path, size: int, scale: int
) -> None:
    dialog = image_dialog(window)
    dialog.sizes.setCurrentIndex(size)
    dialog.save_button.click()
    choose_file(qtbot, window, tmp_path / "chart.png")
    image = QImage.fromData(parts.exports.files[tmp_path / "chart.png"])
    assert (image.width(), image.height()) == (window.chart.width() * scale, window.chart.height() * scale)


def test_the_window_may_be_in_the_picture(qtbot: QtBot, parts: Parts, window: MainWindow, tmp_path: Path) -> None:
    dialog = image_dialog(window)
    assert "SVG" in dialog.sizes.itemText(dialog.sizes.count() - 1)
    dialog.window_too.click()
    assert "SVG" not in dialog.sizes.itemText(dialog.sizes.count() - 1)
    dialog.sizes.setCurrentIndex(0)
    dialog.save_button.click()
    choose_file(qtbot, window, tmp_path / "window.png")
    image = QImage.fromData(parts.exports.files[tmp_path / "window.png"])
    assert (image.width(), image.height()) == (window.width(), window.height())
    again = image_dialog(window)
    assert again.window_too.isChecked()
    assert again.sizes.currentIndex() == 0


def test_a_drawing_is_saved_and_cannot_be_copied(
    qtbot: QtBot, parts: Parts, window: MainWindow, tmp_path: Path
) -> None:
    dialog = image_dialog(window)
    dialog.sizes.setCurrentIndex(dialog.sizes.count() - 1)
    assert not dialog.copy_button.isEnabled()
    dialog.save_button.click()
    file_dialog = window.findChild(QFileDialog)
    assert isinstance(file_dialog, QFileDialog)
    assert file_dialog.defaultSuffix() == "svg"
    choose_file(qtbot, window, tmp_path / "chart.svg")
    assert parts.exports.files[tmp_path / "chart.svg"].startswith(b"<?xml")


def test_a_picture_is_copied_by_key_and_from_the_dialog(window: MainWindow, parts: Parts) -> None:
    clipboard, before = QGuiApplication.clipboard(), window.chart.size()
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_S, modifiers)
    assert (clipboard.image().width(), clipboard.image().height()) == (before.width(), before.height())
    dialog = image_dialog(window)
    dialog.sizes.setCurrentIndex(2)
    dialog.copy_button.click()
    assert clipboard.image().width() == 3 * window.chart.width()
    assert [notice.text for notice in parts.notices.open] == ["The picture was copied."]


def test_the_visible_and_all_bars_are_saved(qtbot: QtBot, parts: Parts, window: MainWindow, tmp_path: Path) -> None:
    starts = parts.chart.series.bars.start_ms
    window.commands.run("csv.save")
    choose_file(qtbot, window, tmp_path / "visible.csv")
    window.commands.run("csv.save_all")
    choose_file(qtbot, window, tmp_path / "all.csv")
    (series, from_ms, to_ms, path), everything = parts.exports.bars
    assert path == tmp_path / "visible.csv"
    assert series is parts.chart.series
    assert starts[0] < from_ms < starts[-1] < to_ms
    assert everything == (series, starts[0], starts[-1] + 1, tmp_path / "all.csv")


def test_without_bars_there_is_nothing_to_save(parts: Parts, window: MainWindow) -> None:
    parts.chart.series.clear()
    parts.chart.reset.emit()
    window.commands.refresh()
    assert not any(window.commands.action(name).isEnabled() for name in ("csv.save", "csv.save_all", "table.show"))


def test_progress_is_shown_and_can_be_ended(parts: Parts, window: MainWindow, qtbot: QtBot) -> None:
    parts.exports.say(ExportProgress("bars.csv", 20_000, 1_000_000))
    dialog = window.findChild(QProgressDialog)
    assert isinstance(dialog, QProgressDialog)
    assert (dialog.value(), dialog.maximum()) == (20_000, 1_000_000)
    assert dialog.labelText() == "bars.csv: 20,000 of 1,000,000 bars"
    cancel = dialog.findChild(QPushButton)
    assert isinstance(cancel, QPushButton)
    cancel.click()
    assert parts.exports.cancelled == 1
    parts.exports.say(None)
    qtbot.waitUntil(lambda: window.findChild(QProgressDialog) is None)


def test_the_table_opens_by_key_at_the_bar_in_focus(window: MainWindow, parts: Parts) -> None:
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(window, Qt.Key.Key_T, modifiers)
    dialog = window.findChild(BarTableDialog)
    assert isinstance(dialog, BarTableDialog)
    assert dialog.isVisible()
    assert dialog.table.currentIndex().row() == len(parts.chart.series) - 1
    parts.preferences.update(theme=Theme.LIGHT)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_a_files_name_is_safe_and_names_the_world() -> None:
    assert file_name("X:BTCUSD", Timeframe(15, Span.MINUTE), "DEMO", "png") == "X_BTCUSD-15m-DEMO.png"
    assert file_name("../BRK/A", Timeframe(1, Span.DAY), "", "csv") == ".._BRK_A-1D.csv"
