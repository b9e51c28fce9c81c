"""Applies live events to the end of a series: buffers while history is fetched, then one write per display frame."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Literal

from desktop.data.wire_socket import BarEvent, Event, MinuteEvent, SecondEvent, TradeEvent
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import Market
from desktop.domain.tail import KEPT_MS, Tail
from desktop.domain.timeframe import MINUTE_MS, ONE_MINUTE, Timeframe, bucket_end, bucket_start, bucket_starts

_BUFFERED = 100_000  # events; what is older than that REST has by the time it answers
_FLUSH_S = 0.016  # one display frame
_CLOSE_GRACE_MS = 2_500  # after which a bucket without a last minute bar counts as closed

BarOrigin = Literal["cache", "REST", "feed minute bar", "feed second bars", "feed trades"]


class LiveEnd:
    """The events of one series between the feed and the chart.

    on_bars: bars of the timeframe that changed, at most once a frame, oldest first; at once when a bucket closes.
    on_outside: range [from_ms, to_ms) of minutes that were re-sent but lie before what is held.
    """

    def __init__(
        self,
        timeframe: Timeframe,
        market: Market,
        on_bars: Callable[[list[Bar]], None],
        on_outside: Callable[[int, int], None],
        closed_ms: int = 0,
    ) -> None:
        self._timeframe = timeframe
        self._market = market
        self._on_bars = on_bars
        self._on_outside = on_outside
        self._tail: Tail | None = None
        self._buffer: deque[Event] = deque(maxlen=_BUFFERED)
        self._is_held = True
        self._dirty: set[int] = set()
        self._flush_handle: asyncio.TimerHandle | None = None
        self.closed_ms = closed_ms  # buckets that start before are over
        self.events = 0
        self.has_trades = False

    @property
    def tail(self) -> Tail | None:
        return self._tail

    def origin(self, start_ms: int) -> BarOrigin | None:
        """Where the newest minute of a bar comes from; None when the bar lies before what is held."""
        tail = self._tail
        if tail is None or start_ms < bucket_start(tail.seeded_from_ms, self._timeframe, self._market):
            return None
        minutes = tail.minutes.between(start_ms, bucket_end(start_ms, self._timeframe, self._market)).start_ms
        if not len(minutes):
            return None
        newest_ms = int(minutes[-1])
        if tail.is_fed(newest_ms):
            return "feed minute bar"
        if tail.is_final(newest_ms) or not self.events:
            return "REST"
        return "feed trades" if self.has_trades else "feed second bars"

    def hold(self) -> None:
        """Buffers events from now on, until `go_on`."""
        self._is_held = True

    def seed(self, tail: Tail, closed_ms: int) -> None:
        """A new tail from REST; buckets before `closed_ms` are over."""
        self._tail = tail
        self.closed_ms = closed_ms
        self._dirty = {bucket_start(tail.seeded_from_ms, self._timeframe, self._market)}

    def go_on(self) -> None:
        """Applies what was buffered and everything that comes."""
        self._is_held = False
        self._dirty.add(self.closed_ms)
        buffered = list(self._buffer)
        self._buffer.clear()
        self.take(buffered)
        self.flush()

    def take(self, events: list[Event]) -> None:
        """Live events in the order they came."""
        tail = self._tail
        if self._is_held or tail is None:
            self._buffer.extend(events)
            return
        self.events += len(events)
        for event in events:
            touched = None
            if isinstance(event, TradeEvent):
                self.has_trades = True
                touched = tail.trade(event.price, event.size, event.time_ms, _identity(event))
            elif isinstance(event, MinuteEvent):
                touched = tail.minute(bar_of(event))
                self.close_until(bucket_start(event.end_ms, self._timeframe, self._market))
            elif isinstance(event, SecondEvent) and not self.has_trades:
                touched = tail.second(bar_of(event))
            if touched is not None:
                self._dirty.add(touched)
        if self._dirty and self._flush_handle is None:
            self._flush_handle = asyncio.get_running_loop().call_later(_FLUSH_S, self.flush)
        if outside := tail.take_outside():
            self._on_outside(min(outside), max(outside) + MINUTE_MS)

    def settle(self, minutes: Bars, now_ms: int) -> None:
        """Takes over minutes from REST, as of `now_ms`."""
        if self._tail is not None and len(minutes):
            self._tail.settle(minutes, now_ms)
            self._dirty |= set(bucket_starts(minutes.start_ms, self._timeframe, self._market).tolist())
            self.flush()

    def close_by_clock(self, now_ms: int, rate: float) -> None:
        """Closes buckets whose time is over, although no last minute bar came; `rate`: market seconds a second."""
        grace_ms = round(_CLOSE_GRACE_MS * max(1.0, rate))
        self.close_until(bucket_start(now_ms - grace_ms, self._timeframe, self._market))

    def close_until(self, closed_ms: int) -> None:
        """Buckets that start before `closed_ms` are over: their last one is announced once more, as closed."""
        if self._tail is None or closed_ms <= self.closed_ms:
            return
        self._dirty.add(self.closed_ms)
        self.closed_ms = closed_ms
        self.flush()
        keep_ms = bucket_start(closed_ms - 1, self._timeframe, self._market)
        self._tail.drop_before(keep_ms - KEPT_MS if self._timeframe == ONE_MINUTE else keep_ms)

    def close_silently(self, closed_ms: int) -> None:
        """The same where REST has given the bars: there is nothing to announce from here."""
        self.closed_ms = max(self.closed_ms, closed_ms)

    def flush(self) -> None:
        """Hands over what changed since the last time."""
        self.stop()
        if self._tail is None:
            return
        dirty, self._dirty = sorted(self._dirty), set()
        bars = [bar for start_ms in dirty if (bar := self._tail.bar(start_ms)) is not None]
        if bars:
            self._on_bars(bars)

    def stop(self) -> None:
        """Cancels a pending flush."""
        if self._flush_handle is not None:
            self._flush_handle.cancel()
            self._flush_handle = None


def _identity(event: TradeEvent) -> tuple[int, str] | None:
    return (event.exchange, event.id) if event.id else None


def bar_of(event: BarEvent) -> Bar:
    """A socket's minute or second bar as a Bar; it knows no number of trades."""
    return Bar(event.start_ms, event.open, event.high, event.low, event.close, event.volume, event.vwap)
