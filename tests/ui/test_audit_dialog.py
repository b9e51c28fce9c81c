"""Auditing what is on the screen: from the menu to the report, first with set states, then over a real server."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from desktop.domain.audit import Findings
from desktop.domain.timeframe import HOUR_MS, MINUTE_MS, ONE_MINUTE
from desktop.ui.audit_dialog import AuditDialog
from desktop.ui.main_window import MainWindow
from desktop.ui.theme import LIGHT
from tests.domain.test_audit import REPORT
from tests.helpers.feed_server import ServerProcess, feed_servers  # noqa: F401 (fixture)
from tests.helpers.window_desk import WindowDesk, window_desk
from tests.services.live_desk import until
from tests.ui.window_services import Parts, make_parts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)  # popups and raise() off screen
BTC = "X:BTCUSD"


@pytest.fixture
def parts() -> Parts:
    return make_parts()


@pytest.fixture
def window(qtbot: QtBot, parts: Parts) -> MainWindow:
    window = MainWindow(parts.services)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
    qtbot.waitUntil(lambda: window.chart.model.visible_range is not None and window.chart.frame is not None)
    return window


@pytest.fixture
def dialog(qtbot: QtBot, window: MainWindow) -> AuditDialog:
    qtbot.keyClick(window.chart, Qt.Key.Key_F5)
    opened = window.actions_of_chart.dialog
    assert opened is not None
    qtbot.waitUntil(opened.isVisible)
    return opened


def test_the_key_offers_what_is_on_the_screen_and_says_the_cost(
    parts: Parts, window: MainWindow, dialog: AuditDialog
) -> None:
    offer = parts.audit.state.offer
    assert offer is not None
    assert (offer.from_ms, offer.to_ms) == window.chart.model.visible_range
    assert dialog.title.text() == "X:BTCUSD, minute bars"
    assert "7 calls to the vendor. The plan allows 5 a minute, so it takes about 1 min." in dialog.cost.text()
    assert parts.audit.state.phase == "offered", "nothing starts by itself"
    assert not dialog.isModal()


def test_it_can_be_started_and_cancelled_from_the_keyboard(qtbot: QtBot, parts: Parts, dialog: AuditDialog) -> None:
    qtbot.waitUntil(dialog.start_button.hasFocus)
    qtbot.keyClick(dialog.start_button, Qt.Key.Key_Space)
    assert parts.audit.state.phase == "running"
    parts.audit.say(done=2, findings=Findings(2880, 1))
    assert dialog.progress.isVisible()
    assert (dialog.progress.value(), dialog.progress.maximum()) == (2, 7)
    assert dialog.remark.text() == "Call 3 of 7: 2,880 bars compared, 0 differences so far."
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Space)
    assert parts.audit.state.phase == "cancelled"
    assert dialog.remark.text().startswith("Cancelled. 2,880 bars were compared")
    assert dialog.start_button.hasFocus()


def test_the_report_is_a_sentence_and_a_table(parts: Parts, dialog: AuditDialog) -> None:
    assert not dialog.table.isVisible()
    parts.audit.say(phase="done", report=REPORT, findings=REPORT.findings)
    assert dialog.remark.text().startswith(REPORT.summary)
    assert "have taken over the vendor's values" in dialog.remark.text()
    texts = [dialog.model.index(0, column).data() for column in range(dialog.model.columnCount())]
    assert texts == ["Tue 03 Mar '26 14:01", "close", "64000.1", "0.00000015"]
    same = replace(REPORT, findings=Findings(1440))
    parts.audit.say(report=same, findings=same.findings)
    assert dialog.remark.text() == "1,440 bars compared with the vendor, all the same."
    assert not dialog.table.isVisible()


def test_a_failure_is_one_sentence(parts: Parts, dialog: AuditDialog) -> None:
    parts.audit.say(phase="failed", sentence="No network.")
    assert dialog.remark.text() == "No network."
    assert dialog.start_button.isVisible()
    assert not dialog.save_button.isVisible()


def test_the_report_can_be_copied_and_saved(parts: Parts, dialog: AuditDialog, tmp_path: Path) -> None:
    parts.audit.say(phase="done", report=REPORT, findings=REPORT.findings)
    dialog.copy_button.click()
    assert QGuiApplication.clipboard().text().startswith("X:BTCUSD,1m,")
    path = tmp_path / "report.csv"
    dialog.save(path)
    with path.open(newline="") as file:
        assert list(csv.reader(file))[2][1] == "close"
    assert dialog.remark.text().endswith("The report was saved as report.csv.")
    dialog.save(tmp_path / "nowhere" / "report.csv")
    assert "could not be written" in dialog.remark.text()


def test_the_dialog_follows_the_theme(window: MainWindow, dialog: AuditDialog) -> None:
    window.actions_of_chart.set_tokens(LIGHT)
    assert LIGHT.panel in dialog.styleSheet()


def test_the_charts_menu_has_both_actions(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    window.chart.customContextMenuRequested.emit(QPoint(50, 50))
    popup = next(found for found in window.chart.findChildren(QMenu) if found.isVisible())
    entries = {action.text().replace("&", ""): action for action in popup.actions()}
    assert entries["Audit this range…"].isEnabled()
    entries["Check the plan again"].trigger()
    assert parts.limits.checks == 1
    popup.close()


def test_check_again_on_the_chart_and_in_the_settings(qtbot: QtBot, parts: Parts, window: MainWindow) -> None:
    parts.chart.say(sentence="Not in the plan.", is_plan_limit=True)
    button = window.chart.buttons.check_again
    qtbot.waitUntil(button.isVisible)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert parts.limits.checks == 1
    window.open_settings("Connection")
    page = window._settings_dialog.connection_page  # type: ignore[union-attr]
    page.check_button.click()
    assert parts.limits.checks == 2
    assert page.check_remark.text() == "It is being asked for again."


# --- over a real server ----------------------------------------------------------------------------------------


def open_audit(desk: WindowDesk) -> AuditDialog:
    window = desk.session.window
    window.chart.paint_now()
    window.commands.run("audit.open")
    dialog = window.actions_of_chart.dialog
    assert dialog is not None
    return dialog


def test_a_repaired_bar_is_found_stored_and_shown_in_place(
    on_qt_loop: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", "7")

    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
            chart = desk.session.chart
            first = open_audit(desk)
            first.start_button.click()
            state = desk.session.window._services.audit
            await until(lambda: state.state.phase == "done", f"the audit is done: {state.state}")
            assert state.state.report is not None
            assert state.state.report.is_clean
            assert state.state.findings.compared > 20
            first.close()

            at_ms = (desk.layer.clock.now_ms() // MINUTE_MS - 31) * MINUTE_MS
            bars = await desk.layer.store.bars(BTC, ONE_MINUTE, True, at_ms, at_ms + HOUR_MS)
            wrong = replace(bars.take(0, 1), close=bars.close[:1] * 1.5)
            await desk.layer.store.put_bars(BTC, ONE_MINUTE, True, wrong, None)
            chart.show_stored(at_ms, at_ms + MINUTE_MS)

            def shown() -> float:
                held = chart.series.bars.between(int(wrong.start_ms[0]), int(wrong.start_ms[0]) + 1)
                return float(held.close[0])

            await until(lambda: shown() == float(wrong.close[0]), "the wrong bar is on the chart")
            dialog = open_audit(desk)
            dialog.start_button.click()
            await until(lambda: state.state.phase == "done", "the second audit is done")
            report = state.state.report
            assert report is not None
            assert (report.findings.differing, report.findings.missing_here, report.findings.missing_there) == (1, 0, 0)
            (difference,) = report.findings.differences
            assert (difference.field, difference.cached) == ("close", float(wrong.close[0]))
            assert difference.vendor == float(bars.close[0])
            await until(lambda: shown() == float(bars.close[0]), "the chart shows the vendor's value in place")
            assert dialog.table.isVisible()

    on_qt_loop(scenario(), 40)


def test_after_an_upgrade_check_again_brings_what_the_plan_refused(
    on_qt_loop: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", "7")
    server.control("POST", "/plan", {"history_days": 30, "cuts_history": False})

    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            desk.show(BTC, "1D")
            chart, button = desk.session.chart, desk.session.window.chart.buttons.check_again
            await until(lambda: chart.status.is_plan_limit and len(chart.series), f"it is refused: {chart.status}")
            await until(button.isVisible, "the chart offers to check again")
            held = len(chart.series)
            server.control("POST", "/plan", {"name": "paid"})
            button.click()
            await until(lambda: len(chart.series) > held, f"older days are there: {chart.status}")
            await until(lambda: not chart.status.is_plan_limit, "nothing is refused any more")
            await until(lambda: not button.isVisible(), "the button goes")

    on_qt_loop(scenario(), 40)
