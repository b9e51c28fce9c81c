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
from desktop.domain.bars import Bar, BarSeries, SeriesChange
from desktop.domain.coverage import overwritten
from desktop.domain.errors import MarketError
from desktop.domain.market import Market, TickerInfo, market_of
from desktop.domain.timeframe import ONE_MINUTE, Timeframe, bucket_end, bucket_start
from desktop.services.chart_history import ChartHistory, Found
from desktop.services.chart_status import BarState, ChartStatus, live_part, what_is_wrong
from desktop.services.live import LiveMarket
from desktop.services.live_end import BarOrigin, LiveEnd
from desktop.services.series_stream import Pace, SeriesStream
from desktop.services.stitch import Stitch
from desktop.services.tasks import Tasks
from desktop.services.upkeep import Upkeep

_FIRST_BARS = 600  # bars loaded before anything is asked of the user
_LOOK_S = 0.25  # how often what time alone changes is looked at
_TURNS_A_LOOKUP = 8
_SEEN_S = 2.0  # what is on the screen for so long is worth a second look at the vendor's


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
        look_s: float = _LOOK_S,
        pace: Pace | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._market_data = market_data
        self._live = live
        self._clock = clock
        self._pace = pace or Pace.on_plan(is_limited=is_limited)
        self._first_bars = first_bars
        self._look_s = look_s
        self._tasks = Tasks()
        self._settled_ms = self._held_ms = 0  # how far the series is settled, where it begins
        self._follow_series("", ONE_MINUTE)
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
        return self._stitch.is_live

    def show(self, ticker: str, timeframe: Timeframe) -> None:
        """Starts to load and follow a series; an earlier one is dropped."""
        self._leave()
        self.ticker, self.timeframe, self.info = ticker, timeframe, None
        self.series = BarSeries()
        self._follow_series(ticker, timeframe)
        self.status = ChartStatus(phase="loading", source=self.status.source)
        self.reset.emit()
        self.status_changed.emit()
        self._tasks.start(self._run(), replace="show", name=f"chart {ticker} {timeframe}")

    def want_older(self) -> None:
        """Loads the bars before the first one; nothing happens while that is going on or when there are none."""
        if len(self.series) and not self.status.is_loading_older and not self.status.is_oldest_reached:
            self._set_status(is_loading_older=True)
            self._tasks.start(self._load_older(), replace="older", name="older bars")

    def look_at(self, from_ms: int, to_ms: int) -> None:
        """Says which times are on the screen: what is old there is asked for again in the background."""
        if self.ticker and from_ms < to_ms:
            self._tasks.start(self._recheck(from_ms, to_ms), replace="recheck", name="re-check")

    def reload(self) -> None:
        """Asks REST again for what is missing or failed; ends a wait for the next try."""
        self._stitch.hurry()
        self._upkeep.hurry()
        if self._stitch.is_stitched or self._stitch.has_given_up:
            self._start_stitch()

    def show_stored(self, from_ms: int, to_ms: int) -> None:
        """Takes over what the cache holds of a range that something else has fetched anew."""
        self._tasks.start(self._correct(from_ms, to_ms, offline=True), name="stored bars")

    def state_of(self, start_ms: int) -> BarState:
        """Whether the bar that starts there is forming, closed or settled."""
        if bucket_end(start_ms, self.timeframe, self.market) <= self._settled_ms:
            return "settled"
        return "closed" if start_ms < self._end.closed_ms else "forming"

    def origin_of(self, start_ms: int) -> BarOrigin:
        """Where the bar that starts there comes from."""
        origin = self._end.origin(start_ms) if self.state_of(start_ms) != "settled" else None
        return origin or ("REST" if self._stitch.is_stitched else "cache")

    def _follow_series(self, ticker: str, timeframe: Timeframe) -> None:
        """New parts for another series."""
        history = ChartHistory(self._market_data, self._clock, ticker, timeframe, self._first_bars)
        closed_ms = bucket_start(self._clock.now_ms(), timeframe, history.market)
        self._history = history
        self._end = end = LiveEnd(timeframe, history.market, self._on_bars, self._on_outside, closed_ms)
        self._stream = stream = SeriesStream(self._live, ticker, end.take)
        board, take = self._live.board, self._take
        self._stitch = Stitch(
            history, stream, end, self._pace, quote=lambda: board.get(ticker), take=take, say=self._say
        )
        self._upkeep = Upkeep(history, stream, end, self._stitch, self._pace, take=self._take)

    async def _run(self) -> None:
        with suppress(MarketError):
            self._take(await self._history.cached())
        self._settled_ms = 0  # the cache's end may be far from now
        self._stream.open()
        await self._check_splits()  # before anything of the new scale comes onto the screen
        await self._run_stitch()
        turns = 0
        while True:
            if self.info is None and turns % _TURNS_A_LOOKUP == 0:  # the catalogue may still be on its way
                with suppress(MarketError):
                    self.info = await self._market_data.catalogue.ticker(self.ticker)
            turns += 1
            await asyncio.sleep(self._look_s)
            self._refresh_status()
            await self._check_splits()  # a day may have passed
            try:
                if await self._upkeep.turn(self.status.missing, self._settled_ms):
                    self._set_status(**what_is_wrong(None))
            except MarketError as error:
                self._say(error)

    async def _check_splits(self) -> None:
        """Begins anew after a split: old and new prices are never on the screen together."""
        with suppress(MarketError):
            if await self._market_data.check_splits(self.ticker):
                self.show(self.ticker, self.timeframe)  # ends this task

    def _start_stitch(self) -> None:
        self._tasks.start(self._run_stitch(), replace="stitch", name="stitch")

    async def _run_stitch(self) -> None:
        await self._stitch.run(lambda: self.series.last_start_ms, lambda: self._settled_ms)
        self._upkeep.hurry()  # the server answers: what was lost can be had

    async def _load_older(self) -> None:
        try:
            found, is_oldest = await self._history.older(int(self.series.bars.start_ms[0]))
        except MarketError as error:
            self._set_status(is_loading_older=False, **what_is_wrong(error))
            return
        self._take(found)
        wrong = {} if found.error is None else what_is_wrong(found.error)
        self._set_status(is_loading_older=False, is_oldest_reached=is_oldest, **wrong)

    async def _recheck(self, from_ms: int, to_ms: int) -> None:
        """Behind what is shown: corrections come into the chart in place."""
        await asyncio.sleep(_SEEN_S)
        with suppress(MarketError):  # tomorrow is another day
            for start_ms, end_ms in await self._history.recheck(from_ms, to_ms):
                if end_ms > self._held_ms:
                    self._take(await self._history.buckets(max(start_ms, self._held_ms), end_ms, offline=True))

    def _say(self, error: MarketError | None) -> None:
        without_bars = "empty" if error is None else "failed"
        self._set_status(phase="ready" if len(self.series) else without_bars, **what_is_wrong(error))

    def _take(self, found: Found) -> None:
        """REST's or the cache's word on a range: bars, what is not known, and what is settled."""
        if found.asked[1] < self._held_ms:
            return  # times that are not on the chart: a hole would lie between
        self._held_ms = min(self._held_ms or found.asked[0], found.asked[0])
        missing = tuple(overwritten(self.status.missing, found.asked, found.missing))
        is_end = found.asked[1] > (self.series.last_start_ms or 0)
        self._set_status(missing=missing, fetched_ms=found.fetched_ms if is_end else self.status.fetched_ms)
        before_ms, bars = self._settled_ms, found.bars
        if found.asked[0] <= before_ms or not before_ms:
            self._settled_ms = max(before_ms, found.settled_ms)
        if self._stream.is_flowing and len(bars) and self._stitch.is_stitched and found.asked[1] > self._settled_ms:
            # REST may be behind: its newest bar can be without its end, and the stream has it whole.
            bars = bars.take(0, len(bars) if int(bars.start_ms[-1]) < self._settled_ms else len(bars) - 1)
        was_empty = not len(self.series)
        if len(gone := found.gone_from(self.series.bars, self.timeframe, self.market)):
            self.series.remove(gone)
            self.series.merge(bars)
            self.reset.emit()
            return
        change = self.series.merge(bars)
        if was_empty and len(self.series):
            self._set_status(phase="ready")
            self.reset.emit()
            return
        if self._settled_ms > before_ms and len(self.series):
            newly = max(0, int(self.series.bars.start_ms.searchsorted(before_ms)) - 1)
            change = SeriesChange(change.prepended, min(change.first_index, newly) if not change.is_nothing else newly)
        self._announce(change)

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

    async def _correct(self, from_ms: int, to_ms: int, *, offline: bool = False) -> None:
        """An older bar was re-sent or fetched anew: asks REST, or the cache alone, for its bucket."""
        with suppress(MarketError):  # the settle round asks again
            self._take(await self._history.buckets(from_ms, to_ms, offline=offline))

    def _announce(self, change: SeriesChange) -> None:
        if change.prepended:
            self.prepended.emit(change.prepended)
        if 0 <= change.first_index < len(self.series):
            self.changed.emit(change.first_index)
        self._refresh_status()

    def _on_feed_state(self) -> None:
        if self._stream.connection is not None:
            self._stitch.hurry()  # the server is back
        if self._stitch.is_due:
            self._start_stitch()
        self._stream.fall_back()
        self._refresh_status()

    def _refresh_status(self) -> None:
        last_ms = self.series.last_start_ms
        self._set_status(
            bar_state="forming" if last_ms is None else self.state_of(last_ms),
            bar_origin="cache" if last_ms is None else self.origin_of(last_ms),
            **live_part(self._live.board.get(self.ticker), self._end, self._stream, self.market, is_live=self.is_live),
        )

    def _set_status(self, **changes: object) -> None:
        status = replace(self.status, **changes)  # type: ignore[arg-type]
        if status != self.status:
            self.status = status
            self.status_changed.emit()

    def _leave(self) -> None:
        for key in ("show", "older", "stitch", "correct", "recheck"):
            self._tasks.cancel(key)
        self._stream.close()
        self._end.stop()
        self._settled_ms = self._held_ms = 0

    async def aclose(self) -> None:
        """Stops following and forgets the subscription."""
        self._leave()
        await self._tasks.aclose()
