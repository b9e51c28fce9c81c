"""The latest state of a ticker at a moment: last trade and quote, the running day, the day before, the last minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from desktop.demo.rest_status import stock_reset_ms
from desktop.demo.source import CatalogRow, MarketSource, Quotes, Trades
from desktop.domain.aggregation import grouped
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import Market
from desktop.domain.sessions import new_york_date
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, ONE_DAY, ONE_HOUR, ONE_MINUTE, new_york_midnight_ms

_NEAR_SPANS_MS: Final = (MINUTE_MS, 15 * MINUTE_MS, 2 * HOUR_MS)
_FAR_SPAN_MS: Final = 30 * DAY_MS
_PREVIOUS_DAYS: Final = (1, 4, 10)  # how far the day before is looked for


@dataclass(frozen=True, slots=True)
class TickerState:
    """One ticker at a moment; None for what is not there. `day` and `previous` are the vendor's snapshot days."""

    row: CatalogRow
    day: Bar | None
    previous: Bar | None
    minute: Bar | None
    trade: Trades | None  # one row
    quote: Quotes | None  # one row

    @property
    def price(self) -> float | None:
        """The last price: of the last trade, the last bid for currencies, else the last bar's close."""
        if self.trade is not None:
            return float(self.trade.price[0])
        if self.row.market is Market.FOREX and self.quote is not None:
            return float(self.quote.bid[0])
        for bar in (self.minute, self.day, self.previous):
            if bar is not None:
                return bar.close
        return None

    @property
    def change(self) -> float | None:
        """Against the previous day's close."""
        if self.price is None or self.previous is None:
            return None
        return self.price - self.previous.close

    @property
    def change_pct(self) -> float | None:
        if self.change is None or self.previous is None:
            return None
        return self.change / self.previous.close * 100

    @property
    def updated_ms(self) -> int:
        times = [int(part.time_ms[0]) for part in (self.trade, self.quote) if part is not None]
        times += [bar.start_ms for bar in (self.minute, self.day) if bar is not None]
        return max(times, default=0)


def state_of(source: MarketSource, row: CatalogRow, now_ms: int) -> TickerState:
    """Everything about one ticker; the day resets at midnight New York, for stocks at 03:30."""
    day, previous = _days(source, row, now_ms)
    return TickerState(
        row,
        day,
        previous,
        _last_minute(source, row, now_ms),
        last_trade(source, row, now_ms),
        last_quote(source, row, now_ms),
    )


def last_trade(source: MarketSource, row: CatalogRow, now_ms: int) -> Trades | None:
    """The newest trade before `now_ms` as one row; None when the last 30 days have none."""
    if row.market is Market.FOREX or not source.has_trades(row.ticker):
        return None
    for span_ms in _NEAR_SPANS_MS:
        trades = source.trades(row.ticker, now_ms - span_ms, now_ms)
        if len(trades):
            return trades.take(len(trades) - 1, len(trades))
    hours = source.bars(row.ticker, ONE_HOUR, now_ms - _FAR_SPAN_MS, now_ms, now_ms)
    for start_ms in hours.start_ms[::-1][:2].tolist():
        trades = source.trades(row.ticker, start_ms, min(start_ms + HOUR_MS, now_ms))
        if len(trades):
            return trades.take(len(trades) - 1, len(trades))
    return None


def last_quote(source: MarketSource, row: CatalogRow, now_ms: int) -> Quotes | None:
    """The newest quote before `now_ms` as one row; None when the last two hours (currencies: days) have none."""
    spans = (*_NEAR_SPANS_MS, 3 * DAY_MS) if row.market is Market.FOREX else _NEAR_SPANS_MS
    for span_ms in spans:
        if span_ms > DAY_MS:  # a weekend: look into the last hour with quotes alone
            hours = source.bars(row.ticker, ONE_HOUR, now_ms - span_ms, now_ms, now_ms)
            if not len(hours):
                return None
            quotes = source.quotes(row.ticker, int(hours.start_ms[-1]), now_ms)
        else:
            quotes = source.quotes(row.ticker, now_ms - span_ms, now_ms)
        if len(quotes):
            return quotes.take(len(quotes) - 1, len(quotes))
    return None


def _last_minute(source: MarketSource, row: CatalogRow, now_ms: int) -> Bar | None:
    for span_ms in (15 * MINUTE_MS, DAY_MS):
        bars = source.bars(row.ticker, ONE_MINUTE, now_ms - span_ms, now_ms + 1, now_ms)
        if len(bars):
            return bars[len(bars) - 1]
    return None


def _days(source: MarketSource, row: CatalogRow, now_ms: int) -> tuple[Bar | None, Bar | None]:
    """The running day and the last one before it that has a bar."""
    has_hours = source.finest(row.ticker).typical_ms <= HOUR_MS
    if row.market is Market.STOCKS:
        today_ms = stock_reset_ms(now_ms)
    elif has_hours:
        today_ms = new_york_midnight_ms(new_york_date(now_ms))
    else:
        today_ms = now_ms - now_ms % DAY_MS
    for days in _PREVIOUS_DAYS:
        from_ms = today_ms - days * DAY_MS
        if row.market is Market.STOCKS or not has_hours:
            bars = source.bars(row.ticker, ONE_DAY, from_ms, now_ms + 1, now_ms)
        else:
            bars = _new_york_days(source.bars(row.ticker, ONE_HOUR, from_ms, now_ms + 1, now_ms))
        index = int(np.searchsorted(bars.start_ms, today_ms))
        if index:
            break
    return bars[index] if index < len(bars) else None, bars[index - 1] if index else None


def _new_york_days(hours: Bars) -> Bars:
    if not len(hours):
        return hours
    starts = [new_york_midnight_ms(new_york_date(start_ms)) for start_ms in hours.start_ms.tolist()]
    return grouped(hours, np.array(starts, np.int64))
