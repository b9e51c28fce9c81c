"""A market whose every trade follows from a hash: some minutes have many, most a few, some none.

`X:BTCUSD` is busy, `X:THINUSD` trades every few hours; stocks trade from 04:00 to 20:00 New York on trading days;
currencies from Sunday to Friday 17:00 New York. Every bar is computed from trades (currencies: quotes) alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from desktop.demo.source import CatalogRow, Quotes, Split, Trades
from desktop.domain.aggregation import grouped
from desktop.domain.bars import Bars, Floats, Ints
from desktop.domain.market import Market, market_of
from desktop.domain.sessions import is_open
from desktop.domain.timeframe import DAY_MS, HOUR_MS, ONE_SECOND, Timeframe, bucket_end, bucket_start, bucket_starts
from desktop.domain.world import World

START_MS = 1_709_251_200_000  # 2024-03-01T00:00Z, a Friday; New York's clocks change on the 10th
_STEP_MS = 10_000
_QUIET = {  # steps without a trade, in a million
    "X:BTCUSD": 50_000,
    "X:ETHUSD": 700_000,
    "X:THINUSD": 999_200,
    "AAPL": 400_000,
    "C:EURUSD": 350_000,
}


class PatchyMarket:
    """A `MarketSource`: at most one trade in 10 s, at a hashed moment, price and size."""

    world = World("demo-0")
    first_ms = START_MS
    end_ms: int | None = None

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def tickers(self) -> Sequence[CatalogRow]:
        return (
            CatalogRow("AAPL", "Apple Inc.", Market.STOCKS, kind="CS", exchange="XNAS"),
            CatalogRow("C:EURUSD", "Euro / United States dollar", Market.FOREX, base="EUR", base_name="Euro"),
            CatalogRow("X:BTCUSD", "Bitcoin - United States dollar", Market.CRYPTO, base="BTC", base_name="Bitcoin"),
            CatalogRow("X:ETHUSD", "Ethereum - United States dollar", Market.CRYPTO, base="ETH", base_name="Ethereum"),
            CatalogRow("X:THINUSD", "Thin - United States dollar", Market.CRYPTO, base="THIN", base_name="Thin"),
        )

    def finest(self, ticker: str) -> Timeframe:
        return ONE_SECOND

    def has_trades(self, ticker: str) -> bool:
        return ticker in _QUIET

    def splits(self, ticker: str) -> Sequence[Split]:
        return ()

    def _hashed(self, ticker: str, numbers: Ints, salt: int) -> Ints:
        """Evenly spread numbers below a million."""
        mixed = numbers.astype(np.uint64) + np.uint64(self._seed * 1_000_003 + salt * 7_919 + _salt_of(ticker))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((mixed ^ (mixed >> np.uint64(31))) % np.uint64(1_000_000)).astype(np.int64)

    def _events(self, ticker: str, from_ms: int, to_ms: int) -> tuple[Ints, Ints, Floats, Floats]:
        """Numbers, times, prices and sizes of what happens in the range."""
        if ticker not in _QUIET or from_ms >= to_ms:
            empty = np.empty(0, np.int64)
            return empty, empty, np.empty(0), np.empty(0)
        first = max(0, (from_ms - START_MS) // _STEP_MS)
        last = max(first, -(-(to_ms - START_MS) // _STEP_MS))
        numbers = np.arange(first, last, dtype=np.int64)
        numbers = numbers[self._hashed(ticker, numbers, 1) >= _QUIET[ticker]]
        times = START_MS + numbers * _STEP_MS + self._hashed(ticker, numbers, 2) % _STEP_MS
        keep = (times >= from_ms) & (times < to_ms)
        market = market_of(ticker)
        if market is not Market.CRYPTO and keep.any():
            hours = times // HOUR_MS
            open_hours = {hour: _is_open(market, int(hour) * HOUR_MS) for hour in np.unique(hours[keep]).tolist()}
            keep &= np.array([open_hours.get(hour, False) for hour in hours.tolist()])
        numbers, times = numbers[keep], times[keep]
        prices = 100.0 + self._hashed(ticker, numbers, 3) / 100_000 + np.sin(numbers / 3000)
        sizes = 1.0 + self._hashed(ticker, numbers, 4) % 7
        return numbers, times, prices, sizes

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        if market_of(ticker) is Market.FOREX:
            return Trades.empty()
        numbers, times, prices, sizes = self._events(ticker, from_ms, to_ms)
        return Trades(times, prices, sizes, np.ones(len(times), np.int64), 1 + numbers % 2, numbers + 1)

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        _, times, prices, sizes = self._events(ticker, from_ms, to_ms)
        return Quotes(times, prices, sizes, prices * 1.001, sizes)

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        market = market_of(ticker)
        from_ms, to_ms = max(from_ms, START_MS - DAY_MS), min(to_ms, now_ms)
        if from_ms >= to_ms:
            return Bars.empty()
        begin_ms = bucket_start(from_ms, timeframe, market)
        end_ms = min(bucket_end(bucket_start(to_ms - 1, timeframe, market), timeframe, market), now_ms)
        _, times, prices, sizes = self._events(ticker, begin_ms, end_ms)
        if market is Market.FOREX:
            sizes = np.ones(len(times))
        rows = Bars(times, prices, prices, prices, prices, sizes, prices, np.ones(len(times)))
        return grouped(rows, bucket_starts(times, timeframe, market)).between(from_ms, to_ms)


@functools.cache
def _is_open(market: Market, hour_ms: int) -> bool:
    return is_open(market, hour_ms)


def _salt_of(ticker: str) -> int:
    return sum(ord(letter) * 31**index for index, letter in enumerate(ticker)) % 1_000_003
