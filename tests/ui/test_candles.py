"""The pyramid against brute force, and painted columns against the bars they show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from desktop.domain.bars import Bar, Bars, BarSeries
from desktop.ui.chart.candles import Columns, candle_rects, directions, extents, volume_rects
from desktop.ui.chart.geometry import Grid, PriceScale
from desktop.ui.chart.pyramid import CLOSE, HIGH, LOW, OPEN, VOLUME, Pyramid
from desktop.ui.chart.rects import fill_rects
from desktop.ui.chart.slots import IndexSlots, SlotAxis, TimeSlots
from tests.ui.chart_source import walk


def brute(bars: Bars, axis: SlotAxis, size: int) -> dict[int, tuple[float, ...]]:
    """Buckets of `size` slots, one bar at a time."""
    buckets: dict[int, tuple[float, ...]] = {}
    slots = axis.slots(bars.start_ms, 0, len(bars))
    for index, slot in enumerate(slots):
        bar, key = bars[index], int(slot) // size
        o, h, low, _, v = buckets.get(key, (bar.open, -np.inf, np.inf, 0.0, -np.inf))
        buckets[key] = (o, max(h, bar.high), min(low, bar.low), bar.close, max(v, bar.volume))
    return buckets


def check(pyramid: Pyramid, bars: Bars, axis: SlotAxis) -> None:
    for size in (1, 2, 4, 8, 16, 64, 256):
        keys, values = pyramid.visible(bars, axis, 0, len(bars), size)
        expected = brute(bars, axis, size)
        assert keys.tolist() == list(expected)
        assert values.T.tolist() == [list(row) for row in expected.values()]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_pyramid_equals_brute_force_after_any_changes(data: st.DataObject) -> None:
    seed = data.draw(st.integers(0, 10**6))
    random = np.random.default_rng(seed)
    every = walk(900, seed=seed)
    keep = random.random(900) < data.draw(st.sampled_from([1.0, 0.7, 0.05]))
    keep[450] = True
    every = Bars(every.start_ms[keep], *(column[keep] for column in every.values()))
    begin = int(np.searchsorted(every.start_ms, walk(900).start_ms[450]))
    begin = min(max(begin, 0), len(every) - 1)
    series = BarSeries(every.take(begin, begin + 1))
    is_even = data.draw(st.booleans())
    axis: SlotAxis = TimeSlots(int(every.start_ms[begin]), 60_000) if is_even else IndexSlots(60_000)
    pyramid = Pyramid()
    pyramid.update(series.bars, axis, 0, 1)
    first, last = begin, begin + 1
    for step in data.draw(st.lists(st.tuples(st.sampled_from("apt"), st.integers(1, 200)), max_size=8)):
        kind, count = step
        if kind == "a" and last < len(every):
            change = series.merge(every.take(last, last + count))
            last = min(last + count, len(every))
            pyramid.update(series.bars, axis, change.first_index, len(series))
        elif kind == "p" and first > 0:
            change = series.merge(every.take(max(0, first - count), first))
            first = max(0, first - count)
            axis.prepend(change.prepended)
            pyramid.update(series.bars, axis, 0, change.prepended)
        elif kind == "t":
            bar = series.bars[-1]
            series.upsert(Bar(bar.start_ms, bar.open, bar.high * 1.01, bar.low, bar.high, bar.volume + count))
            pyramid.update(series.bars, axis, len(series) - 1, len(series))
    check(pyramid, series.bars, axis)


def test_a_visible_part_reads_the_same_as_the_whole() -> None:
    bars, axis, pyramid = walk(5000), IndexSlots(60_000), Pyramid()
    pyramid.update(bars, axis, 0, 5000)
    for size in (2, 16, 32, 128):
        begin, end = 512, 512 + 7 * size
        keys, values = pyramid.visible(bars, axis, begin, end, size)
        expected = brute(bars, axis, size)
        assert len(keys) == 7
        assert [list(expected[int(key)]) for key in keys] == values.T.tolist()


def test_unknown_volumes_do_not_spread() -> None:
    bars = walk(100)
    bars.volume[:50] = np.nan
    axis, pyramid = IndexSlots(60_000), Pyramid()
    pyramid.update(bars, axis, 0, 100)
    _, values = pyramid.visible(bars, axis, 0, 100, 64)
    assert values[VOLUME].tolist() == [bars.volume[50:64].max(), bars.volume[64:].max()]


def columns_of(bars: Bars, spacing: float, scale: float, size: int = 1) -> Columns:
    values = np.stack([bars.open, bars.high, bars.low, bars.close, bars.volume])
    return Columns(np.arange(len(bars)), values, size, float("nan"), spacing, scale)


def test_an_unchanged_bar_is_judged_by_the_close_before() -> None:
    rows = [(10, 12), (12, 12), (12, 11), (11, 11), (11, 11)]
    bars = Bars.from_rows(Bar(i * 60_000, o, max(o, c), min(o, c), c, 1.0) for i, (o, c) in enumerate(rows))
    assert directions(columns_of(bars, 8, 1)).tolist() == [1, 0, -1, 0, 0]
    flat = Bars.from_rows([Bar(0, 10, 10, 10, 10), Bar(60_000, 12, 12, 12, 12), Bar(120_000, 11, 11, 11, 11)])
    assert directions(columns_of(flat, 8, 1)).tolist() == [0, 1, -1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.5, 60), st.sampled_from([1.0, 1.25, 1.5, 2.0]), st.integers(-40, 40))
def test_bodies_never_overlap_and_no_extreme_is_lost(seed: int, spacing: float, scale: float, origin: int) -> None:
    bars = walk(200, seed=seed)
    grid = Grid(origin, spacing * scale)
    prices = PriceScale(float(bars.low.min()), float(bars.high.max()), 0, 500)
    columns = columns_of(bars, spacing, scale)
    left, right = extents(columns, grid)
    if spacing * scale >= 2:
        assert (left[1:] > right[:-1]).all()
        assert (right >= left).all()
    rects = candle_rects(columns, grid, prices)
    wicks = rects[: len(bars)]
    assert wicks[:, 1].tolist() == prices.rows(bars.high).tolist()
    assert wicks[:, 3].tolist() == prices.rows(bars.low).tolist()
    assert rects[:, 1].min() == 0
    assert rects[:, 3].max() == 500


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.floats(2.5, 40), st.sampled_from([1.0, 1.25, 1.5, 2.0]))
def test_every_painted_column_shows_its_bar(qapp: QApplication, seed: int, spacing: float, scale: float) -> None:
    bars = walk(40, seed=seed)
    grid = Grid(7, spacing * scale)
    height = 300
    prices = PriceScale(float(bars.low.min()), float(bars.high.max()), 10, height)
    image = QImage(grid.left_of(41) + 8, height + 20, QImage.Format.Format_RGB32)
    image.fill(QColor("#000000"))
    columns = columns_of(bars, spacing, scale)
    signs = np.tile(directions(columns), 2)
    rects = candle_rects(columns, grid, prices)
    painter = QPainter(image)
    for sign, colour in ((1, "#00FF00"), (-1, "#FF0000"), (0, "#0000FF")):
        fill_rects(painter, rects[signs == sign], colour)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()) & 0xFFFFFF
    for index, centre in enumerate(grid.centre(np.arange(40))):
        painted = np.flatnonzero(pixels[:, centre])
        assert painted[0] == prices.row(bars.high[index])
        assert painted[-1] == prices.row(bars.low[index])
        assert len(painted) == painted[-1] - painted[0] + 1
        expected = {1: 0x00FF00, -1: 0xFF0000, 0: 0x0000FF}[int(signs[index])]
        assert set(pixels[painted, centre].tolist()) == {expected}


def test_merged_columns_leave_no_gap() -> None:
    bars = walk(300)
    for spacing_px, size in ((0.4, 4), (0.9, 2), (1.3, 1)):
        left, right = extents(columns_of(bars, spacing_px, 1.0, size), Grid(3, spacing_px))
        assert (left[1:] == right[:-1] + 1).all()


def test_volume_bars_stand_on_the_bottom_and_nothing_is_drawn_for_none() -> None:
    rows = [
        Bar(0, 1, 1, 1, 1, 100.0),
        Bar(60_000, 1, 1, 1, 1, 0.0),
        Bar(120_000, 1, 1, 1, 1, 1e-9),
        Bar(180_000, 1, 1, 1, 1),
    ]
    columns = columns_of(Bars.from_rows(rows), 10, 1)
    rects = volume_rects(columns, Grid(0, 10), 100.0, 399, 80)
    assert rects[0, [1, 3]].tolist() == [320, 399]
    assert rects[2, [1, 3]].tolist() == [399, 399]
    assert (rects[[1, 3], 1] > 100_000).all()


@pytest.mark.parametrize("row", [OPEN, HIGH, LOW, CLOSE])
def test_the_tail_of_columns_keeps_the_close_before_it(row: int) -> None:
    bars = walk(10)
    columns = columns_of(bars, 8, 1)
    tail = columns.tail(7)
    assert tail.keys.tolist() == [7, 8, 9]
    assert tail.previous_close == bars.close[6]
    assert tail.values[row].tolist() == columns.values[row, 7:].tolist()
