"""Moments and prices to the device pixels of one picture and back, between and beyond the bars."""

from __future__ import annotations

import numpy as np

from desktop.domain.drawings import rounded
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.painting import Frame
from desktop.ui.chart.slots import slot_of_time, time_of_slot


class FrameMap:
    """A `PriceTimeMap` of a frame. The middle of a device pixel is at its whole number."""

    def __init__(self, frame: Frame, model: ChartModel) -> None:
        self._grid, self._prices = frame.grid, frame.prices
        self._axis, self._starts = model.axis, model.bars.start_ms
        self._decimals = model.style.decimals

    def x_of(self, time_ms: int) -> float:
        return self._grid.origin + (self.slot_of(time_ms) + 0.5) * self._grid.spacing - 0.5

    def y_of(self, price: float) -> float:
        return float(np.clip(self._prices.places(np.array([price]))[0], -1e7, 1e7))

    def time_of(self, x: float) -> int:
        slot = (x + 0.5 - self._grid.origin) / self._grid.spacing - 0.5
        return time_of_slot(self._axis, self._starts, slot)

    def price_of(self, y: float) -> float:
        return self.settled(self._prices.price(y))

    def settled(self, price: float) -> float:
        """A price as it is written: what the hand meant has no more digits."""
        return rounded(price, self._decimals)

    def time_at(self, slot: int) -> int:
        """Start of a slot, Unix ms."""
        return self._axis.time_at(self._starts, slot)

    def slot_of(self, time_ms: int) -> float:
        """Where a time stands among the slots: whole for the start of one."""
        return slot_of_time(self._axis, self._starts, time_ms)
