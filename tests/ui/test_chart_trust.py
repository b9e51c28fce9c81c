"""How a chart says what may be believed of it: empty and unknown times, origins, ages, and “check again”."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bars
from desktop.domain.freshness import Freshness, Origin, Seen
from desktop.domain.market import TickerInfo
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.empty_times import WORDS, emptiness_at, empty_lines
from desktop.ui.chart.legend_painting import fitted_rows
from desktop.ui.theme import DARK
from tests.ui.chart_source import START_MS, SeriesSource, walk
from tests.ui.test_chart_widget import pixels, rgb, settle, shown

EMPTY, UNKNOWN = range(370, 376), range(385, 390)  # of 400 minutes


@pytest.fixture
def source() -> SeriesSource:
    bars = walk(400)
    keep = ~np.isin(np.arange(400), [*EMPTY, *UNKNOWN])
    source = SeriesSource(Bars(bars.start_ms[keep], *(column[keep] for column in bars.values())), name="Bitcoin")
    source.say(missing=((int(bars.start_ms[UNKNOWN.start]), int(bars.start_ms[UNKNOWN.stop])),))
    return source


@pytest.fixture
def chart(qtbot: QtBot, source: SeriesSource) -> ChartWidget:
    return shown(qtbot, source)


def place(chart: ChartWidget, slot: int, y: float = 200.0) -> QPoint:
    return QPointF(chart.model.view.x_of(slot + 0.5), y).toPoint()


def hover(qtbot: QtBot, chart: ChartWidget, slot: int) -> None:
    qtbot.mouseMove(chart.view.viewport(), place(chart, slot))
    chart.view.hovered.emit(QPointF(place(chart, slot)))
    settle(qtbot, chart)


def test_why_a_slot_is_empty(chart: ChartWidget) -> None:
    for slot in range(-5, 405):
        wanted = "empty" if slot in EMPTY else "unknown" if slot in UNKNOWN else None
        assert emptiness_at(chart.model, slot) == wanted, slot


def test_both_kinds_are_painted_and_look_different(qtbot: QtBot, chart: ChartWidget, source: SeriesSource) -> None:
    frame = chart.frame
    assert frame is not None
    (line,) = empty_lines(frame)
    first, last, row = line
    assert frame.grid.slot_at(first) == EMPTY.start
    assert frame.grid.slot_at(last) == EMPTY.stop - 1
    before = source.series.bars.close[EMPTY.start - 1]
    assert row == frame.prices.row(float(before))
    picture = chart.view.grab().toImage()
    ground = picture.pixelColor(first + 1, row + 6)
    dots = [picture.pixelColor(x, row) != ground for x in range(first, last)]
    assert any(dots)
    assert not all(dots)
    hatched = pixels(chart.picture)[20:200, int(chart.model.view.x_of(UNKNOWN.start)) + 2]
    plain = pixels(chart.picture)[20:200, int(chart.model.view.x_of(EMPTY.start)) + 2]
    assert rgb(DARK.chart) in plain
    assert rgb(DARK.chart) not in hatched


@pytest.mark.parametrize(("slots", "kind"), [(EMPTY, "empty"), (UNKNOWN, "unknown")])
def test_the_crosshair_on_an_empty_slot_says_which_and_shows_no_other_bars_values(
    qtbot: QtBot, chart: ChartWidget, slots: range, kind: str
) -> None:
    hover(qtbot, chart, slots.start + 2)
    assert WORDS[kind] in chart.legend_text  # type: ignore[index]
    assert "O " not in chart.legend_text
    assert chart.hints.text_at(place(chart, slots.start + 2)) == f"{WORDS[kind]}."  # type: ignore[index]


def test_a_screen_reader_hears_it_too(qtbot: QtBot, chart: ChartWidget) -> None:
    chart.setFocus()
    hover(qtbot, chart, EMPTY.start + 1)
    spoken = chart._renderer.narrator.spoken(EMPTY.start + 1, chart._renderer.framer.zone)
    assert spoken == f"X:BTCUSD, 1m, Tue 03 Mar '26 13:32 UTC: {WORDS['empty']}"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "missing, fetching…"),
        ({"sentence": "No network."}, "missing"),
        ({"sentence": "Not allowed.", "is_plan_limit": True}, "not in the plan"),
    ],
)
def test_the_hatch_does_not_promise_what_does_not_happen(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource, changes: dict[str, object], text: str
) -> None:
    source.say(**changes)
    settle(qtbot, chart)
    assert chart.frame is not None
    assert chart.frame.band_text == text


def test_the_legend_names_state_and_origin_of_a_bar(qtbot: QtBot, chart: ChartWidget, source: SeriesSource) -> None:
    source.say(bar_state="forming", bar_origin="feed trades")
    settle(qtbot, chart)
    assert chart.legend_text.splitlines()[1].endswith(" · bar forming, feed trades")
    hover(qtbot, chart, 360)
    assert chart.legend_text.splitlines()[1].endswith(" · bar settled, REST")


def test_a_cached_chart_says_its_age_and_its_last_price_claims_nothing(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    source.say(freshness=Freshness.CACHED, fetched_ms=START_MS + 18_000 - 3 * 3_600_000)
    settle(qtbot, chart)
    assert chart.legend_text.splitlines()[0].endswith("CACHED, 3 h old")
    last = chart._renderer.narrator.last_price(chart._renderer.framer.writer)
    assert last is not None
    assert last.is_stale
    assert last.countdown is None


def test_the_age_has_room_before_a_long_name(qtbot: QtBot, source: SeriesSource) -> None:
    source.info = TickerInfo("X:BTCUSD", "A very long name of a coin " * 4, source.market, currency="USD")
    source.say(freshness=Freshness.CACHED, fetched_ms=START_MS)
    chart = shown(qtbot, source, (420, 400))
    picture = chart.view.grab().toImage()
    source.say(fetched_ms=START_MS - 3 * 3_600_000)
    settle(qtbot, chart)
    chart.paint_now()
    assert chart.view.grab().toImage() != picture, "the age is painted, not cut off"


def test_the_tooltip_of_the_legend_gives_source_and_times(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    seen = Seen(Origin.STREAM, START_MS + 17_700, START_MS + 17_900, START_MS)
    source.say(freshness=Freshness.LIVE, seen=seen, fetched_ms=START_MS - 60_000, bar_origin="feed trades")
    settle(qtbot, chart)
    at = QPoint(40, 16)
    event = QHelpEvent(QHelpEvent.Type.ToolTip, at, chart.view.viewport().mapToGlobal(at))
    QApplication.sendEvent(chart.view.viewport(), event)
    assert QToolTip.text().splitlines() == [
        "LIVE: prices come in as they are made",
        "Source: Massive, live feed",
        "Event time: Tue 03 Mar '26 14:00:17.7 UTC",
        "Received: Tue 03 Mar '26 14:00:17.9 UTC",
        "Last bar: Tue 03 Mar '26 14:00 UTC, forming, feed trades",
        "Last fetched by REST: Tue 03 Mar '26 13:59:00.0 UTC",
        "Hatched times are not known yet; a dotted line means that nothing was traded.",
    ]
    assert chart.hints.text_at(place(chart, 360)) == ""


def test_check_again_stands_on_the_chart_only_where_the_plan_refused(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    button = chart.buttons.check_again
    assert not button.isVisible()
    source.say(sentence="Offline.")
    settle(qtbot, chart)
    assert not button.isVisible()
    source.say(sentence="The plan does not include data as old as this.", is_plan_limit=True)
    qtbot.waitUntil(button.isVisible)
    assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    assert chart.rect().contains(button.geometry())
    source.say(sentence=None, is_plan_limit=False)
    qtbot.waitUntil(lambda: not button.isVisible())


def test_check_again_is_there_without_bars_too(qtbot: QtBot) -> None:
    source = SeriesSource()
    source.say(phase="failed", sentence="The plan does not include this.", is_plan_limit=True)
    chart = shown(qtbot, source)
    qtbot.waitUntil(chart.buttons.check_again.isVisible)
    assert chart.rect().contains(chart.buttons.check_again.geometry())


def test_a_view_that_stands_still_is_reported_once(qtbot: QtBot, chart: ChartWidget, source: SeriesSource) -> None:
    qtbot.waitUntil(lambda: len(source.looked_at) == 1)
    assert source.looked_at == [chart.model.visible_range]
    qtbot.keyClick(chart, Qt.Key.Key_PageUp)
    qtbot.waitUntil(lambda: len(source.looked_at) == 2)
    assert source.looked_at[1] == chart.model.visible_range
    assert source.looked_at[1][1] < source.looked_at[0][1]


def test_a_narrow_legend_goes_on_in_further_lines_and_loses_nothing(qtbot: QtBot, source: SeriesSource) -> None:
    source.say(sentence="The plan does not include data as old as this. A larger plan has it.", bar_state="closed")
    chart = shown(qtbot, source, (330, 500))
    overlay = chart._renderer.shown
    assert overlay is not None
    fitted = fitted_rows(overlay.frame, overlay.legend)
    assert all(sum(wide for _run, wide in row) < overlay.frame.plot_width for row in fitted)
    rows = [[run for run, _wide in row] for row in fitted]
    assert len(rows) > len(overlay.legend)
    said = ["".join(run.text for run in line if run.role != "dot") for line in overlay.legend[1:]]
    painted = " ".join("".join(run.text for run in row) for row in rows[1:])
    assert painted.replace(" · ", " ").split() == " ".join(said).replace(" · ", " ").split()
    assert all(row[-1].text.strip() not in ("O", "H", "L", "C", "V") for row in rows)


def test_nothing_is_called_cached_where_nothing_is_shown(qtbot: QtBot) -> None:
    source = SeriesSource(name="Bitcoin")
    chart = shown(qtbot, source)
    assert chart.legend_text == "X:BTCUSD · Bitcoin · 1m · Massive"
    source.show(walk(10), "X:BTCUSD", source.timeframe)
    settle(qtbot, chart)
    assert chart.legend_text.splitlines()[0].endswith("CACHED")


def test_a_small_chart_says_the_close_and_its_change_alone(qtbot: QtBot, source: SeriesSource) -> None:
    chart = shown(qtbot, source, (300, 240))
    values = chart.legend_text.splitlines()[1]
    assert values.startswith("C ")
    assert "%" in values
    assert "V " not in values
