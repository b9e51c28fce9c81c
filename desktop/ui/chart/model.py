"""A chart without its pixels: the series, its slots and pyramid, the viewport, and what the follow rule says."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from desktop.domain.bars import Bar, Bars, Floats, Ints
from desktop.domain.look import ChartKind, ScaleKind
from desktop.domain.market import Market
from desktop.domain.settings import ClosedTime
from desktop.domain.timeframe import Timeframe, bucket_end
from desktop.ui import formatting
from desktop.ui.chart.geometry import fit_range, is_near
from desktop.ui.chart.pyramid import HIGH, LOW, VOLUME, Pyramid
from desktop.ui.chart.scales import Scale
from desktop.ui.chart.series import Drawn
from desktop.ui.chart.slots import SlotAxis, slot_axis, slot_of_time, time_of_slot
from desktop.ui.chart.source import ChartSource
from desktop.ui.chart.studies import ChartStudies
from desktop.ui.chart.viewport import Viewport
from desktop.ui.formatting import PriceStyle

TOP_MARGIN = 0.20
BOTTOM_MARGIN = 0.30  # the volume overlay stands in the lowest 20 %
VOLUME_SHARE = 0.20
_JUMP_BARS = 4_500  # older bars worth loading to keep the time at the right edge over a change of timeframe


class Dirty(enum.IntEnum):
    """How much of the picture is out of date; the highest wins."""

    NOTHING = 0
    OVERLAY = 1
    LAST = 2  # the last column
    ALL = 3


@dataclass(slots=True)
class _Shown:
    """What was on the screen before a reset."""

    ticker: str
    timeframe: Timeframe
    right_ms: int | None  # time at the right edge; None when the last bar was in view


class ChartModel:
    """Everything about a chart that can be said in numbers. Reads `source`; the widget forwards its signals."""

    def __init__(self, source: ChartSource) -> None:
        self.source = source
        self.view = Viewport()
        self.pyramid = Pyramid()
        self.axis: SlotAxis = slot_axis(Market.CRYPTO, source.timeframe, np.empty(0, np.int64))
        self.style = PriceStyle()
        self.scale = Scale()
        self.drawn = Drawn()
        self.studies = ChartStudies()
        self.new_bars = 0  # arrived while the last bar was out of view
        self.volume_top = 0.0
        self._count = 0
        self.closed_time = ClosedTime.MARKET  # counts from the next reset on
        self._series = source.series
        self._info = source.info
        self._shown: _Shown | None = None
        self._identity: tuple[str, Timeframe] | None = None
        self.on_reset()

    @property
    def bars(self) -> Bars:
        return self.source.series.bars

    @property
    def last(self) -> Bar | None:
        return self.bars[-1] if self._count else None

    # --- what the source says ------------------------------------------------------------------------------

    def on_reset(self) -> None:
        """Another series. The first bars of a new one decide where the view stands."""
        if self._count:
            self._remember()
        self._series = self.source.series
        bars = self.bars
        self._count = len(bars)
        self.pyramid.clear()
        self.new_bars = 0
        if not self._count:
            self.view.first_slot, self.view.last_slot = 0, -1
            self.view.show_latest()
            return
        self.axis = slot_axis(self.source.market, self.source.timeframe, bars.start_ms, self.closed_time)
        self.drawn.set_kind(self.drawn.kind, bars)
        self.studies.reset(bars, self.source.market)
        self.pyramid.update(self.drawn.bars, self.axis, 0, self._count)
        self.view.first_slot, self.view.last_slot = self._slot(0), self._slot(-1)
        self._identity = (self.source.ticker, self.source.timeframe)
        self._read_style()
        self._place()
        self.volume_top = 0.0

    def on_prepended(self, count: int) -> None:
        """Older bars: they get the slots left of the first one, so nothing on the screen moves."""
        if not self._count:
            self.on_reset()
            return
        self.axis.prepend(count)
        self._count = len(self.bars)
        self._draw_anew(count)
        self.studies.prepended(self.bars, count)
        self.view.first_slot = self._slot(0)

    def on_changed(self, first_index: int) -> Dirty:
        """New or different bars from an index on; answers how much has to be painted again."""
        if not self._count:
            self.on_reset()
            return Dirty.ALL
        previous = self._count
        self._count = len(self.bars)
        first_index = max(0, min(first_index, self._count - 1))
        self.drawn.update(self.bars, first_index)
        self.studies.changed(self.bars, first_index)
        self.pyramid.update(self.drawn.bars, self.axis, first_index, self._count)
        self.new_bars += self.view.follow(self._slot(0), self._slot(-1))
        is_tick = previous == self._count and first_index == self._count - 1
        return Dirty.LAST if is_tick else Dirty.ALL

    def on_info(self) -> bool:
        """The source may know more of the ticker; True when prices are written in another way now."""
        if self.source.info is self._info or not self._count:
            return False
        before = self.style
        self._read_style()
        return self.style != before

    def _read_style(self) -> None:
        """How prices are written, from the closes and what is known of the ticker; else it stays as it is."""
        self._info = self.source.info
        currency = self.source.info.currency if self.source.info is not None else ""
        if not currency and self.source.market is Market.FOREX:
            currency = self.source.ticker[-3:]
        self.style = formatting.style_of_closes(self.bars.close, self.source.market, currency)

    def show_latest(self) -> None:
        self.view.show_latest()
        self.new_bars = 0

    def set_kind(self, kind: ChartKind) -> None:
        """Draws the same bars another way."""
        self.drawn.set_kind(kind, self.bars)
        self.pyramid.clear()
        if self._count:
            self.pyramid.update(self.drawn.bars, self.axis, 0, self._count)

    def set_scale(self, kind: ScaleKind, *, is_inverted: bool) -> None:
        """Another scale for the same prices on the screen."""
        before, view = self.scale, self.view
        self.scale = replace(before, kind=kind, is_inverted=is_inverted)
        bottom, top = (self.scale.units(before.price(edge)) for edge in (view.bottom, view.top))
        if math.isfinite(top - bottom) and top > bottom:
            view.bottom, view.top = bottom, top
        else:
            view.is_autoscaled = True  # the range reached below what a logarithm has
        view.is_inverted = is_inverted

    # --- what is visible -----------------------------------------------------------------------------------

    def index_at(self, slot: int) -> int | None:
        """Index of the bar in a slot, or None where there is none."""
        if not self._count:
            return None
        begin, end = self.axis.index_range(self.bars.start_ms, slot, slot)
        return begin if end > begin else None

    def nearest_index(self, slot: int) -> int | None:
        """Index of the bar in a slot, else of the last one before it, else of the first."""
        if not self._count:
            return None
        _, end = self.axis.index_range(self.bars.start_ms, self.view.first_slot, slot)
        return max(0, end - 1)

    def step_slot(self, slot: int, bars: int) -> int:
        """The slot so many bars right of the one in `slot` (or the last before it), held within the series."""
        index = self.nearest_index(slot)
        if index is None:
            return slot
        return self._slot(min(max(index + bars, 0), self._count - 1))

    def visible(self, size: int, margin: int = 1) -> tuple[Ints, Floats, float]:
        """Buckets of `size` slots in view: keys (m,), columns (5, m), and the close before the first (NaN if none)."""
        bars = self.drawn.bars
        if not self._count:
            return np.empty(0, np.int64), np.empty((5, 0)), float("nan")
        first, last = math.floor(self.view.left) - margin, math.ceil(self.view.right) + margin
        first, last = first // size * size, (last // size + 1) * size - 1
        begin, end = self.axis.index_range(bars.start_ms, first, last)
        keys, values = self.pyramid.visible(bars, self.axis, begin, end, size)
        return keys, values, float(bars.close[begin - 1]) if begin else float("nan")

    def samples(self, size: int, shift: int = 0) -> tuple[Ints, Ints]:
        """Buckets of `size` slots that hold bars, so many slots left of the view as `shift` says.

        Their keys (m,), and the index of the last bar in each.
        """
        starts, view = self.bars.start_ms, self.view
        if not self._count:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        first, last = math.floor(view.left) - 1 - shift, math.ceil(view.right) + 1 - shift
        if size == 1:
            begin, end = self.axis.index_range(starts, first, last)
            begin, end = max(0, begin - 1), min(self._count, end + 1)  # lines come from and go to the next bar
            return self.axis.slots(starts, begin, end), np.arange(begin, end, dtype=np.int64)
        keys = np.arange(first // size, last // size + 1, dtype=np.int64)
        at = self.axis.last_indices(starts, (keys + 1) * size - 1)
        before = self.axis.last_indices(starts, keys * size - 1)
        holds_any = at > before
        return keys[holds_any], at[holds_any]

    def rescale(self, values: Floats, others: Sequence[Floats] = ()) -> bool:
        """Autoscale over the visible columns (5, m) by the margin rules; True when a range moved.

        others: prices of studies that have to be on the screen too.
        """
        if not values.shape[1]:
            return False
        moved = self._rescale_volume(values[VOLUME])
        if not self.view.is_autoscaled:
            return moved
        low, high = self.scale.extremes(np.concatenate([values[LOW], *others]), np.concatenate([values[HIGH], *others]))
        upper, lower = (BOTTOM_MARGIN, TOP_MARGIN) if self.scale.is_inverted else (TOP_MARGIN, BOTTOM_MARGIN)
        wanted = fit_range(low, high, top_margin=upper, bottom_margin=lower, is_log=self.scale.is_log)
        current = (self.view.bottom, self.view.top)
        if not all(map(math.isfinite, wanted)) or is_near(current, wanted, low, high):
            return moved
        self.view.bottom, self.view.top = wanted
        return True

    def _rescale_volume(self, volumes: Floats) -> bool:
        known = volumes[np.isfinite(volumes)]
        most = float(known.max()) if len(known) else 0.0
        if most <= self.volume_top <= most * 1.1:
            return False
        self.volume_top = most * 1.05
        return True

    @property
    def visible_range(self) -> tuple[int, int] | None:
        """The times of the bars on the screen as [from_ms, to_ms); None when there are none."""
        if not self._count:
            return None
        first = max(math.floor(self.view.left), self.view.first_slot)
        last = min(math.ceil(self.view.right) - 1, self.view.last_slot)
        if first > last:
            return None
        starts, timeframe, market = self.bars.start_ms, self.source.timeframe, self.source.market
        return self.axis.time_at(starts, first), bucket_end(self.axis.time_at(starts, last), timeframe, market)

    def wants_older(self) -> bool:
        """Whether the left edge is within one screen of the first bar."""
        screen = self.view.width / self.view.spacing
        return self._count > 0 and self.view.left - self.view.first_slot < screen

    # --- inner ---------------------------------------------------------------------------------------------

    def _draw_anew(self, prepended: int) -> None:
        """Bars were put in front. Where they change what is drawn of later ones, all is drawn anew."""
        self.drawn.set_kind(self.drawn.kind, self.bars)
        if self.drawn.kind.is_synthetic:
            self.pyramid.clear()
            prepended = self._count
        self.pyramid.update(self.drawn.bars, self.axis, 0, prepended)

    def _slot(self, index: int) -> int:
        return self.axis.slot_of(self.bars.start_ms, index)

    def _remember(self) -> None:
        """Keeps where the view stands on the series that is about to go."""
        starts = self._series.bars.start_ms
        if self._identity is None or not len(starts):
            return
        is_latest = self.view.is_last_in_view
        right_ms = None if is_latest else time_of_slot(self.axis, starts, self.view.right)
        self._shown = _Shown(*self._identity, right_ms)

    def _place(self) -> None:
        """Latest bar at the margin; over a change of timeframe the time at the right edge stays where it can."""
        before, self._shown = self._shown, None
        self.view.show_latest()
        if before is None or before.ticker != self.source.ticker or before.right_ms is None:
            return
        slot = slot_of_time(self.axis, self.bars.start_ms, before.right_ms)
        if slot > self.view.first_slot - _JUMP_BARS:
            self.view.right = slot
