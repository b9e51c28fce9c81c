"""One chart's bars: the cache first, then REST, then live, stitched so that no hole hides behind "live".

The order is always: show what the cache has; subscribe and buffer; fetch from REST up to now; merge; go live. The
same path runs after every interruption of the feed.
"""

from __future__ import annotations

import asyncio
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
from desktop.services.chart_status import MINUTES_ONLY, BarState, ChartStatus, before_stitch
from desktop.services.live import LiveMarket
from desktop.services.live_end import LiveEnd
from desktop.services.series_stream import Pause, Rounds, SeriesStream
from desktop.services.tasks import Tasks

_FIRST_BARS = 600  # bars loaded before anything is asked of the user
_FINAL = (BadInput, NotInPlan, Unauthorized)  # asking again changes nothing; a new key opens a new session
_LOOK_S = 0.25


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
        self._history = ChartHistory(market_data, clock, "", ONE_MINUTE, first_bars)
        self._end = LiveEnd(ONE_MINUTE, Market.CRYPTO, self._on_bars, self._on_outside)
        self._stream = SeriesStream(live, "", self._end.take)
        self._pause = Pause(is_limited=is_limited)
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
        return self._stream.connection == self._stitched_on

    def show(self, ticker: str, timeframe: Timeframe) -> None:
        """Starts to load and follow a series; an earlier one is dropped."""
        self._leave()
        self.ticker, self.timeframe, self.info = ticker, timeframe, None
        self.series = BarSeries()
        self._history = ChartHistory(self._market_data, self._clock, ticker, timeframe, self._first_bars)
        closed_ms = bucket_start(self._clock.now_ms(), timeframe, self.market)
        self._end = LiveEnd(timeframe, self.market, self._on_bars, self._on_outside, closed_ms)
        self._stream = SeriesStream(self._live, ticker, self._end.take)
        self.status = ChartStatus(phase="loading", source=self.status.source)
        self.reset.emit()
        self.status_changed.emit()
        self._tasks.start(self._run(), replace="show", name=f"chart {ticker} {timeframe}")

    def want_older(self) -> None:
        """Loads the bars before the first one; nothing happens while that is going on or when there are none."""
        if len(self.series) and not self.status.is_loading_older and not self.status.is_oldest_reached:
            self._set_status(is_loading_older=True)
            self._tasks.start(self._load_older(), replace="older", name="older bars")

    def reload(self) -> None:
        """Asks REST again for what is missing or failed; ends a wait for the next try."""
        self._pause.end()
        if self._is_stitched:
            self._tasks.start(self._stitch(), replace="stitch", name="stitch")

    def state_of(self, start_ms: int) -> BarState:
        """Whether the bar that starts there is forming, closed or settled."""
        if bucket_end(start_ms, self.timeframe, self.market) <= self._settled_ms:
            return "settled"
        return "closed" if start_ms < self._end.closed_ms else "forming"

    async def _run(self) -> None:
        await self._show_cached()
        self._stream.open()
        await self._stitch()
        await self._follow()

    async def _show_cached(self) -> None:
        with suppress(MarketError):
            self._merge(await self._history.cached())

    async def _stitch(self) -> None:
        """Fetches up to now, seeds the tail, applies what was buffered; goes on trying while that may help."""
        self._is_stitched = False
        self._end.hold()
        while True:
            stream = self._stream.connection
            try:
                await self._fetch()
            except MarketError as error:
                self._set_status(phase="ready" if len(self.series) else "failed", sentence=str(error))
                if isinstance(error, _FINAL):
                    return
                await self._pause.wait()
                continue
            self._stitched_on = self._stream.connection
            if self._stitched_on in (None, stream):
                break
            # The stream began while REST was asked: what happened in between is in neither, so ask again.
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

    async def _follow(self) -> None:
        """Closes buckets by the clock, settles closed bars by REST, polls where there is no stream."""
        rounds = Rounds(is_limited=self._is_limited)
        while True:
            if self.info is None:  # the catalogue may still be on its way
                with suppress(MarketError):
                    self.info = await self._market_data.catalogue.ticker(self.ticker)
            await asyncio.sleep(_LOOK_S)
            now_ms = self._clock.now_ms()
            if self._is_stitched and self._is_on_stream:
                # Never in an outage: nobody knows what was traded.
                self._end.close_by_clock(now_ms, self._clock.rate)
            self._refresh_status()
            unsettled_ms = self._settled_ms + SETTLE_MS[self.market] + self.timeframe.base.typical_ms
            has_unsettled = unsettled_ms < self._end.closed_ms <= now_ms
            if rounds.is_due(is_flowing=self._stream.is_flowing, has_unsettled=has_unsettled):
                await self._settle(now_ms)

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
        self._merge(bars.between(0, forming_ms if self._stream.is_flowing else now_ms + 1))
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

    def _on_feed_state(self) -> None:
        stream = self._stream.connection
        if stream is not None:
            self._pause.end()  # the server is back
        if self._is_stitched and stream is not None and stream != self._stitched_on:
            self._tasks.start(self._stitch(), replace="stitch", name="stitch")
        self._stream.fall_back()
        self._refresh_status()

    def _refresh_status(self) -> None:
        quote, end, last_ms = self._live.board.get(self.ticker), self._end, self.series.last_start_ms
        freshness = Freshness.CACHED if quote is None else quote.freshness
        has_only_minutes = end.events > 0 and not end.has_trades and self.market is not Market.FOREX
        self._set_status(
            freshness=freshness if self._is_stitched else before_stitch(freshness),
            bar_state="forming" if last_ms is None else self.state_of(last_ms),
            last_event_ms=None if quote is None else quote.last_ms,
            live_events=end.events,
            note=MINUTES_ONLY if has_only_minutes else None,
        )

    def _set_status(self, **changes: object) -> None:
        status = replace(self.status, **changes)  # type: ignore[arg-type]
        if status != self.status:
            self.status = status
            self.status_changed.emit()

    def _leave(self) -> None:
        for key in ("show", "older", "stitch", "correct"):
            self._tasks.cancel(key)
        self._stream.close()
        self._end.stop()
        self._is_stitched = False
        self._stitched_on = None
        self._settled_ms = 0

    async def aclose(self) -> None:
        """Stops following and forgets the subscription."""
        self._leave()
        await self._tasks.aclose()
