"""Settled history, asked for again once in a day while it is looked at: vendors repair their data."""

from __future__ import annotations

from typing import Final

from desktop.data.clock import MarketClock
from desktop.data.gap_filler import GapFiller, Series
from desktop.data.ledger import Range, settled_until
from desktop.data.rate_limit import Priority
from desktop.data.rest import RestClient, one_call_ms
from desktop.data.store import Store
from desktop.domain.audit import compare
from desktop.domain.errors import MarketError
from desktop.domain.timeframe import DAY_MS, MINUTE_MS

EVERY_MS: Final = DAY_MS
_AFTER_FAILURE_MS: Final = 10 * MINUTE_MS


class Recheck:
    """Which pages are old, and what turned out different. Times Unix ms UTC (market time)."""

    def __init__(self, store: Store, clock: MarketClock, gaps: GapFiller) -> None:
        self._store = store
        self._clock = clock
        self._gaps = gaps
        self._not_before: dict[tuple[Series, int], int] = {}

    async def run(self, rest: RestClient, series: Series, from_ms: int, to_ms: int, priority: Priority) -> list[Range]:
        """Asks again about every page that [from_ms, to_ms) touches and that holds bars older than a day.

        The ranges that hold the base bars that differ now, at most one a page. What cannot be had stays as it is.
        """
        page_ms = one_call_ms(series.base, series.market)
        different = []
        for start_ms in range(from_ms - from_ms % page_ms, to_ms, page_ms):
            different += await self._page(rest, series, (start_ms, start_ms + page_ms), (from_ms, to_ms), priority)
        return different

    async def _page(
        self, rest: RestClient, series: Series, page: Range, looked_at: Range, priority: Priority
    ) -> list[Range]:
        now_ms = self._clock.now_ms()
        if now_ms < self._not_before.get((series, page[0]), now_ms):
            return []
        old = await self._old_part(series, page, looked_at, now_ms)
        if old is None:
            return []
        before = await self._store.bars(series.ticker, series.base, series.adjusted, *old)
        try:
            await self._gaps.refetch(rest, series, old, priority)
        except MarketError:
            self._not_before[series, page[0]] = now_ms + _AFTER_FAILURE_MS
            return []
        self._not_before[series, page[0]] = now_ms + EVERY_MS
        after = await self._store.bars(series.ticker, series.base, series.adjusted, *old)
        different = compare(before, after).differences
        return [(different[0].start_ms, different[-1].start_ms + 1)] if different else []

    async def _old_part(self, series: Series, page: Range, looked_at: Range, now_ms: int) -> Range | None:
        """What is settled of the page, when any of it that is looked at was fetched too long ago."""
        covered = await self._store.covered(series.ticker, series.base, series.adjusted, *page)
        settled = [
            (
                max(part.start_ms, page[0]),
                min(part.end_ms, page[1], settled_until(min(part.fetched_ms, now_ms), series.market)),
                part,
            )
            for part in covered
        ]
        settled = [(start_ms, end_ms, part) for start_ms, end_ms, part in settled if start_ms < end_ms]
        if not any(
            now_ms - part.fetched_ms >= EVERY_MS and start_ms < looked_at[1] and end_ms > looked_at[0]
            for start_ms, end_ms, part in settled
        ):
            return None
        first_ms = max(settled[0][0], self._gaps.edges.oldest_ms(series.market, now_ms) or 0)
        last_ms = settled[-1][1]
        return (first_ms, last_ms) if first_ms < last_ms else None
