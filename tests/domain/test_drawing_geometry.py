"""Where drawings lie on a surface, what is under a point, and how they move."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desktop.domain.drawing_geometry import (
    FIBONACCI,
    Box,
    Point,
    Segment,
    clipped,
    distance,
    endless,
    moved,
    shape_of,
)
from desktop.domain.drawings import Anchor, Drawing, Kind
from tests.domain.drawing_strategies import drawings

SURFACE = Box(0, 0, 800, 600)
coordinates = st.floats(-5000, 5000)
points = st.builds(Point, coordinates, coordinates)


@dataclass(frozen=True)
class Even:
    """A second a pixel; prices from the top, one in `step` pixels."""

    step: float = 2.0

    def x_of(self, time_ms: int) -> float:
        return time_ms / 1000

    def y_of(self, price: float) -> float:
        return 600 - price * self.step

    def time_of(self, x: float) -> int:
        return round(x * 1000)

    def price_of(self, y: float) -> float:
        return (600 - y) / self.step


def drawn(kind: Kind, *places: tuple[float, float]) -> Drawing:
    """A drawing whose anchors are at these pixels of `Even`."""
    on = Even()
    return Drawing(kind, tuple(Anchor(on.time_of(x), on.price_of(y)) for x, y in places))


@given(drawings())
def test_every_handle_is_at_its_anchor_and_can_be_taken(drawing: Drawing) -> None:
    on = Even()
    shape = shape_of(drawing, on, SURFACE, (40, 12))
    assert len(shape.handles) == drawing.kind.anchor_count
    for handle, anchor in zip(shape.handles, drawing.anchors, strict=True):
        assert handle == (on.x_of(anchor.time_ms), on.y_of(anchor.price))
        grip = shape.grip_at(handle, 0.5)
        assert grip is not None
        assert math.dist(shape.handles[grip], handle) <= 0.5


@pytest.mark.parametrize(
    ("kind", "places", "on_it", "beside_it"),
    [
        (Kind.HORIZONTAL, [(300, 200)], [(10, 204), (790, 196)], [(300, 208)]),
        (Kind.VERTICAL, [(300, 200)], [(305, 5), (296, 590)], [(308, 200)]),
        (Kind.TREND, [(100, 100), (300, 300)], [(200, 203), (100, 96)], [(340, 340), (200, 215)]),
        (Kind.ARROW, [(100, 100), (300, 300)], [(200, 203)], [(340, 340)]),
        (Kind.RAY, [(100, 100), (300, 300)], [(200, 200), (500, 500)], [(60, 60)]),
        (Kind.EXTENDED, [(100, 100), (300, 300)], [(500, 500), (20, 20)], [(200, 215)]),
        (Kind.RECTANGLE, [(100, 300), (300, 100)], [(100, 200), (250, 104), (300, 290)], [(200, 200), (110, 200)]),
        (Kind.MEASURE, [(100, 300), (300, 100)], [(100, 200)], [(200, 200)]),
        (Kind.CHANNEL, [(100, 100), (300, 100), (200, 200)], [(200, 100), (120, 200), (150, 150)], [(200, 125)]),
        (Kind.FIBONACCI, [(100, 500), (300, 100)], [(200, 100), (250, 500), (150, 300), (200, 300)], [(150, 225)]),
        (Kind.TEXT, [(100, 100)], [(120, 100), (138, 95)], [(150, 100), (120, 115)]),
    ],
)
def test_what_is_under_a_point(
    kind: Kind,
    places: list[tuple[float, float]],
    on_it: list[tuple[float, float]],
    beside_it: list[tuple[float, float]],
) -> None:
    shape = shape_of(drawn(kind, *places), Even(), SURFACE, (40, 12))
    assert [shape.is_hit(Point(*at), 6) for at in on_it] == [True] * len(on_it)
    assert [shape.is_hit(Point(*at), 6) for at in beside_it] == [False] * len(beside_it)


def test_every_kind_was_tried() -> None:
    marks = [mark for mark in test_what_is_under_a_point.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]
    assert {row[0] for row in marks[0].args[1]} == set(Kind)


@given(points, points)
def test_an_endless_line_reaches_the_edge_and_stays_straight(start: Point, through: Point) -> None:
    assume(math.dist(start, through) > 1)
    for is_both_ways in (False, True):
        line = endless(start, through, SURFACE, is_both_ways=is_both_ways)
        if line == Segment(start, through):
            continue
        assert SURFACE.grown(0.5).contains(line.end)
        if is_both_ways:
            assert SURFACE.grown(0.5).contains(line.start)
        else:
            assert line.start == start
        wide, high = through.x - start.x, through.y - start.y
        for end in line:
            off = abs((end.x - start.x) * high - (end.y - start.y) * wide) / math.hypot(wide, high)
            assert off < 1e-3 * (1 + math.dist(end, start) / math.dist(through, start))


@given(points, points)
def test_a_cut_line_lies_on_the_surface_and_on_itself(start: Point, end: Point) -> None:
    line = Segment(start, end)
    cut = clipped(line, SURFACE)
    if cut is None:
        shares = [index / 200 for index in range(201)]
        middle = [Point(start.x + (end.x - start.x) * s, start.y + (end.y - start.y) * s) for s in shares]
        assert not any(SURFACE.grown(-0.01).contains(point) for point in middle)
        return
    for point in cut:
        assert SURFACE.grown(1e-6).contains(point)
        assert distance(point, line) < 1e-6


@given(points, points, points)
def test_the_distance_to_a_line_is_that_to_its_nearest_point(at: Point, start: Point, end: Point) -> None:
    found = distance(at, Segment(start, end))
    shares = [index / 400 for index in range(401)]
    tried = [math.dist(at, (start.x + (end.x - start.x) * s, start.y + (end.y - start.y) * s)) for s in shares]
    assert found <= min(tried) + 1e-6
    assert min(tried) <= found + math.dist(start, end) / 400 + 1e-6


def test_levels_go_from_the_end_of_the_move_to_its_beginning() -> None:
    drawing = Drawing(Kind.FIBONACCI, (Anchor(0, 100.0), Anchor(50_000, 200.0)))
    levels = shape_of(drawing, Even(), SURFACE).levels
    assert [level.ratio for level in levels] == list(FIBONACCI)
    assert (levels[0].price, levels[3].price, levels[-1].price) == (200.0, 150.0, 100.0)
    assert all(level.at == (0, Even().y_of(level.price)) for level in levels)


@given(drawings(), st.floats(-500, 500), st.floats(-500, 500))
def test_a_drawing_moves_as_one(drawing: Drawing, dx: float, dy: float) -> None:
    on = Even()
    after = moved(drawing, on, dx, dy)
    for before, now in zip(drawing.anchors, after.anchors, strict=True):
        assert on.x_of(now.time_ms) == pytest.approx(on.x_of(before.time_ms) + dx, abs=1e-3)
        assert on.y_of(now.price) == pytest.approx(on.y_of(before.price) + dy, abs=1e-3)


@given(drawings(), st.floats(1, 500))
def test_what_does_not_move_stays_bit_for_bit(drawing: Drawing, by: float) -> None:
    on = Even()
    assert moved(drawing, on, 0, 0) == drawing
    sideways, upwards = moved(drawing, on, by, 0), moved(drawing, on, 0, -by)
    assert [each.price.hex() for each in sideways.anchors] == [each.price.hex() for each in drawing.anchors]
    assert [each.time_ms for each in upwards.anchors] == [each.time_ms for each in drawing.anchors]
