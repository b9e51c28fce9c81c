"""Paints the legend's runs of text, its freshness dot and its DEMO or REPLAY label. Device pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from desktop.domain.freshness import Freshness
from desktop.ui.chart.legend import SEPARATOR, Role, Run
from desktop.ui.chart.painting import Frame, draw_left, fill_rounded
from desktop.ui.theme import Tokens

_SIDE_PX: Final = 10
_RIGHT_PX: Final = 26  # the button of a link stands there


def legend_lines(
    frame: Frame, lines: Sequence[Sequence[Run]], pane_top: int = 0, first_row: int = 0
) -> Iterator[tuple[QRect, Callable[[QPainter], None]]]:
    """For each row of a legend the box it covers and what paints it.

    pane_top: device row at which the legend's pane begins; first_row: how many rows stand above these.
    """
    left, top = frame.px(_SIDE_PX), pane_top + frame.px(8 if not pane_top else 4)
    tall = frame.fonts.texts.metrics(frame.fonts.text).height() + frame.px(3)
    for index, fitted in enumerate(fitted_rows(frame, lines), first_row):
        wide = sum(width for _run, width in fitted)
        box = QRect(left - frame.px(4), top + index * tall, wide + frame.px(8), tall)
        yield box, _Row(frame, fitted, box)


def fitted_rows(frame: Frame, lines: Sequence[Sequence[Run]]) -> list[list[tuple[Run, int]]]:
    """The rows as they are painted, each run with its width.

    The title is cut where it has no room; the other lines go on in a further row.
    """
    if not lines:
        return []
    room = frame.plot_width - frame.px(_SIDE_PX) - frame.px(_RIGHT_PX)
    return [row for index, line in enumerate(lines) for row in _rows_of(frame, tuple(line), room, index == 0)]


def _rows_of(frame: Frame, line: tuple[Run, ...], room: int, is_title: bool) -> list[list[tuple[Run, int]]]:
    """The rows of one line; kept, because few lines change from one frame to the next."""

    def fitted() -> list[list[tuple[Run, int]]]:
        rows = [line] if is_title else _wrapped(frame, line, room)
        return [row for runs in rows if (row := _fit(frame, runs, room))]

    return frame.fonts.texts.kept((line, room, is_title), fitted)


def _wrapped(frame: Frame, runs: Sequence[Run], room: int) -> list[list[Run]]:
    """The runs over as many rows as they need, a letter always with its value; sentences are cut between words."""
    if sum(_run_width(frame, run) for run in runs) <= room:
        return [list(runs)]
    rows: list[list[Run]] = [[]]
    used = 0
    for group in _groups(runs):
        wide = sum(_run_width(frame, run) for run in group)
        if used and used + wide > room:
            rows.append([])
            used = 0
            group = [Run(group[0].text.removeprefix(SEPARATOR).lstrip(), group[0].role), *group[1:]]
            wide = sum(_run_width(frame, run) for run in group)
        rows[-1] += group
        used += wide
    if len(runs) == 1:
        return [[Run("".join(run.text for run in row), runs[0].role)] for row in rows]
    return rows


def _groups(runs: Sequence[Run]) -> Iterator[list[Run]]:
    """What stays together: a secondary run with those that follow it; of a sentence each word."""
    if len(runs) == 1:
        words = runs[0].text.split(" ")
        yield from ([Run(word if index == 0 else f" {word}", runs[0].role)] for index, word in enumerate(words))
        return
    group: list[Run] = []
    for run in runs:
        if run.role == "secondary" and group:
            yield group
            group = []
        group.append(run)
    yield group


@dataclass(frozen=True, slots=True)
class _Row:
    """Paints a row; equal ones leave the same pixels."""

    frame: Frame = field(compare=False)
    runs: list[tuple[Run, int]]  # with their widths
    box: QRect

    def __call__(self, painter: QPainter) -> None:
        frame, box = self.frame, self.box
        ground = QColor(frame.tokens.chart)
        ground.setAlphaF(0.82)
        painter.fillRect(box, ground)
        x = box.left() + frame.px(4)
        for run, wide in self.runs:
            place = QRect(x, box.top(), wide, box.height())
            if run.role == "dot":
                _dot(painter, frame, place, Freshness(run.text))
            else:
                _run(painter, frame, place, run)
            x += wide


def _fit(frame: Frame, runs: Sequence[Run], room: int) -> list[tuple[Run, int]]:
    """The runs that have room, each with its width; a name gives way first, then the end is cut with an ellipsis."""
    fitted: list[tuple[Run, int]] = []
    used = 0
    excess = sum(_run_width(frame, run) for run in runs) - room
    for run in runs:
        wide = _run_width(frame, run)
        if run.role == "name" and excess > 0:
            run, wide = _shortened(frame, run, wide - excess)
        if used + wide > room:
            metrics = frame.fonts.texts.metrics(_run_font(frame, run))
            left = room - used
            if run.role not in ("dot", "world") and left > metrics.horizontalAdvance("M…"):
                text = metrics.elidedText(run.text, Qt.TextElideMode.ElideRight, left)
                fitted.append((Run(text, run.role), left))
                used = room
            break
        fitted.append((run, wide))
        used += wide
    return fitted


def _shortened(frame: Frame, run: Run, room: int) -> tuple[Run, int]:
    """The run in so much room, with an ellipsis; of no width where not even a letter has room."""
    metrics = frame.fonts.texts.metrics(_run_font(frame, run))
    if room <= metrics.horizontalAdvance(" · M…"):
        return Run("", run.role), 0
    text = metrics.elidedText(run.text, Qt.TextElideMode.ElideRight, room)
    return Run(text, run.role), metrics.horizontalAdvance(text)


def _run_font(frame: Frame, run: Run) -> QFont:
    if run.role in ("title", "world"):
        return frame.fonts.strong
    return frame.fonts.number


def _run_width(frame: Frame, run: Run) -> int:
    if run.role == "dot":
        return frame.px(13)
    wide = frame.fonts.texts.width(_run_font(frame, run), run.text)
    return wide + frame.px(10) if run.role == "world" else wide


def _run(painter: QPainter, frame: Frame, place: QRect, run: Run) -> None:
    font = _run_font(frame, run)
    painter.setFont(font)
    if run.role == "world":
        fill_rounded(painter, place.adjusted(0, frame.px(1), 0, -frame.px(1)), frame.tokens.warning, frame.px(3))
        painter.setPen(QColor(frame.tokens.warning_text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, run.text)
        return
    painter.setPen(QColor(_ink(frame.tokens, run.role)))
    draw_left(painter, place, run.text, frame.fonts.texts.metrics(font))


def _ink(tokens: Tokens, role: Role) -> str:
    inks: dict[Role, str] = {
        "up": tokens.up_ink,
        "down": tokens.down_ink,
        "neutral": tokens.text,
        "warning": tokens.warning,
        "secondary": tokens.secondary,
    }
    return inks.get(role, tokens.text)


def _dot(painter: QPainter, frame: Frame, place: QRect, freshness: Freshness) -> None:
    """Filled: live; half: delayed; hollow: cached or no trades; crossed: stale. The shape says it too."""
    tokens, size = frame.tokens, frame.px(8)
    circle = QRect(place.left() + frame.px(3), place.top() + (place.height() - size) // 2, size, size)
    is_warning = freshness in (Freshness.DELAYED, Freshness.STALE)
    is_good = freshness in (Freshness.LIVE, Freshness.NO_TRADES)
    colour = QColor(tokens.warning if is_warning else (tokens.good if is_good else tokens.secondary))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, max(1.0, 1.25 * frame.scale)))
    painter.setBrush(colour if freshness is Freshness.LIVE else Qt.BrushStyle.NoBrush)
    painter.drawEllipse(circle)
    if freshness is Freshness.DELAYED:
        painter.setBrush(colour)
        painter.drawPie(circle, 90 * 16, 180 * 16)
    elif freshness is Freshness.STALE:
        painter.drawLine(circle.topLeft(), circle.bottomRight())
        painter.drawLine(circle.topRight(), circle.bottomLeft())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
