"""Where the crosshair's row goes when it clings to prices of the bar below it."""

from __future__ import annotations

import enum
import math

from desktop.ui.chart.geometry import PriceScale
from desktop.ui.chart.model import ChartModel


class Magnet(enum.StrEnum):
    """What the crosshair clings to."""

    OFF = "off"
    CLOSE = "close"
    OHLC = "ohlc"

    @property
    def toggled(self) -> Magnet:
        """As while Ctrl is held."""
        return Magnet.OHLC if self is Magnet.OFF else Magnet.OFF


def caught(magnet: Magnet, model: ChartModel, slot: int, prices: PriceScale, row: float) -> float | None:
    """The price of the slot's bar that holds a crosshair at a device row; None when it is free. Never synthetic."""
    index = None if magnet is Magnet.OFF else model.index_at(slot)
    if index is None:
        return None
    bar = model.bars[index]
    if magnet is Magnet.CLOSE or model.drawn.kind.is_line:
        return bar.close if math.isfinite(bar.close) else None
    known = [price for price in (bar.close, bar.high, bar.low, bar.open) if math.isfinite(price)]
    return min(known, key=lambda price: abs(prices.row(price) - row), default=None)
