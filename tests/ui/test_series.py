"""The ways a series is drawn, as pixels, and through growth and ticks."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from desktop.domain.look import ChartKind
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from tests.ui.chart_source import SeriesSource, walk
from tests.ui.test_chart_widget import pixels, settle, shown

LINES = (ChartKind.LINE, ChartKind.AREA, ChartKind.BASELINE)


def colour(text: str) -> int:
    return QColor(text).rgb() & 0xFFFFFF


def column_of(chart: ChartWidget, index: int) -> int:
    assert chart.frame is not None
    return chart.frame.grid.centre_of(chart.model.axis.slot_of(chart.model.bars.start_ms, index))


@pytest.mark.parametrize("kind", list(ChartKind))
def test_each_kind_paints_a_tick_as_it_paints_everything(qtbot: QtBot, kind: ChartKind) -> None:
    source = SeriesSource(walk(2000))
    chart = shown(qtbot, source)
    chart.set_kind(kind)
    settle(qtbot, chart)
    last = source.series.bars[-1]
    middle = (last.high + last.low) / 2
    source.put(replace(last, close=middle))
    settle(qtbot, chart)
    ticked = pixels(chart.picture)
    chart.set_kind(kind)  # everything anew
    settle(qtbot, chart)
    np.testing.assert_array_equal(ticked, pixels(chart.picture))


@pytest.mark.parametrize("kind", list(ChartKind))
@pytest.mark.parametrize("spacing", [0.3, 1.5, 8.0, 40.0])
def test_each_kind_is_on_the_screen_at_any_spacing(qtbot: QtBot, kind: ChartKind, spacing: float) -> None:
    source = SeriesSource(walk(3000))
    chart = shown(qtbot, source)
    chart.set_kind(kind)
    chart.model.view.set_spacing(spacing, chart.model.view.width)
    chart.set_autoscale(True)
    settle(qtbot, chart)
    assert chart.frame is not None
    plot = pixels(chart.picture)[: int(chart.frame.plot_height * 0.75), : chart.frame.plot_width]
    inks = [theme.DARK.accent] if kind in (ChartKind.LINE, ChartKind.AREA) else [theme.DARK.up, theme.DARK.down]
    for ink in inks:
        assert (plot == colour(ink)).any()


def test_a_hollow_body_is_empty_inside(qtbot: QtBot) -> None:
    source = SeriesSource(walk(60))
    chart = shown(qtbot, source)
    chart.set_kind(ChartKind.HOLLOW)
    chart.model.view.set_spacing(40.0, chart.model.view.width)
    settle(qtbot, chart)
    frame, bars = chart.frame, source.series.bars
    assert frame is not None
    inks = [colour(ink) for ink in (theme.DARK.up, theme.DARK.down, theme.DARK.neutral)]
    seen = {True: 0, False: 0}
    picture = pixels(chart.picture)
    for index in range(len(bars)):
        x, bar = column_of(chart, index), bars[index]
        top, bottom = sorted((frame.prices.row(bar.open), frame.prices.row(bar.close)))
        if not 10 <= x < frame.plot_width - 10 or bottom - top < 6:
            continue
        is_hollow = bar.close > bar.open
        seen[is_hollow] += 1
        assert (picture[(top + bottom) // 2, x] in inks) is not is_hollow
        assert picture[top, x] in inks
        assert picture[bottom, x] in inks
    assert min(seen.values()) > 0


def test_a_bar_has_its_open_to_the_left_and_its_close_to_the_right(qtbot: QtBot) -> None:
    source = SeriesSource(walk(60))
    chart = shown(qtbot, source)
    chart.set_kind(ChartKind.BARS)
    chart.model.view.set_spacing(40.0, chart.model.view.width)
    settle(qtbot, chart)
    frame, bars = chart.frame, source.series.bars
    assert frame is not None
    picture, inks = pixels(chart.picture), [colour(ink) for ink in (theme.DARK.up, theme.DARK.down, theme.DARK.neutral)]
    for index in range(len(bars) - 10, len(bars)):
        x, bar = column_of(chart, index), bars[index]
        assert picture[frame.prices.row(bar.open), x - 8] in inks
        assert picture[frame.prices.row(bar.close), x + 8] in inks
        assert picture[frame.prices.row(bar.high), x] in inks
        assert picture[frame.prices.row(bar.low), x] in inks


@pytest.mark.parametrize("kind", [ChartKind.CANDLES, *LINES, ChartKind.HEIKIN_ASHI])
def test_older_bars_change_nothing_on_the_screen(qtbot: QtBot, kind: ChartKind) -> None:
    bars = walk(3000)
    source = SeriesSource(bars.take(1000, 3000))
    chart = shown(qtbot, source)
    chart.set_kind(kind)
    settle(qtbot, chart)
    before, right = pixels(chart.picture), chart.model.view.right
    source.merge(bars.take(0, 1000))
    settle(qtbot, chart)
    assert chart.model.view.right == right
    np.testing.assert_array_equal(pixels(chart.picture), before)


def test_heikin_ashi_says_that_it_is_synthetic_and_keeps_real_prices_in_words(qtbot: QtBot) -> None:
    source = SeriesSource(walk(300))
    chart = shown(qtbot, source)
    real = chart.legend_text.splitlines()[1]
    chart.set_kind(ChartKind.HEIKIN_ASHI)
    settle(qtbot, chart)
    title, values = chart.legend_text.splitlines()[:2]
    assert "Heikin-Ashi (synthetic)" in title
    assert values == real
    assert not math.isclose(chart.model.drawn.bars.open[-1], source.series.bars.open[-1])
