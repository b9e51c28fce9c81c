"""The live side of one series: which channels it listens to, on which connection, and when REST is asked again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from desktop.domain.market import Market, market_of
from desktop.services.live import Channel, Listener, LiveMarket, Subscription, channels_of


@dataclass(frozen=True, slots=True)
class Pace:
    """How often REST is asked about the end of a series, in real seconds."""

    settle_s: float = 10.0
    outage_s: float = 15.0  # instead of a stream that is down
    poll_s: float = 60.0  # instead of a stream that the plan does not have
    retry_s: float = 5.0
    join_s: float = 3.0
    repair_s: float = 10.0  # of a range that could not be had; doubled each time

    @classmethod
    def on_plan(cls, *, is_limited: bool) -> Pace:
        """is_limited: to a few calls a minute."""
        return cls(60.0, 60.0, 60.0, 30.0, 20.0, 60.0) if is_limited else cls()


class Pause:
    """The wait between two tries, which the server's return or a person can end."""

    def __init__(self, pace: Pace) -> None:
        self._seconds = pace.retry_s
        self._is_over = asyncio.Event()

    def end(self) -> None:
        self._is_over.set()

    async def wait(self) -> None:
        self._is_over.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await self._is_over.wait()


class SeriesStream:
    """Trades and minute bars of one ticker; second bars where trades are not in the plan."""

    def __init__(self, live: LiveMarket, ticker: str, listener: Listener) -> None:
        self._live = live
        self._ticker = ticker
        self._listener = listener
        self._subscription: Subscription | None = None

    def open(self) -> None:
        channels = channels_of(market_of(self._ticker), Channel.TRADE, Channel.MINUTE)
        self._subscription = self._live.listen(self._ticker, channels, self._listener)

    def close(self) -> None:
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None

    @property
    def connection(self) -> int | None:
        """Number of the connection that carries the minute bars; None while none does."""
        return self._live.stream_of(self._ticker)

    @property
    def delay_ms(self) -> int:
        """How far the feed runs behind by its plan."""
        return self._live.delay_ms(market_of(self._ticker))

    @property
    def is_flowing(self) -> bool:
        """Whether any channel of the ticker is confirmed."""
        return self._live.is_streaming(self._ticker)

    @property
    def is_without_feed(self) -> bool:
        """Whether the plan has no live data for this market."""
        return self._live.is_without_feed(self._ticker)

    def fall_back(self) -> None:
        """Changes to second bars when the plan refuses trades."""
        if self._subscription is None or market_of(self._ticker) is Market.FOREX:
            return
        is_refused = self._live.is_refused
        if is_refused(self._ticker, Channel.TRADE) and not is_refused(self._ticker, Channel.SECOND):
            self.close()
            channels = (Channel.SECOND, Channel.MINUTE)
            self._subscription = self._live.listen(self._ticker, channels, self._listener)


class Rounds:
    """When REST is asked about the end of a series: to settle closed bars, or instead of a stream."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._settled_s = self._polled_s = time.monotonic()

    def is_due(self, stream: SeriesStream, *, has_unsettled: Callable[[], bool]) -> bool:
        """Answers True at most once per round; `has_unsettled` is asked only when its round has come."""
        now_s = time.monotonic()
        poll_s = self._pace.poll_s if stream.is_without_feed else self._pace.outage_s
        if not stream.is_flowing and now_s - self._polled_s >= poll_s:
            self._polled_s = now_s
            return True
        if now_s - self._settled_s >= self._pace.settle_s and has_unsettled():
            self._settled_s = now_s
            return True
        return False
