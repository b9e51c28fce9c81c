"""What a market offers to the feed server: a catalogue, bars, trades and quotes, addressable at any moment.

Everything is a pure function of its arguments, so the server may ask in any order, twice, ahead of the clock and from
a worker thread, one call at a time. Times are Unix ms UTC, ranges half-open [from_ms, to_ms).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from desktop.demo.columns import Columns
from desktop.domain.bars import Bars, Floats, Ints
from desktop.domain.market import Market, TickerInfo
from desktop.domain.timeframe import Timeframe
from desktop.domain.world import World


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """One ticker of the reference catalogue; empty or None fields are left out of answers."""

    ticker: str
    name: str
    market: Market
    base: str = ""  # base currency code: "BTC"; "" for stocks
    base_name: str = ""
    currency: str = "USD"  # what the price is in
    currency_name: str = "United States dollar"
    is_active: bool = True
    kind: str = ""  # stocks: "CS", "ETF", …
    exchange: str = ""  # stocks: MIC of the primary exchange
    cik: str = ""
    description: str = ""
    homepage_url: str = ""
    list_date: dt.date | None = None
    delisted_ms: int | None = None
    market_cap: float | None = None
    total_employees: int | None = None
    sic_code: str = ""
    sic_description: str = ""

    @property
    def info(self) -> TickerInfo:
        """The same as the domain's noun."""
        return TickerInfo(
            self.ticker, self.name, self.market, self.base, self.currency, self.is_active, self.kind, self.exchange
        )


@dataclass(frozen=True, slots=True)
class Split:
    """A stock split: `split_from` old shares become `split_to` new ones on `execution_date` (New York)."""

    execution_date: dt.date
    split_from: float
    split_to: float


@dataclass(frozen=True, slots=True)
class Trades(Columns):
    """Columns of equal length in time order; equal times keep the order of the source. `id` is unique per ticker."""

    time_ms: Ints
    price: Floats
    size: Floats
    exchange: Ints
    condition: Ints  # crypto: 0 none, 1 seller was the taker, 2 buyer was the taker
    id: Ints

    @classmethod
    def empty(cls) -> Self:
        ints = np.empty(0, np.int64)
        return cls(ints, np.empty(0), np.empty(0), ints, ints, ints)


@dataclass(frozen=True, slots=True)
class Quotes(Columns):
    """Columns of equal length in time order; sizes are NaN where the source has none."""

    time_ms: Ints
    bid: Floats
    bid_size: Floats
    ask: Floats
    ask_size: Floats

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int64), np.empty(0), np.empty(0), np.empty(0), np.empty(0))


class MarketSource(Protocol):
    """A market the server can serve: the synthetic one or a recording.

    The socket is fed from these calls alone: trades and quotes by their time, second and minute bars from `bars` at
    their close; so REST and socket cannot disagree.
    """

    @property
    def world(self) -> World:
        """`demo-<seed>` or `replay-<hash>`."""
        ...

    @property
    def first_ms(self) -> int:
        """Start of the oldest data of any ticker."""
        ...

    @property
    def end_ms(self) -> int | None:
        """End of the data, where the clock stops; None when the market goes on for ever."""
        ...

    def tickers(self) -> Sequence[CatalogRow]:
        """The catalogue of all markets, sorted by ticker; the same at every call."""
        ...

    def finest(self, ticker: str) -> Timeframe:
        """The smallest timeframe `bars` can give: 1s, or what a recording of bars holds (1m, 5m, 1h, 1D)."""
        ...

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        """Bars of a base timeframe (1s, 1m, 1h, 1D) or of `finest` whose start lies in the range, as known at `now_ms`.

        The forming bar is included, of the trades before now_ms; a bar without trades is absent; an unknown ticker or
        a timeframe the source cannot give has none. Stocks are split-adjusted to today's scale. Forex bars are made
        of quotes, their volume and trades are the number of quotes.
        """
        ...

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        """Trades in the range; none for forex. Later than the server's clock is allowed: the server holds them back."""
        ...

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        """Best bids and asks in the range."""
        ...

    def has_trades(self, ticker: str) -> bool:
        """Whether the ticker has trades (forex: quotes) and so a forming bar that moves between minutes."""
        ...

    def splits(self, ticker: str) -> Sequence[Split]:
        """Splits of a stock, oldest first."""
        ...
