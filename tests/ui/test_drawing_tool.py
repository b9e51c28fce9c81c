"""Drawing under the hand: every kind placed, taken, moved, cloned and dropped by real mouse events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from desktop.domain.drawings import Anchor, Drawing, Kind
from desktop.domain.look import ScaleKind
from desktop.domain.market import Market
from desktop.domain.timeframe import Timeframe
from desktop.ui.chart.drawing_map import slot_of_time, time_of_slot
from desktop.ui.chart.hand_options import HandOptions
from desktop.ui.chart.magnet import Magnet
from desktop.ui.chart.slots import slot_axis
from tests.ui.chart_source import SeriesSource, walk
from tests.ui.held_drawings import Board, board

_KEYS = Qt.KeyboardModifier
PLACES = ((200, 300), (420, 180), (300, 360))


@pytest.fixture
def on(qtbot: QtBot) -> Board:
    return board(qtbot)


# --- placing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_placed_by_clicks(on: Board, kind: Kind) -> None:
    right = on.chart.model.view.right
    on.desk.choose(kind)
    wanted = tuple(on.place(*place) for place in PLACES[: kind.anchor_count])
    for number, place in enumerate(PLACES[: kind.anchor_count]):
        assert len(on.drawings) == 0, number
        on.click(*place)
    assert (on.only.kind, on.only.anchors) == (kind, wanted)
    assert on.desk.selected == on.only
    assert on.desk.kind is None
    assert on.chart.model.view.right == right


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind.anchor_count == 2])
def test_two_anchors_are_placed_by_one_drag(on: Board, kind: Kind) -> None:
    right = on.chart.model.view.right
    wanted = (on.place(*PLACES[0]), on.place(*PLACES[1]))
    on.desk.choose(kind)
    on.drag(*PLACES[:2])
    assert on.only.anchors == wanted
    assert on.chart.model.view.right == right


def test_a_channel_is_a_drag_and_a_click(on: Board) -> None:
    wanted = tuple(on.place(*place) for place in PLACES)
    on.desk.choose(Kind.CHANNEL)
    on.drag(*PLACES[:2])
    assert on.drawings == ()
    on.click(*PLACES[2])
    assert on.only.anchors == wanted


def test_what_is_in_the_making_follows_the_mouse(on: Board) -> None:
    on.desk.choose(Kind.TREND)
    on.click(*PLACES[0])
    on.qtbot.mouseMove(on.chart.view.viewport(), QPoint(500, 250))
    assert on.desk.active is not None
    assert on.desk.active.anchors == (on.place(*PLACES[0]), on.place(500, 250))
    assert on.drawings == ()


def test_two_quick_clicks_place_two_anchors(on: Board) -> None:
    viewport, left = on.chart.view.viewport(), Qt.MouseButton.LeftButton
    on.desk.choose(Kind.TREND)
    on.click(*PLACES[0])
    QTest.mouseDClick(viewport, left, _KEYS.NoModifier, QPoint(*PLACES[1]))
    on.qtbot.mouseRelease(viewport, left, _KEYS.NoModifier, QPoint(*PLACES[1]))
    assert on.only.anchors == (on.place(*PLACES[0]), on.place(*PLACES[1]))


def test_anchors_go_beyond_the_last_bar(on: Board) -> None:
    view = on.chart.model.view
    view.right = view.last_slot + 40.0
    on.chart.show_latest()
    view.right = view.last_slot + 40.0
    on.chart.set_autoscale(True)
    on.settle()
    x = round(view.x_of(view.last_slot + 20.5))
    on.desk.choose(Kind.HORIZONTAL)
    on.click(x, 200)
    last = int(on.source.series.bars.start_ms[-1])
    assert on.only.anchors[0].time_ms == last + 20 * 60_000


@pytest.mark.parametrize("magnet", [Magnet.CLOSE, Magnet.OHLC])
def test_the_magnet_holds_an_anchor_at_a_price_of_its_bar(on: Board, magnet: Magnet) -> None:
    on.chart.gestures.set_options(HandOptions(magnet=magnet))
    bars = on.source.series.bars
    on.desk.choose(Kind.HORIZONTAL)
    on.click(300, 240)
    time_ms, price = on.only.anchors[0]
    bar = bars[int(np.searchsorted(bars.start_ms, time_ms))]
    prices = (bar.close,) if magnet is Magnet.CLOSE else (bar.open, bar.high, bar.low, bar.close)
    decimals = on.chart.model.style.decimals
    assert price in [round(each, decimals) for each in prices]


def test_a_press_on_an_axis_is_left_to_the_chart(on: Board) -> None:
    on.desk.choose(Kind.HORIZONTAL)
    on.click(on.chart.view.width() - 5, 200)
    assert on.drawings == ()
    assert on.desk.kind is Kind.HORIZONTAL


# --- taking ----------------------------------------------------------------------------------------------------

# Where each kind can be taken without taking an anchor, in shares between its anchors.
BODIES = {
    Kind.HORIZONTAL: (600, 300),
    Kind.VERTICAL: (200, 100),
    Kind.TREND: (310, 240),
    Kind.RAY: (310, 240),
    Kind.EXTENDED: (310, 240),
    Kind.ARROW: (310, 240),
    Kind.RECTANGLE: (310, 300),
    Kind.MEASURE: (310, 300),
    Kind.FIBONACCI: (310, 240),
    Kind.CHANNEL: (310, 240),
    Kind.TEXT: (212, 300),
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_selected_dragged_and_removed(on: Board, kind: Kind) -> None:
    drawing = on.put(kind, *PLACES[: kind.anchor_count], text="hello" if kind is Kind.TEXT else "")
    view = on.chart.model.view
    right, start = view.right, BODIES[kind]
    on.click(*start)
    assert on.desk.selected == drawing
    assert on.only == drawing
    on.drag(start, (start[0] + 80, start[1] + 40))
    assert view.right == right  # the chart stayed
    assert on.only.id == drawing.id
    step_ms = 10 * 60_000  # 80 px at 8 px a bar
    for before, after in zip(drawing.anchors, on.only.anchors, strict=True):
        if kind in (Kind.HORIZONTAL, Kind.VERTICAL):  # they go where the hand is
            assert after == on.place(start[0] + 80, start[1] + 40)
            continue
        assert after.time_ms == before.time_ms + step_ms
        there = on.point_of(after) - on.point_of(before)
        assert (there.x(), there.y()) == pytest.approx((80, 40), abs=1)
    assert on.desk.remove()
    assert on.drawings == ()
    assert not on.desk.remove()


@pytest.mark.parametrize(
    ("kind", "index"),
    [(kind, index) for kind in Kind if kind.anchor_count > 1 for index in range(kind.anchor_count)],
)
def test_every_anchor_is_dragged_alone(on: Board, kind: Kind, index: int) -> None:
    drawing = on.put(kind, *PLACES[: kind.anchor_count])
    start = on.point_of(drawing.anchors[index])
    on.drag((start.x(), start.y()), (560, 220))
    assert on.only.anchors[index] == on.place(560, 220)
    others = [anchor for number, anchor in enumerate(on.only.anchors) if number != index]
    assert others == [anchor for number, anchor in enumerate(drawing.anchors) if number != index]


def test_a_click_beside_a_drawing_selects_nothing_and_a_drag_pans(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    on.click(310, 240)
    right = on.chart.model.view.right
    on.drag((600, 450), (680, 450))
    assert on.chart.model.view.right < right
    assert on.desk.selected == drawing  # a pan is no click
    on.click(600, 450)
    assert on.desk.selected is None


def test_the_topmost_drawing_is_taken_and_the_selected_one_before_it(on: Board) -> None:
    below = on.put(Kind.TREND, *PLACES[:2])
    above = on.put(Kind.TREND, *PLACES[:2])
    on.click(310, 240)
    assert on.desk.selected == above
    on.desk.select(below.id)
    on.click(310, 240)
    assert on.desk.selected == below


def test_ctrl_and_a_drag_clones(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    on.drag((310, 240), (390, 240), _KEYS.ControlModifier)
    original, clone = on.drawings
    assert original == drawing
    assert clone.id != drawing.id
    assert [anchor.time_ms for anchor in clone.anchors] == [anchor.time_ms + 600_000 for anchor in drawing.anchors]
    assert [anchor.price for anchor in clone.anchors] == [anchor.price for anchor in drawing.anchors]
    assert on.desk.selected == clone


def test_ctrl_and_a_click_clones_nothing(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    on.click(310, 240, _KEYS.ControlModifier)
    assert on.only == drawing
    assert on.desk.selected == drawing


def test_a_locked_drawing_is_selected_but_does_not_move(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2], is_locked=True)
    right = on.chart.model.view.right
    on.drag((310, 240), (390, 300))
    assert on.only == drawing == on.desk.selected
    assert on.chart.model.view.right == right
    assert on.desk.nudge(ticks=1)
    assert on.only == drawing


def test_what_is_hidden_cannot_be_taken(on: Board) -> None:
    on.put(Kind.TREND, *PLACES[:2], is_hidden=True)
    on.click(310, 240)
    assert on.desk.selected is None
    shown = on.put(Kind.TREND, *PLACES[:2])
    on.desk.set_hidden(True)
    on.click(310, 240)
    assert on.desk.selected is None
    on.desk.set_hidden(False)
    on.click(310, 240)
    assert on.desk.selected == shown


def test_a_double_click_asks_for_the_settings_and_does_not_maximise(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    asked: list[Drawing] = []
    maximised: list[bool] = []
    on.desk.edit_wanted.connect(asked.append)
    on.chart.maximise_requested.connect(lambda: maximised.append(True))
    viewport, left = on.chart.view.viewport(), Qt.MouseButton.LeftButton
    QTest.mouseDClick(viewport, left, _KEYS.NoModifier, QPoint(310, 240))
    assert (asked, maximised) == ([drawing], [])
    QTest.mouseDClick(viewport, left, _KEYS.NoModifier, QPoint(600, 450))
    assert (asked, maximised) == ([drawing], [True])


def test_shift_and_a_drag_over_a_drawing_measures(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    on.drag((310, 240), (390, 300), _KEYS.ShiftModifier)
    assert on.chart.gestures.end_measure()
    assert on.only == drawing


# --- keyboard --------------------------------------------------------------------------------------------------


def test_nudging_moves_by_a_tick_and_by_a_bar(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    assert not on.desk.nudge(ticks=1)
    on.desk.select(drawing.id)
    on.desk.nudge(ticks=1)
    on.desk.nudge(slots=-2)
    for before, after in zip(drawing.anchors, on.only.anchors, strict=True):
        assert after == (before.time_ms - 120_000, pytest.approx(before.price + 0.01, abs=1e-9))
        assert len(repr(after.price).split(".")[1]) <= 2
    for _ in range(2):
        on.desk.undo()
    assert on.only == drawing
    on.desk.redo()
    assert on.only.anchors[0].price == pytest.approx(drawing.anchors[0].price + 0.01)


def test_escape_drops_first_what_was_begun_then_the_tool_then_the_selection(on: Board) -> None:
    on.desk.choose(Kind.TREND)
    on.click(*PLACES[0])
    assert on.tool.leave()
    assert on.desk.active is None
    assert on.desk.kind is Kind.TREND
    assert on.tool.leave()
    assert on.desk.kind is None
    on.put(Kind.TREND, *PLACES[:2])
    on.click(310, 240)
    assert on.tool.leave()
    assert on.desk.selected is None
    assert not on.tool.leave()


def test_escape_during_a_drag_puts_everything_back(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    on.drag((310, 240), (390, 300), release=False)
    assert on.desk.active != drawing
    assert on.tool.leave()
    on.qtbot.mouseRelease(on.chart.view.viewport(), Qt.MouseButton.LeftButton, _KEYS.NoModifier, QPoint(390, 300))
    assert on.only == drawing == on.desk.active


def test_anchors_are_placed_by_the_keyboard(on: Board) -> None:
    on.desk.choose(Kind.TREND)
    assert not on.tool.fix()  # no crosshair yet
    on.qtbot.mouseMove(on.chart.view.viewport(), QPoint(300, 200))
    on.settle()
    for _ in range(2):
        assert on.tool.fix()
        on.chart.keys.run("time.bars_left")
        on.settle()
    first, second = on.only.anchors
    assert first == on.place(300, 200)
    assert second.time_ms == first.time_ms - 600_000
    bars = on.source.series.bars
    close = float(bars.close[np.searchsorted(bars.start_ms, second.time_ms)])
    assert second.price == pytest.approx(close, abs=close / 1e4)


def test_a_measurement_ends_with_a_press_on_a_drawing_and_before_the_selection(on: Board) -> None:
    drawing = on.put(Kind.TREND, *PLACES[:2])
    on.drag((500, 400), (560, 450), _KEYS.ShiftModifier)
    on.click(310, 240)
    assert not on.chart.gestures.end_measure()
    on.drag((500, 400), (560, 450), _KEYS.ShiftModifier)
    assert on.desk.selected == drawing
    assert on.tool.leave()
    assert not on.chart.gestures.end_measure()
    assert on.desk.selected == drawing
    assert on.tool.leave()
    assert on.desk.selected is None


# --- anchors stay ----------------------------------------------------------------------------------------------


def test_anchors_stay_bit_for_bit_under_older_bars_new_bars_and_another_interval(qtbot: QtBot) -> None:
    bars = walk(3000)
    on = board(qtbot, source=SeriesSource(bars.take(1000, 2900), name="Bitcoin – US Dollar"))
    on.desk.choose(Kind.TREND)
    on.drag((200, 300), (420, 180))
    drawing = on.only
    held = [(anchor.time_ms, anchor.price.hex()) for anchor in drawing.anchors]
    points = [on.point_of(anchor) for anchor in drawing.anchors]

    def now() -> list[tuple[int, str]]:
        on.settle()
        return [(anchor.time_ms, anchor.price.hex()) for anchor in on.only.anchors]

    on.source.merge(bars.take(0, 1000))
    assert now() == held
    assert [on.point_of(anchor) for anchor in drawing.anchors] == points  # nothing moved on the screen
    on.source.merge(bars.take(2900, 3000))
    assert now() == held
    on.source.show(walk(600, step_ms=300_000), "X:BTCUSD", Timeframe.parse("5m"))
    assert now() == held
    assert on.desk.selected == drawing
    on.source.show(walk(600), "X:ETHUSD", Timeframe.parse("1m"))
    on.settle()
    assert on.desk.shown == ()
    assert on.desk.selected is None
    on.source.show(bars, "X:BTCUSD", Timeframe.parse("1m"))
    assert now() == held
    assert on.desk.shown == (drawing,)


@given(
    st.sampled_from([Market.CRYPTO, Market.STOCKS]),
    st.lists(st.integers(1, 5), min_size=1, max_size=50),
    st.integers(-50, 260),
    st.integers(0, 59_999),
)
def test_times_are_found_again_on_any_axis(market: Market, gaps: list[int], slot: int, rest_ms: int) -> None:
    starts = 1_772_546_400_000 + 60_000 * np.cumsum(np.array([0, *gaps], np.int64))
    axis = slot_axis(market, Timeframe.parse("1m"), starts)
    time_ms = axis.time_at(starts, slot)
    assert slot_of_time(axis, starts, time_ms) == slot
    assert time_of_slot(axis, starts, slot + 1e-9) == time_ms
    assert time_of_slot(axis, starts, slot - 1e-9) == time_ms
    assert slot <= slot_of_time(axis, starts, time_ms + rest_ms) < slot + 1
    assert time_of_slot(axis, starts, slot_of_time(axis, starts, time_ms + rest_ms)) == time_ms + rest_ms


@pytest.mark.parametrize("kind", ScaleKind)
@pytest.mark.parametrize("is_inverted", [False, True])
def test_prices_are_found_again_on_every_scale(on: Board, kind: ScaleKind, is_inverted: bool) -> None:
    on.chart.set_scale(kind, is_inverted=is_inverted)
    on.settle()
    drawing = on.put(Kind.TREND, *PLACES[:2])
    for anchor, place in zip(drawing.anchors, PLACES, strict=False):
        there = on.point_of(anchor)
        assert (there - QPoint(*place)).manhattanLength() <= 5  # the middle of the bar, half a tick
    on.drag((310, 240), (310, 240 + 30))
    moved = [
        on.point_of(after) - on.point_of(before) for before, after in zip(drawing.anchors, on.only.anchors, strict=True)
    ]
    assert moved == [QPoint(0, 30)] * 2


def test_a_chart_without_bars_draws_nothing(qtbot: QtBot) -> None:
    on = board(qtbot, source=SeriesSource(None))
    on.desk.choose(Kind.HORIZONTAL)
    on.click(300, 200)
    assert on.drawings == ()
    on.held.add("X:BTCUSD", Drawing(Kind.MEASURE, (Anchor(0, 1.0), Anchor(60_000, 2.0))))
    on.settle()
    assert on.chart.view.area_at(QPointF(300, 200)) == "plot"
