"""The vendor's word on the time: how far this machine's clock is off, asked at start and now and then."""

from __future__ import annotations

import asyncio
import time

from desktop.data.clock import MarketClock, WallClock
from desktop.data.market_data import MarketData
from desktop.domain.errors import MarketError
from desktop.services.notices import Notices
from desktop.services.tasks import Tasks

_EVERY_S = 1800.0
_RETRY_S = 60.0
_LOOK_S = 1.0
_WORTH_A_WORD_MS = 60_000


class ClockCheck:
    """Corrects a wall clock by the vendor's `serverTime`; a clock that follows a feed server needs none."""

    def __init__(self, market_data: MarketData, clock: MarketClock, notices: Notices) -> None:
        self._market_data = market_data
        self._clock = clock
        self._notices = notices
        self._tasks = Tasks()

    def start(self) -> None:
        if isinstance(self._clock, WallClock):
            self._tasks.start(self._keep(self._clock), name="clock check")

    async def _keep(self, clock: WallClock) -> None:
        """Asks at once, every half hour, and whenever time did not pass as it should."""
        while True:
            pause_s = _EVERY_S if await self._ask(clock) else _RETRY_S
            breaks, asked_s = clock.breaks, time.monotonic()
            while time.monotonic() - asked_s < pause_s:
                await asyncio.sleep(_LOOK_S)
                clock.now_ms()
                if clock.breaks != breaks:
                    break

    async def _ask(self, clock: WallClock) -> bool:
        try:
            status = await self._market_data.market_status()
        except MarketError:
            return False  # offline or without a key: the machine's own clock has to do
        clock.learn(status.server_time_ms)
        if abs(clock.skew_ms) >= _WORTH_A_WORD_MS:
            minutes = abs(clock.skew_ms) / 60_000
            side = "behind" if clock.skew_ms > 0 else "ahead"
            text = f"This computer's clock is {minutes:.0f} min {side}; Candelabra uses the market's time."
            self._notices.post(text, "warning", key="clock")
        return True

    async def aclose(self) -> None:
        await self._tasks.aclose()
