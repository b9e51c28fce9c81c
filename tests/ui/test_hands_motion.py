"""What moves by itself: throws that glide, jumps that ease. The clock is set by hand, frames are asked for."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bar
from desktop.ui.chart.hand_options import HandOptions
from desktop.ui.chart.kinetic import DAMPING, LEAST_SPEED, MOST_SPEED, Glide, Throw
from tests.ui.chart_source import SeriesSource, walk
from tests.ui.hands import MIDDLE, PLOT, TIME_AXIS, Desk

MOVING = HandOptions(has_motion=True)


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    desk = Desk(qtbot, options=MOVING)
    desk.view.pan(4000)
    desk.chart.set_autoscale(True)
    desk.settle()
    return desk


def thrown(samples: list[tuple[float, float]], rest_ms: float = 0.0) -> Glide | None:
    """A hand at these places (x, ms) that lets go after a rest."""
    throw = Throw()
    for x, at_ms in samples:
        throw.add(x, at_ms)
    return throw.release(samples[-1][1] + rest_ms)


# --- the rule ----------------------------------------------------------------------------------------------------


def test_a_glide_has_the_speed_of_the_hand_within_its_limits() -> None:
    assert thrown([(0, 0), (32, 16), (64, 32)]) == Glide(pytest.approx(2.0))
    assert thrown([(0, 0), (-32, 16), (-64, 32)]) == Glide(pytest.approx(-2.0))
    assert thrown([(0, 0), (900, 16), (1800, 32)]) == Glide(MOST_SPEED)
    assert thrown([(0, 0), (19, 100), (38, 200)]) is None  # 0.19 px/ms
    assert thrown([(0, 0), (21, 100), (42, 200)]) == Glide(pytest.approx(0.21))


def test_a_hand_that_rested_or_hardly_moved_does_not_throw() -> None:
    assert thrown([(0, 0), (32, 16), (64, 32)], rest_ms=50) is not None
    assert thrown([(0, 0), (32, 16), (64, 32)], rest_ms=51) is None
    assert thrown([(0, 0), (10, 5)]) is None
    assert thrown([(0, 0)]) is None


def test_only_the_last_direction_counts_and_long_moves_weigh_more() -> None:
    assert thrown([(100, 0), (40, 16), (60, 32), (92, 48)]) == Glide(pytest.approx((32 * 2.0 + 20 * 1.25) / 52))


@given(st.floats(LEAST_SPEED, MOST_SPEED), st.sampled_from([1, -1]), st.floats(0, 5000), st.floats(0, 100))
def test_a_glide_slows_down_and_stops_a_pixel_before_its_end(
    speed: float, sign: int, at_ms: float, later_ms: float
) -> None:
    glide = Glide(sign * speed)
    end = -glide.speed / math.log(DAMPING)
    assert abs(end - glide.distance(glide.duration_ms)) == pytest.approx(1.0)
    assert abs(glide.distance(at_ms)) <= abs(glide.distance(at_ms + later_ms)) <= abs(end)
    assert glide.distance(1.0) == pytest.approx(glide.speed, rel=0.002)


# --- throws --------------------------------------------------------------------------------------------------------


def test_a_thrown_picture_glides_on_by_the_rule(desk: Desk) -> None:
    desk.throw(PLOT, 2.0)
    right, spacing = desk.view.right, desk.view.spacing
    glide = Glide(2.0)
    for frames in range(1, 60):
        desk.frame_passes()
        assert (right - desk.view.right) * spacing == pytest.approx(glide.distance(16 * frames))
        assert desk.chart.frame is not None
    desk.frame_passes(200)
    assert (right - desk.view.right) * spacing == pytest.approx(glide.distance(math.inf))
    desk.settle()


def test_a_glide_ends_at_the_end_of_the_series(desk: Desk) -> None:
    desk.view.right = float(desk.view.last_slot)
    desk.throw(PLOT + QPoint(400, 0), -6.0)
    desk.frame_passes(300)
    assert desk.view.left == pytest.approx(desk.view.last_slot - 1)
    desk.settle()


def test_a_slow_hand_stops_the_picture_where_it_lets_go(desk: Desk) -> None:
    desk.throw(PLOT, 0.1)
    right = desk.view.right
    desk.frame_passes(3)
    assert desk.view.right == right
    desk.settle()


@pytest.mark.parametrize("how", ["press", "wheel", "key", "pinch"])
def test_a_glide_is_stopped_by_the_next_touch(desk: Desk, how: str) -> None:
    desk.throw(PLOT, 3.0)
    desk.frame_passes(3)
    moving = desk.view.right
    desk.frame_passes()
    assert desk.view.right < moving
    match how:
        case "press":
            desk.press(PLOT)
        case "wheel":
            desk.wheel(angle=1)
        case "key":
            desk.qtbot.keyClick(desk.chart, Qt.Key.Key_Left)
        case "pinch":
            desk.pinch(PLOT, 0.01)
    right = desk.view.right
    desk.frame_passes(5)
    assert desk.view.right == right
    desk.settle()


def test_with_reduced_motion_and_with_the_middle_button_nothing_glides(qtbot: QtBot, desk: Desk) -> None:
    still = Desk(qtbot)
    still.view.pan(3000)
    still.throw(PLOT, 3.0)
    right = still.view.right
    still.frame_passes(5)
    assert still.view.right == right
    desk.press(PLOT, MIDDLE)
    for x in (40, 80, 120):
        desk.now_ms += 16
        desk.move(PLOT + QPoint(x, 0))
    desk.release(PLOT + QPoint(120, 0), MIDDLE)
    right = desk.view.right
    desk.frame_passes(5)
    assert desk.view.right == right


def test_history_and_new_bars_do_not_disturb_a_glide(qtbot: QtBot) -> None:
    bars = walk(4000)
    desk = Desk(qtbot, SeriesSource(bars.take(2000, 4000)), MOVING)
    desk.view.pan(9000)
    desk.throw(PLOT, 2.0)
    right, spacing = desk.view.right, desk.view.spacing
    desk.frame_passes(5)
    desk.source.merge(bars.take(0, 2000))
    last = desk.source.series.bars[-1]
    desk.source.put(Bar(last.start_ms + 60_000, last.close, last.close, last.close, last.close, 1.0))
    desk.frame_passes(5)
    assert (right - desk.view.right) * spacing == pytest.approx(Glide(2.0).distance(160))


# --- jumps ---------------------------------------------------------------------------------------------------------


def test_the_way_to_the_latest_bar_eases_out_in_a_fifth_of_a_second(desk: Desk) -> None:
    desk.view.right = desk.view.last_slot - 50.0
    desk.chart.set_autoscale(True)
    desk.settle()
    start, end = desk.view.right, desk.view.last_slot + 1 + 5
    desk.qtbot.mouseClick(desk.chart.buttons.latest, Qt.MouseButton.LeftButton)
    places = [start]
    while places[-1] != end:
        desk.frame_passes()
        places.append(desk.view.right)
    steps = [after - before for before, after in pairwise(places)]
    assert 150 / 16 <= len(steps) <= 250 / 16
    assert all(step > 0 for step in steps)
    assert steps[:-1] == sorted(steps[:-1], reverse=True)
    desk.settle()
    assert not desk.chart.buttons.latest.isVisible()


def test_a_double_click_on_the_time_axis_eases_to_the_usual_spacing(desk: Desk) -> None:
    for _ in range(9):
        desk.wheel(angle=120)
    spacing = desk.view.spacing
    desk.double_click(TIME_AXIS)
    desk.frame_passes(3)
    assert 8 < desk.view.spacing < spacing
    desk.frame_passes(20)
    assert desk.view.spacing == 8
    assert desk.view.right == desk.view.last_slot + 1 + 5


def test_a_long_way_begins_near_its_end(desk: Desk) -> None:
    desk.view.show_first()
    desk.chart.show_latest()
    desk.frame_passes()
    assert desk.view.right > desk.view.last_slot - 2.1 * desk.view.width / desk.view.spacing


def test_a_bar_that_comes_on_the_way_is_where_the_way_ends(desk: Desk) -> None:
    desk.view.right = desk.view.last_slot - 20.0
    desk.chart.show_latest()
    desk.frame_passes(4)
    last = desk.source.series.bars[-1]
    desk.source.put(Bar(last.start_ms + 60_000, last.close, last.close, last.close, last.close, 1.0))
    desk.frame_passes(20)
    assert desk.view.last_slot == 2000
    assert desk.view.right == 2000 + 1 + 5
    assert desk.chart.model.new_bars == 0


def test_another_series_ends_what_moves(desk: Desk) -> None:
    desk.view.right = desk.view.last_slot - 20.0
    desk.chart.show_latest()
    desk.frame_passes(2)
    desk.source.show(walk(500, price=3000), "X:ETHUSD", desk.source.timeframe)
    right = desk.view.right
    assert right == 499 + 1 + 5
    desk.frame_passes(20)
    assert desk.view.right == right


def test_without_motion_a_jump_is_there_at_once(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.view.pan(4000)
    desk.chart.show_latest()
    assert desk.view.right == desk.view.last_slot + 1 + 5
