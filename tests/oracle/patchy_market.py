"""A market whose every trade follows from a hash: some minutes have many, most a few, some none.

`X:BTCUSD` is busy, `X:THINUSD` trades every few hours; stocks trade from 04:00 to 20:00 New York on trading days;
currencies from Sunday to Friday 17:00 New York. Every bar is computed from trades (currencies: quotes) alone.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from desktop.demo.source import CatalogRow, Quotes, Split, Trades
from desktop.domain.aggregation import grouped
from desktop.domain.bars import Bars, Floats, Ints
from desktop.domain.market import Market, market_of
from desktop.domain.sessions import is_open
from desktop.domain.timeframe import DAY_MS, HOUR_MS, ONE_SECOND, Timeframe, bucket_start, bucket_starts
from desktop.domain.world import World
from tests.helpers.steady_market import ROWS, START_MS

END_MS = START_MS + 60 * DAY_MS  # New York's clocks change on the tenth day
_STEP_MS = 10_000
_QUIET = {  # steps without a trade, in a million
    "X:BTCUSD": 50_000,
    "X:ETHUSD": 700_000,
    "X:THINUSD": 999_200,
    "AAPL": 400_000,
    "C:EURUSD": 350_000,
}


@dataclass(frozen=True)
class _Events:
    """All that happens to one ticker, in time order."""

    number: Ints
    time_ms: Ints
    price: Floats
    size: Floats

    def between(self, from_ms: int, to_ms: int) -> _Events:
        part = slice(*np.searchsorted(self.time_ms, [from_ms, to_ms]).tolist())
        return _Events(self.number[part], self.time_ms[part], self.price[part], self.size[part])


@functools.cache
def _events(seed: int, ticker: str) -> _Events:
    if ticker not in _QUIET:
        empty = np.empty(0, np.int64)
        return _Events(empty, empty, np.empty(0), np.empty(0))
    numbers = np.arange((END_MS - START_MS) // _STEP_MS, dtype=np.int64)
    numbers = numbers[_hashed(seed, ticker, numbers, 1) >= _QUIET[ticker]]
    times = START_MS + numbers * _STEP_MS + _hashed(seed, ticker, numbers, 2) % _STEP_MS
    market = market_of(ticker)
    if market is not Market.CRYPTO:
        hours, of_hour = np.unique(times // HOUR_MS, return_inverse=True)
        keep = np.array([is_open(market, hour * HOUR_MS) for hour in hours.tolist()])[of_hour]
        numbers, times = numbers[keep], times[keep]
    price = 100.0 + _hashed(seed, ticker, numbers, 3) / 100_000 + np.sin(numbers / 3000)
    return _Events(numbers, times, price, 1.0 + _hashed(seed, ticker, numbers, 4) % 7)


def _hashed(seed: int, ticker: str, numbers: Ints, salt: int) -> Ints:
    """Evenly spread numbers below a million."""
    name = sum(ord(letter) * 31**index for index, letter in enumerate(ticker)) % 1_000_003
    mixed = numbers.astype(np.uint64) + np.uint64(seed * 1_000_003 + salt * 7_919 + name)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) % np.uint64(1_000_000)).astype(np.int64)


def _grouped(events: _Events, timeframe: Timeframe, market: Market) -> Bars:
    times, price = events.time_ms, events.price
    size = np.ones(len(times)) if market is Market.FOREX else events.size
    rows = Bars(times, price, price, price, price, size, price, np.ones(len(times)))
    return grouped(rows, bucket_starts(times, timeframe, market))


@functools.cache
def all_bars(seed: int, ticker: str, timeframe: Timeframe) -> Bars:
    """Every bar the market ever has, from its first trade to END_MS."""
    return _grouped(_events(seed, ticker), timeframe, market_of(ticker))


class PatchyMarket:
    """A `MarketSource`: at most one trade in 10 s, at a hashed moment, price and size."""

    world = World("demo-0")
    first_ms = START_MS
    end_ms: int | None = None

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def tickers(self) -> Sequence[CatalogRow]:
        return tuple(row for row in ROWS if row.ticker in _QUIET)

    def finest(self, ticker: str) -> Timeframe:
        return ONE_SECOND

    def has_trades(self, ticker: str) -> bool:
        return ticker in _QUIET

    def splits(self, ticker: str) -> Sequence[Split]:
        return ()

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        if market_of(ticker) is Market.FOREX:
            return Trades.empty()
        part = _events(self._seed, ticker).between(from_ms, to_ms)
        ones = np.ones(len(part.time_ms), np.int64)
        return Trades(part.time_ms, part.price, part.size, ones, 1 + part.number % 2, part.number + 1)

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        part = _events(self._seed, ticker).between(from_ms, to_ms)
        return Quotes(part.time_ms, part.price, part.size, part.price * 1.001, part.size)

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        market = market_of(ticker)
        forming_ms = bucket_start(now_ms, timeframe, market)
        closed = all_bars(self._seed, ticker, timeframe).between(from_ms, min(to_ms, forming_ms))
        if not from_ms <= forming_ms < to_ms:
            return closed
        events = _events(self._seed, ticker).between(forming_ms, now_ms)
        return closed.merged(_grouped(events, timeframe, market)) if len(events.time_ms) else closed
