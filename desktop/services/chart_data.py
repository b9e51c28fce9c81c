"""One chart's bars: the cache first, then REST, then live, stitched so that no hole hides behind "live".

The order is always: show what the cache has; subscribe and buffer; fetch from REST up to now; merge; go live. The
same path runs after every interruption of the feed.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from desktop.data.clock import MarketClock
from desktop.data.market_data import MarketData
from desktop.domain.bars import Bar, Bars, BarSeries, SeriesChange
from desktop.domain.coverage import SETTLE_MS
from desktop.domain.errors import BadInput, MarketError, NotInPlan, Unauthorized
from desktop.domain.freshness import Freshness
from desktop.domain.market import Market, TickerInfo, market_of
from desktop.domain.timeframe import (
    ONE_MINUTE,
    Timeframe,
    bucket_end,
    bucket_start,
)
from desktop.services.chart_history import ChartHistory
from desktop.services.chart_status import BarState, ChartStatus
from desktop.services.live import Channel, LiveMarket, Subscription, channels_of
from desktop.services.live_end import LiveEnd
from desktop.services.tasks import Tasks

_FIRST_BARS = 600  # bars loaded before anything is asked of the user
_RETRY_S = 5.0
_FINAL = (BadInput, NotInPlan, Unauthorized)  # asking again changes nothing; a new key opens a new session
_SETTLE_EVERY_S = {True: 60.0, False: 10.0}  # by "is the plan limited to calls a minute"
_POLL_EVERY_S = {True: 60.0, False: 15.0}


class ChartData(QObject):
    """The stitched series of one ticker and timeframe; `show` changes both. Times Unix ms UTC."""

    reset = Signal()
    prepended = Signal(int)
    changed = Signal(int)
    status_changed = Signal()

    def __init__(
        self,
        market_data: MarketData,
        live: LiveMarket,
        clock: MarketClock,
        *,
        source: str,
        is_limited: bool,
        first_bars: int = _FIRST_BARS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._market_data = market_data
        self._live = live
        self._clock = clock
        self._is_limited = is_limited
        self._first_bars = first_bars
        self._tasks = Tasks()
        self._subscription: Subscription | None = None
        self._history = ChartHistory(market_data, clock, "", ONE_MINUTE, first_bars)
        self._end = LiveEnd(ONE_MINUTE, Market.CRYPTO, self._on_bars, self._on_outside)
        self._is_stitched = False
        self._stitched_on: int | None = None  # the connection the series was stitched to
        self._settled_ms = 0
        self.series = BarSeries()
        self.ticker = ""
        self.info: TickerInfo | None = None
        self.timeframe = ONE_MINUTE
        self.status = ChartStatus(source=source)
        live.state_changed.connect(self._on_feed_state)

    @property
    def market(self) -> Market:
        return market_of(self.ticker)

    @property
    def is_live(self) -> bool:
        """Whether the stream goes on without a hole from what is shown."""
        return self._is_stitched and self._stitched_on is not None and self._is_on_stream

    @property
    def _is_on_stream(self) -> bool:
        return self._live.stream_of(self.ticker) == self._stitched_on

    def show(self, ticker: str, timeframe: Timeframe) -> None:
        """Starts to load and follow a series; an earlier one is dropped."""
        self._leave()
        self.ticker, self.timeframe, self.info = ticker, timeframe, None
        self.series = BarSeries()
        self._history = ChartHistory(self._market_data, self._clock, ticker, timeframe, self._first_bars)
        closed_ms = bucket_start(self._clock.now_ms(), timeframe, self.market)
        self._end = LiveEnd(timeframe, self.market, self._on_bars, self._on_outside, closed_ms)
        self.status = ChartStatus(phase="loading", source=self.status.source)
        self.reset.emit()
        self.status_changed.emit()
        self._tasks.start(self._run(), replace="show", name=f"chart {ticker} {timeframe}")

    def want_older(self) -> None:
        """Loads the bars before the first one; nothing happens while that is going on or when there are none."""
        status = self.status
        if not len(self.series) or status.is_loading_older or status.is_oldest_reached:
            return
        self._set_status(is_loading_older=True)
        self._tasks.start(self._load_older(), replace="older", name="older bars")

    def reload(self) -> None:
        """Asks REST again for what is missing or failed."""
        self._tasks.start(self._stitch(), replace="stitch", name="stitch")

    def state_of(self, start_ms: int) -> BarState:
        """Whether the bar that starts there is forming, closed or settled."""
        if bucket_end(start_ms, self.timeframe, self.market) <= self._settled_ms:
            return "settled"
        return "closed" if start_ms < self._end.closed_ms else "forming"

    # --- loading -------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        await self._show_cached()
        self._listen()
        self.info = await self._market_data.catalogue.ticker(self.ticker)
        await self._stitch()
        await self._follow()

    def _listen(self) -> None:
        channels = channels_of(self.market, Channel.TRADE, Channel.MINUTE)
        self._subscription = self._live.listen(self.ticker, channels, self._end.take)

    async def _show_cached(self) -> None:
        try:
            bars = await self._history.cached()
        except MarketError:
            return
        if len(bars):
            self._merge(bars)
            self._set_status(freshness=Freshness.CACHED)

    async def _stitch(self) -> None:
        """Fetches up to now, seeds the tail, applies what was buffered: then the series may call itself live.

        Goes on trying while the world is only temporarily against it.
        """
        self._is_stitched = False
        self._end.hold()
        while True:
            stream = self._live.stream_of(self.ticker)
            try:
                await self._fetch()
            except MarketError as error:
                self._set_status(phase="ready" if len(self.series) else "failed", sentence=str(error))
                if isinstance(error, _FINAL):
                    return
                await asyncio.sleep(_RETRY_S * (6 if self._is_limited else 1))
                continue
            now_on = self._live.stream_of(self.ticker)
            if now_on is None or now_on == stream:
                break
            # The stream began while REST was asked: what happened in between is in neither, so ask again.
        self._stitched_on = now_on
        self._is_stitched = True
        self._set_status(phase="ready" if len(self.series) else "empty", sentence=None)
        self._end.go_on()

    async def _fetch(self) -> None:
        """REST up to now into the series, and a fresh tail behind it. Raises MarketError."""
        found = await self._history.up_to_now(self.series.last_start_ms, self._settled_ms)
        self._merge(found.bars)
        self._set_status(missing=found.missing)
        if found.error is not None:
            raise found.error
        if found.tail is not None:
            self._end.seed(found.tail, found.closed_ms)
        self._settled_ms = found.settled_ms

    async def _load_older(self) -> None:
        try:
            found = await self._history.older(int(self.series.bars.start_ms[0]))
        except MarketError as error:
            self._set_status(is_loading_older=False, sentence=str(error))
            return
        self._merge(found.bars)
        self._set_status(
            is_loading_older=False,
            is_oldest_reached=found.is_oldest,
            missing=(*found.missing, *self.status.missing),
            sentence=self.status.sentence if found.error is None else str(found.error),
        )

    # --- live ----------------------------------------------------------------------------------------------

    async def _follow(self) -> None:
        """Closes buckets by the clock, settles closed bars by REST, polls where there is no stream."""
        settled_s = polled_s = time.monotonic()
        while True:
            await asyncio.sleep(0.25)
            now_ms, now_s = self._clock.now_ms(), time.monotonic()
            if self._is_stitched and self._is_on_stream:
                # Never in an outage: nobody knows what was traded.
                self._end.close_by_clock(now_ms, self._clock.rate)
            self._refresh_status()
            is_streaming = self._live.is_streaming(self.ticker)
            if not is_streaming and now_s - polled_s >= _POLL_EVERY_S[self._is_limited]:
                polled_s = now_s
                await self._settle(now_ms)
            elif now_s - settled_s >= _SETTLE_EVERY_S[self._is_limited] and self._has_unsettled(now_ms):
                settled_s = now_s
                await self._settle(now_ms)

    def _has_unsettled(self, now_ms: int) -> bool:
        settle_ms = SETTLE_MS[self.market]
        return self._settled_ms + settle_ms + self.timeframe.base.typical_ms < self._end.closed_ms <= now_ms

    async def _settle(self, now_ms: int) -> None:
        """REST's word on what closed since the last settled bar; corrections update the series in place."""
        try:
            bars, settled_ms = await self._history.since(self._settled_ms, now_ms)
        except MarketError as error:
            self._set_status(sentence=str(error))
            return
        if self._end.tail is not None and self.timeframe == ONE_MINUTE:
            self._end.tail.settle(bars, now_ms)
        before_ms, self._settled_ms = self._settled_ms, settled_ms
        forming_ms = bucket_start(now_ms, self.timeframe, self.market)
        self._merge(bars.between(0, forming_ms if self._live.is_streaming(self.ticker) else now_ms + 1))
        self._set_status(sentence=None)
        if settled_ms > before_ms and len(self.series):
            self._announce(SeriesChange(0, max(0, int(self.series.bars.start_ms.searchsorted(before_ms)) - 1)))

    def _on_bars(self, bars: list[Bar]) -> None:
        """The live end changed: announces the first index, unchanged values included (a bar may just have closed)."""
        first_index = len(self.series)
        for bar in bars:
            change = self.series.upsert(bar)
            index = int(self.series.bars.start_ms.searchsorted(bar.start_ms))
            first_index = min(first_index, index if change.is_nothing else change.first_index)
        self._announce(SeriesChange(0, first_index))

    def _on_outside(self, from_ms: int, to_ms: int) -> None:
        self._tasks.start(self._correct(from_ms, to_ms), replace="correct", name="correction")

    async def _correct(self, from_ms: int, to_ms: int) -> None:
        """An older bar was re-sent: asks REST for its bucket."""
        with suppress(MarketError):  # the settle round asks again
            self._merge(await self._history.buckets(from_ms, to_ms))

    def _merge(self, bars: Bars) -> None:
        was_empty = not len(self.series)
        change = self.series.merge(bars)
        if was_empty and len(self.series):
            self._set_status(phase="ready")
            self.reset.emit()
        else:
            self._announce(change)

    def _announce(self, change: SeriesChange) -> None:
        if change.prepended:
            self.prepended.emit(change.prepended)
        if 0 <= change.first_index < len(self.series):
            self.changed.emit(change.first_index)
        self._refresh_status()

    # --- state ---------------------------------------------------------------------------------------------

    def _on_feed_state(self) -> None:
        if not self.ticker:
            return
        stream = self._live.stream_of(self.ticker)
        if self._is_stitched and stream is not None and stream != self._stitched_on:
            self._tasks.start(self._stitch(), replace="stitch", name="stitch")
        self._use_seconds_if_trades_are_refused()
        self._refresh_status()

    def _use_seconds_if_trades_are_refused(self) -> None:
        if self._subscription is None or self.market is Market.FOREX:
            return
        if self._live.is_refused(self.ticker, Channel.TRADE) and not self._live.is_refused(self.ticker, Channel.SECOND):
            refused, self._subscription = self._subscription, None
            refused.close()
            self._subscription = self._live.listen(self.ticker, (Channel.SECOND, Channel.MINUTE), self._end.take)

    def _refresh_status(self) -> None:
        quote = self._live.board.get(self.ticker)
        freshness = quote.freshness if quote is not None else Freshness.CACHED
        if not self._is_stitched and freshness in (Freshness.LIVE, Freshness.DELAYED, Freshness.NO_TRADES):
            freshness = Freshness.CACHED
        last_ms = self.series.last_start_ms
        end = self._end
        has_only_minutes = end.events > 0 and not end.has_trades and self.market is not Market.FOREX
        self._set_status(
            freshness=freshness,
            bar_state=self.state_of(last_ms) if last_ms is not None else "forming",
            last_event_ms=quote.last_ms if quote is not None else None,
            live_events=end.events,
            note="Minute bars only: this feed carries no trades, so the candle moves once a minute."
            if has_only_minutes
            else None,
        )

    def _set_status(self, **changes: object) -> None:
        status = replace(self.status, **changes)  # type: ignore[arg-type]
        if status != self.status:
            self.status = status
            self.status_changed.emit()

    def _leave(self) -> None:
        for key in ("show", "older", "stitch", "correct"):
            self._tasks.cancel(key)
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        self._end.stop()
        self._is_stitched = False
        self._stitched_on = None
        self._settled_ms = 0

    async def aclose(self) -> None:
        """Stops following and forgets the subscription."""
        self._leave()
        await self._tasks.aclose()
