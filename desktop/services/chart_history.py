"""What a chart asks of the cache and REST: the first screen, everything up to now, older bars, settled bars."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.data.clock import MarketClock
from desktop.data.market_data import RECHECK_MS, MarketData
from desktop.data.rate_limit import Priority
from desktop.domain.bars import Bars
from desktop.domain.errors import MarketError
from desktop.domain.market import Market, market_of
from desktop.domain.tail import Tail, seed_start
from desktop.domain.timeframe import MINUTE_MS, ONE_MINUTE, Timeframe, bucket_end, bucket_start

_OLDER_BARS = 1500  # bars loaded for one look to the left
_KEPT_MINUTES = 60  # of a minute chart, behind the forming one: corrections within them need no call
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class UpToNow:
    """Bars up to now and a seeded tail behind them; with an `error`, what there is and no tail."""

    bars: Bars
    missing: tuple[Range, ...]
    settled_ms: int
    closed_ms: int = 0
    tail: Tail | None = None
    error: MarketError | None = None


@dataclass(frozen=True, slots=True)
class Older:
    """Bars before those that were held; `is_oldest` when there are none before."""

    bars: Bars
    missing: tuple[Range, ...]
    is_oldest: bool
    error: MarketError | None


class ChartHistory:
    """The REST side of one series. Times Unix ms UTC; everything may raise MarketError."""

    def __init__(
        self, market_data: MarketData, clock: MarketClock, ticker: str, timeframe: Timeframe, first_bars: int
    ) -> None:
        self._market_data = market_data
        self._clock = clock
        self._ticker = ticker
        self._timeframe = timeframe
        self._market = market_of(ticker)
        self._first_bars = first_bars

    async def cached(self) -> Bars:
        """The first screen from the cache alone."""
        from_ms, to_ms = self._first_range()
        answer = await self._market_data.bars(self._ticker, self._timeframe, from_ms, to_ms, offline=True)
        return answer.bars

    async def up_to_now(self, held_ms: int | None, settled_ms: int) -> UpToNow:
        """From the last settled bar (or the first screen) to now, and the minutes the forming bar is built from."""
        from_ms, to_ms = self._first_range()
        if held_ms is not None and settled_ms:
            from_ms = bucket_start(min(held_ms, settled_ms), self._timeframe, self._market)
        asked_ms = self._clock.now_ms()
        answer = await self._market_data.bars(self._ticker, self._timeframe, from_ms, to_ms, max_age_ms=0)
        as_of_ms = (asked_ms + self._clock.now_ms()) // 2  # when the server looked, as near as can be told
        settled_ms = max(settled_ms, answer.settled_until_ms or from_ms)
        if answer.error is not None:
            return UpToNow(answer.bars, answer.missing, settled_ms, error=answer.error)
        bucket_ms = bucket_start(asked_ms, self._timeframe, self._market)
        tail, older = Tail(self._timeframe, self._market), Bars.empty()
        if self._timeframe == ONE_MINUTE:
            seeded_ms = asked_ms - asked_ms % MINUTE_MS - _KEPT_MINUTES * MINUTE_MS
            minutes = answer.bars.between(seeded_ms, to_ms)
        elif self._timeframe.base == ONE_MINUTE:
            seeded_ms = bucket_ms
            minutes = await self._bars_of(ONE_MINUTE, seeded_ms, to_ms)  # just fetched: no call
        else:
            seeded_ms = seed_start(asked_ms, self._timeframe, self._market)
            older = await self._bars_of(self._timeframe.base, bucket_ms, seeded_ms)  # no call either
            asked_ms = self._clock.now_ms()
            minutes = await self._bars_of(ONE_MINUTE, seeded_ms, asked_ms + 1, max_age_ms=0)
            as_of_ms = (asked_ms + self._clock.now_ms()) // 2
        tail.seed(older, minutes, seeded_ms, as_of_ms)
        closed_ms = bucket_start(asked_ms, self._timeframe, self._market)
        return UpToNow(answer.bars, answer.missing, settled_ms, closed_ms, tail)

    async def older(self, first_ms: int) -> Older:
        """One look to the left of `first_ms`."""
        span_ms = _OLDER_BARS * self._timeframe.typical_ms
        from_ms = bucket_start(max(0, first_ms - span_ms), self._timeframe, self._market)
        answer = await self._market_data.bars(self._ticker, self._timeframe, from_ms, first_ms)
        history_ms = await self._market_data.history_start_ms(self._ticker)
        oldest_ms = max(answer.oldest_ms or 0, history_ms or first_ms)
        is_oldest = answer.error is None and from_ms <= oldest_ms
        return Older(answer.bars, answer.missing, is_oldest, answer.error)

    async def since(self, settled_ms: int, now_ms: int) -> tuple[Bars, int]:
        """REST's word on everything since the last settled bar, and until when it is settled now."""
        from_ms = bucket_start(settled_ms or now_ms, self._timeframe, self._market)
        answer = await self._market_data.bars(
            self._ticker, self._timeframe, from_ms, now_ms + 1, priority=Priority.GAP, max_age_ms=0
        )
        if answer.error is not None:
            raise answer.error
        return answer.bars, max(settled_ms, answer.settled_until_ms or 0)

    async def buckets(self, from_ms: int, to_ms: int) -> Bars:
        """The whole buckets that touch [from_ms, to_ms), asked for anew."""
        first_ms = bucket_start(from_ms, self._timeframe, self._market)
        last_ms = bucket_start(to_ms - 1, self._timeframe, self._market)
        end_ms = bucket_end(last_ms, self._timeframe, self._market)
        answer = await self._market_data.bars(
            self._ticker, self._timeframe, first_ms, end_ms, priority=Priority.GAP, max_age_ms=0
        )
        return answer.bars

    def _first_range(self) -> Range:
        now_ms = self._clock.now_ms()
        span_ms = self._first_bars * self._timeframe.typical_ms
        if self._market is Market.STOCKS:
            span_ms = span_ms * 7 // 4  # nights and weekends hold no bars
        return bucket_start(max(0, now_ms - span_ms), self._timeframe, self._market), now_ms + 1

    async def _bars_of(self, timeframe: Timeframe, from_ms: int, to_ms: int, max_age_ms: int = RECHECK_MS) -> Bars:
        if from_ms >= to_ms:
            return Bars.empty()
        answer = await self._market_data.bars(self._ticker, timeframe, from_ms, to_ms, max_age_ms=max_age_ms)
        if answer.error is not None:
            raise answer.error
        return answer.bars
