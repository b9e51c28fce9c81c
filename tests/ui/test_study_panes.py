"""Studies on a chart: panes, curves through ticks, growth and prepended bars, and what is saved of them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from desktop.domain.look import ChartKind, Look, ScaleKind
from desktop.domain.studies.registry import STUDIES
from desktop.domain.studies.study import Study
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.studies import ChartStudies
from tests.ui.chart_source import SeriesSource, walk
from tests.ui.test_chart_widget import pixels, settle, shown

KINDS = [entry.kind for entry in STUDIES]


def with_studies(qtbot: QtBot, source: SeriesSource, *kinds: str) -> ChartWidget:
    chart = shown(qtbot, source, (1000, 700))
    for kind in kinds:
        chart.studies.add(Study.of(kind))
    settle(qtbot, chart)
    return chart


def painted_anew(qtbot: QtBot, chart: ChartWidget) -> np.ndarray:
    chart.set_kind(chart.kind)
    settle(qtbot, chart)
    return pixels(chart.picture)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spacing", [0.7, 8.0])
def test_a_tick_is_painted_as_everything_is(qtbot: QtBot, kind: str, spacing: float) -> None:
    source = SeriesSource(walk(1500))
    chart = with_studies(qtbot, source, kind)
    chart.model.view.set_spacing(spacing, chart.model.view.width)
    chart.set_autoscale(True)
    settle(qtbot, chart)
    bare = pixels(shown(qtbot, source, (1000, 700)).picture)
    assert spacing != 8.0 or (pixels(chart.picture) != bare).any()
    last = source.series.bars[-1]
    source.put(replace(last, close=(last.high + last.low) / 2, volume=last.volume * 1.01))
    settle(qtbot, chart)
    ticked = pixels(chart.picture)
    np.testing.assert_array_equal(ticked, painted_anew(qtbot, chart))


def test_bars_that_come_in_are_drawn_as_if_they_had_always_been_there(qtbot: QtBot) -> None:
    bars = walk(1200)
    source, whole = SeriesSource(bars.take(300, 1150)), SeriesSource(bars)
    chart = with_studies(qtbot, source, *KINDS[:4], "rsi", "macd")
    for at in range(1150, 1200):
        source.put(bars[at])
    source.merge(bars.take(0, 300))
    settle(qtbot, chart)
    expected = with_studies(qtbot, whole, *KINDS[:4], "rsi", "macd")
    expected.model.view.right = chart.model.view.right + (expected.model.view.last_slot - chart.model.view.last_slot)
    for ours, theirs in zip(chart.model.studies.items, expected.model.studies.items, strict=True):
        for one, other in zip(ours.values.outputs, theirs.values.outputs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9)


def test_panes_share_the_height_and_their_order_can_be_changed(qtbot: QtBot) -> None:
    chart = with_studies(qtbot, SeriesSource(walk(500)), "rsi", "macd")
    frame = chart.frame
    assert frame is not None
    assert frame.panes[0].top == frame.plot_height
    assert frame.panes[1].top == frame.panes[0].top + frame.panes[0].height
    assert frame.full_height <= frame.height
    assert frame.plot_height == pytest.approx(0.7 * frame.full_height, abs=3)
    rsi, macd = (placed.id for placed in chart.studies.items)
    chart.studies.move(macd, -1)
    settle(qtbot, chart)
    assert chart.frame is not None
    assert [pane.id for pane in chart.frame.panes] == [macd, rsi]
    chart.studies.set_hidden(rsi, True)
    chart.studies.remove(macd)
    settle(qtbot, chart)
    assert chart.frame is not None
    assert chart.frame.panes == ()
    assert chart.frame.full_height == chart.frame.plot_height


@pytest.mark.parametrize("height", [90.0, 200.0, 700.0])
@pytest.mark.parametrize("count", [0, 1, 3, 9])
def test_heights_add_up_and_prices_keep_room(height: float, count: int) -> None:
    studies = ChartStudies()
    for _ in range(count):
        studies.add(Study.of("rsi"))
    heights = studies.heights(height)
    assert sum(heights) == pytest.approx(height)
    assert heights[0] >= 80.0
    assert len(heights) == count + 1
    assert all(one >= 0 for one in heights)


def test_the_legend_names_each_study_with_its_values(qtbot: QtBot) -> None:
    chart = with_studies(qtbot, SeriesSource(walk(500)), "ema", "rsi")
    text = chart.legend_text
    assert "EMA 20" in text
    assert "RSI 14" in text


def test_a_look_is_taken_over_by_another_chart(qtbot: QtBot) -> None:
    chart = with_studies(qtbot, SeriesSource(walk(500)), "sma", "rsi")
    chart.studies.set_hidden(chart.studies.items[0].id, True)
    chart.studies.set_share(chart.studies.items[1].id, 0.3)
    chart.set_kind(ChartKind.AREA)
    chart.set_scale(ScaleKind.LOG, is_inverted=True)
    saved = json.loads(json.dumps(chart.look.to_dict()))
    other = shown(qtbot, SeriesSource(walk(400)))
    with qtbot.waitSignal(other.look_changed):
        other.set_look(Look.from_dict(saved))
    assert other.look == chart.look
    assert Look.from_dict(saved) == chart.look
