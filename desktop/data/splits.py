"""Stock splits: adjusted history that was fetched before a split is on another scale and has to go."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from desktop.data.clock import MarketClock
from desktop.data.rate_limit import Priority
from desktop.data.rest import RestClient
from desktop.data.store import Store
from desktop.domain.coverage import Covered
from desktop.domain.errors import MarketError
from desktop.domain.market import Market
from desktop.domain.timeframe import (
    DAY_MS,
    MINUTE_MS,
    ONE_DAY,
    ONE_HOUR,
    ONE_MINUTE,
    ONE_SECOND,
    bucket_end,
    bucket_start,
    new_york_midnight_ms,
)

_log = logging.getLogger(__name__)
_NAME: Final = "splits"  # of the value: by ticker the day (New York midnight, Unix ms) it was last looked at
_AFTER_FAILURE_MS: Final = 10 * MINUTE_MS


class SplitCheck:
    """Looks at a stock's splits once a day, where the cache holds adjusted bars of an earlier day."""

    def __init__(self, store: Store, clock: MarketClock) -> None:
        self._store = store
        self._clock = clock
        self._not_before: dict[str, int] = {}

    async def run(self, rest: RestClient, ticker: str, priority: Priority) -> bool:
        """Whether the adjusted history was of an old scale: it is gone then. Without an answer all stays as it is.

        Unadjusted bars stay in any case. Raises CacheError.
        """
        now_ms = self._clock.now_ms()
        if now_ms < self._not_before.get(ticker, now_ms):
            return False
        today_ms = bucket_start(now_ms, ONE_DAY, Market.STOCKS)
        parts = await self._adjusted_parts(ticker, now_ms)
        looked_at = await self._looked_at()
        is_of_today = all(part.fetched_ms >= today_ms for part in parts)
        if not is_of_today and looked_at.get(ticker) != today_ms:
            try:
                splits = await rest.splits(ticker, place=priority)
            except MarketError as error:
                _log.info("splits of %s: %s", ticker, error)
                self._not_before[ticker] = now_ms + _AFTER_FAILURE_MS
                return False
            executed = [new_york_midnight_ms(split.execution_date) for split in splits]
            is_outdated = is_on_an_old_scale(parts, executed, now_ms)
            if is_outdated:
                _log.info("%s was split: its adjusted history is fetched anew", ticker)
                await self._store.forget_series(ticker, adjusted=True)
            today = {name: day_ms for name, day_ms in looked_at.items() if day_ms == today_ms}
            await self._store.put_value(_NAME, {**today, ticker: today_ms})
        else:
            is_outdated = False
        self._not_before[ticker] = bucket_end(today_ms, ONE_DAY, Market.STOCKS)
        return is_outdated

    async def _adjusted_parts(self, ticker: str, now_ms: int) -> list[Covered]:
        return [
            part
            for base in (ONE_DAY, ONE_HOUR, ONE_MINUTE, ONE_SECOND)
            for part in await self._store.covered(ticker, base, True, 0, now_ms + DAY_MS)
        ]

    async def _looked_at(self) -> dict[str, int]:
        saved = await self._store.get_value(_NAME)
        return saved if isinstance(saved, dict) else {}


def is_on_an_old_scale(parts: Iterable[Covered], executed: Iterable[int], now_ms: int) -> bool:
    """Whether any range was fetched before a split that lies after its start. Times Unix ms UTC.

    executed: when each split took effect. The vendor rewrites history in the course of that day: what was fetched on
    it counts as old once the day is over.
    """
    over = [at_ms + DAY_MS if now_ms >= at_ms + DAY_MS else at_ms for at_ms in executed if at_ms <= now_ms]
    return any(part.start_ms < at_ms and part.fetched_ms < at_ms for part in parts for at_ms in over)
