"""The trades (for currencies: quotes) inside the synthetic market's minutes, realising their bars exactly.

The trades between the ones at open, high, low and close come in pairs whose notional is the middle price times their
size: one above it by d*a with size k*b and one below it by d*b with size k*a. One or two at the middle take the rest.
The pairs fill the time from open over the extremes to close in the order of a path, so that neighbours are near.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from desktop.demo.columns import Columns
from desktop.demo.market_catalogue import Listing
from desktop.demo.market_hash import hashes, lanes16
from desktop.demo.market_minutes import Minutes, Parts, Ticks
from desktop.demo.source import Quotes, Trades
from desktop.domain.bars import Floats, Ints
from desktop.domain.market import Market
from desktop.domain.timeframe import MINUTE_MS

MOST_PER_MINUTE: Final = 1 << 14
_INDEX_BITS: Final = 14
_VALUE_BITS: Final = 24
_LARGEST_VALUE: Final = (1 << _VALUE_BITS) - 1
_MEAN_GAP: Final = 21_845  # of the square of a 16-bit number, in units of 2^16
_ABOVE: Final = np.array([1, 1, 2, 1])  # a, by two bits of a pair's hash
_BELOW: Final = np.array([1, 2, 1, 1])  # b
_CRYPTO_EXCHANGES: Final = np.array([1, 1, 1, 23, 23, 2, 6, 1])  # Coinbase, Kraken, Bitfinex, Bitstamp
_STOCK_EXCHANGES: Final = np.array([4, 4, 12, 12, 10, 11, 15, 4])
_PATH_NOISE: Final = 0.3 / 65_536  # of the minute's range


@dataclass(frozen=True, slots=True)
class Events(Columns):
    """Trades in whole numbers, in time order: columns of equal length; `is_buy` tells who was the taker."""

    time_ms: Ints
    price: Ints
    size: Ints
    id: Ints
    is_buy: NDArray[np.bool_]
    venue: NDArray[np.uint16]
    spread: NDArray[np.uint16]

    @classmethod
    def empty(cls) -> Self:
        ints, lanes = np.empty(0, np.int64), np.empty(0, np.uint16)
        return cls(ints, ints, ints, ints, np.empty(0, np.bool_), lanes, lanes)

    def grouped(self, length_ms: int) -> Ticks:
        """Bars of `length_ms` counted from the epoch."""
        ones = np.ones(len(self), np.int64)
        price, size = self.price, self.size
        return Ticks(self.time_ms, price, price, price, price, size, price * size, ones).summed(
            self.time_ms - self.time_ms % length_ms
        )

    def as_trades(self, listing: Listing, scale: int) -> Trades:
        """As the exchange reports them; `scale` as Ticks.as_bars."""
        if listing.market is Market.STOCKS:
            condition, exchange = np.zeros(len(self), np.int64), _STOCK_EXCHANGES[self.venue & 7]
        else:
            condition, exchange = self.is_buy + 1, _CRYPTO_EXCHANGES[self.venue & 7]
        return Trades(
            self.time_ms,
            self.price / listing.tick_divisor * scale,
            self.size * listing.lot / scale,
            exchange,
            condition,
            self.id,
        )

    def as_quotes(self, listing: Listing, scale: int) -> Quotes:
        """The best bid and ask each trade met; for currencies the quotes themselves, whose bids make the bars."""
        width = 1 + ((self.price * self.spread) >> 29)
        is_forex = listing.market is Market.FOREX
        bid = self.price if is_forex else np.where(self.is_buy, np.maximum(self.price - width, 1), self.price)
        ask = self.price + width if is_forex else np.where(self.is_buy, self.price, self.price + width)
        return Quotes(
            self.time_ms,
            bid / listing.tick_divisor * scale,
            self._offered(listing, scale, 3),
            ask / listing.tick_divisor * scale,
            self._offered(listing, scale, 7),
        )

    def _offered(self, listing: Listing, scale: int, shift: int) -> Floats:
        if listing.market is Market.FOREX:
            return np.full(len(self), np.nan)
        lots = 1 + int(listing.average_lots) * (1 + ((self.venue >> shift) & 31).astype(np.int64)) // 4
        sizes: Floats = lots * listing.lot / scale
        return sizes


def trades_of(minutes: Minutes, bars: Ticks) -> Events:
    """The trades of minute bars (in one dimension, each with trades) that `minutes` has drawn."""
    minute = bars.start_ms // MINUTE_MS
    count = bars.trades
    begin = np.cumsum(count) - count
    bar = np.repeat(np.arange(len(minute)), count)
    index = np.arange(len(bar)) - begin[bar]
    ids = minute[bar] * MOST_PER_MINUTE + index
    gap, noise, venue, spread = lanes16(hashes(minutes.trade_key, ids))
    parts = minutes.parts(minute, count)

    price, size = np.empty((2, len(bar)), np.int64)
    price[begin], size[begin] = bars.open, parts.first_size
    several = count > 1
    last = (begin + count - 1)[several]
    price[last], size[last] = bars.close[several], parts.last_size[several]

    order = lanes16(hashes(minutes.order_key, minute))
    between = np.flatnonzero((index > 0) & (index < count[bar] - 1))
    if len(between):
        owner, prices, sizes, local = _between(minutes, bars, minute, parts, order[3])
        by_price = np.argsort(_sort_key(owner, prices - bars.low[owner], local))
        path = _path(bars, order, bar[between], index[between], noise[between])
        by_path = np.argsort(_sort_key(bar[between], path, index[between]))
        price[between[by_path]], size[between[by_path]] = prices[by_price], sizes[by_price]

    return Events(
        _times(bars.start_ms, bar, begin, count, gap),
        price,
        size,
        ids,
        _taker_buys(price, index, venue),
        venue,
        spread,
    )


def _times(start_ms: Ints, bar: Ints, begin: Ints, count: Ints, gap: NDArray[np.uint16]) -> Ints:
    """Clustered times inside each minute, never decreasing."""
    gaps = gap.astype(np.int64)
    gaps = 1 + (gaps * gaps >> 16)
    passed = np.cumsum(gaps)
    before = passed[begin] - gaps[begin]
    whole = passed[begin + count - 1] - before + _MEAN_GAP
    times: Ints = start_ms[bar] + (passed - before[bar]) * MINUTE_MS // whole[bar]
    return times


def _between(
    minutes: Minutes, bars: Ticks, minute: Ints, parts: Parts, chance: NDArray[np.uint16]
) -> tuple[Ints, Ints, Ints, Ints]:
    """The trades that are neither first nor last: index of their bar, price, size, number within the bar."""
    highs, lows = np.flatnonzero(parts.has_high), np.flatnonzero(parts.has_low)
    middle = (bars.high + bars.low) >> 1
    pairs = np.maximum(parts.others - 1, 0) >> 1
    rests = parts.others - 2 * pairs  # at the middle: none, one or two
    owner, a, b, step, unit, number = _pairs(minutes, bars, minute, parts, middle, pairs, rests)

    used = np.bincount(owner, unit * (a + b), len(minute)).astype(np.int64)  # exact: far below 2^53
    left = parts.others_size - used
    ones, twos = np.flatnonzero(rests), np.flatnonzero(rests == 2)
    second = np.zeros(len(minute), np.int64)
    second[twos] = 1 + ((left[twos] - 2) * chance[twos] >> 16)
    pieces = [
        (highs, bars.high[highs], parts.high_size[highs], np.zeros(len(highs), np.int64)),
        (lows, bars.low[lows], parts.low_size[lows], np.full(len(lows), 1)),
        (ones, middle[ones], (left - second)[ones], np.full(len(ones), 2)),
        (twos, middle[twos], second[twos], np.full(len(twos), 3)),
        (owner, middle[owner] + step * a, unit * b, 4 + 2 * number),
        (owner, middle[owner] - step * b, unit * a, 5 + 2 * number),
    ]
    owners, prices, sizes, numbers = (np.concatenate(columns) for columns in zip(*pieces, strict=True))
    return owners, prices, sizes, numbers


def _pairs(
    minutes: Minutes, bars: Ticks, minute: Ints, parts: Parts, middle: Ints, pairs: Ints, rests: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    """For each pair: index of its bar, a, b, d, k (see the module), its number within the bar."""
    owner = np.repeat(np.arange(len(minute)), pairs)
    number = np.arange(len(owner)) - (np.cumsum(pairs) - pairs)[owner]
    weight, kind, distance, _ = lanes16(hashes(minutes.pair_key, minute[owner] * MOST_PER_MINUTE + number))
    weights = weight.astype(np.int64)
    weights = 1 + (weights * weights >> 16)
    whole = np.bincount(owner, weights, len(minute)).astype(np.int64) + rests * _MEAN_GAP
    extra = parts.others_size - parts.others  # beyond one lot each
    size = 2 + extra[owner] * weights // whole[owner]
    kind = np.where(size > 2, kind & 3, 0)
    a, b = _ABOVE[kind], _BELOW[kind]
    room = np.minimum((bars.high - middle)[owner] // a, (middle - bars.low)[owner] // b)
    return owner, a, b, (room + 1) * distance >> 16, size // (a + b), number


def _path(bars: Ticks, order: list[NDArray[np.uint16]], bar: Ints, index: Ints, noise: NDArray[np.uint16]) -> Ints:
    """Where between low and high the price is about at each trade: from open over both extremes to close."""
    first, second = (0.1 + 0.8 / 65_536 * pick(order[0], order[1]) for pick in (np.minimum, np.maximum))
    second = second + 0.01
    is_high_first = order[2] & 1 == 1
    early = np.where(is_high_first, bars.high, bars.low)
    late = np.where(is_high_first, bars.low, bars.high)
    at = index / (bars.trades[bar] - 1)
    t1, t2, e1, e2 = first[bar], second[bar], early[bar], late[bar]
    opens, closes = bars.open[bar], bars.close[bar]
    value = np.where(
        at < t1,
        opens + (e1 - opens) * (at / t1),
        np.where(at < t2, e1 + (e2 - e1) * ((at - t1) / (t2 - t1)), e2 + (closes - e2) * ((at - t2) / (1.0 - t2))),
    )
    value += (noise - 32_768.0) * _PATH_NOISE * (bars.high - bars.low)[bar]
    path: Ints = (value - bars.low[bar]).astype(np.int64)
    return path


def _sort_key(bar: Ints, value: Ints, number: Ints) -> Ints:
    """Sorts by bar, then value, then number: all different, so that any sort gives the same order."""
    bounded = np.clip(value, 0, _LARGEST_VALUE)
    key: Ints = (bar << (_INDEX_BITS + _VALUE_BITS)) | (bounded << _INDEX_BITS) | number
    return key


def _taker_buys(price: Ints, index: Ints, venue: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """The taker bought where the price rose, sold where it fell; else by chance."""
    change = np.diff(price, prepend=price[:1])
    return np.where((change == 0) | (index == 0), venue & 0x8000 != 0, change > 0)
