"""What a chart asks of the cache and REST: the first screen, everything up to now, older bars, settled bars."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from desktop.data.clock import MarketClock
from desktop.data.market_data import BEGINNING_MS, RECHECK_MS, Answer, MarketData
from desktop.data.rate_limit import Priority
from desktop.data.rest import one_call_ms
from desktop.domain.bars import Bars, Ints
from desktop.domain.errors import MarketError, NotInPlan
from desktop.domain.market import Market, market_of
from desktop.domain.tail import KEPT_MS, Tail, seed_start
from desktop.domain.timeframe import DAY_MS, MINUTE_MS, ONE_DAY, ONE_MINUTE, Timeframe, bucket_end, bucket_start

_OLDER_BARS = 1500  # bars loaded for one look to the left
_EARLIER_MS = 30 * DAY_MS  # of bars below a day: a full page takes longer than a first screen may
_FEW_BARS = 20  # fewer than this on the first screen: it begins earlier
BEHIND_MS = 5 * MINUTE_MS  # REST's newest minutes can be missing for so long
Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """REST's and the cache's word on the whole buckets of [from_ms, to_ms)."""

    bars: Bars
    asked: Range
    missing: tuple[Range, ...] = ()
    settled_ms: int = 0  # bars of the range that end by then will not change any more
    error: MarketError | None = None  # why something is missing
    fetched_ms: int | None = None  # when the newest part came from the vendor

    def gone_from(self, held: Bars, timeframe: Timeframe, market: Market) -> Ints:
        """Starts of the bars held that the vendor, by its settled word, does not have (any more)."""
        starts = held.between(self.asked[0], min(self.asked[1], self.settled_ms)).start_ms
        gone = np.setdiff1d(starts, self.bars.start_ms, assume_unique=True)
        for start_ms, end_ms in self.missing:
            gone = gone[(gone < start_ms) | (gone >= end_ms)]
        # A bucket that is settled in part only is still being built.
        ends = [bucket_end(start_ms, timeframe, market) for start_ms in gone.tolist()]
        return gone[np.array(ends, np.int64) <= self.settled_ms]


@dataclass(frozen=True, slots=True)
class Seed:
    """What the forming bar goes on from: a tail, as of when it was asked for, and the newest minute in it."""

    tail: Tail
    closed_ms: int
    asked_ms: int
    newest_minute_ms: int | None


def _one(earlier: Found, later: Found) -> Found:
    """Two neighbours as one."""
    return replace(
        later,
        bars=earlier.bars.merged(later.bars),
        asked=(earlier.asked[0], later.asked[1]),
        missing=(*earlier.missing, *later.missing),
        settled_ms=later.settled_ms if later.settled_ms > later.asked[0] else earlier.settled_ms,
        error=later.error or earlier.error,
    )


class ChartHistory:
    """The REST side of one series. Times Unix ms UTC; everything may raise MarketError."""

    def __init__(
        self, market_data: MarketData, clock: MarketClock, ticker: str, timeframe: Timeframe, first_bars: int
    ) -> None:
        self._market_data = market_data
        self.clock = clock
        self._ticker = ticker
        self.timeframe = timeframe
        self.market = market_of(ticker)
        self._first_bars = first_bars
        # Who asks for two bars does not want a month because one of them is missing.
        self._few_bars = _FEW_BARS if first_bars > _FEW_BARS else 0

    async def cached(self) -> Found:
        """The first screen from the cache alone."""
        found = await self._ask(*self._first_range(), offline=True)
        if len(found.bars) >= self._few_bars:
            return found
        with suppress(MarketError):  # nothing of it is cached
            earlier = await self._earlier(found, offline=True)
            from_ms = max([earlier.asked[0], *(end_ms for _, end_ms in earlier.missing)])
            if from_ms < found.asked[0]:
                bars = earlier.bars.between(from_ms, found.asked[0])
                return _one(replace(earlier, bars=bars, asked=(from_ms, found.asked[0]), missing=()), found)
        return found

    async def up_to_now(self, held_ms: int | None, settled_ms: int) -> tuple[Found, Seed | None]:
        """From the last settled bar (or the first screen) to now, and what the forming bar is built from.

        There is no seed when something is missing, except what is older than all the plan has.
        """
        from_ms, to_ms = self._first_range()
        if held_ms is not None and settled_ms:
            from_ms = bucket_start(min(held_ms, settled_ms), self.timeframe, self.market)
        asked_ms = self.clock.now_ms()
        answer = await self._market_data.bars(self._ticker, self.timeframe, from_ms, to_ms, max_age_ms=0)
        found = self._found((from_ms, to_ms), answer)
        if self._is_only_too_old(answer):
            found = replace(found, error=None)  # the end of the series is there
        if held_ms is None and found.error is None and len(found.bars) < self._few_bars:
            found = _one(await self._earlier(found), found)
        as_of_ms = (asked_ms + self.clock.now_ms()) // 2  # when the server looked, as near as can be told
        if found.error is not None:
            return found, None
        # Minutes that REST may be behind with belong to these buckets: the tail brings them.
        lagging_ms = asked_ms - BEHIND_MS
        bucket_ms = bucket_start(lagging_ms, self.timeframe, self.market)
        tail, older = Tail(self.timeframe, self.market), Bars.empty()
        if self.timeframe == ONE_MINUTE:
            seeded_ms = asked_ms - asked_ms % MINUTE_MS - KEPT_MS
            minutes = found.bars.between(seeded_ms, to_ms)
        elif self.timeframe.base == ONE_MINUTE:
            seeded_ms = bucket_ms
            minutes = await self._bars_of(ONE_MINUTE, seeded_ms, to_ms)  # just fetched: no call
        else:
            seeded_ms = seed_start(lagging_ms, self.timeframe, self.market)
            older = await self._bars_of(self.timeframe.base, bucket_ms, seeded_ms)  # no call either
            asked_ms = self.clock.now_ms()
            minutes = await self.minutes(seeded_ms, asked_ms + 1)
            as_of_ms = (asked_ms + self.clock.now_ms()) // 2
        tail.seed(older, minutes, seeded_ms, as_of_ms)
        closed_ms = bucket_start(asked_ms, self.timeframe, self.market)
        newest_ms = int(minutes.start_ms[-1]) if len(minutes) else None
        return found, Seed(tail, closed_ms, asked_ms, newest_ms)

    async def _earlier(self, found: Found, *, offline: bool = False) -> Found:
        """As much of what lies before as one call gives: where a market was closed or trades seldom."""
        span_ms = one_call_ms(self.timeframe.base, self.market)
        if self.timeframe.base != ONE_DAY:
            span_ms = min(span_ms, _EARLIER_MS)
        first_ms = bucket_start(found.asked[0] - span_ms, self.timeframe, self.market)
        asked = (max(first_ms, BEGINNING_MS), found.asked[0])
        answer = await self._market_data.bars(self._ticker, self.timeframe, *asked, offline=offline)
        earlier = self._found(asked, answer)
        return replace(earlier, error=None) if self._is_only_too_old(answer) else earlier

    async def minutes(self, from_ms: int, to_ms: int) -> Bars:
        """Minute bars, asked for anew as far as they are not settled. Raises when some are missing."""
        return await self._bars_of(ONE_MINUTE, from_ms, to_ms, max_age_ms=0)

    async def older(self, first_ms: int) -> tuple[Found, bool]:
        """One look to the left of `first_ms`, and whether there is nothing before it."""
        span_ms = _OLDER_BARS * self.timeframe.typical_ms
        from_ms = bucket_start(max(0, first_ms - span_ms), self.timeframe, self.market)
        answer = await self._market_data.bars(self._ticker, self.timeframe, from_ms, first_ms)
        history_ms = await self._market_data.history_start_ms(self._ticker)
        oldest_ms = max(answer.oldest_ms or 0, history_ms or first_ms)
        return self._found((from_ms, first_ms), answer), answer.error is None and from_ms <= oldest_ms

    async def since(self, settled_ms: int, now_ms: int) -> Found:
        """REST's word on everything since the last settled bar."""
        from_ms = bucket_start(settled_ms or now_ms, self.timeframe, self.market)
        return await self._ask(from_ms, now_ms + 1, priority=Priority.GAP, max_age_ms=0)

    async def buckets(self, from_ms: int, to_ms: int, *, offline: bool = False, max_age_ms: int = 0) -> Found:
        """The whole buckets that touch [from_ms, to_ms)."""
        first_ms = bucket_start(from_ms, self.timeframe, self.market)
        last_ms = bucket_start(to_ms - 1, self.timeframe, self.market)
        end_ms = bucket_end(last_ms, self.timeframe, self.market)
        return await self._ask(first_ms, end_ms, priority=Priority.GAP, max_age_ms=max_age_ms, offline=offline)

    async def recheck(self, from_ms: int, to_ms: int) -> list[Range]:
        """Asks again about what is old of [from_ms, to_ms); answers what turned out different."""
        return await self._market_data.recheck(self._ticker, self.timeframe, from_ms, to_ms)

    async def _ask(self, from_ms: int, to_ms: int, **how: Any) -> Found:
        answer = await self._market_data.bars(self._ticker, self.timeframe, from_ms, to_ms, **how)
        return self._found((from_ms, to_ms), answer)

    def _is_only_too_old(self, answer: Answer) -> bool:
        if not isinstance(answer.error, NotInPlan) or answer.oldest_ms is None:
            return False
        oldest_end_ms = bucket_end(
            bucket_start(answer.oldest_ms, self.timeframe, self.market), self.timeframe, self.market
        )
        return all(end_ms <= oldest_end_ms for _start_ms, end_ms in answer.missing)

    def _found(self, asked: Range, answer: Answer) -> Found:
        settled_ms = answer.settled_until_ms or asked[0]
        return Found(answer.bars, asked, answer.missing, settled_ms, answer.error, answer.fetched_ms)

    def _first_range(self) -> Range:
        now_ms = self.clock.now_ms()
        span_ms = self._first_bars * self.timeframe.typical_ms
        if self.market is Market.STOCKS:
            span_ms = span_ms * 7 // 4  # nights and weekends hold no bars
        return bucket_start(max(0, now_ms - span_ms), self.timeframe, self.market), now_ms + 1

    async def _bars_of(self, timeframe: Timeframe, from_ms: int, to_ms: int, max_age_ms: int = RECHECK_MS) -> Bars:
        if from_ms >= to_ms:
            return Bars.empty()
        answer = await self._market_data.bars(self._ticker, timeframe, from_ms, to_ms, max_age_ms=max_age_ms)
        if answer.error is not None:
            raise answer.error
        return answer.bars
