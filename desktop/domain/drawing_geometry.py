"""What a drawing looks like on a surface: its lines, areas and handles, what lies under a point, and how it moves.

Pure numbers. Pixels are those of the map that is handed in; x grows to the right and y downwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

from desktop.domain.drawings import Anchor, Drawing, Kind

FIBONACCI: Final = (0.0, 0.236, 0.382, 0.5, 0.618, 0.786, 1.0)


class PriceTimeMap(Protocol):
    """Moments and prices to pixels and back. Times between bars are interpolated, beyond them extrapolated."""

    def x_of(self, time_ms: int) -> float: ...
    def y_of(self, price: float) -> float: ...
    def time_of(self, x: float) -> int: ...
    def price_of(self, y: float) -> float: ...


class Point(NamedTuple):
    """A place in pixels."""

    x: float
    y: float


class Segment(NamedTuple):
    """A straight line between two points."""

    start: Point
    end: Point


class Box(NamedTuple):
    """An upright rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def contains(self, at: Point) -> bool:
        return self.left <= at.x <= self.right and self.top <= at.y <= self.bottom

    def grown(self, by: float) -> Box:
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)


class Level(NamedTuple):
    """One line of a retracement: its share of the move, its price, and where it begins."""

    ratio: float
    price: float
    at: Point


@dataclass(frozen=True, slots=True)
class Shape:
    """A drawing in pixels. Lines are not cut at the surface's edges, except those without an end."""

    lines: tuple[Segment, ...] = ()
    faint: tuple[Segment, ...] = ()  # guide lines
    fills: tuple[tuple[Point, ...], ...] = ()  # polygons
    areas: tuple[Box, ...] = ()  # belong to the drawing as a whole: texts
    levels: tuple[Level, ...] = ()
    handles: tuple[Point, ...] = ()  # one for each anchor

    def grip_at(self, at: Point, reach: float) -> int | None:
        """The anchor whose handle is nearest to a point and within reach."""
        near = [(math.dist(at, handle), index) for index, handle in enumerate(self.handles)]
        distance, index = min(near, default=(math.inf, 0))
        return index if distance <= reach else None

    def is_hit(self, at: Point, reach: float) -> bool:
        """Whether a point is on the drawing."""
        if any(area.grown(reach / 2).contains(at) for area in self.areas):
            return True
        return any(distance(at, line) <= reach for line in (*self.lines, *self.faint))


def shape_of(drawing: Drawing, on: PriceTimeMap, surface: Box, text_size: tuple[float, float] = (0.0, 0.0)) -> Shape:
    """The drawing on a surface. text_size: what the drawing's text takes, for drawings of the kind text."""
    points = tuple(Point(on.x_of(anchor.time_ms), on.y_of(anchor.price)) for anchor in drawing.anchors)
    first = points[0]
    match drawing.kind:
        case Kind.HORIZONTAL:
            return Shape((Segment(Point(surface.left, first.y), Point(surface.right, first.y)),), handles=points)
        case Kind.VERTICAL:
            return Shape((Segment(Point(first.x, surface.top), Point(first.x, surface.bottom)),), handles=points)
        case Kind.TEXT:
            wide, high = text_size
            return Shape(areas=(Box(first.x, first.y - high / 2, first.x + wide, first.y + high / 2),), handles=points)
        case Kind.RAY:
            return Shape((endless(first, points[1], surface, is_both_ways=False),), handles=points)
        case Kind.EXTENDED:
            return Shape((endless(first, points[1], surface, is_both_ways=True),), handles=points)
        case Kind.RECTANGLE | Kind.MEASURE:
            return _rectangle(points)
        case Kind.CHANNEL:
            return _channel(points)
        case Kind.FIBONACCI:
            return _fibonacci(drawing, points, on)
        case _:
            return Shape((Segment(first, points[1]),), handles=points)


def _rectangle(points: tuple[Point, ...]) -> Shape:
    (x0, y0), (x1, y1) = points
    corners = (Point(x0, y0), Point(x1, y0), Point(x1, y1), Point(x0, y1))
    sides = tuple(Segment(corners[index - 1], corners[index]) for index in range(4))
    return Shape(sides, fills=(corners,), handles=points)


def _channel(points: tuple[Point, ...]) -> Shape:
    """A line and its parallel through the third point, over the same stretch, and the line half-way."""
    start, end, third = points
    if start.x == end.x:
        shift = Point(third.x - start.x, 0.0)
    else:
        on_line = start.y + (end.y - start.y) * (third.x - start.x) / (end.x - start.x)
        shift = Point(0.0, third.y - on_line)
    far = _shifted(start, shift, 1), _shifted(end, shift, 1)
    middle = Segment(_shifted(start, shift, 0.5), _shifted(end, shift, 0.5))
    return Shape(
        (Segment(start, end), Segment(*far)), faint=(middle,), fills=((start, end, far[1], far[0]),), handles=points
    )


def _shifted(point: Point, shift: Point, share: float) -> Point:
    return Point(point.x + shift.x * share, point.y + shift.y * share)


def _fibonacci(drawing: Drawing, points: tuple[Point, ...], on: PriceTimeMap) -> Shape:
    """0 is where the move ended, 1 where it began."""
    begin, end = drawing.anchors[0].price, drawing.anchors[1].price
    left, right = sorted((points[0].x, points[1].x))
    levels = []
    for ratio in FIBONACCI:
        price = end + (begin - end) * ratio
        levels.append(Level(ratio, price, Point(left, on.y_of(price))))
    lines = tuple(Segment(level.at, Point(right, level.at.y)) for level in levels)
    return Shape(lines, faint=(Segment(*points),), levels=tuple(levels), handles=points)


def endless(start: Point, through: Point, surface: Box, *, is_both_ways: bool) -> Segment:
    """The line from `start` through another point up to the surface's edge; backwards too when it goes both ways.

    Where nothing of it lies on the surface, it is the line between the two points.
    """
    span = _inside(start, through, surface, -math.inf if is_both_ways else 0.0, math.inf)
    if span is None or start == through:
        return Segment(start, through)
    first, last = (0.0 if not is_both_ways else span[0]), span[1]
    return Segment(_along(start, through, first), _along(start, through, last))


def clipped(line: Segment, surface: Box) -> Segment | None:
    """What of a line lies on a surface; None when nothing does."""
    span = _inside(line.start, line.end, surface, 0.0, 1.0)
    if span is None:
        return None
    return Segment(_along(line.start, line.end, span[0]), _along(line.start, line.end, span[1]))


def _along(start: Point, end: Point, share: float) -> Point:
    if share in (0.0, 1.0):
        return end if share else start
    return Point(start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share)


def _inside(start: Point, end: Point, surface: Box, first: float, last: float) -> tuple[float, float] | None:
    """Which shares of the way from start to end lie within a surface (Liang and Barsky)."""
    dx, dy = end.x - start.x, end.y - start.y
    edges = (
        (-dx, start.x - surface.left),
        (dx, surface.right - start.x),
        (-dy, start.y - surface.top),
        (dy, surface.bottom - start.y),
    )
    for step, room in edges:
        if step == 0:
            if room < 0:
                return None
        elif step < 0:
            first = max(first, room / step)
        else:
            last = min(last, room / step)
    return (first, last) if first <= last and math.isfinite(first) and math.isfinite(last) else None


def distance(at: Point, line: Segment) -> float:
    """From a point to the nearest place of a line."""
    dx, dy = line.end.x - line.start.x, line.end.y - line.start.y
    length = math.hypot(dx, dy)
    if length == 0 or not math.isfinite(length):
        return math.dist(at, line.start)
    dx, dy = dx / length, dy / length  # squares of tiny lengths would be 0
    share = (at.x - line.start.x) * dx + (at.y - line.start.y) * dy
    share = max(0.0, min(length, share))
    return math.hypot(at.x - line.start.x - share * dx, at.y - line.start.y - share * dy)


def moved(drawing: Drawing, on: PriceTimeMap, dx: float, dy: float) -> Drawing:
    """The whole drawing moved by pixels. Times stay bit for bit without dx, prices without dy."""
    anchors = []
    for time_ms, price in drawing.anchors:
        anchors.append(
            Anchor(
                on.time_of(on.x_of(time_ms) + dx) if dx else time_ms,
                on.price_of(on.y_of(price) + dy) if dy else price,
            )
        )
    return replace(drawing, anchors=tuple(anchors))
