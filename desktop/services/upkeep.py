"""What is asked of REST while a series is shown: bars to settle, minutes that it was behind with, lost ranges."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from desktop.data.ledger import settled_until
from desktop.domain.coverage import SETTLE_MS
from desktop.domain.timeframe import ONE_MINUTE, bucket_start
from desktop.services.chart_history import ChartHistory, Found, Range
from desktop.services.live_end import LiveEnd
from desktop.services.series_stream import Pace, Rounds, SeriesStream
from desktop.services.stitch import FINAL, Stitch

_REPAIR_AT_MOST_S: Final = 600.0


class Upkeep:
    """The rounds of one series; `turn` is called a few times a second and does at most one of them.

    take: gets what REST found, errors included.
    """

    def __init__(
        self,
        history: ChartHistory,
        stream: SeriesStream,
        end: LiveEnd,
        stitch: Stitch,
        pace: Pace,
        *,
        take: Callable[[Found], None],
    ) -> None:
        self._history = history
        self._stream = stream
        self._end = end
        self._stitch = stitch
        self._clock = clock = history.clock
        self._market = history.market
        self._timeframe = history.timeframe
        self._take = take
        self._rounds = Rounds(pace)
        self._repair_first_s = pace.repair_s
        self._asked_edges = self._edges(clock.now_ms())
        self._hopeless: set[Range] = set()
        self._is_failing = False
        self.hurry()

    def hurry(self) -> None:
        """Lost ranges are asked for again at once, those that were refused too."""
        self._hopeless.clear()
        self._repaired_s = -_REPAIR_AT_MOST_S
        self._repair_every_s = self._repair_first_s

    async def turn(self, missing: tuple[Range, ...], settled_ms: int) -> bool:
        """Closes buckets by the clock, then asks REST whatever is due; answers whether it did. Raises MarketError."""
        now_ms = self._clock.now_ms()
        if not self._stitch.is_stitched:
            # A plan without a feed that refuses the current day has the rest of it tomorrow.
            is_waiting = self._stitch.has_given_up and self._stream.is_without_feed
            if not is_waiting or not self._rounds.is_due(self._stream, has_unsettled=lambda: False):
                return False
            await self._settle(settled_ms)
            return True
        if self._stitch.is_on_stream:
            # Never in an outage: nobody knows what was traded.
            self._end.close_by_clock(now_ms, self._clock.rate)
        if await self._stitch.join():
            await self._settle(settled_ms)
            return True
        if self._rounds.is_due(self._stream, has_unsettled=self._has_unsettled):
            edges = self._edges(now_ms)
            await self._settle(settled_ms)
            self._asked_edges = edges
            return True
        if missing and time.monotonic() - self._repaired_s >= self._repair_every_s:
            return await self._repair([part for part in missing if part not in self._hopeless])
        return False

    def _has_unsettled(self) -> bool:
        return self._edges(self._clock.now_ms()) != self._asked_edges

    def _edges(self, now_ms: int) -> tuple[int, int]:
        """Starts of the base buckets up to which bars have had their settle time, and are settled for good."""
        base, market = self._timeframe.base, self._market
        return (
            bucket_start(now_ms - SETTLE_MS[market], base, market),
            bucket_start(settled_until(now_ms, market), base, market),
        )

    async def _settle(self, settled_ms: int) -> None:
        """REST's word on what closed since the last settled bar; corrections update the series in place."""
        now_ms = self._clock.now_ms()
        is_failing, self._is_failing = self._is_failing, True
        found = await self._history.since(settled_ms, now_ms)
        if self._timeframe == ONE_MINUTE:
            self._end.settle(found.bars, now_ms)
        if not self._stream.is_flowing:
            self._end.close_silently(bucket_start(now_ms, self._timeframe, self._market))
        self._take(found)
        if found.error is not None:
            raise found.error
        self._is_failing = False
        if is_failing:
            self.hurry()  # the server is back

    async def _repair(self, lost: list[Range]) -> bool:
        """Asks for the newest range that could not be had before."""
        if not lost:
            return False
        self._repaired_s = time.monotonic()
        found = await self._history.buckets(*lost[-1], max_age_ms=0)
        self._take(found)
        if found.error is None:
            self._repair_every_s = self._repair_first_s
        else:
            self._repair_every_s = min(2 * self._repair_every_s, _REPAIR_AT_MOST_S)
            if isinstance(found.error, FINAL):
                self._hopeless |= {lost[-1], *found.missing}
        return True
