"""What lies over the candles and repaints alone: last price, crosshair, legend, messages. Device pixels.

An overlay is laid out into pieces, each with the rectangle it covers, so that only these are repainted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter

from desktop.ui.chart.legend import Run
from desktop.ui.chart.legend_painting import fitted_rows, legend_lines
from desktop.ui.chart.painting import Frame, draw_left, fill_rounded
from desktop.ui.chart.rects import fill_rects, stack_rects
from desktop.ui.theme import Tokens

_ALIGN = Qt.AlignmentFlag


@dataclass(frozen=True, slots=True)
class LastPrice:
    """The line and tag of the last price. direction: 1 up, -1 down, 0 neither; countdown None: no second line."""

    price: float
    text: str
    direction: Literal[-1, 0, 1]
    countdown: str | None = None
    is_stale: bool = False
    has_pulse: bool = False


@dataclass(frozen=True, slots=True)
class Crosshair:
    """Lines through a bar's centre column and a row; no row: only the vertical one."""

    x: int
    y: int | None
    price: str
    time: str
    value: float | None = None  # the price itself
    has_plus: bool = False  # a button that opens what can be done at the price


@dataclass(frozen=True, slots=True)
class Message:
    """A state in words, in the middle of an empty plot."""

    title: str
    detail: str = ""
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class StudyLine:
    """The legend's line of a study, in its own pane or below the legend of the prices."""

    id: int
    is_in_pane: bool
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Everything that lies over one frame."""

    frame: Frame
    legend: tuple[tuple[Run, ...], ...] = ()
    studies: tuple[StudyLine, ...] = ()
    last: LastPrice | None = None
    crosshair: Crosshair | None = None
    message: Message | None = None
    empty: tuple[tuple[int, int, int], ...] = ()  # known-empty times: first and last column, row
    corner: str = ""  # bottom left: "loading older bars…"
    has_focus_ring: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the overlay: what it covers, and how it is painted. Equal ones paint the same in the same place."""

    rects: tuple[QRect, ...]
    draw: Callable[[QPainter], None] = field(compare=False)
    content: object  # what is painted


@dataclass(slots=True)
class Layout:
    """The pieces of an overlay, in painting order."""

    pieces: list[Piece] = field(default_factory=list)
    ground: list[Callable[[QPainter], None]] = field(default_factory=list)  # painted wherever anything is

    def changes(self, before: Layout) -> list[QRect]:
        """What has to be painted where this one takes the place of another, over the same picture."""
        gone = [piece for piece in before.pieces if piece not in self.pieces]
        new = [piece for piece in self.pieces if piece not in before.pieces]
        return [rect for piece in gone + new for rect in piece.rects]

    def paint(self, painter: QPainter, exposed: Sequence[QRect]) -> None:
        """Paints the pieces that any of the exposed rectangles touches."""
        for draw in self.ground:
            draw(painter)
        for piece in self.pieces:
            if any(rect.intersects(part) for rect in piece.rects for part in exposed):
                piece.draw(painter)

    def add(self, draw: Callable[[QPainter], None], *rects: QRect, content: object = None) -> None:
        """content: says what is painted, so that it is not painted again; by default that is `draw` itself."""
        self.pieces.append(Piece(rects, draw, draw if content is None else content))


def lay_out(overlay: Overlay, extras: Iterable[Callable[[Layout, Frame], None]] = ()) -> Layout:
    """Where everything goes. Extras lie over the legend and below the labels of the axes."""
    layout = Layout()
    if overlay.empty:
        _add_empty_lines(layout, overlay.frame, overlay.empty)
    if overlay.last is not None:
        _add_last_line(layout, overlay.frame, overlay.last)
    if overlay.crosshair is not None:
        _add_cross_lines(layout, overlay.frame, overlay.crosshair)
    if overlay.legend:
        for box, draw in legend_lines(overlay.frame, overlay.legend):
            layout.add(draw, box)
    for _id, box, draw in study_boxes(overlay):
        layout.add(draw, box)
    if overlay.message is not None:
        _add_message(layout, overlay.frame, overlay.message)
    if overlay.corner:
        _add_corner(layout, overlay.frame, overlay.corner)
    for add in extras:
        add(layout, overlay.frame)
    if overlay.last is not None:
        _add_tag(layout, overlay.frame, overlay.last)
    if overlay.crosshair is not None:
        _add_cross_labels(layout, overlay.frame, overlay.crosshair)
    if overlay.has_focus_ring:
        _add_focus_ring(layout, overlay.frame)
    return layout


def study_boxes(overlay: Overlay) -> Iterator[tuple[int, QRect, Callable[[QPainter], None]]]:
    """For each line of a study its id, the box it covers and what paints it."""
    if not overlay.studies:
        return
    frame = overlay.frame
    row = len(fitted_rows(frame, overlay.legend))
    tops = {pane.id: pane.top for pane in frame.panes}
    for line in overlay.studies:
        first = 0 if line.is_in_pane else row
        for box, draw in legend_lines(frame, [line.runs], tops.get(line.id, 0) if line.is_in_pane else 0, first):
            yield line.id, box, draw
            row += not line.is_in_pane


# --- last price ------------------------------------------------------------------------------------------------


def _last_colours(tokens: Tokens, last: LastPrice) -> tuple[str, str]:
    if last.is_stale:
        return tokens.secondary, tokens.chart
    if last.direction == 0:
        return tokens.neutral, tokens.neutral_text
    return (tokens.up, tokens.up_text) if last.direction > 0 else (tokens.down, tokens.down_text)


def _add_last_line(layout: Layout, frame: Frame, last: LastPrice) -> None:
    row = frame.prices.row(last.price)
    if not 0 <= row < frame.plot_height:
        return
    colour = _last_colours(frame.tokens, last)[0]
    line = frame.line

    def draw(painter: QPainter) -> None:
        dash = (1.0, 3.0) if last.is_stale else (4.0, 4.0)
        _dashed(painter, colour, line, dash, (0, row), (frame.plot_width - 1, row))

    covered = QRect(0, row - line, frame.plot_width, 2 * line + 1)
    layout.add(draw, covered, content=("last line", colour, last.is_stale))


def _add_tag(layout: Layout, frame: Frame, last: LastPrice) -> None:
    row = frame.prices.row(last.price)
    text, edge = last.text, ""
    if row < 0:
        edge = "▲ "
    elif row >= frame.plot_height:
        edge = "▼ "
    lines = [edge + text] + ([last.countdown] if last.countdown is not None else [])
    tall = frame.fonts.texts.metrics(frame.fonts.number).height()
    padding = frame.px(2)
    height = tall * len(lines) + 2 * padding
    top = row - (tall + 2 * padding) // 2
    top = max(0, min(top, frame.plot_height - height))
    box = QRect(frame.plot_width + frame.px(1), top, frame.width - frame.plot_width - frame.px(1), height)
    fill, ink = _last_colours(frame.tokens, last)
    cut = [
        place
        for label in frame.price_labels
        if (place := QRect(box.left(), label.at - tall // 2, box.width(), tall)).intersects(box)
    ]

    def draw(painter: QPainter) -> None:
        for place in cut:  # a label that looks out from behind the tag cannot be read
            painter.fillRect(place, QColor(frame.tokens.chart))
        fill_rounded(painter, box, fill, frame.px(2))
        painter.setPen(QColor(ink))
        for index, line in enumerate(lines):
            font = frame.fonts.number_strong if index == 0 else frame.fonts.number
            painter.setFont(font)
            place = QRect(box.left() + frame.px(6), box.top() + padding + index * tall, box.width(), tall)
            draw_left(painter, place, line, frame.fonts.texts.metrics(font))
        if last.has_pulse:
            size = frame.px(6)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(ink))
            low = box.bottom() - padding - tall // 2 if len(lines) > 1 else box.top() + box.height() // 2
            painter.drawEllipse(QRect(box.right() - size - frame.px(4), low - size // 2, size, size))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    layout.add(draw, box, *cut, content=("tag", *lines, fill, ink, last.has_pulse))


def _add_empty_lines(layout: Layout, frame: Frame, lines: Sequence[tuple[int, int, int]]) -> None:
    """A thin dotted line at the last close where nothing was traded. It belongs to the picture below: it covers nothing
    of its own, and changes only when everything does."""
    thick = frame.line
    first, last, row = np.array(lines, np.int64).T
    counts = (last - first) // (4 * thick) + 1
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)  # of the dot in its line
    left, top = np.repeat(first, counts) + 4 * thick * number, np.repeat(row, counts)
    dots = stack_rects(left, top, left + thick - 1, top + thick - 1)
    layout.ground.append(lambda painter: fill_rects(painter, dots, frame.tokens.secondary))


# --- crosshair -------------------------------------------------------------------------------------------------


def _add_cross_lines(layout: Layout, frame: Frame, cross: Crosshair) -> None:
    line = frame.line
    rects = [QRect(cross.x - line, 0, 2 * line + 1, frame.full_height)]
    if cross.y is not None:
        rects.append(QRect(0, cross.y - line, frame.plot_width, 2 * line + 1))

    def draw(painter: QPainter) -> None:
        colour = frame.tokens.crosshair
        _dashed(painter, colour, line, (6.0, 6.0), (cross.x, 0), (cross.x, frame.full_height - 1))
        if cross.y is not None:
            _dashed(painter, colour, line, (6.0, 6.0), (0, cross.y), (frame.plot_width - 1, cross.y))

    layout.add(draw, *rects, content=("crosshair", cross.x, cross.y))


def _add_cross_labels(layout: Layout, frame: Frame, cross: Crosshair) -> None:
    metrics = frame.fonts.texts.metrics(frame.fonts.number)
    wide, tall = metrics.horizontalAdvance(cross.time) + frame.px(16), metrics.height() + frame.px(4)
    left = max(0, min(cross.x - wide // 2, frame.plot_width - wide))
    line = frame.line
    boxes = [(QRect(left, frame.full_height + line, wide, frame.height - frame.full_height - line), cross.time)]
    if cross.y is not None:
        top = max(0, min(cross.y - tall // 2, frame.full_height - tall))
        right = frame.width - frame.plot_width - line
        boxes.append((QRect(frame.plot_width + line, top, right, tall), cross.price))

    def draw(painter: QPainter) -> None:
        painter.setFont(frame.fonts.number)
        for index, (box, text) in enumerate(boxes):
            fill_rounded(painter, box, frame.tokens.crosshair_box, frame.px(2))
            painter.setPen(QColor(frame.tokens.crosshair_text))
            if index == 0:
                draw_left(painter, box.adjusted(frame.px(8), 0, 0, 0), text, metrics)
            else:
                draw_left(painter, box.adjusted(frame.px(6), 0, 0, 0), text, metrics)

    layout.add(draw, *(box for box, _ in boxes), content=("crosshair", cross.time, cross.price))
    plus = plus_box(frame, cross)
    if plus is not None:
        layout.add(lambda painter: _draw_plus(painter, frame, plus), plus, content="plus")


def plus_box(frame: Frame, cross: Crosshair) -> QRect | None:
    """The square at the plot's right edge beside the crosshair's price that opens a menu; None when there is none."""
    if cross.y is None or not cross.has_plus:
        return None
    side = frame.px(18)
    top = max(0, min(cross.y - side // 2, frame.plot_height - side))
    return QRect(frame.plot_width - side - frame.px(2), top, side, side)


def _draw_plus(painter: QPainter, frame: Frame, box: QRect) -> None:
    fill_rounded(painter, box, frame.tokens.crosshair_box, frame.px(2))
    arm, line, middle = frame.px(4), frame.line, box.center()
    half = line // 2
    ink = QColor(frame.tokens.crosshair_text)
    painter.fillRect(QRect(middle.x() - arm, middle.y() - half, 2 * arm + line, line), ink)
    painter.fillRect(QRect(middle.x() - half, middle.y() - arm, line, 2 * arm + line), ink)


# --- legend and messages ---------------------------------------------------------------------------------------


def _add_message(layout: Layout, frame: Frame, message: Message) -> None:
    box = frame.plot.adjusted(frame.px(24), frame.px(24), -frame.px(24), -frame.px(24))
    strong, plain = (frame.fonts.texts.metrics(font) for font in (frame.fonts.strong, frame.fonts.text))
    flags = int(_ALIGN.AlignHCenter | _ALIGN.AlignTop) | int(Qt.TextFlag.TextWordWrap)
    narrow = QRect(0, 0, min(box.width(), frame.px(520)), box.height())
    title = strong.boundingRect(narrow, flags, message.title)
    detail = plain.boundingRect(narrow, flags, message.detail) if message.detail else QRect()
    gap = frame.px(6) if message.detail else 0
    height = title.height() + gap + detail.height()
    top = box.top() + max(0, (box.height() - height) // 2)
    left = box.left() + (box.width() - narrow.width()) // 2
    title_box = QRect(left, top, narrow.width(), title.height())
    detail_box = QRect(left, top + title.height() + gap, narrow.width(), detail.height())

    def draw(painter: QPainter) -> None:
        painter.setFont(frame.fonts.strong)
        painter.setPen(QColor(frame.tokens.warning if message.is_warning else frame.tokens.text))
        painter.drawText(title_box, flags, message.title)
        painter.setFont(frame.fonts.text)
        painter.setPen(QColor(frame.tokens.secondary))
        painter.drawText(detail_box, flags, message.detail)

    layout.add(draw, title_box.united(detail_box), content=message)


def _add_corner(layout: Layout, frame: Frame, text: str) -> None:
    metrics = frame.fonts.texts.metrics(frame.fonts.text)
    wide, tall = metrics.horizontalAdvance(text) + frame.px(12), metrics.height() + frame.px(4)
    box = QRect(frame.px(8), frame.plot_height - tall - frame.px(6), wide, tall)

    def draw(painter: QPainter) -> None:
        ground = QColor(frame.tokens.panel)
        ground.setAlphaF(0.9)
        painter.fillRect(box, ground)
        painter.setFont(frame.fonts.text)
        painter.setPen(QColor(frame.tokens.secondary))
        painter.drawText(box, _ALIGN.AlignCenter, text)

    layout.add(draw, box, content=("corner", text))


def _add_focus_ring(layout: Layout, frame: Frame) -> None:
    wide = frame.px(2)
    w, h = frame.width, frame.height
    sides = (
        QRect(0, 0, w, wide),
        QRect(0, h - wide, w, wide),
        QRect(0, 0, wide, h),
        QRect(w - wide, 0, wide, h),
    )

    def draw(painter: QPainter) -> None:
        for side in sides:
            painter.fillRect(side, QColor(frame.tokens.accent))

    layout.add(draw, *sides, content="focus ring")


# --- strokes ---------------------------------------------------------------------------------------------------


def _dashed(
    painter: QPainter, colour: str, width: int, dash: tuple[float, float], start: tuple[int, int], end: tuple[int, int]
) -> None:
    """A dashed line of whole pixels along a row or a column, as filled rectangles."""
    on, off = max(1, round(dash[0] * width)), max(1, round(dash[1] * width))
    (x, y), half = start, width // 2
    is_row = y == end[1]
    last = end[0] if is_row else end[1]
    begins = np.arange(x if is_row else y, last + 1, on + off, dtype=np.int64)
    ends = np.minimum(begins + on - 1, last)
    across = np.full_like(begins, (y if is_row else x) - half)
    if is_row:
        fill_rects(painter, stack_rects(begins, across, ends, across + width - 1), colour)
    else:
        fill_rects(painter, stack_rects(across, begins, across + width - 1, ends), colour)
