"""What a screen reader learns of a chart: role, series, the bar in focus; and that keys alone get everywhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.ui import theme
from desktop.ui.actions import ACTIONS, MENUS
from desktop.ui.chart.accessible import make_charts_accessible
from desktop.ui.chart.chart_widget import ChartWidget
from tests.ui.chart_source import FixedClock, SeriesSource, walk

NAME, DESCRIPTION = QAccessible.Text.Name, QAccessible.Text.Description


@pytest.fixture
def source() -> SeriesSource:
    return SeriesSource(walk(400), name="Bitcoin")


@pytest.fixture
def chart(qtbot: QtBot, source: SeriesSource) -> Iterator[ChartWidget]:
    make_charts_accessible()
    widget = ChartWidget(source, FixedClock(), theme.DARK)
    qtbot.addWidget(widget)
    widget.resize(640, 400)
    with qtbot.waitActive(widget):
        widget.show()
    widget.paint_now()
    QAccessible.setActive(True)
    yield widget
    QAccessible.setActive(False)


def interface(chart: ChartWidget) -> QAccessibleInterface:
    return QAccessible.queryAccessibleInterface(chart)


def test_a_chart_is_a_chart_of_its_series_at_its_last_bar(chart: ChartWidget) -> None:
    found = interface(chart)
    assert found.role() == QAccessible.Role.Chart
    assert found.text(NAME) == "Chart of X:BTCUSD, 1m"
    said = found.text(DESCRIPTION)
    assert said.startswith("X:BTCUSD, 1m, Tue 03 Mar '26 14:00 UTC: open ")
    for word in ("high", "low", "close", "volume"):
        assert word in said


def test_another_series_is_another_name(chart: ChartWidget, source: SeriesSource) -> None:
    source.show(walk(10, price=3_000.0), "X:ETHUSD", source.timeframe)
    assert interface(chart).text(NAME) == "Chart of X:ETHUSD, 1m"
    assert interface(chart).text(DESCRIPTION).startswith("X:ETHUSD, 1m, Tue 03 Mar")


def test_a_chart_without_bars_says_why(chart: ChartWidget, source: SeriesSource) -> None:
    source.show(None, "X:ETHUSD", source.timeframe)
    source.say(phase="failed", sentence="The vendor does not answer.")
    assert interface(chart).text(DESCRIPTION) == "X:ETHUSD cannot be shown The vendor does not answer."


@pytest.mark.parametrize(
    ("key", "modifiers", "minutes"),
    [
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 1),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier, 10),
    ],
)
def test_keys_move_to_other_bars_and_those_are_described(
    chart: ChartWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier, minutes: int
) -> None:
    chart.keys.show_time(int(chart.model.bars.start_ms[300]))
    chart.paint_now()
    at_first = interface(chart).text(DESCRIPTION)
    QTest.keyClick(chart, key, modifiers)
    said = interface(chart).text(DESCRIPTION)
    assert said != at_first
    close = chart.model.style.text(float(chart.model.bars.close[300 - minutes]))
    assert f"close {close}" in said


def test_what_is_not_a_key_is_described_with_the_next_frame(chart: ChartWidget) -> None:
    before = interface(chart).text(DESCRIPTION)
    chart.keys.run("time.first")
    chart.paint_now()
    assert interface(chart).text(DESCRIPTION) != before


def test_the_parts_of_a_chart_say_what_they_are(chart: ChartWidget) -> None:
    chart.keys.run("time.first")
    chart.paint_now()
    children = [interface(chart).child(n) for n in range(interface(chart).childCount())]
    buttons = [child for child in children if child.role() == QAccessible.Role.Button and not child.state().invisible]
    assert buttons
    assert all(child.text(NAME) for child in buttons)


def test_the_price_axis_is_stretched_by_keys(chart: ChartWidget) -> None:
    view = chart.model.view
    height = view.top - view.bottom
    modifiers = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    QTest.keyClick(chart, Qt.Key.Key_Up, modifiers)
    assert view.top - view.bottom == pytest.approx(height * 0.9)
    QTest.keyClick(chart, Qt.Key.Key_Down, modifiers)
    assert view.top - view.bottom == pytest.approx(height)
    assert not view.is_autoscaled


@pytest.mark.parametrize(
    "action_id",
    ["price.autoscale", "scale.log", "scale.percent", "scale.invert", "time.go_to", "time.zoom_in", "view.reset"],
)
def test_what_the_axes_do_for_the_mouse_a_key_or_a_menu_does(action_id: str) -> None:
    spec = next(spec for spec in ACTIONS if spec.id == action_id)
    assert spec.keys or spec.menu in {menu for menu, _ in MENUS}
