"""The synthetic market by the minute, in whole numbers: prices in ticks, volumes in lots, their products.

A minute's bar is drawn from its hash, and its notional follows from a rule that the trades of the minute realise
exactly (see market_trades): the first trade is at the open, one each at high and low, the last at the close, and the
others balance about the middle of high and low.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from desktop.demo.columns import Columns
from desktop.demo.market_catalogue import Listing
from desktop.demo.market_days import Plan
from desktop.demo.market_hash import Hashes, hashes, lanes8, lanes16, normals
from desktop.demo.market_profiles import PROFILES
from desktop.domain.bars import Bars, Floats, Ints
from desktop.domain.market import Market
from desktop.domain.timeframe import MINUTE_MS

_LOWEST_SHARE: Final = 0.2  # of the lower end of the day that no price inside it falls below
_ABOVE_ALL: Final = 1 << 62
_WICK: Final = 1.6  # longest wick in deviations of a minute's change
_JITTER: Final = 0.002  # per 1/256: by how much open and close miss the path, in the same deviations


@dataclass(frozen=True, slots=True)
class Ticks(Columns):
    """Bars in whole numbers: columns of equal shape, `trades` 0 where there is no bar.

    Prices in ticks, volume in lots, notional in ticks times lots.
    """

    start_ms: Ints
    open: Ints
    high: Ints
    low: Ints
    close: Ints
    volume: Ints
    notional: Ints
    trades: Ints

    @classmethod
    def empty(cls) -> Self:
        return cls(*(np.empty(0, np.int64) for _ in range(8)))

    def take_row(self, row: int) -> Ticks:
        """One row of bars in two dimensions, copied, so that the others can be forgotten."""
        return Ticks(*(column[row].copy() for column in self.columns()))

    def summed(self, starts: Ints) -> Ticks:
        """Bars with trades, in one dimension: neighbours of equal `starts` as one that starts there."""
        if not len(self):
            return self
        first = np.flatnonzero(np.append(True, starts[1:] != starts[:-1]))
        last = np.append(first[1:], len(starts)) - 1
        return Ticks(
            starts[first],
            self.open[first],
            np.maximum.reduceat(self.high, first),
            np.minimum.reduceat(self.low, first),
            self.close[last],
            np.add.reduceat(self.volume, first),
            np.add.reduceat(self.notional, first),
            np.add.reduceat(self.trades, first),
        )

    def traded(self) -> Ticks:
        """In one dimension, without the minutes that have no trade."""
        held = self.trades > 0
        if held.all():
            return Ticks(*(column.reshape(-1) for column in self.columns()))
        return Ticks(*(column[held] for column in self.columns()))

    def grouped(self, size: int) -> Ticks:
        """Each `size` neighbours of the last axis as one, at the start of the first; shape (…, count / size)."""
        shape = (*self.start_ms.shape[:-1], -1, size)
        start_ms, open_, high, low, close, volume, notional, trades = (c.reshape(shape) for c in self.columns())
        held = trades > 0
        if held.all():
            opens, closes = open_[..., 0], close[..., -1]
        else:
            first = held.argmax(axis=-1)[..., None]
            last = size - 1 - held[..., ::-1].argmax(axis=-1)[..., None]
            opens = np.take_along_axis(open_, first, axis=-1)[..., 0]
            closes = np.take_along_axis(close, last, axis=-1)[..., 0]
            high, low = np.where(held, high, 0), np.where(held, low, _ABOVE_ALL)
        return Ticks(
            start_ms[..., 0],
            opens,
            high.max(axis=-1),
            low.min(axis=-1),
            closes,
            volume.sum(axis=-1),
            notional.sum(axis=-1),
            trades.sum(axis=-1),
        )

    def as_bars(self, listing: Listing, scale: int) -> Bars:
        """As floats; `scale` 1 gives prices after the last split, see Listing.scale_at for others."""
        price, lot = listing.tick_divisor, listing.lot
        vwap = self.notional / self.volume / price
        return Bars(
            self.start_ms,
            self.open / price * scale,
            self.high / price * scale,
            self.low / price * scale,
            self.close / price * scale,
            self.volume * lot / scale,
            vwap * scale,
            self.trades.astype(np.float64),
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """What a minute's trades are made of: columns of equal shape, in ticks and lots."""

    first_size: Ints
    high_size: Ints
    low_size: Ints
    last_size: Ints
    has_high: NDArray[np.bool_]  # a trade of its own at the high
    has_low: NDArray[np.bool_]
    others: Ints  # number of trades between
    others_size: Ints  # and the sum of their sizes


class Minutes:
    """Draws the minutes of one ticker."""

    def __init__(self, listing: Listing, key: int) -> None:
        self._listing = listing
        self._profiles = PROFILES[listing.market]
        keys = hashes(key, np.arange(8, dtype=np.int64)).tolist()
        self._path_key, self._shape_key, self._size_key, self.trade_key, self.pair_key, self.order_key = keys[:6]
        self._minute_index = np.arange(self._profiles.minutes, dtype=np.int64)

    def of_days(self, plan: Plan, rows: Ints) -> Ticks:
        """The days `rows` of `plan`, which must have sessions: shape (days, minutes of the session)."""
        session = plan.session[rows]
        first = plan.first_minute_ms[rows] // MINUTE_MS
        minute = first[:, None] + self._minute_index
        path, deviation = self._path(plan, rows, session, minute)
        hashed = hashes(self._size_key, minute)
        jitter = lanes8(hashed)
        count, up, down = self._counts_and_wicks(plan, rows, session, minute, deviation)
        scaled = deviation * _JITTER
        opens = self._rounded(path[:, :-1], jitter[0], scaled)
        closes = self._rounded(path[:, 1:], jitter[1], scaled)
        np.copyto(closes, opens, where=count == 1)
        parts = self._parts(minute, hashed, count)
        high = np.maximum(opens, closes) + up * parts.has_high
        low = np.minimum(opens, closes) - down * parts.has_low
        np.maximum(low, 1, out=low)
        volume = parts.first_size + parts.high_size + parts.low_size + parts.last_size + parts.others_size
        notional = high + low
        notional >>= 1
        notional *= parts.others_size
        for price, size in (
            (opens, parts.first_size),
            (high, parts.high_size),
            (low, parts.low_size),
            (closes, parts.last_size),
        ):
            notional += price * size
        return Ticks(minute * MINUTE_MS, opens, high, low, closes, volume, notional, count)

    def parts(self, minute: Ints, count: Ints) -> Parts:
        """Sizes and kinds of the `count` trades of each `minute` (since the epoch)."""
        return self._parts(minute, hashes(self._size_key, minute), count)

    def _parts(self, minute: Ints, hashed: Hashes, count: Ints) -> Parts:
        others = np.maximum(count - 4, 0)
        is_four = count >= 4
        is_three = count == 3
        lanes = lanes8(hashed)
        side = (lanes[7] & 1).astype(np.bool_)
        has_high, has_low = is_four | (is_three & side), is_four | (is_three & ~side)
        held = [count > 0, has_high, has_low, count > 1]
        if self._listing.market is Market.FOREX:  # quotes: each counts one
            first, high, low, last = (flag.astype(np.int64) for flag in held)
            return Parts(first, high, low, last, has_high, has_low, others, others)
        share = lanes16(hashed)[1] * 2.0**-16
        share *= share
        share *= share
        share *= 3.75 * self._listing.average_lots
        share += 0.25 * self._listing.average_lots + 1.0
        average = share.astype(np.int64)
        first, high, low, last = (_size(average, lanes[4 + i], flag) for i, flag in enumerate(held))
        return Parts(first, high, low, last, has_high, has_low, others, others * average)

    def _path(self, plan: Plan, rows: Ints, session: Ints, minute: Ints) -> tuple[Floats, Floats]:
        """Prices at the minutes' edges (days, minutes + 1) and the deviations of their changes, in ticks."""
        amplitude = plan.amplitude[rows, None]
        deviation = self._profiles.deviation[session]
        moves = normals(hashes(self._path_key, minute))
        moves *= deviation
        moved = np.cumsum(moves, axis=1)
        begin, end = plan.open[rows, None], plan.close[rows, None]
        slope = end - begin - amplitude * moved[:, -1:]
        path = np.empty((len(rows), minute.shape[1] + 1))
        path[:, :1] = begin
        moved *= amplitude
        moved += self._profiles.share[session] * slope
        np.add(moved, begin, out=path[:, 1:])
        np.maximum(path, np.minimum(begin, end) * _LOWEST_SHARE, out=path)
        return path, deviation * amplitude

    def _counts_and_wicks(
        self, plan: Plan, rows: Ints, session: Ints, minute: Ints, deviation: Floats
    ) -> tuple[Ints, Ints, Ints]:
        """Number of trades, and how far high and low reach beyond open and close where they do."""
        burst, chance, up, down = lanes16(hashes(self._shape_key, minute))
        level = self._profiles.activity[session] * plan.rate[rows, None]
        share = burst * 2.0**-16
        expected = share * share
        expected *= share
        expected *= 2.4
        expected += 0.4
        expected *= level
        expected += chance * 2.0**-16
        wick = deviation * (_WICK * 2.0**-32)
        squares = [np.square(lane, dtype=np.float64) for lane in (up, down)]
        return (
            expected.astype(np.int64),
            (squares[0] * wick).astype(np.int64),
            (squares[1] * wick).astype(np.int64),
        )

    @staticmethod
    def _rounded(path: Floats, jitter: NDArray[np.uint8], scale: Floats) -> Ints:
        prices = jitter - 127.5
        prices *= scale
        prices += path
        np.rint(prices, out=prices)
        np.maximum(prices, 1.0, out=prices)
        return prices.astype(np.int64)


def _size(average: Ints, lane: NDArray[np.uint8], is_held: NDArray[np.bool_]) -> Ints:
    """One to about twice the average, where there is such a trade."""
    size: Ints = average * lane
    size >>= 7
    size += 1
    size *= is_held
    return size
