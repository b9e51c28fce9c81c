"""One pane below the prices, ready to paint."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.ui.chart.axes import PriceLabel
from desktop.ui.chart.curves import Curve
from desktop.ui.chart.geometry import PriceScale
from desktop.ui.formatting import PriceStyle


@dataclass(frozen=True, slots=True)
class PaneFrame:
    """One pane below the prices, ready to paint; device pixels."""

    id: int
    top: int
    height: int
    scale: PriceScale
    labels: tuple[PriceLabel, ...]
    style: PriceStyle
    levels: tuple[int, ...]  # rows of the study's levels
    curves: tuple[Curve, ...]
