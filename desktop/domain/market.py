"""The field's nouns: markets, tickers, trades, quotes, snapshots."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

_TICKER_PATTERN = re.compile(r"[A-Za-z0-9:.\-/*]{1,40}")
_KNOWN_QUOTE_CURRENCIES = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "BTC", "ETH", "AUD", "CAD", "CHF")


class Market(enum.StrEnum):
    """An asset class, by the name REST uses for it."""

    CRYPTO = "crypto"
    STOCKS = "stocks"
    FOREX = "fx"

    @property
    def cluster(self) -> str:
        """Path of the market's socket: `crypto`, `stocks`, `forex`."""
        return "forex" if self is Market.FOREX else self.value


def market_of(ticker: str) -> Market:
    """The market a REST ticker belongs to, told by its prefix."""
    if ticker.startswith("X:"):
        return Market.CRYPTO
    if ticker.startswith("C:"):
        return Market.FOREX
    return Market.STOCKS


def is_plausible_ticker(text: str) -> bool:
    """Whether `text` may go into a URL path and a subscription at all."""
    return _TICKER_PATTERN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class TickerInfo:
    """One row of the reference catalogue."""

    ticker: str  # "X:BTCUSD", "C:EURUSD", "AAPL"
    name: str
    market: Market
    base: str = ""  # base currency code; "" for stocks
    currency: str = ""  # what the price is in: "USD"
    is_active: bool = True
    kind: str = ""  # vendor's type code: "CS", "ETF"
    exchange: str = ""  # MIC of the primary exchange

    @property
    def code(self) -> str:
        """The ticker as people write it: `BTC/USD`, `AAPL`."""
        if self.base and self.currency and self.market is not Market.STOCKS:
            return f"{self.base}/{self.currency.upper()}"
        return self.ticker.split(":", 1)[-1]


def pair_of(ticker: str) -> tuple[str, str]:
    """Base and quote currency of a crypto or forex ticker without its catalogue row.

    Splits at a known quote currency (`X:DOGEUSDT` -> DOGE, USDT), else before the last three letters.
    """
    code = ticker.split(":", 1)[-1].replace("-", "").replace("/", "")
    if market_of(ticker) is not Market.FOREX:
        for quote in _KNOWN_QUOTE_CURRENCIES:
            if code.endswith(quote) and len(code) > len(quote):
                return code[: -len(quote)], quote
    return code[:-3], code[-3:]


@dataclass(frozen=True, slots=True)
class Trade:
    """One trade. `time_ms` is the exchange's time, Unix ms UTC."""

    ticker: str
    price: float
    size: float
    time_ms: int
    exchange: int = 0
    id: str = ""
    conditions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of one ticker in one REST answer; None where the vendor sent nothing."""

    ticker: str
    last: float | None
    last_ms: int | None
    prev_close: float | None
    change: float | None
    change_pct: float | None
    day_open: float | None
    day_high: float | None
    day_low: float | None
    day_volume: float | None
    bid: float | None
    ask: float | None
    updated_ms: int | None


@dataclass(frozen=True, slots=True)
class MarketStatus:
    """Which markets are open, and the server's own clock in Unix ms."""

    server_time_ms: int
    stocks: str = "closed"  # "open", "closed", "extended-hours"
    crypto: str = "open"
    forex: str = "closed"
