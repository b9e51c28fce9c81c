"""Keeps one chart's picture and overlay up to date, painting no more of them than has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QPixmap

from desktop.services.chart_status import ChartStatus
from desktop.ui.chart.empty_times import band_text, empty_lines
from desktop.ui.chart.framing import Framer
from desktop.ui.chart.magnet import caught
from desktop.ui.chart.model import ChartModel, Dirty
from desktop.ui.chart.narration import Narrator
from desktop.ui.chart.navigation import Cross
from desktop.ui.chart.overlay import Crosshair, Layout, Overlay, lay_out
from desktop.ui.chart.painting import Frame, paint, paint_last
from desktop.ui.chart.source import Clock
from desktop.ui.chart.texts import Texts
from desktop.ui.theme import Tokens

_SMALL = (420, 300)  # logical width and height of a plot on which a legend says the least


class Renderer:
    """Pictures of one model, in device pixels; `frame` and `shown` say what they show.

    A whole frame is painted straight onto the screen, which spares a copy of all pixels while panning. The picture that
    smaller changes need is painted when the first of them comes.
    """

    def __init__(self, model: ChartModel, clock: Clock, tokens: Tokens) -> None:
        self.model = model
        self.framer = Framer(model, tokens)
        self.narrator = Narrator(model, clock)
        self._picture = QPixmap()
        self._is_painted = False  # whether the picture shows the frame
        self.frame: Frame | None = None
        self.shown: Overlay | None = None
        self.extras: list[Callable[[Layout, Frame], None]] = []  # add their pieces to each overlay
        self.decorations: list[Callable[[Layout, Frame], None]] = []  # and to each picture, over the bars
        self._decor = Layout()
        self._layout = Layout()
        self._missing: tuple[tuple[tuple[int, int], ...], str] = ((), "")

    @property
    def has_other_bands(self) -> bool:
        """Whether other ranges are missing than were painted."""
        return self._missing != _bands(self.model.source.status)

    def update(
        self, dirty: Dirty, size: tuple[int, int], scale: float, cross: Cross | None, has_focus_ring: bool
    ) -> list[QRect]:
        """Paints what is out of date for a surface of this logical size; answers what changed, in device pixels."""
        changed = []
        if self.frame is None or dirty is Dirty.ALL:
            changed.append(self._paint_all(size, scale))
        elif dirty is Dirty.LAST:
            changed.append(self._paint_last(self.frame, size, scale))
        if self.frame is None:
            return changed
        self.shown, before = self._overlay(self.frame, cross, has_focus_ring), self._layout
        self._layout = lay_out(self.shown, self.extras)
        is_whole = bool(changed) and changed[0] == self.frame.whole
        return changed if is_whole else changed + self._layout.changes(before)

    @property
    def picture(self) -> QPixmap:
        """What lies below the overlay."""
        if self.frame is not None and not self._is_painted:
            if self._picture.size() != self.frame.whole.size():
                self._picture = QPixmap(self.frame.whole.size())
            painter = QPainter(self._picture)
            self._paint(painter, self.frame)
            painter.end()
            self._is_painted = True
        return self._picture

    def paint_picture(self, painter: QPainter, exposed: Sequence[QRect]) -> None:
        """What lies below the overlay, as far as it is exposed."""
        frame = self.frame
        if frame is not None and not self._is_painted and frame.scale.is_integer() and frame.whole in exposed:
            self._paint(painter, frame)
            return
        picture = self.picture
        for rect in exposed:  # each through a clip of its own: through a jagged one a blit costs ten times as much
            painter.setClipRect(rect)
            painter.drawPixmap(rect, picture, rect)
        painter.setClipping(False)

    def paint_overlay(self, painter: QPainter, exposed: Sequence[QRect]) -> None:
        """What lies over the picture, as far as it is exposed."""
        self._layout.paint(painter, exposed)

    def paint_again(self, painter: QPainter, texts: Texts) -> None:
        """What was painted last, once more: picture and overlay without focus ring, in device pixels."""
        if self.frame is None or self.shown is None:
            return
        frame = replace(self.frame, fonts=replace(self.frame.fonts, texts=texts))
        whole, decor = QRect(0, 0, frame.width, frame.height), Layout()
        paint(painter, frame)
        for add in self.decorations:
            add(decor, frame)
        decor.paint(painter, [frame.plot])
        lay_out(replace(self.shown, frame=frame, has_focus_ring=False), self.extras).paint(painter, [whole])

    def _paint_all(self, size: tuple[int, int], scale: float) -> QRect:
        self._missing = _bands(self.model.source.status)
        self.frame = frame = self.framer.build(*size, scale)
        self._decor = Layout()
        for add in self.decorations:
            add(self._decor, frame)
        self._is_painted = False
        return frame.whole

    def _paint(self, painter: QPainter, frame: Frame) -> None:
        paint(painter, frame)
        self._decor.paint(painter, [frame.plot])

    def _paint_last(self, frame: Frame, size: tuple[int, int], scale: float) -> QRect:
        """The last column alone; everything when the tick moved a scale."""
        newer = self.framer.refresh(frame)
        if newer is None:
            return self._paint_all(size, scale)
        painter = QPainter(self.picture)
        self.frame = newer
        strip = paint_last(painter, newer, self.model.view.last_slot)
        painter.setClipRect(strip)
        self._decor.paint(painter, [strip])
        painter.end()
        return strip

    def _overlay(self, frame: Frame, cross: Cross | None, has_focus_ring: bool) -> Overlay:
        index = self.model.index_at(cross.slot) if cross is not None else None
        is_small = frame.plot_width < _SMALL[0] * frame.scale and frame.full_height < _SMALL[1] * frame.scale
        return Overlay(
            frame,
            legend=self.narrator.legend(index, None if cross is None else cross.slot, is_short=is_small),
            studies=self.narrator.study_lines(index),
            empty=empty_lines(frame),
            last=self.narrator.last_price(self.framer.writer),
            crosshair=self._crosshair(frame, cross) if cross is not None else None,
            message=self.narrator.message(),
            corner="loading older bars…" if self.model.source.status.is_loading_older else "",
            has_focus_ring=has_focus_ring,
        )

    def _crosshair(self, frame: Frame, cross: Cross) -> Crosshair | None:
        x = frame.grid.centre_of(cross.slot)
        if self.model.last is None or not 0 <= x < frame.plot_width:
            return None
        time = self.narrator.time_text(cross.slot, self.framer.zone)
        pane = frame.pane_at(round(cross.y * frame.scale)) if cross.y is not None else None
        if pane is not None and cross.y is not None:
            row = round(cross.y * frame.scale)
            return Crosshair(x, row, pane.style.text(pane.scale.price(row)), time)
        price = self._cross_price(frame, cross)
        row = frame.prices.row(price) if price is not None else -1
        if price is None or not 0 <= row < frame.plot_height:
            return Crosshair(x, None, "", time)
        return Crosshair(x, row, self.framer.writer.text(price), time, price, has_plus=cross.y is not None)

    def _cross_price(self, frame: Frame, cross: Cross) -> float | None:
        if cross.y is not None:
            row = round(cross.y * frame.scale)
            price = caught(cross.magnet, self.model, cross.slot, frame.prices, row)
            return frame.prices.price(row) if price is None else price
        index = self.model.index_at(cross.slot)
        return float(self.model.bars.close[index]) if index is not None else None


def _bands(status: ChartStatus) -> tuple[tuple[tuple[int, int], ...], str]:
    return status.missing, band_text(status) if status.missing else ""
