"""Adding studies, setting them up, and the buttons beside their names: as a person does it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QPushButton, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from desktop.domain.history import History
from desktop.domain.look import ChartKind
from desktop.domain.studies.registry import STUDIES
from desktop.domain.studies.study import Study
from desktop.ui import theme
from desktop.ui.action_set import ActionSet
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.overlay import study_boxes
from desktop.ui.chart_menus import ChartMenus, Spot
from desktop.ui.study_actions import StudyActions
from desktop.ui.study_dialogs import StudyPicker, StudySettings
from tests.ui.chart_source import SeriesSource, walk
from tests.ui.test_chart_widget import settle, shown


@pytest.fixture
def chart(qtbot: QtBot) -> ChartWidget:
    return shown(qtbot, SeriesSource(walk(600)), (1000, 700))


@pytest.fixture
def actions(chart: ChartWidget) -> ActionSet:
    return ActionSet(chart)


@pytest.fixture
def looks(chart: ChartWidget, actions: ActionSet) -> StudyActions:
    built = StudyActions(actions, ChartMenus(actions), lambda: chart, theme.DARK, chart)
    built.attach(chart)
    return built


def test_typing_finds_a_study_and_enter_adds_it(qtbot: QtBot, chart: ChartWidget, looks: StudyActions) -> None:
    looks.open_picker()
    picker = chart.findChild(StudyPicker)
    assert picker is not None
    qtbot.keyClicks(picker.field, "strength")
    qtbot.keyClick(picker.field, Qt.Key.Key_Return)
    assert [placed.study.kind for placed in chart.studies.items] == ["rsi"]
    assert not picker.isVisible()
    looks.open_picker()
    qtbot.keyClicks(picker.field, "nothing is called this")
    qtbot.keyClick(picker.field, Qt.Key.Key_Return)
    assert len(chart.studies.items) == 1


def test_arrows_walk_through_the_list_from_the_field(qtbot: QtBot, chart: ChartWidget, looks: StudyActions) -> None:
    looks.open_picker()
    picker = chart.findChild(StudyPicker)
    assert picker is not None
    first = picker.list.currentRow()
    qtbot.keyClick(picker.field, Qt.Key.Key_Down)
    assert picker.list.currentRow() == first + 1


@pytest.mark.parametrize("kind", [entry.kind for entry in STUDIES])
def test_every_parameter_can_be_set_and_taken_back(qtbot: QtBot, kind: str) -> None:
    parent = QPushButton()
    qtbot.addWidget(parent)
    study = Study.of(kind)
    dialog = StudySettings(study, theme.DARK, parent)
    seen: list[Study] = []
    dialog.edited.connect(seen.append)
    dialog.open()
    for parameter in study.entry.parameters:
        before = dict((seen or [study])[-1].params)[parameter.name]
        if parameter.kind == "int":
            dialog.findChild(QSpinBox, parameter.name).stepUp()
        elif parameter.kind == "float":
            dialog.findChild(QDoubleSpinBox, parameter.name).stepUp()
        else:
            box = dialog.findChild(QComboBox, parameter.name)
            box.setCurrentIndex((box.currentIndex() + 1) % box.count())
        assert dict(seen[-1].params)[parameter.name] != before
    dialog._restore_defaults()
    assert seen == [] or seen[-1].params == study.params
    changed = len(seen)
    dialog.reject()
    assert len(seen) == changed


def test_cancel_takes_every_change_back(qtbot: QtBot, chart: ChartWidget, looks: StudyActions) -> None:
    id_ = chart.studies.add(Study.of("ema"))
    looks.open_settings(chart, id_)
    dialog = chart.findChild(StudySettings)
    assert dialog is not None
    dialog.findChild(QSpinBox, "period").setValue(50)
    assert chart.studies.items[0].study.label == "EMA 50"
    dialog.reject()
    assert chart.studies.items[0].study.label == "EMA 20"


def test_the_pointer_on_a_name_brings_its_buttons(qtbot: QtBot, chart: ChartWidget, looks: StudyActions) -> None:
    chart.studies.add(Study.of("ema"))
    chart.studies.add(Study.of("rsi"))
    settle(qtbot, chart)
    viewport = chart.view.viewport()
    for id_, box, _draw in list(study_boxes(chart.overlay)):
        qtbot.mouseMove(viewport, box.center())
        eye = chart.findChild(QToolButton, "hide study")
        assert eye.isVisible()
        qtbot.mouseClick(eye, Qt.MouseButton.LeftButton)
        assert {placed.id: placed.is_hidden for placed in chart.studies.items}[id_]
        settle(qtbot, chart)
        assert "hidden" in chart.legend_text
        qtbot.mouseMove(viewport, QPoint(500, 300))
        assert not eye.isVisible()
        chart.studies.set_hidden(id_, False)
        settle(qtbot, chart)
    box = next(iter(study_boxes(chart.overlay)))[1]
    qtbot.mouseMove(viewport, box.center())
    qtbot.mouseClick(chart.findChild(QToolButton, "remove study"), Qt.MouseButton.LeftButton)
    assert [placed.study.kind for placed in chart.studies.items] == ["rsi"]


def test_menus_offer_chart_types_and_what_is_on_the_chart(
    qtbot: QtBot, chart: ChartWidget, actions: ActionSet, looks: StudyActions
) -> None:
    chart.studies.add(Study.of("macd"))
    spot = Spot.of(chart, QPoint(300, 200))
    menus = ChartMenus(actions)
    menus.register("chart.kind", looks._kinds_menu)
    menus.register("study.add", looks._studies_menu)
    menu = menus.menu(spot)
    texts = [action.text() for action in menu.actions()]
    assert "Chart type" in texts
    studies = next(action.menu() for action in menu.actions() if action.text() == "Studies")
    macd = next(action.menu() for action in studies.actions() if action.text().startswith("MACD"))
    assert [action.text() for action in macd.actions()] == ["Settings…", "Hide", "Move up", "Move down", "Remove"]
    macd.actions()[-1].trigger()
    assert chart.studies.items == ()
    actions.run(f"chart.kind.{ChartKind.AREA.value}")
    assert chart.kind is ChartKind.AREA
    menu.close()


def test_every_change_is_a_step_that_can_be_taken_back(qtbot: QtBot, chart: ChartWidget, looks: StudyActions) -> None:
    history = chart.studies.history = History()
    id_ = chart.studies.add(Study.of("ema"))
    looks.open_settings(chart, id_)
    dialog = chart.findChild(StudySettings)
    assert dialog is not None
    for period in (30, 40, 50):
        dialog.findChild(QSpinBox, "period").setValue(period)
    dialog.accept()
    chart.studies.remove(id_)
    states = []
    while history.undo("X:BTCUSD") is not None:
        states.append([placed.study.label for placed in chart.studies.items])
    assert states == [["EMA 50"], ["EMA 20"], []]
    while history.redo("X:BTCUSD") is not None:
        states.append([placed.study.label for placed in chart.studies.items])
    assert states[3:] == [["EMA 20"], ["EMA 50"], []]
