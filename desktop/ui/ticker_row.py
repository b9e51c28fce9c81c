"""One row of the ticker table: the board's values as the texts and colours a person sees."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt

from desktop.domain.freshness import Freshness, Seen
from desktop.domain.market import Market, TickerInfo, market_of, pair_of
from desktop.ui.formatting import NOTHING, PriceStyle, age, arrow, percent, price_style, volume
from desktop.ui.freshness_text import MEANINGS, freshness_details, freshness_text
from desktop.ui.services_api import QuoteApi

FLASH_S: Final = 0.150


class Column(enum.IntEnum):
    """Columns, in their order."""

    SYMBOL = 0
    LAST = 1
    CHANGE = 2
    CHANGE_PCT = 3
    VOLUME = 4
    BID = 5
    ASK = 6
    AGE = 7


TITLES: Final = ("Symbol", "Last", "Change", "Change %", "Volume", "Bid", "Ask", "Age")
HINTS: Final = (
    "Ticker",
    "Last price",
    "Change since the previous close",
    "Change since the previous close, in percent",
    "Volume of the day",
    "Best price to sell at",
    "Best price to buy at",
    "How long ago the last price was made, and how far it may be trusted",
)
ALIGNED: Final = (Qt.AlignmentFlag.AlignLeft, *(Qt.AlignmentFlag.AlignRight,) * 7)
_UNTRUSTED: Final = (Freshness.CACHED, Freshness.STALE)


def ticker_code(ticker: str, info: TickerInfo | None = None) -> str:
    """A ticker as people write it, with or without its catalogue row: `BTC/USD`, `AAPL`."""
    if info is not None and info.base:
        return info.code
    base, currency = pair_of(ticker)
    if market_of(ticker) is Market.STOCKS or not base or not currency:
        return ticker.split(":", 1)[-1]
    return f"{base}/{currency}"


def currency_of(ticker: str, info: TickerInfo | None = None) -> str:
    """What its price is in; empty when unknown."""
    if info is not None and info.currency:
        return info.currency
    return "" if market_of(ticker) is Market.STOCKS else pair_of(ticker)[1]


@dataclass(slots=True)
class Row:
    """One ticker's cells as they are shown."""

    ticker: str
    code: str
    name: str = ""
    style: PriceStyle | None = None
    is_style_settled: bool = False  # made from the previous close
    texts: tuple[str, ...] = ()
    values: tuple[float | None, ...] = (None,) * len(Column)
    freshness: Freshness = Freshness.CACHED
    seen: Seen | None = None  # origin and times of the price
    direction: int = 0  # of the change since the previous close
    flash: int = 0
    flash_ends_s: float = 0.0

    def read(self, quote: QuoteApi | None, info: TickerInfo | None, now_ms: int, flash_s: float | None) -> bool:
        """Takes the board's values over; False when the row looks the same. flash_s: now, None for no flash."""
        if quote is None:
            self.texts = (self.code, *(NOTHING,) * 7)
            return False
        style = self._style_of(quote, info)
        passed_ms = None if quote.last_ms is None else max(0, now_ms - quote.last_ms)
        before_price, before = self.values[Column.LAST], (self.texts, self.freshness)
        sign, share = arrow(quote.change), percent(quote.change_pct)
        self.values = (
            None,
            quote.last,
            quote.change,
            quote.change_pct,
            quote.day_volume,
            quote.bid,
            quote.ask,
            passed_ms,
        )
        self.texts = (
            self.code,
            style.text(quote.last),
            style.change(quote.change),
            f"{sign} {share}" if sign else share,
            volume(quote.day_volume),
            style.text(quote.bid),
            style.text(quote.ask),
            age(passed_ms),
        )
        self.freshness, self.seen = quote.freshness, quote.seen
        self.direction = _direction(quote.change)
        if flash_s is not None and before_price is not None and quote.last is not None and quote.last != before_price:
            self.flash = 1 if quote.last > before_price else -1
            self.flash_ends_s = flash_s + FLASH_S
            return True
        return before != (self.texts, self.freshness)

    def _style_of(self, quote: QuoteApi, info: TickerInfo | None) -> PriceStyle:
        """One style for a ticker, so that it does not flicker: by the previous close, until then by the first price."""
        if self.style is None or not (self.is_style_settled or quote.prev_close is None):
            sample = quote.last if quote.prev_close is None else quote.prev_close
            style = price_style(sample, market_of(self.ticker), currency_of(self.ticker, info))
            self.is_style_settled = quote.prev_close is not None
            if sample is None:
                return style
            self.style = style
        return self.style

    @property
    def is_untrusted(self) -> bool:
        """Whether the price may have moved on: it is shown without its direction's colour."""
        return self.freshness in _UNTRUSTED

    def tooltip(self, column: Column) -> str:
        """What a cell tells when the pointer rests on it."""
        if column is Column.SYMBOL:
            return f"{self.name}\n{self.ticker}" if self.name else self.ticker
        if column is Column.AGE:
            details = freshness_details(self.freshness, "", self.seen)
            passed_ms = self.values[Column.AGE]
            mark = freshness_text(self.freshness, None if passed_ms is None else round(passed_ms))
            return details.replace(self.freshness.value, mark, 1)
        value = self.values[column]
        if self.style is not None and self.style.folds_zeros and value is not None and column is not Column.CHANGE_PCT:
            return f"{HINTS[column]}: {value:.12f}".rstrip("0")
        return HINTS[column]

    def spoken(self, column: Column) -> str:
        """A cell for a screen reader."""
        text = self.texts[column]
        if column is Column.SYMBOL:
            return f"{text}, {self.name}" if self.name else text
        said = "unknown" if text == NOTHING else text
        if column is Column.AGE:
            return f"{self.code} {self.freshness.value.lower()}, age {said}, {MEANINGS[self.freshness]}"
        return f"{self.code} {TITLES[column].lower()} {said}"


def _direction(change: float | None) -> int:
    if change is None or not math.isfinite(change) or change == 0:
        return 0
    return 1 if change > 0 else -1
