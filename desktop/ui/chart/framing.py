"""Turns a chart's model into a frame to paint: sizes, scales, labels; remembers what is dear to compute."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtGui import QFont, QFontMetricsF

from desktop.domain.market import Market
from desktop.ui import formatting
from desktop.ui.chart.axes import PriceLabel, TimeLabel, time_labels
from desktop.ui.chart.candles import Columns
from desktop.ui.chart.empty_times import band_text
from desktop.ui.chart.geometry import Grid, PriceScale, bucket_size
from desktop.ui.chart.model import VOLUME_SHARE, ChartModel
from desktop.ui.chart.painting import Fonts, Frame, Label
from desktop.ui.chart.panes import StudyFramer, has_shift
from desktop.ui.chart.pyramid import CLOSE
from desktop.ui.chart.scales import Scale, Writer, scale_labels
from desktop.ui.chart.time_lines import Shade, TimeLine, TimeMarks, time_marks
from desktop.ui.chart.time_options import TimeOptions
from desktop.ui.theme import Tokens, number_font, text_font

FONT_PX = 12
_AXIS_ROOM = 14  # logical pixels beside the widest label
_LEAST_AXIS = 52
_MOST_SLOTS = 1 << 22  # of a label window


@dataclass(slots=True)
class _LabelWindow:
    """Labels and marks for more than the screen, valid while the view stays inside: none appears or goes in a pan."""

    key: tuple[object, ...]
    first: int
    last: int
    labels: list[TimeLabel]
    marks: TimeMarks


class Framer:
    """Builds frames for one chart on one screen. `axis_width` is in logical pixels."""

    def __init__(self, model: ChartModel, tokens: Tokens) -> None:
        self.model = model
        self.tokens = tokens
        self.times = TimeOptions()
        self.axis_width = _LEAST_AXIS
        self.needed_width = _LEAST_AXIS
        self.writer = Writer()  # of prices beside the axis
        self.studies = StudyFramer(model)
        self._fonts: tuple[float, Fonts] | None = None
        self._window: _LabelWindow | None = None
        self._widths: dict[str, float] = {}
        self._labels: tuple[object, tuple[list[PriceLabel], Writer]] | None = None

    @property
    def zone(self) -> dt.tzinfo:
        """The zone whose clock the time axis shows."""
        return self.times.zone_for(self.model.source.market, self.model.source.timeframe)

    def fonts(self, scale: float) -> Fonts:
        if self._fonts is None or self._fonts[0] != scale:
            size = FONT_PX * scale
            self._fonts = (
                scale,
                Fonts(text_font(size), _bold(text_font(size)), number_font(size), _bold(number_font(size))),
            )
            self._widths.clear()
        return self._fonts[1]

    def build(self, width: int, height: int, scale: float) -> Frame:
        """A frame for a widget of this logical size; resizes the viewport and applies autoscale."""
        fonts = self.fonts(scale)
        tall = QFontMetricsF(fonts.number).height() / scale
        axis_height = math.ceil(tall) + 10
        model, view = self.model, self.model.view
        while True:
            plot_width, full_height = max(1, width - self.axis_width), max(1, height - axis_height)
            heights = model.studies.heights(full_height)
            plot_height = heights[0]
            view.resize(plot_width, plot_height, width)
            columns = self._columns(scale)
            model.rescale(columns.values, self.studies.scaling_values(columns.size))
            price_scale = self._scale(columns)
            labels, self.writer = self._price_labels(price_scale, plot_height, tall)
            pane_scales = self.studies.scales(columns.size, heights[1:], tall)
            texts = [label.text for pane in pane_scales for label in pane.labels]
            self.needed_width = self._width_for([*texts, *(label.text for label in labels)], fonts, scale)
            if self.needed_width <= self.axis_width:
                break
            self.axis_width = self.needed_width
        wide, high = math.floor(plot_width * scale), math.floor(plot_height * scale)
        # Slots are rounded down, their origin up: together less than a pixel beside where the view has them.
        grid = Grid(math.ceil((plot_width - view.right * view.spacing) * scale - 1e-6), view.spacing * scale)
        prices = PriceScale(view.bottom, view.top, 0, high, model.scale.is_log, model.scale.is_inverted)
        has_bars = model.last is not None
        rows = prices.rows(np.array([label.price for label in labels])).tolist() if has_bars else []
        labelled, lines, shades = self._time_parts(grid, scale)
        volumes = PriceScale(0.0, model.volume_top or 1.0, high - math.floor(high * VOLUME_SHARE), high // 5)
        return Frame(
            tokens=self.tokens,
            fonts=fonts,
            scale=scale,
            width=math.ceil(width * scale),
            height=math.ceil(height * scale),
            plot_width=wide,
            plot_height=high,
            grid=grid,
            prices=prices,
            columns=columns,
            volume_top=model.volume_top,
            volume_height=math.floor(high * VOLUME_SHARE),
            price_labels=tuple(Label(row, label.text) for row, label in zip(rows, labels, strict=False)),
            time_labels=labelled,
            time_lines=lines,
            shades=shades,
            has_closed_time=model.source.market is not Market.CRYPTO,
            bands=self._bands(grid, wide),
            kind=model.drawn.kind,
            overlays=self.studies.overlays(columns, grid, prices, volumes, self.tokens),
            panes=self.studies.panes(pane_scales, columns, grid, self.tokens, plot_height),
            is_shifted=any(has_shift(placed) for placed in model.studies.items),
            zone=formatting.zone_name(self._last_ms(), self.zone) if has_bars else "",
            band_text=band_text(model.source.status),
        )

    def refresh(self, frame: Frame) -> Frame | None:
        """The same frame with the newest bars, or None when a scale moved or a bar came and all is to be painted."""
        columns = self._columns(frame.scale)
        moved = self.model.rescale(columns.values, self.studies.scaling_values(columns.size))
        if moved or columns.size != frame.columns.size or len(columns) != len(frame.columns):
            return None
        if not self.model.studies.items:
            return replace(frame, columns=columns)
        volumes = PriceScale(0.0, frame.volume_top or 1.0, frame.plot_height - frame.volume_height, frame.volume_height)
        overlays = self.studies.overlays(columns, frame.grid, frame.prices, volumes, self.tokens)
        heights = [pane.height / frame.scale for pane in frame.panes]
        scales = self.studies.scales(columns.size, heights, QFontMetricsF(frame.fonts.number).height() / frame.scale)
        panes = self.studies.panes(scales, columns, frame.grid, self.tokens, frame.plot_height / frame.scale)
        if frame.is_shifted or [pane.scale for pane in panes] != [pane.scale for pane in frame.panes]:
            return None
        return replace(frame, columns=columns, overlays=overlays, panes=panes)

    def forget(self) -> None:
        """Drops everything kept: another series, zone or look."""
        self._window = None
        self._fonts = None
        self.studies.forget()

    # --- inner ---------------------------------------------------------------------------------------------

    def _price_labels(self, scale: Scale, height: float, tall: float) -> tuple[list[PriceLabel], Writer]:
        """Labels of the price axis; those of the last frame while it shows the same range."""
        view, style = self.model.view, self.model.style
        reference = scale.reference if scale.is_relative else None
        key = (scale.kind, scale.is_inverted, reference, view.bottom, view.top, height, tall, style)
        if self._labels is None or self._labels[0] != key:
            self._labels = (key, scale_labels(scale, view.bottom, view.top, height, tall, style))
        return self._labels[1]

    def _columns(self, scale: float) -> Columns:
        spacing = self.model.view.spacing
        size = bucket_size(spacing * scale)
        keys, values, previous = self.model.visible(size)
        return Columns(keys, values, size, previous, spacing, scale)

    def _scale(self, columns: Columns) -> Scale:
        """The model's scale, relative to the first close on the screen where it is relative."""
        first = int(np.searchsorted(columns.keys, math.floor(self.model.view.left) // columns.size))
        reference = float(columns.values[CLOSE, first]) if first < len(columns) else math.nan
        return replace(self.model.scale, reference=reference)

    def _width_for(self, texts: list[str], fonts: Fonts, scale: float) -> int:
        last = self.model.last
        tags = [self.writer.text(last.close)] if last is not None else []
        strong = QFontMetricsF(fonts.number_strong)
        widest = max([self._width_of(text, scale) for text in texts], default=0.0)
        widest = max([widest, *(strong.horizontalAdvance(tag) / scale for tag in tags)])
        return max(_LEAST_AXIS, math.ceil(widest) + _AXIS_ROOM)

    def _width_of(self, text: str, scale: float) -> float:
        """Width of a label in logical pixels; digits are equally wide, so alike texts share an entry."""
        shape = "".join("0" if character.isdecimal() else character for character in text)
        wide = self._widths.get(shape)
        if wide is None:
            if len(self._widths) > 500:
                self._widths.clear()
            wide = QFontMetricsF(self.fonts(scale).number_strong).horizontalAdvance(shape) / scale
            self._widths[shape] = wide
        return wide

    def _time_parts(
        self, grid: Grid, scale: float
    ) -> tuple[tuple[Label, ...], tuple[TimeLine, ...], tuple[Shade, ...]]:
        """Labels, lines and shades in view, in device columns."""
        model, view = self.model, self.model.view
        if model.last is None:
            return (), (), ()
        starts, zone = model.bars.start_ms, self.zone
        first, last = math.floor(view.left), math.ceil(view.right)
        key = (id(model.axis), len(starts), int(starts[0]), view.spacing, view.width, scale, zone, self.times)
        window = self._window
        if window is None or window.key != key or first < window.first or last > window.last:
            reach = min(last - first + 1, _MOST_SLOTS)
            labels = time_labels(
                starts,
                model.axis,
                first - reach,
                last + reach,
                view.spacing,
                lambda text: self._width_of(text, scale),
                zone,
            )
            source = model.source
            marks = time_marks(
                starts,
                model.axis,
                first - reach,
                last + reach,
                view.spacing,
                source.market,
                source.timeframe,
                self.times,
            )
            window = self._window = _LabelWindow(key, first - reach, last + reach, labels, marks)
        lined = {slot for slot, _ in window.marks.lines}
        labelled = tuple(
            Label(grid.centre_of(label.slot), label.text, label.is_strong, label.slot not in lined)
            for label in window.labels
            if first <= label.slot <= last
        )
        lines = tuple((grid.left_of(slot), kind) for slot, kind in window.marks.lines if first <= slot <= last)
        shades = tuple(
            (grid.left_of(max(begin, first)), grid.left_of(min(stop, last + 1)))
            for begin, stop in window.marks.shades
            if begin <= last and stop > first
        )
        return labelled, lines, shades

    def _bands(self, grid: Grid, wide: int) -> tuple[tuple[int, int], ...]:
        model = self.model
        if model.last is None:
            return ()
        starts, bands = model.bars.start_ms, []
        for from_ms, to_ms in model.source.status.missing:
            first = grid.left_of(model.axis.slot_at_time(starts, from_ms))
            last = grid.left_of(model.axis.slot_at_time(starts, to_ms)) - 1
            if last <= first:  # no slot of its own: closed hours are cut, the seam is marked
                first, last = first - 2, first + 1
            if last >= 0 and first < wide:
                bands.append((max(first, -1), min(last, wide)))
        return tuple(bands)

    def _last_ms(self) -> int:
        last = self.model.last
        return last.start_ms if last is not None else 0


def _bold(font: QFont) -> QFont:
    font.setWeight(QFont.Weight.DemiBold)
    return font
