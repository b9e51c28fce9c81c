"""Every painted column of the real chart against what the raw bars say, pixel by pixel, at every density."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from desktop.domain.bars import Bars
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.geometry import BODY_FROM, FILL_BELOW, body_width, bucket_size, wick_width
from desktop.ui.chart.painting import Frame
from desktop.ui.chart.scales import ScaleKind
from tests.ui.chart_source import FixedClock, SeriesSource, walk

TOKENS = theme.DARK
UP, DOWN, NEUTRAL = 1, 2, 3


def row_of(price: float, frame: Frame, *, is_log: bool, is_inverted: bool) -> int:
    """Where a price belongs, by plain arithmetic."""
    prices = frame.prices
    units = math.log(price) if is_log else price
    share = (prices.top - units) / (prices.top - prices.bottom)
    return round((1 - share if is_inverted else share) * prices.height)


def painted(chart: ChartWidget) -> NDArray[np.int8]:
    """Colour of a candle at each pixel of the plot: 0 where there is none; (rows, columns)."""
    frame = chart.frame
    assert frame is not None
    image = chart.picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    assert (image.width(), image.height()) == (frame.width, frame.height)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()) & 0xFFFFFF
    plot, found = (
        pixels[: frame.plot_height, : frame.plot_width],
        np.zeros((frame.plot_height, frame.plot_width), np.int8),
    )
    for name, mark in (("up", UP), ("down", DOWN), ("neutral", NEUTRAL)):
        found[plot == QColor(getattr(TOKENS, name)).rgb() & 0xFFFFFF] = mark
    return found


def expected(chart: ChartWidget, bars: Bars, *, is_log: bool, is_inverted: bool) -> NDArray[np.int8]:
    """The same, one bar at a time: buckets of bars, their first open, highest high, lowest low and last close."""
    frame, model = chart.frame, chart.model
    assert frame is not None
    spacing, scale = model.view.spacing, frame.scale
    size = bucket_size(spacing * scale)
    slots = model.axis.slots(bars.start_ms, 0, len(bars)).tolist()
    buckets: dict[int, list[float]] = {}
    for slot, open_, high, low, close in zip(
        slots, bars.open.tolist(), bars.high.tolist(), bars.low.tolist(), bars.close.tolist(), strict=True
    ):
        bucket = buckets.setdefault(slot // size, [open_, high, low, close])
        bucket[1:] = [max(bucket[1], high), min(bucket[2], low), close]
    sheet = np.zeros((frame.plot_height, frame.plot_width), np.int8)
    before = math.nan
    taken = -(10**9)  # the last column of the body before

    def fill(x1: int, y1: int, x2: int, y2: int, mark: int) -> None:
        y1, y2 = min(y1, y2), max(y1, y2)
        sheet[max(y1, 0) : max(y2 + 1, 0), max(x1, 0) : max(x2 + 1, 0)] = mark

    for key, (open_, high, low, close) in buckets.items():
        against = open_ if close != open_ else before
        mark = UP if close > against else DOWN if close < against else NEUTRAL
        before = close
        rows = [row_of(p, frame, is_log=is_log, is_inverted=is_inverted) for p in (open_, high, low, close)]
        if size > 1 or spacing < BODY_FROM or spacing * scale < FILL_BELOW:
            if size > 1 or spacing * scale < FILL_BELOW:
                left, right = frame.grid.left_of(key * size), frame.grid.left_of((key + 1) * size) - 1
            else:
                left = max(frame.grid.centre_of(key) - body_width(spacing, scale) // 2, taken + 1)
                right = frame.grid.centre_of(key) - body_width(spacing, scale) // 2 + body_width(spacing, scale) - 1
            fill(left, rows[1], right, rows[2], mark)
            taken = right
            continue
        body, wick = body_width(spacing, scale), wick_width(spacing, scale)
        assert (body - wick) % 2 == 0, "a wick stands in the middle of its body"
        left = frame.grid.centre_of(key) - body // 2
        wick_left = frame.grid.centre_of(key) - wick // 2
        assert wick_left - left == left + body - wick_left - wick
        fill(wick_left, rows[1], wick_left + wick - 1, rows[2], mark)
        fill(max(left, taken + 1), rows[0], left + body - 1, rows[3], mark)
        taken = left + body - 1
    return sheet


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**6),
    scale=st.sampled_from([1.0, 1.25, 1.5, 2.0]),
    spacing=st.one_of(st.floats(0.03, 3.0), st.floats(2.0, 40.0)),
    back=st.floats(-3.0, 400.0),
    kept=st.sampled_from([1.0, 0.8, 0.1]),
    price=st.sampled_from([64_000.0, 1.0, 3e-8]),
    kind=st.sampled_from([ScaleKind.LINEAR, ScaleKind.LOG, ScaleKind.PERCENT]),
    is_inverted=st.booleans(),
)
def test_every_painted_column_is_what_the_raw_bars_say(
    qapp: QApplication,
    seed: int,
    scale: float,
    spacing: float,
    back: float,
    kept: float,
    price: float,
    kind: ScaleKind,
    is_inverted: bool,
) -> None:
    random = np.random.default_rng(seed)
    every = walk(6000, price=price, seed=seed)
    flat = random.random(6000) < 0.1
    every.close[flat] = every.open[flat]
    keep = random.random(6000) < kept
    keep[-1] = True
    bars = Bars(every.start_ms[keep], *(column[keep] for column in every.values()))
    chart = ChartWidget(SeriesSource(bars), FixedClock(), TOKENS)
    chart.resize(420, 260)
    chart.show()
    chart.set_scale(kind, is_inverted=is_inverted)
    chart.view.picture_scale = scale
    QCoreApplication.sendEvent(chart, QEvent(QEvent.Type.DevicePixelRatioChange))
    chart.paint_now()
    view = chart.model.view
    view.spacing, view.right = spacing, view.last_slot + 1 - back
    chart.set_autoscale(True)
    chart.paint_now()
    frame = chart.frame
    assert frame is not None
    assert frame.scale == scale
    found = painted(chart)
    wanted = expected(chart, bars, is_log=kind is ScaleKind.LOG, is_inverted=is_inverted)
    wrong = np.argwhere(found != wanted)
    chart.close()
    chart.deleteLater()
    assert not len(wrong), (
        f"{len(wrong)} pixels, first (row, column) {wrong[0].tolist()}: "
        f"painted {found[tuple(wrong[0])]}, bars say {wanted[tuple(wrong[0])]}"
    )
    assert found.any() or kept < 1  # where few minutes have bars, a screen can be without
