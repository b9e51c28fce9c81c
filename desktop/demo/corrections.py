"""Late corrections: minutes that change after the fact, in every bar that contains them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from desktop.demo.source import CatalogRow, MarketSource, Quotes, Split, Trades
from desktop.domain.aggregation import grouped
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import market_of
from desktop.domain.timeframe import MINUTE_MS, ONE_MINUTE, Timeframe, bucket_end, bucket_starts
from desktop.domain.world import World

Turn = Callable[[], AbstractContextManager[object]]


class CorrectedSource:
    """A source with some of its minutes replaced; hours and days that contain one are built from minutes anew.

    Every call to the source happens within `turn`, so that threads can share a source that is not made for it.
    """

    def __init__(self, source: MarketSource, turn: Turn = contextlib.nullcontext) -> None:
        self._source = source
        self._turn = turn
        self._minutes: dict[str, dict[int, Bar]] = {}

    def in_turn(self, turn: Turn) -> CorrectedSource:
        """The same source, with the same corrections, for a thread that takes other turns."""
        other = CorrectedSource(self._source, turn)
        other._minutes = self._minutes
        return other

    @property
    def world(self) -> World:
        return self._source.world

    @property
    def first_ms(self) -> int:
        return self._source.first_ms

    @property
    def end_ms(self) -> int | None:
        return self._source.end_ms

    def correct(self, ticker: str, now_ms: int, minutes_back: int, factor: float) -> Bar | None:
        """Changes the prices of a closed minute `minutes_back` before the last closed one; the answer is the new bar.

        None when there is no such minute with a bar within the hour before.
        """
        last_ms = now_ms - now_ms % MINUTE_MS - minutes_back * MINUTE_MS
        bars = self.bars(ticker, ONE_MINUTE, last_ms - 60 * MINUTE_MS, last_ms, now_ms)
        if not len(bars):
            return None
        bar = bars[len(bars) - 1]
        prices = {name: getattr(bar, name) * factor for name in ("open", "high", "low", "close")}
        corrected = replace(bar, **prices, vwap=bar.vwap * factor)
        self._minutes.setdefault(ticker, {})[bar.start_ms] = corrected
        return corrected

    def tickers(self) -> Sequence[CatalogRow]:
        return self._source.tickers()

    def finest(self, ticker: str) -> Timeframe:
        return self._source.finest(ticker)

    def has_trades(self, ticker: str) -> bool:
        return self._source.has_trades(ticker)

    def splits(self, ticker: str) -> Sequence[Split]:
        return self._source.splits(ticker)

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        with self._turn():
            return self._source.trades(ticker, from_ms, to_ms)

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        with self._turn():
            return self._source.quotes(ticker, from_ms, to_ms)

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        with self._turn():
            bars = self._source.bars(ticker, timeframe, from_ms, to_ms, now_ms)
        corrected = self._minutes.get(ticker)
        if not corrected or not len(bars) or timeframe.typical_ms < MINUTE_MS:
            return bars
        if timeframe == ONE_MINUTE:
            rows = [bar for start_ms, bar in corrected.items() if from_ms <= start_ms < min(to_ms, now_ms)]
            return bars.merged(Bars.from_rows(rows)) if rows else bars
        market = market_of(ticker)
        touched = bucket_starts(np.array(sorted(corrected), np.int64), timeframe, market)
        rebuilt = Bars.empty()
        for start_ms in np.unique(touched[(touched >= from_ms) & (touched < to_ms)]).tolist():
            end_ms = bucket_end(start_ms, timeframe, market)
            minutes = self.bars(ticker, ONE_MINUTE, start_ms, end_ms, now_ms)
            rebuilt = rebuilt.merged(grouped(minutes, np.full(len(minutes), start_ms, np.int64)))
        return bars.merged(rebuilt)
