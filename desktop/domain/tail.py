"""The live end of a series: minutes built from trades, second bars and minute bars, rolled up to a timeframe.

Rules: trades (or second bars) build a minute provisionally; the feed's own minute bar replaces it, again when it
is re-sent; minutes from REST replace closed ones. Out-of-order and duplicate events change nothing they should not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

from desktop.domain.aggregation import roll_up
from desktop.domain.bars import Bar, Bars, BarSeries
from desktop.domain.market import Market
from desktop.domain.timeframe import MINUTE_MS, ONE_MINUTE, Timeframe, bucket_end, bucket_start

KEPT_MS: Final = 60 * MINUTE_MS  # of a minute chart, behind the forming bar: corrections within need no call


@dataclass(slots=True)
class _Minute:
    """A minute under construction from parts (trades or second bars)."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float = 0.0
    notional: float = 0.0
    trades: float = 0.0
    first_ms: int = 0
    last_ms: int = 0
    counted_until_ms: int = 0  # volume of what happened before is in already
    seen: set[tuple[int, str]] = field(default_factory=set)

    def bar(self) -> Bar:
        vwap = self.notional / self.volume if self.volume > 0 else math.nan
        return Bar(self.start_ms, self.open, self.high, self.low, self.close, self.volume, vwap, self.trades)

    @classmethod
    def of(cls, bar: Bar, known_until_ms: int) -> _Minute:
        """Goes on from a partial minute bar that holds what happened before `known_until_ms`."""
        minute = cls(bar.start_ms, bar.open, bar.high, bar.low, bar.close)
        minute.volume = 0.0 if math.isnan(bar.volume) else bar.volume
        minute.notional = minute.volume * (bar.close if math.isnan(bar.vwap) else bar.vwap)
        minute.trades = 0.0 if math.isnan(bar.trades) else bar.trades
        minute.first_ms, minute.last_ms, minute.counted_until_ms = bar.start_ms, known_until_ms, known_until_ms
        return minute


class Tail:
    """Minutes since `seeded_from_ms` and the bars of `timeframe` they make.

    Call `seed` first. Each change is answered with the start of the bucket it touched, or None when it changed
    nothing. Minutes before `seeded_from_ms` are not held: `take_outside` names such times (corrections of older bars).
    """

    def __init__(self, timeframe: Timeframe, market: Market) -> None:
        self._timeframe = timeframe
        self._market = market
        self._minutes = BarSeries()
        self._older = Bars.empty()
        self._forming: dict[int, _Minute] = {}
        self._final: set[int] = set()  # minutes the feed's own bar or REST has given
        self._fed: set[int] = set()  # minutes the feed's own bar has given
        self._outside: set[int] = set()
        self._bucket = (0, -1)
        self.seeded_from_ms = 0

    def seed(self, older: Bars, minutes: Bars, seeded_from_ms: int, now_ms: int) -> None:
        """Starts from REST: `older` bars of the base timeframe before `seeded_from_ms`, minutes from there on.

        A minute whose end lies after `now_ms` (market time as of which REST answered) goes on forming.
        """
        self._older = older
        self._minutes.clear()
        self._forming.clear()
        self._final.clear()
        self._fed.clear()
        self.seeded_from_ms = seeded_from_ms
        self.settle(minutes, now_ms)

    def settle(self, minutes: Bars, now_ms: int) -> None:
        """Takes minutes from REST, asked for at `now_ms`: closed ones replace what is held, the open one is joined.

        REST can be behind, so the newest minute of its answer may lack its end: it replaces no bar of the feed's own.
        """
        minutes = minutes.between(self.seeded_from_ms, 1 << 62)
        if len(minutes) and int(minutes.start_ms[-1]) in self._fed:
            minutes = minutes.take(0, len(minutes) - 1)
        open_minute = now_ms - now_ms % MINUTE_MS
        closed = minutes.between(0, open_minute)
        self._minutes.merge(closed)
        for start_ms in closed.start_ms.tolist():
            self._forming.pop(start_ms, None)
            self._final.add(start_ms)
        for bar in (minutes[i] for i in range(len(closed), len(minutes))):
            self._join(bar, now_ms)

    def _join(self, bar: Bar, now_ms: int) -> None:
        if bar.start_ms in self._final:
            return
        partial = _Minute.of(bar, now_ms)
        if (ours := self._forming.get(bar.start_ms)) is not None:
            partial.high, partial.low = max(partial.high, ours.high), min(partial.low, ours.low)
            partial.seen = ours.seen
            if ours.last_ms >= now_ms:
                partial.close, partial.last_ms = ours.close, ours.last_ms
            if ours.volume > partial.volume:
                partial.volume, partial.notional, partial.trades = ours.volume, ours.notional, ours.trades
                partial.counted_until_ms = ours.counted_until_ms
        self._forming[bar.start_ms] = partial
        self._minutes.upsert(partial.bar())

    def trade(self, price: float, size: float, time_ms: int, identity: tuple[int, str] | None = None) -> int | None:
        """One trade; `identity` (exchange, id) drops repeats within its minute."""
        start_ms = time_ms - time_ms % MINUTE_MS
        if start_ms < self.seeded_from_ms or start_ms in self._final:
            return None
        minute = self._forming.get(start_ms)
        if minute is None:
            minute = self._forming[start_ms] = _Minute(start_ms, price, price, price, price)
            minute.first_ms = minute.last_ms = time_ms
        if identity is not None:
            if identity in minute.seen:
                return None
            minute.seen.add(identity)
        return self._part(minute, time_ms, Bar(start_ms, price, price, price, price, size, price, 1.0))

    def second(self, bar: Bar) -> int | None:
        """One second bar, for feeds without trades; its parts count only when newer than what the minute holds."""
        start_ms = bar.start_ms - bar.start_ms % MINUTE_MS
        if start_ms < self.seeded_from_ms or start_ms in self._final:
            return None
        minute = self._forming.get(start_ms)
        if minute is None:
            minute = self._forming[start_ms] = _Minute(start_ms, bar.open, bar.high, bar.low, bar.close)
            minute.first_ms = bar.start_ms
        elif bar.start_ms <= minute.last_ms:
            return None
        return self._part(minute, bar.start_ms, bar)

    def _part(self, minute: _Minute, time_ms: int, part: Bar) -> int:
        minute.high, minute.low = max(minute.high, part.high), min(minute.low, part.low)
        if time_ms < minute.first_ms:
            minute.open, minute.first_ms = part.open, time_ms
        if time_ms >= minute.last_ms:
            minute.close, minute.last_ms = part.close, time_ms
        if time_ms >= minute.counted_until_ms:
            if not math.isnan(part.volume):
                minute.volume += part.volume
                minute.notional += part.volume * (part.close if math.isnan(part.vwap) else part.vwap)
            minute.trades += 1.0 if math.isnan(part.trades) else part.trades
        self._minutes.upsert(minute.bar())
        return self._bucket_of(minute.start_ms)

    def minute(self, bar: Bar) -> int | None:
        """The feed's own minute bar, first or re-sent: it replaces what trades had built."""
        if bar.start_ms < self.seeded_from_ms:
            self._outside.add(bar.start_ms)
            return None
        built = self._forming.pop(bar.start_ms, None)
        if built is not None and math.isnan(bar.trades):
            bar = Bar(
                bar.start_ms, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap, built.trades or math.nan
            )
        self._final.add(bar.start_ms)
        self._fed.add(bar.start_ms)
        change = self._minutes.upsert(bar)
        return None if change.is_nothing and built is None else self._bucket_of(bar.start_ms)

    def take_outside(self) -> set[int]:
        """Starts of minutes that were corrected but lie before what is held; forgets them."""
        outside, self._outside = self._outside, set()
        return outside

    def is_final(self, minute_ms: int) -> bool:
        """Whether the minute was given by the feed's own bar or by REST."""
        return minute_ms in self._final

    def is_fed(self, minute_ms: int) -> bool:
        """Whether the minute was given by the feed's own bar."""
        return minute_ms in self._fed

    @property
    def minutes(self) -> Bars:
        """All minutes held, oldest first."""
        return self._minutes.bars

    def bar(self, start_ms: int) -> Bar | None:
        """The bar of the bucket that starts at `start_ms`, or None when nothing was traded in it."""
        end_ms = bucket_end(start_ms, self._timeframe, self._market)
        bars = self.bars(start_ms, end_ms)
        return bars[0] if len(bars) else None

    def bars(self, from_ms: int, to_ms: int) -> Bars:
        """Bars of the timeframe for whole buckets in [from_ms, to_ms) as far as they are held."""
        minutes = self._minutes.bars.between(max(from_ms, self.seeded_from_ms), to_ms)
        if self._timeframe == ONE_MINUTE:
            return minutes
        base = roll_up(minutes, self._timeframe.base, self._market)
        older = self._older.between(from_ms, min(to_ms, self.seeded_from_ms))
        return roll_up(older.merged(base), self._timeframe, self._market)

    def drop_before(self, keep_from_ms: int) -> None:
        """Forgets minutes of finished buckets to stay small; bars that stay needed become `older` base bars."""
        if keep_from_ms <= self.seeded_from_ms:
            return
        leaving = self._minutes.bars.between(self.seeded_from_ms, keep_from_ms)
        base = roll_up(leaving, self._timeframe.base, self._market)
        bucket_ms = self._bucket_of(keep_from_ms)
        older = self._older.merged(base).between(bucket_ms, keep_from_ms)
        self._older = Bars(older.start_ms.copy(), *(column.copy() for column in older.values()))
        kept = self._minutes.bars.between(keep_from_ms, 1 << 62)
        kept = Bars(kept.start_ms.copy(), *(column.copy() for column in kept.values()))
        self._minutes.clear()
        self._minutes.merge(kept)
        self.seeded_from_ms = keep_from_ms
        self._final = {start_ms for start_ms in self._final if start_ms >= keep_from_ms}
        self._fed = {start_ms for start_ms in self._fed if start_ms >= keep_from_ms}
        self._forming = {start_ms: minute for start_ms, minute in self._forming.items() if start_ms >= keep_from_ms}

    def _bucket_of(self, time_ms: int) -> int:
        """Start of the bucket of `time_ms`; remembers the last one, which nearly every event falls into."""
        start_ms, end_ms = self._bucket
        if not start_ms <= time_ms < end_ms:
            start_ms = bucket_start(time_ms, self._timeframe, self._market)
            self._bucket = (start_ms, bucket_end(start_ms, self._timeframe, self._market))
        return start_ms


def seed_start(now_ms: int, timeframe: Timeframe, market: Market) -> int:
    """From when minutes are needed to build the forming bar: the start of the current base bucket."""
    return bucket_start(now_ms, timeframe.base, market)
