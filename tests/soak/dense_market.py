"""A market as busy as the whole vendor's: 200 tickers, 6,100 trades and quotes a second, every one known in advance.

From OPENED_MS on coins and stocks trade every 40 ms and are quoted every 160 ms, currencies are quoted every 50 ms.
What the n-th event of a ticker holds is computed from n; prices and sizes are whole numbers of ticks and lots, so that
sums are exact and every bar is the same however it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from desktop.demo.source import CatalogRow, Quotes, Split, Trades
from desktop.domain.aggregation import grouped
from desktop.domain.bars import Bars, Ints
from desktop.domain.market import Market
from desktop.domain.timeframe import (
    HOUR_MS,
    MINUTE_MS,
    ONE_MINUTE,
    ONE_SECOND,
    SECOND_MS,
    Timeframe,
    bucket_end,
    bucket_start,
    bucket_starts,
)
from desktop.domain.world import World

OPENED_MS = 1_709_641_800_000  # 2024-03-05T12:30Z, a Tuesday: all three markets are open
COINS = tuple(f"X:D{number:03d}USD" for number in range(184))
STOCKS = tuple(f"DS{letter}" for letter in "ABCDEFGH")
PAIRS = tuple(f"C:{base}USD" for base in ("EUR", "GBP", "AUD", "NZD", "CAD", "CHF", "SEK", "NOK"))
TICKERS = (*COINS, *STOCKS, *PAIRS)
_TRADE_GAP_MS, _QUOTE_GAP_MS, _PAIR_GAP_MS = 40, 160, 50
_LOTS = 1024  # of a coin; a stock's lot is one share
_TICKS = 100  # of a dollar
_MIX = np.uint64(0x9E3779B97F4A7C15)


class DenseMarket:
    """A `MarketSource`. Safe to use from several threads; remembers the minutes of 2,000 hours."""

    world = World("demo-5000")
    first_ms = OPENED_MS
    end_ms: int | None = None

    def __init__(self) -> None:
        self._number = {ticker: number for number, ticker in enumerate(TICKERS)}
        self._hour = lru_cache(2_000)(self._make_hour)

    def tickers(self) -> Sequence[CatalogRow]:
        """The catalogue, sorted by ticker."""
        rows = [_row(ticker) for ticker in TICKERS]
        return sorted(rows, key=lambda row: row.ticker)

    def finest(self, ticker: str) -> Timeframe:
        return ONE_SECOND

    def has_trades(self, ticker: str) -> bool:
        return ticker in self._number

    def splits(self, ticker: str) -> Sequence[Split]:
        return ()

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        """See MarketSource.trades."""
        if ticker not in self._number or ticker in PAIRS:
            return Trades.empty()
        numbers, times = _events(self._number[ticker], from_ms, to_ms, _TRADE_GAP_MS)
        ticks, lots = self._ticks(ticker, numbers), self._lots(ticker, numbers)
        return Trades(
            times,
            ticks / _TICKS,
            lots / (1 if ticker in STOCKS else _LOTS),
            np.full(len(times), 4 if ticker in STOCKS else 1),
            np.zeros(len(times), np.int64) if ticker in STOCKS else 1 + lots % 2,
            numbers + 1,
        )

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        """See MarketSource.quotes."""
        if ticker not in self._number:
            return Quotes.empty()
        gap_ms = _PAIR_GAP_MS if ticker in PAIRS else _QUOTE_GAP_MS
        numbers, times = _events(self._number[ticker], from_ms, to_ms, gap_ms)
        ticks = self._ticks(ticker, numbers)
        size = np.full(len(times), np.nan if ticker in PAIRS else 100.0)
        return Quotes(times, ticks / _TICKS, size, (ticks + 2) / _TICKS, size)

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        """See MarketSource.bars."""
        to_ms = min(to_ms, now_ms)
        if ticker not in self._number or max(from_ms, OPENED_MS) >= to_ms:
            return Bars.empty()
        market = _row(ticker).market
        begin_ms = bucket_start(max(from_ms, OPENED_MS), timeframe, market)
        end_ms = min(bucket_end(bucket_start(to_ms - 1, timeframe, market), timeframe, market), now_ms)
        if timeframe == ONE_SECOND:
            made = self._made(ticker, begin_ms, end_ms, SECOND_MS)
        else:
            made = self._minutes(ticker, begin_ms, end_ms, now_ms)
            if timeframe != ONE_MINUTE:
                made = grouped(made, bucket_starts(made.start_ms, timeframe, market))
        return made.between(from_ms, to_ms)

    def _minutes(self, ticker: str, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        """Minutes that start in the range; the one that holds `now_ms` of its events before that."""
        closed_ms = now_ms - now_ms % MINUTE_MS
        hours = [self._hour(ticker, hour_ms) for hour_ms in range(from_ms - from_ms % HOUR_MS, to_ms, HOUR_MS)]
        made = Bars.empty()
        for hour in hours:
            made = made.merged(hour.between(from_ms, min(to_ms, closed_ms)))
        if from_ms <= closed_ms < to_ms:
            made = made.merged(self._made(ticker, closed_ms, now_ms, MINUTE_MS))
        return made

    def _make_hour(self, ticker: str, hour_ms: int) -> Bars:
        return self._made(ticker, hour_ms, hour_ms + HOUR_MS, MINUTE_MS)

    def _made(self, ticker: str, from_ms: int, to_ms: int, length_ms: int) -> Bars:
        """Bars of the events in the range; of a currency pair's quotes the bids, each of size 1."""
        gap_ms = _PAIR_GAP_MS if ticker in PAIRS else _TRADE_GAP_MS
        numbers, times = _events(self._number[ticker], from_ms, to_ms, gap_ms)
        if not len(numbers):
            return Bars.empty()
        ticks = self._ticks(ticker, numbers)
        lots = np.ones(len(numbers), np.int64) if ticker in PAIRS else self._lots(ticker, numbers)
        starts = times - times % length_ms
        first = np.flatnonzero(np.append(True, starts[1:] != starts[:-1]))
        last = np.append(first[1:], len(starts)) - 1
        volume = np.add.reduceat(lots, first)
        per_unit = _LOTS if ticker in COINS else 1
        return Bars(
            starts[first],
            ticks[first] / _TICKS,
            np.maximum.reduceat(ticks, first) / _TICKS,
            np.minimum.reduceat(ticks, first) / _TICKS,
            ticks[last] / _TICKS,
            volume / per_unit,
            np.add.reduceat(lots * ticks, first) / volume / _TICKS,
            (last - first + 1).astype(np.float64),
        )

    def _ticks(self, ticker: str, numbers: Ints) -> Ints:
        """A long and a short wave around the ticker's own price, and a little noise."""
        number = self._number[ticker]
        level = 20_000 + 1_009 * number
        slow, fast = (np.abs(numbers % (2 * length) - length) for length in (7_919, 613))
        ticks: Ints = level + slow // 8 + fast // 4 + _chance(numbers, 2 * number) % 7
        return ticks

    def _lots(self, ticker: str, numbers: Ints) -> Ints:
        lots: Ints = 1 + _chance(numbers, 2 * self._number[ticker] + 1) % (300 if ticker in STOCKS else 2 * _LOTS)
        return lots


def _row(ticker: str) -> CatalogRow:
    if ticker in STOCKS:
        return CatalogRow(ticker, f"Dense stock {ticker}", Market.STOCKS, kind="CS", exchange="XNAS", market_cap=1e9)
    market = Market.FOREX if ticker in PAIRS else Market.CRYPTO
    base = ticker[2:-3]
    return CatalogRow(ticker, f"{base} - United States dollar", market, base=base, base_name=base)


def _events(ticker_number: int, from_ms: int, to_ms: int, gap_ms: int) -> tuple[Ints, Ints]:
    """Numbers and times of the events in [from_ms, to_ms): one in each gap, the place in it by chance."""
    first = max(0, (from_ms - OPENED_MS) // gap_ms)
    end = max(first, -(-(to_ms - OPENED_MS) // gap_ms))
    numbers = np.arange(first, end, dtype=np.int64)
    times = OPENED_MS + numbers * gap_ms + _chance(numbers, ticker_number) % gap_ms
    begin, stop = np.searchsorted(times, [from_ms, to_ms])
    return numbers[begin:stop], times[begin:stop]


def _chance(numbers: Ints, key: int) -> Ints:
    """A whole number below 2^31 for each, the same on every machine."""
    mixed = (numbers.astype(np.uint64) + np.uint64(key << 32)) * _MIX
    mixed ^= mixed >> np.uint64(29)
    mixed *= _MIX
    answer: Ints = (mixed >> np.uint64(33)).astype(np.int64)
    return answer
