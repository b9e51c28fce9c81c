"""What the studies of a chart draw on the screen, and the scale and labels of each pane."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from desktop.domain.bars import Floats, Ints
from desktop.ui.chart.axes import PriceLabel, price_labels
from desktop.ui.chart.candles import Columns, extents
from desktop.ui.chart.curves import Curve, colour_of
from desktop.ui.chart.geometry import Grid, PriceScale, fit_range, is_near
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.pane_frame import PaneFrame
from desktop.ui.chart.studies import PlacedStudy
from desktop.ui.formatting import PriceStyle
from desktop.ui.theme import Tokens

Sample = Callable[[int, int], tuple[Ints, Ints]]  # size, shift: as `ChartModel.samples` answers
_LABEL_GAP = 24.0  # logical pixels between labels: a pane is low
_MARGIN = 0.10  # of a pane's height, above and below its values


def study_curves(
    model: ChartModel,
    placed: PlacedStudy,
    columns: Columns,
    grid: Grid,
    scale: PriceScale,
    tokens: Tokens,
    sample: Sample,
) -> tuple[Curve, ...]:
    """What one study draws on the screen."""
    colours = dict(placed.study.colours)
    curves = []
    for plot in placed.study.entry.plots:
        shift = placed.study.shift_of(plot)
        keys, at = sample(columns.size, shift)
        shifted = keys + shift if columns.size == 1 else keys
        bare = Columns(shifted, np.empty((5, 0)), columns.size, math.nan, columns.spacing, columns.scale)
        left, right = extents(bare, grid)
        x = grid.centre(shifted) if columns.size == 1 else (left + right + 1) // 2 + round(shift * grid.spacing)
        curves.append(
            Curve(
                plot.kind,
                colours.get(plot.name, colour_of(plot.colour, tokens)),
                plot.colour,
                scale,
                x,
                tuple(placed.values.at(index, at) for index in plot.outputs),
                left,
                right,
                model.bars.close[at],
                grid.spacing * columns.size,
            )
        )
    return tuple(curves)


def has_shift(placed: PlacedStudy) -> bool:
    """Whether it draws beside the bars its values belong to."""
    return any(placed.study.shift_of(plot) for plot in placed.study.entry.plots)


def pane_range(placed: PlacedStudy, values: list[Floats], current: tuple[float, float] | None) -> tuple[float, float]:
    """The range (bottom, top) of a pane: its study's fixed one, or what is on the screen with a margin."""
    entry = placed.study.entry
    if entry.fixed_range is not None:
        return entry.fixed_range
    known = [part[np.isfinite(part)] for part in values]
    known = [part for part in known if len(part)]
    if not known:
        return current or (0.0, 1.0)
    low, high = min(float(part.min()) for part in known), max(float(part.max()) for part in known)
    if any(plot.kind == "histogram" for plot in entry.plots):
        low, high = min(low, 0.0), max(high, 0.0)
    wanted = fit_range(low, high, top_margin=_MARGIN, bottom_margin=_MARGIN)
    return current if current is not None and is_near(current, wanted, low, high) else wanted


def pane_labels(
    bottom: float, top: float, height: float, font_height: float
) -> tuple[tuple[PriceLabel, ...], PriceStyle]:
    """Labels of a pane whose values have no unit."""
    largest = max(abs(bottom), abs(top))
    decimals = 0 if largest >= 10_000 else 2 if largest >= 1 else max(2, 3 - math.floor(math.log10(largest or 1.0)))
    usual = PriceStyle(decimals, is_large=largest >= 10_000)
    labels, style = price_labels(bottom, top, height, font_height * 0.7, usual, least_gap=_LABEL_GAP)
    return tuple(labels), style


@dataclass(frozen=True, slots=True)
class PaneScale:
    """A pane's logical height, its range and its labels."""

    placed: PlacedStudy
    height: float
    low: float
    high: float
    labels: tuple[PriceLabel, ...]
    style: PriceStyle


class StudyFramer:
    """Frames what the studies of one chart draw; remembers each pane's range so that it does not tremble."""

    def __init__(self, model: ChartModel) -> None:
        self._model = model
        self._ranges: dict[int, tuple[float, float]] = {}
        self._samples: dict[tuple[int, int], tuple[Ints, Ints]] = {}  # of this frame

    def forget(self) -> None:
        """Another series: ranges of before mean nothing."""
        self._ranges.clear()

    def scaling_values(self, size: int) -> list[Floats]:
        """Values on the screen that the price scale has to leave room for."""
        self._samples.clear()  # a frame begins with this question
        found: list[Floats] = []
        for placed in self._model.studies.overlays:
            entry = placed.study.entry
            if entry.axis == "price" and entry.scales:
                for plot in entry.plots:
                    _, at = self._sample(size, placed.study.shift_of(plot))
                    found += [placed.values.at(index, at) for index in plot.outputs]
        return found

    def overlays(
        self, columns: Columns, grid: Grid, prices: PriceScale, volumes: PriceScale, tokens: Tokens
    ) -> tuple[Curve, ...]:
        """What is drawn over prices and volume."""
        return tuple(
            curve
            for placed in self._model.studies.overlays
            for curve in study_curves(
                self._model,
                placed,
                columns,
                grid,
                volumes if placed.study.entry.axis == "volume" else prices,
                tokens,
                self._sample,
            )
        )

    def scales(self, size: int, heights: list[float], font_height: float) -> list[PaneScale]:
        """The range and labels of each pane for what is on the screen. heights: logical, of the panes."""
        found = []
        for placed, height in zip(self._model.studies.panes, heights, strict=True):
            low, high = pane_range(placed, self._values(placed, size), self._ranges.get(placed.id))
            self._ranges[placed.id] = low, high
            found.append(PaneScale(placed, height, low, high, *pane_labels(low, high, height, font_height)))
        return found

    def panes(
        self, scales: list[PaneScale], columns: Columns, grid: Grid, tokens: Tokens, top: float
    ) -> tuple[PaneFrame, ...]:
        """The panes from top to bottom; the first begins at `top`, logical."""
        frames, scale = [], columns.scale
        for pane in scales:
            first, end = round(top * scale), round((top + pane.height) * scale)
            top += pane.height
            place = PriceScale(pane.low, pane.high, first, max(1, end - first))
            levels = tuple(place.row(level) for level in pane.placed.study.entry.levels)
            curves = study_curves(self._model, pane.placed, columns, grid, place, tokens, self._sample)
            frames.append(PaneFrame(pane.placed.id, first, end - first, place, pane.labels, pane.style, levels, curves))
        return tuple(frames)

    def _values(self, placed: PlacedStudy, size: int) -> list[Floats]:
        found = []
        for plot in placed.study.entry.plots:
            _, at = self._sample(size, placed.study.shift_of(plot))
            found += [placed.values.at(index, at) for index in plot.outputs]
        return found

    def _sample(self, size: int, shift: int) -> tuple[Ints, Ints]:
        """`model.samples`, once a frame for each."""
        key = size, shift
        if key not in self._samples:
            self._samples[key] = self._model.samples(size, shift)
        return self._samples[key]
