"""A market source of a few tickers whose every value can be told in advance.

From START_MS on every ticker with trades has one trade each 10 s (at :05, :15, …) of size 1 (stocks: 100); the n-th
since START_MS costs 100 + n % 50. `X:THINUSD` trades once an hour. Currencies have quotes at the same times, the bid is
the price above / 100. Stocks trade around the clock, which keeps tests simple.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from desktop.demo.source import CatalogRow, Quotes, Split, Trades
from desktop.domain.aggregation import grouped
from desktop.domain.bars import Bars
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import HOUR_MS, ONE_SECOND, Timeframe, bucket_end, bucket_start, bucket_starts
from desktop.domain.world import World

START_MS = 1_709_251_200_000  # 2024-03-01T00:00Z, a Friday
_STEP_MS = 10_000
_OFFSET_MS = 5_000
ROWS = (
    CatalogRow("AAPL", "Apple Inc.", Market.STOCKS, kind="CS", exchange="XNAS", market_cap=3e12),
    CatalogRow("BRK.A", "Berkshire Hathaway Inc.", Market.STOCKS, kind="CS", exchange="XNYS"),
    CatalogRow("C:EURUSD", "Euro / United States dollar", Market.FOREX, base="EUR", base_name="Euro"),
    CatalogRow("C:GBPUSD", "British pound / United States dollar", Market.FOREX, base="GBP", base_name="Pound"),
    CatalogRow("X:BTCUSD", "Bitcoin - United States dollar", Market.CRYPTO, base="BTC", base_name="Bitcoin"),
    CatalogRow("X:ETHUSD", "Ethereum - United States dollar", Market.CRYPTO, base="ETH", base_name="Ethereum"),
    CatalogRow("X:THINUSD", "Thin - United States dollar", Market.CRYPTO, base="THIN", base_name="Thin"),
)


class SteadyMarket:
    """A `MarketSource` with three coins, two stocks and two currency pairs."""

    world = World("demo-0")
    first_ms = START_MS
    end_ms: int | None = None

    def tickers(self) -> Sequence[CatalogRow]:
        return ROWS

    def finest(self, ticker: str) -> Timeframe:
        return ONE_SECOND

    def has_trades(self, ticker: str) -> bool:
        return any(row.ticker == ticker for row in self.tickers())

    def splits(self, ticker: str) -> Sequence[Split]:
        return ()

    def _times(self, ticker: str, from_ms: int, to_ms: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers and times of the events in the range."""
        if not self.has_trades(ticker):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        step_ms = HOUR_MS if ticker == "X:THINUSD" else _STEP_MS
        first = max(0, -(-(from_ms - START_MS - _OFFSET_MS) // step_ms))
        last = -(-(to_ms - START_MS - _OFFSET_MS) // step_ms)
        numbers = np.arange(first, max(first, last), dtype=np.int64)
        return numbers, START_MS + _OFFSET_MS + numbers * step_ms

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        if market_of(ticker) is Market.FOREX:
            return Trades.empty()
        numbers, times = self._times(ticker, from_ms, to_ms)
        ones = np.ones(len(numbers), np.int64)
        size = np.full(len(numbers), 100.0 if market_of(ticker) is Market.STOCKS else 1.0)
        return Trades(times, 100.0 + numbers % 50, size, ones, 1 + numbers % 2, numbers + 1)

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        numbers, times = self._times(ticker, from_ms, to_ms)
        price = 100.0 + numbers % 50
        if market_of(ticker) is Market.FOREX:
            price = price / 100
        size = np.full(len(numbers), 2.0)
        return Quotes(times, price, size, price * 1.001, size)

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        market = market_of(ticker)
        from_ms, to_ms = max(from_ms, START_MS), min(to_ms, now_ms)
        if from_ms >= to_ms:
            return Bars.empty()
        begin_ms = bucket_start(from_ms, timeframe, market)
        end_ms = min(bucket_end(bucket_start(to_ms - 1, timeframe, market), timeframe, market), now_ms)
        if market is Market.FOREX:
            quotes = self.quotes(ticker, begin_ms, end_ms)
            times, price, size = quotes.time_ms, quotes.bid, np.ones(len(quotes))
        else:
            trades = self.trades(ticker, begin_ms, end_ms)
            times, price, size = trades.time_ms, trades.price, trades.size
        rows = Bars(times, price, price, price, price, size, price, np.ones(len(times)))
        return grouped(rows, bucket_starts(times, timeframe, market)).between(from_ms, to_ms)
