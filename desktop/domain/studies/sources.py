"""The column of bars that a study looks at."""

from __future__ import annotations

from typing import Final

from desktop.domain.bars import Bars, Floats

SOURCES: Final = ("close", "open", "high", "low", "hl2", "hlc3", "ohlc4")


def source_column(bars: Bars, source: str) -> Floats:
    """One of SOURCES as a contiguous column: a column of the bars itself or a mean of several."""
    match source:
        case "hl2":
            return (bars.high + bars.low) / 2
        case "hlc3":
            return (bars.high + bars.low + bars.close) / 3
        case "ohlc4":
            return (bars.open + bars.high + bars.low + bars.close) / 4
        case "open":
            return bars.open
        case "high":
            return bars.high
        case "low":
            return bars.low
        case _:
            return bars.close
