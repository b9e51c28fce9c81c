"""A market source that costs nothing to ask: many coins, each with a bar in every minute, hour and day, all alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from desktop.demo.source import CatalogRow, Quotes, Split, Trades
from desktop.domain.bars import Bars
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, ONE_MINUTE, Timeframe
from desktop.domain.world import World

NOW_MS = 1_709_251_200_000 + 13 * 3_600_000 + 17_000  # 2024-03-01T13:00:17Z


class PlainMarket:
    """A `MarketSource` of `count` coins, `X:C000USD` and on."""

    world = World("demo-0")
    first_ms = 1_709_251_200_000 - 3650 * DAY_MS
    end_ms: int | None = None

    def __init__(self, count: int) -> None:
        self.names = [f"X:C{number:03}USD" for number in range(count)]
        self._rows = tuple(CatalogRow(name, f"Coin {name[2:6]}", Market.CRYPTO, base=name[2:6]) for name in self.names)

    def tickers(self) -> Sequence[CatalogRow]:
        return self._rows

    def finest(self, ticker: str) -> Timeframe:
        return ONE_MINUTE

    def has_trades(self, ticker: str) -> bool:
        return False

    def splits(self, ticker: str) -> Sequence[Split]:
        return ()

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        return Trades.empty()

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        return Quotes.empty()

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        step_ms = timeframe.typical_ms
        first = -(-max(from_ms, self.first_ms) // step_ms)
        last = -(-min(to_ms, now_ms) // step_ms)
        if ticker not in self.names or first >= last:
            return Bars.empty()
        starts = np.arange(first, last, dtype=np.int64) * step_ms
        ones = np.ones(len(starts))
        return Bars(starts, ones * 10, ones * 12, ones * 9, ones * 11, ones, ones * 10.5, ones)
