"""Paints drawings over a chart's bars: lines of whole pixels where they run along the grid, smooth ones elsewhere."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetrics, QPainter, QPen, QPolygonF

from desktop.domain.drawing_geometry import Box, Point, Segment, Shape, clipped, shape_of
from desktop.domain.drawings import Dash, Drawing, Kind, Role, Style
from desktop.ui.chart.drawing_map import FrameMap
from desktop.ui.chart.measure import Place, add_measurement, measured
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.overlay import Layout
from desktop.ui.chart.painting import Frame
from desktop.ui.theme import Tokens

HIT_PX: Final = 6.0  # logical distance from which a drawing is taken
SELECTED_PX: Final = 2.5  # least width of a selected line
_HANDLE_PX: Final = 4.0  # radius
_HEAD_PX: Final = 11.0  # length of an arrow's head
_HEAD_ANGLE: Final = math.radians(24)
_FILL: Final = 0.10  # share of the colour in areas
_FAINT: Final = 0.55
_DASHES: Final = {Dash.SOLID: (), Dash.DASHED: (6.0, 4.0), Dash.DOTTED: (1.5, 2.5)}  # logical pixels on and off


def colour_of(style: Style, tokens: Tokens) -> QColor:
    """The colour of a drawing in a theme."""
    if style.colour not in [role.value for role in Role]:
        return QColor(style.colour)
    named: str = getattr(tokens, style.colour)
    return QColor(named)


def shape_in(frame: Frame, model: ChartModel, drawing: Drawing) -> Shape:
    """Where a drawing lies in a picture, device pixels."""
    on = FrameMap(frame, model)
    size = text_size(frame, drawing.text) if drawing.kind is Kind.TEXT else QSize(0, 0)
    return shape_of(drawing, on, surface_of(frame), (size.width(), size.height()))


def surface_of(frame: Frame) -> Box:
    """The pane of the prices."""
    return Box(0.0, 0.0, float(frame.plot_width), float(frame.plot_height))


def text_size(frame: Frame, text: str) -> QSize:
    """What a text takes, with its lines and margins."""
    metrics = QFontMetrics(frame.fonts.text)
    lines = text.split("\n")
    wide = max(metrics.horizontalAdvance(line) for line in lines)
    return QSize(wide + 2 * frame.px(4), metrics.height() * len(lines) + 2 * frame.px(2))


def add_drawing(layout: Layout, frame: Frame, model: ChartModel, drawing: Drawing, *, is_selected: bool) -> None:
    """The drawing as pieces of a layout; nothing where none of it is in the plot."""
    if drawing.kind is Kind.MEASURE:
        _add_measure(layout, frame, model, drawing)
    shape = shape_in(frame, model, drawing)
    covered = _bounds(frame, shape).intersected(frame.plot)
    if covered.isEmpty():
        return

    def draw(painter: QPainter) -> None:
        painter.save()
        painter.setClipRect(frame.plot, Qt.ClipOperation.IntersectClip)
        if drawing.kind is not Kind.MEASURE:
            _paint(painter, frame, model, drawing, shape, is_selected=is_selected)
        if is_selected:
            _paint_handles(painter, frame, drawing, shape)
        painter.restore()

    layout.add(draw, covered)


def _add_measure(layout: Layout, frame: Frame, model: ChartModel, drawing: Drawing) -> None:
    if model.last is None:
        return
    on = FrameMap(frame, model)
    start, end = (Place(round(on.slot_of(anchor.time_ms)), anchor.price) for anchor in drawing.anchors)
    sides = [frame.grid.centre_of(place.slot) for place in (start, end)]
    rows = [frame.prices.row(place.price) for place in (start, end)]
    if max(sides) < 0 or min(sides) >= frame.plot_width or max(rows) < 0 or min(rows) >= frame.plot_height:
        return  # its label would stick to the edge
    add_measurement(layout, frame, measured(model, start, end), model.style)


def _bounds(frame: Frame, shape: Shape) -> QRect:
    """All that a shape covers, with its labels, heads and handles."""
    surface = surface_of(frame).grown(2 * frame.px(_HEAD_PX))
    points = [point for line in (*shape.lines, *shape.faint) for point in clipped(line, surface) or ()]
    points += [point for handle in shape.handles for point in _inside(handle, surface)]
    points += [Point(*corner) for area in shape.areas for corner in ((area.left, area.top), (area.right, area.bottom))]
    if not points:
        return QRect()
    across, down = [point.x for point in points], [point.y for point in points]
    room = frame.px(_HEAD_PX) + frame.px(SELECTED_PX)
    box = QRectF(QPointF(min(across), min(down)), QPointF(max(across), max(down))).adjusted(-room, -room, room, room)
    if shape.levels:  # their labels stand beside or above the lines
        metrics = QFontMetrics(frame.fonts.number)
        box.adjust(-frame.px(200), -metrics.height(), frame.px(200), 0)
    return box.toAlignedRect()


def _inside(point: Point, surface: Box) -> tuple[Point, ...]:
    return (point,) if surface.contains(point) else ()


# --- strokes and areas -----------------------------------------------------------------------------------------


def _paint(
    painter: QPainter, frame: Frame, model: ChartModel, drawing: Drawing, shape: Shape, *, is_selected: bool
) -> None:
    colour = colour_of(drawing.style, frame.tokens)
    _fill(painter, shape, colour)
    width = max(drawing.style.width, SELECTED_PX) if is_selected else drawing.style.width
    faint = QColor(colour)
    faint.setAlphaF(_FAINT)
    for line in shape.faint:
        _stroke(painter, frame, line, faint, 1.0, Dash.DASHED)
    for index, line in enumerate(shape.lines):
        if drawing.kind is Kind.ARROW and index == 0:
            _paint_arrow(painter, frame, line, colour, width, drawing.style.dash)
        else:
            _stroke(painter, frame, line, colour, width, drawing.style.dash)
    if shape.levels:
        _paint_levels(painter, frame, model, shape, colour)
    if drawing.kind is Kind.TEXT:
        _paint_text(painter, frame, drawing.text, shape, colour, is_selected=is_selected)


def _fill(painter: QPainter, shape: Shape, colour: QColor) -> None:
    ground = QColor(colour)
    ground.setAlphaF(_FILL)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    for corners in shape.fills:  # not smoothed, which takes ten times as long: lines lie over the edges
        painter.drawPolygon(QPolygonF([QPointF(_held(x) + 0.5, _held(y) + 0.5) for x, y in corners]))


def _held(place: float) -> float:
    """A coordinate that Qt's rasteriser takes."""
    return max(-1e6, min(1e6, place))


def _stroke(painter: QPainter, frame: Frame, line: Segment, colour: QColor, width: float, dash: Dash) -> None:
    """A line as far as it lies in the plot; `width` in logical pixels."""
    cut = clipped(line, surface_of(frame).grown(frame.px(width) + 2.0))
    if cut is None:
        return
    if line.start.x == line.end.x or line.start.y == line.end.y:
        _stroke_along(painter, frame, line, cut, colour, width, dash)
        return
    thick = width * frame.scale
    pen = QPen(colour, thick)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)  # 20 times as fast as round ends
    if _DASHES[dash]:
        pen.setDashPattern([part * frame.scale / thick for part in _DASHES[dash]])
        pen.setDashOffset(math.dist(line.start, cut.start) / thick)  # no dash creeps while the chart is panned
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen)
    painter.drawLine(QPointF(cut.start.x + 0.5, cut.start.y + 0.5), QPointF(cut.end.x + 0.5, cut.end.y + 0.5))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _pixel(place: float) -> int:
    """The row or column a place lies in; that of a bar's middle is the one its wick stands in."""
    return math.floor(place + 0.5 + 1e-6)


def _stroke_along(
    painter: QPainter, frame: Frame, line: Segment, cut: Segment, colour: QColor, width: float, dash: Dash
) -> None:
    """A line along a row or a column, in whole pixels."""
    thick = max(1, math.floor(width * frame.scale + 0.5))
    is_row = line.start.y == line.end.y
    across = _pixel(line.start.y if is_row else line.start.x) - thick // 2
    which = 0 if is_row else 1
    first, last = sorted((_pixel(cut.start[which]), _pixel(cut.end[which])))
    begin = _pixel(min(line.start[which], line.end[which]))
    painter.setPen(Qt.PenStyle.NoPen)
    rects = []
    if not _DASHES[dash]:
        rects.append((first, last - first + 1))
    else:
        on, off = (max(1, round(part * frame.scale)) for part in _DASHES[dash])
        at = begin + (first - begin) // (on + off) * (on + off)
        while at <= last:
            rects.append((max(at, first), min(at + on - 1, last) - max(at, first) + 1))
            at += on + off
    brush = QBrush(colour)
    for at, length in rects:
        if length > 0:
            box = QRect(at, across, length, thick) if is_row else QRect(across, at, thick, length)
            painter.fillRect(box, brush)


def _paint_arrow(painter: QPainter, frame: Frame, line: Segment, colour: QColor, width: float, dash: Dash) -> None:
    """A line that ends inside of its head, so that the point stays sharp."""
    reach = frame.px(_HEAD_PX) + width * frame.scale
    length = math.dist(line.start, line.end)
    if length < 1 or length > 1e7:
        return
    angle = math.atan2(line.end.y - line.start.y, line.end.x - line.start.x)
    back = Point(
        line.end.x - reach * 0.8 * math.cos(angle),
        line.end.y - reach * 0.8 * math.sin(angle),
    )
    if length > reach:
        _stroke(painter, frame, Segment(line.start, back), colour, width, dash)
    wings = [
        QPointF(
            line.end.x - reach * math.cos(angle + side) + 0.5,
            line.end.y - reach * math.sin(angle + side) + 0.5,
        )
        for side in (-_HEAD_ANGLE, _HEAD_ANGLE)
    ]
    if not surface_of(frame).grown(reach).contains(line.end):
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(QPolygonF([QPointF(line.end.x + 0.5, line.end.y + 0.5), wings[0], wings[1]]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


# --- texts and handles -----------------------------------------------------------------------------------------


def _paint_levels(painter: QPainter, frame: Frame, model: ChartModel, shape: Shape, colour: QColor) -> None:
    """`0.618  64,231.50` left of each line, or above it where there is no room."""
    painter.setFont(frame.fonts.number)
    painter.setPen(colour)
    metrics, gap = painter.fontMetrics(), frame.px(4)
    for level, line in zip(shape.levels, shape.lines, strict=True):
        if line.end.x < 0 or line.start.x > frame.plot_width:
            continue
        text = f"{level.ratio:g}  {model.style.text(level.price)}"
        wide = metrics.horizontalAdvance(text) + gap
        if line.start.x >= wide:
            place = QPointF(line.start.x - wide, level.at.y + metrics.ascent() / 2 - frame.px(1))
        else:
            place = QPointF(max(line.start.x, 0.0) + gap, level.at.y - gap)
        painter.drawText(place, text)


def _paint_text(painter: QPainter, frame: Frame, text: str, shape: Shape, colour: QColor, *, is_selected: bool) -> None:
    box = shape.areas[0]
    place = QRect(round(box.left), round(box.top), round(box.right - box.left), round(box.bottom - box.top))
    if not place.intersects(frame.plot):
        return
    if is_selected:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(frame.tokens.accent), frame.line))
        painter.drawRect(place)
    painter.setFont(frame.fonts.text)
    painter.setPen(colour)
    metrics = painter.fontMetrics()
    row = place.top() + frame.px(2) + metrics.ascent()
    for line in text.split("\n"):
        painter.drawText(place.left() + frame.px(4), row, line)
        row += metrics.height()


def _paint_handles(painter: QPainter, frame: Frame, drawing: Drawing, shape: Shape) -> None:
    """A ring at each anchor; a filled dot on a drawing that is locked."""
    tokens, radius = frame.tokens, frame.px(_HANDLE_PX)
    surface = surface_of(frame).grown(radius)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(tokens.accent), 1.5 * frame.scale))
    painter.setBrush(QColor(tokens.accent if drawing.is_locked else tokens.chart))
    for handle in shape.handles:
        if surface.contains(handle):
            painter.drawEllipse(QPointF(handle.x + 0.5, handle.y + 0.5), radius, radius)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
