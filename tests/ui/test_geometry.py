"""Pixel arithmetic as numbers: widths, steps, zoom anchors, the follow rule, slots."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.market import Market
from desktop.domain.timeframe import Timeframe
from desktop.ui.chart import geometry
from desktop.ui.chart.slots import IndexSlots, TimeSlots, slot_axis
from desktop.ui.chart.viewport import Viewport
from tests.ui.chart_source import walk

SCALES = st.sampled_from([1.0, 1.25, 1.5, 2.0])


def viewport(spacing: float = 8.0, width: float = 800.0, bars: int = 1000) -> Viewport:
    view = Viewport(width=width, height=400.0, spacing=spacing, first_slot=0, last_slot=bars - 1)
    view.show_latest()
    return view


@given(st.floats(0.01, 200), SCALES)
def test_body_and_wick_share_their_parity_and_fit_their_slot(spacing: float, scale: float) -> None:
    body, wick = geometry.body_width(spacing, scale), geometry.wick_width(spacing, scale)
    assert 1 <= wick <= body
    assert body % 2 == wick % 2
    if spacing > 4:
        assert body <= math.floor(spacing * scale)


@pytest.mark.parametrize(("spacing", "body", "wick"), [(1, 1, 1), (2.5, 3, 1), (4, 3, 1), (8, 5, 1), (20, 16, 2)])
def test_widths_at_one_device_pixel_a_pixel(spacing: float, body: int, wick: int) -> None:
    assert (geometry.body_width(spacing, 1.0), geometry.wick_width(spacing, 1.0)) == (body, wick)


@given(st.floats(1e-6, 5.0))
def test_merged_columns_are_at_least_a_pixel_and_less_than_two(spacing_px: float) -> None:
    size = geometry.bucket_size(spacing_px)
    if size == 1:
        assert spacing_px >= 1 - 1e-6
    else:
        assert size & (size - 1) == 0
        assert 1 - 1e-6 <= size * spacing_px < 2


@given(st.floats(0.001, 200), st.integers(-(10**6), 10**6), st.integers(-500, 500), st.integers(-4000, 4000))
def test_panning_shifts_every_column_alike(spacing: float, slot: int, origin: int, by: int) -> None:
    slots = np.arange(slot, slot + 50)
    here, there = geometry.Grid(origin, spacing), geometry.Grid(origin + by, spacing)
    assert (there.left(slots) - here.left(slots) == by).all()
    assert (here.left(slots)[1:] >= here.left(slots)[:-1]).all()
    assert [here.left_of(int(s)) for s in slots] == here.left(slots).tolist()
    assert [here.centre_of(int(s)) for s in slots] == here.centre(slots).tolist()


@given(st.floats(0.02, 200), st.floats(0, 800), st.floats(-1.5, 1.5))
def test_zoom_keeps_the_time_under_the_cursor(spacing: float, x: float, notches: float) -> None:
    view = viewport(bars=100_000)
    view.right = 50_000.0
    view.set_spacing(spacing, 400)
    before = view.slot_at(x)
    was_inside = view.left > view.first_slot and view.right < view.last_slot
    view.zoom(notches, x)
    if was_inside and view.left > view.first_slot and view.right < view.last_slot:
        assert abs(view.x_of(before) - x) < 1


def test_one_notch_changes_the_spacing_by_a_tenth_within_its_limits() -> None:
    view = viewport(spacing=10)
    view.zoom(1, 400)
    assert view.spacing == pytest.approx(11)
    view.zoom(-3, 400)
    assert view.spacing == pytest.approx(9.9)
    for _ in range(200):
        view.zoom(1, 400)
    assert view.spacing == geometry.MAX_SPACING
    for _ in range(400):
        view.zoom(-1, 400)
    assert view.width / view.spacing == pytest.approx(1000 + view.margin)


@given(st.lists(st.floats(-5000, 5000), max_size=20))
def test_at_least_two_bars_stay_in_view(moves: list[float]) -> None:
    view = viewport()
    for dx in moves:
        view.pan(dx)
        assert view.right >= view.first_slot + 2 - 1e-9
        assert view.left <= view.last_slot - 1 + 1e-9


def test_following_keeps_the_margin_and_standing_still_counts_new_bars() -> None:
    view = viewport()
    margin = view.right - view.last_slot
    assert view.follow(0, 1002) == 0
    assert view.right - view.last_slot == margin
    view.pan(4000)
    right = view.right
    assert view.follow(0, 1005) == 3
    assert view.right == right


def test_dragging_the_price_axis_stretches_about_the_middle() -> None:
    view = viewport()
    view.bottom, view.top = 90.0, 110.0
    view.stretch_price(view.drag_factor(300, 300))
    assert (view.bottom, view.top) == pytest.approx((90, 110))
    view.stretch_price(view.drag_factor(300, 200), (90.0, 110.0))
    expected = (100 + 0.2 * 399) / (200 + 0.2 * 399)
    assert view.top - view.bottom == pytest.approx(20 * expected)
    assert (view.top + view.bottom) / 2 == pytest.approx(100)
    assert not view.is_autoscaled
    assert view.drag_factor(0, 10_000) < 10
    assert view.drag_factor(400, -1e6) == 0.1


@given(st.floats(1e-10, 1e9), st.floats(1e-6, 10), st.floats(50, 3000))
def test_price_steps_are_round_and_far_enough_apart(price: float, share: float, height: float) -> None:
    span = price * share
    step = geometry.price_step(span, height, 40)
    assert step.mantissa in (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5))
    assert float(step.exact) / span * height >= 40 * (1 - 1e-9)
    assert float(step.exact) / span * height <= 40 * 2.0001


@given(st.floats(1e-10, 1e9), st.floats(0, 0.5))
def test_the_fitted_range_leaves_its_margins(low: float, share: float) -> None:
    high = low * (1 + share)
    bottom, top = geometry.fit_range(low, high, top_margin=0.2, bottom_margin=0.3)
    assert bottom < low <= high < top
    assert geometry.is_near((bottom, top), (bottom, top), low, high)
    assert not geometry.is_near((bottom, high - (high - bottom) * 0.01), (bottom, top), low, high)


@given(st.floats(1e-9, 1e7), st.floats(1e-4, 2), st.floats(0, 1))
def test_prices_and_rows_are_inverse(low: float, share: float, at: float) -> None:
    scale = geometry.PriceScale(low, low * (1 + share), 0, 700)
    price = low * (1 + share * at)
    assert abs(scale.price(scale.row(price)) - price) <= (scale.top - scale.bottom) / 700
    assert scale.rows(np.array([price]))[0] == scale.row(price)


def test_crypto_has_a_slot_for_every_length_of_time_and_stocks_one_for_every_bar() -> None:
    bars = walk(100)
    starts = np.delete(bars.start_ms, slice(40, 60))
    timeframe = Timeframe.parse("1m")
    by_time, by_index = slot_axis(Market.CRYPTO, timeframe, starts), slot_axis(Market.STOCKS, timeframe, starts)
    assert isinstance(by_time, TimeSlots)
    assert isinstance(by_index, IndexSlots)
    assert by_time.slot_of(starts, -1) == 99
    assert by_index.slot_of(starts, -1) == 79
    assert by_time.index_range(starts, 35, 64) == (35, 45)
    assert by_time.index_range(starts, 45, 50) == (40, 40)
    assert by_index.index_range(starts, 35, 64) == (35, 65)
    for axis in (by_time, by_index):
        slots = axis.slots(starts, 0, len(starts))
        assert [axis.time_at(starts, int(slot)) for slot in slots] == starts.tolist()
        assert [axis.slot_at_time(starts, int(start)) for start in starts] == slots.tolist()
        beyond = axis.slot_of(starts, -1) + 7
        assert axis.slot_at_time(starts, axis.time_at(starts, beyond)) == beyond


@pytest.mark.parametrize("market", [Market.CRYPTO, Market.STOCKS])
def test_older_bars_get_negative_slots_and_nothing_moves(market: Market) -> None:
    bars = walk(100)
    axis = slot_axis(market, Timeframe.parse("1m"), bars.start_ms[30:])
    before = axis.slots(bars.start_ms[30:], 0, 70)
    axis.prepend(30)
    after = axis.slots(bars.start_ms, 0, 100)
    assert (after[30:] == before).all()
    assert (after == np.arange(-30, 70)).all()
