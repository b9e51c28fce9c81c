"""What the recorded stream has told so far: minute bars and the newest trades of each ticker."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Final

from desktop.data.wire_socket import FrameDecoder, MinuteEvent, TradeEvent, ticker_of
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import Market
from desktop.domain.timeframe import MINUTE_MS

_KEPT_MS: Final = 5 * MINUTE_MS  # of trades


@dataclass
class _Heard:
    """Of one ticker."""

    minutes: dict[int, Bar] = field(default_factory=dict)
    trades: deque[tuple[int, float, float]] = field(default_factory=deque)  # time, price, size
    newest_ms: int = 0


class StreamTail:
    """Grows as frames pass; so a REST answer knows what the stream knew at its time."""

    def __init__(self) -> None:
        self._decoder = FrameDecoder()
        self._markets = {market.cluster: market for market in Market}
        self._heard: dict[str, _Heard] = {}

    def clear(self) -> None:
        self._heard.clear()

    def feed(self, cluster: str, frame: bytes) -> None:
        """A frame that passes now."""
        market = self._markets.get(cluster)
        if market is None:
            return
        for event in self._decoder.decode(frame):
            if isinstance(event, MinuteEvent):
                heard = self._of(market, event.symbol)
                prices = (event.open, event.high, event.low, event.close)
                heard.minutes[event.start_ms] = Bar(event.start_ms, *prices, event.volume, event.vwap)
            elif isinstance(event, TradeEvent):
                heard = self._of(market, event.symbol)
                heard.newest_ms = max(heard.newest_ms, event.time_ms)
                heard.trades.append((event.time_ms, event.price, event.size))
                while heard.trades[0][0] < heard.newest_ms - _KEPT_MS:
                    heard.trades.popleft()

    def minutes(self, ticker: str, from_ms: int, to_ms: int) -> Bars:
        """The minute bars that were sent, of starts in the range."""
        heard = self._heard.get(ticker)
        rows = [] if heard is None else [bar for start, bar in heard.minutes.items() if from_ms <= start < to_ms]
        return Bars.from_rows(rows)

    def forming(self, ticker: str, start_ms: int, held: Bar | None, held_ms: int) -> Bar | None:
        """The minute that began at `start_ms`: what REST `held` of it at `held_ms`, and the trades since."""
        heard = self._heard.get(ticker)
        bar = held
        for time_ms, price, size in () if heard is None else heard.trades:
            if not max(start_ms, held_ms + 1) <= time_ms < start_ms + MINUTE_MS:
                continue
            if bar is None:
                bar = Bar(start_ms, price, price, price, price, size)
                continue
            bar = replace(
                bar,
                high=max(bar.high, price),
                low=min(bar.low, price),
                close=price,
                volume=bar.volume + size,
                vwap=math.nan,
                trades=math.nan,
            )
        return bar

    def _of(self, market: Market, symbol: str) -> _Heard:
        return self._heard.setdefault(ticker_of(market, symbol), _Heard())
