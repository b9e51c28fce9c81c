"""Bars, tickers and snapshots: from the cache first, the gaps from the vendor, written back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from desktop.data.audit import AuditProgress, audit
from desktop.data.catalogue import Catalogue
from desktop.data.clock import MarketClock
from desktop.data.gap_filler import GapFiller, Series
from desktop.data.ledger import Range, held_ranges, settled_ranges_of, whole_buckets, without
from desktop.data.rate_limit import Priority
from desktop.data.recheck import Recheck
from desktop.data.rest import RestClient, unknown_ticker
from desktop.data.splits import SplitCheck
from desktop.data.store import Store
from desktop.domain.aggregation import roll_up
from desktop.domain.audit import AuditReport
from desktop.domain.bars import Bars
from desktop.domain.coverage import gaps
from desktop.domain.errors import MarketError, NotCached, Offline, UnknownTicker
from desktop.domain.market import Market, MarketStatus, Snapshot, TickerInfo, is_plausible_ticker, market_of
from desktop.domain.timeframe import DAY_MS, ONE_DAY, Timeframe, bucket_end, bucket_start

_log = logging.getLogger(__name__)

BEGINNING_MS: Final = 631_152_000_000  # 1990: before all the vendor has
RECHECK_MS: Final = 60_000
_FOREVER_MS: Final = 1 << 60
_SNAPSHOTS_PER_CALL: Final = 200
_OFFLINE: Final = "Offline: only what the cache holds is shown."


@dataclass(frozen=True, slots=True)
class Answer:
    """Bars of a range and what is to be said about them. Times Unix ms UTC."""

    bars: Bars
    missing: tuple[Range, ...] = ()  # not known: hatch it. Everything else without bars is known to be empty
    error: MarketError | None = None  # why something is missing, or could not be asked for again
    settled_until_ms: int | None = None  # bars that end by then (outside `missing`) will not change any more
    oldest_ms: int | None = None  # the plan has nothing before
    newest_ms: int | None = None  # the plan has nothing from here on
    fetched_ms: int | None = None  # when the newest part of the range came from the vendor
    is_delayed: bool = False  # the vendor said that its data run behind


class MarketData:
    """The one door to market data. `rest` None: offline, the cache alone.

    `rest` may be exchanged at any time (another key); call `forget_limits` then.
    """

    def __init__(self, *, rest: RestClient | None, store: Store, clock: MarketClock) -> None:
        self.rest = rest
        self.catalogue = Catalogue(store, clock)
        self._store = store
        self._clock = clock
        self._gaps = GapFiller(store, clock)
        self._recheck = Recheck(store, clock, self._gaps)
        self._splits = SplitCheck(store, clock)

    async def bars(
        self,
        ticker: str,
        timeframe: Timeframe,
        from_ms: int,
        to_ms: int,
        *,
        adjusted: bool = True,
        offline: bool = False,
        priority: Priority = Priority.SCREEN,
        max_age_ms: int = RECHECK_MS,
    ) -> Answer:
        """The bars whose start lies in [from_ms, to_ms), the forming one included.

        What the cache lacks is fetched page by page, each stored at once: a caller that is cancelled loses nothing.
        Bars that are not settled are asked for again when fetched more than `max_age_ms` ago. What could not be
        fetched is in `missing`, with the `error`; a bar that is only partly known is left out.
        Raises UnknownTicker, CacheError, and NotCached when offline with nothing at all in the cache.
        """
        if not is_plausible_ticker(ticker):
            raise unknown_ticker(ticker)
        series = series_of(ticker, timeframe, adjusted=adjusted)
        market = series.market
        now_ms = self._clock.now_ms()
        begin_ms, end_ms = _whole_bars(from_ms, to_ms, timeframe, market)
        end_ms = min(end_ms, _end_of_forming(now_ms, series))
        if begin_ms >= end_ms:
            return Answer(Bars.empty())
        await self._gaps.edges.load()
        rest = None if offline else self.rest
        error: MarketError | None = None
        if rest is not None:
            now_ms, error = await self._gaps.fill(rest, series, begin_ms, end_ms, max_age_ms, priority)
        answer = await self._answer(series, timeframe, begin_ms, end_ms, now_ms, error, is_offline=rest is None)
        if not len(answer.bars):
            await self._explain_nothing(series, answer, begin_ms, end_ms, offline=offline, priority=priority)
        return answer

    async def recheck(
        self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, *, adjusted: bool = True
    ) -> list[Range]:
        """Asks the vendor again about settled bars of a range that is on the screen, once a day for each page.

        Answers which times turned out different; the cache holds the new bars then.
        """
        if self.rest is None:
            return []
        series = series_of(ticker, timeframe, adjusted=adjusted)
        await self._gaps.edges.load()
        return await self._recheck.run(self.rest, series, from_ms, to_ms, Priority.RECHECK)

    async def fill(
        self,
        ticker: str,
        timeframe: Timeframe,
        from_ms: int,
        to_ms: int,
        *,
        adjusted: bool = True,
        priority: Priority = Priority.BACKFILL,
        on_page: Callable[[int], None] = lambda _bars: None,
    ) -> MarketError | None:
        """Fetches what the cache lacks of the finished bars whose start lies in [from_ms, to_ms); reads none.

        `on_page` hears after each call how many bars were stored. Answers why something is still missing.
        Raises UnknownTicker and CacheError.
        """
        series = series_of(ticker, timeframe, adjusted=adjusted)
        await self._gaps.edges.load()
        begin_ms, end_ms = _whole_bars(from_ms, to_ms, timeframe, series.market)
        end_ms = min(end_ms, bucket_start(self._clock.now_ms(), series.base, series.market))
        if begin_ms >= end_ms:
            return None
        rest = self._online()
        _now_ms, error = await self._gaps.fill(rest, series, begin_ms, end_ms, RECHECK_MS, priority, on_page)
        return error

    async def audit(
        self,
        ticker: str,
        timeframe: Timeframe,
        from_ms: int,
        to_ms: int,
        on_progress: Callable[[AuditProgress], None] = lambda _progress: None,
    ) -> AuditReport:
        """Fetches the settled base bars of a range anew and says what differs from the cache, which takes them over.

        Raises MarketError when nothing could be compared.
        """
        rest, series = self._online(), series_of(ticker, timeframe)
        await self._gaps.edges.load()
        return await audit(rest, self._store, self._clock, self._gaps, series, (from_ms, to_ms), on_progress)

    async def check_splits(self, ticker: str, *, priority: Priority = Priority.GAP) -> bool:
        """Looks at a stock's splits, once a day: whether its adjusted bars were of an old scale and are gone now."""
        if self.rest is None or market_of(ticker) is not Market.STOCKS:
            return False
        return await self._splits.run(self.rest, ticker, priority)

    async def history_start_ms(self, ticker: str, *, priority: Priority = Priority.SCREEN) -> int | None:
        """Start of the oldest day with bars that can be had, or None when there is none; one call at most, once."""
        to_ms = bucket_start(self._clock.now_ms(), ONE_DAY, market_of(ticker))
        answer = await self.bars(ticker, ONE_DAY, BEGINNING_MS, to_ms, priority=priority)
        return int(answer.bars.start_ms[0]) if len(answer.bars) else None

    async def previous_close(self, ticker: str, *, priority: Priority = Priority.WATCHLIST) -> float | None:
        """Close of the last finished day that has one, within ten days; days as the market counts them."""
        today_ms = bucket_start(self._clock.now_ms(), ONE_DAY, market_of(ticker))
        answer = await self.bars(ticker, ONE_DAY, today_ms - 10 * DAY_MS, today_ms, priority=priority)
        return float(answer.bars.close[-1]) if len(answer.bars) else None

    async def snapshot(self, tickers: Sequence[str], *, priority: Priority = Priority.WATCHLIST) -> dict[str, Snapshot]:
        """Snapshots by ticker, one call per market and 200 tickers; unknown ones are absent. Raises MarketError."""
        rest = self._online()
        answer: dict[str, Snapshot] = {}
        for market in Market:
            names = [ticker for ticker in dict.fromkeys(tickers) if market_of(ticker) is market]
            for begin in range(0, len(names), _SNAPSHOTS_PER_CALL):
                some = names[begin : begin + _SNAPSHOTS_PER_CALL]
                answer |= {found.ticker: found for found in await rest.snapshots(market, some, place=priority)}
        await self._store.put_snapshots(answer.values(), self._clock.now_ms())
        return answer

    async def cached_snapshots(self, tickers: Sequence[str]) -> dict[str, tuple[Snapshot, int]]:
        """The last snapshots seen, each with the market time it was fetched at."""
        return await self._store.snapshots(tickers)

    async def market_status(self, *, priority: Priority = Priority.WATCHLIST) -> MarketStatus:
        """Which markets are open. Raises MarketError."""
        return await self._online().market_status(place=priority)

    async def tickers(self, market: Market | None = None) -> list[TickerInfo]:
        """The catalogue as held."""
        return await self.catalogue.tickers(market)

    async def refresh_tickers(
        self, market: Market, *, force: bool = False, priority: Priority = Priority.SEARCH
    ) -> bool:
        """Reads a market's catalogue if it is older than a week; answers whether it did. Raises MarketError."""
        return await self.catalogue.refresh(self._online(), market, force=force, priority=priority)

    async def find_tickers(self, text: str, *, priority: Priority = Priority.SEARCH) -> list[TickerInfo]:
        """Asks the vendor's search, for what the catalogue lacks. Raises MarketError."""
        return await self.catalogue.find(self._online(), text, priority=priority)

    async def ticker_info(self, ticker: str, *, priority: Priority = Priority.SCREEN) -> TickerInfo:
        """A ticker's row, from the catalogue or the vendor. Raises UnknownTicker, or another MarketError."""
        held = await self.catalogue.ticker(ticker)
        return held or await self.catalogue.look_up(self._online(), ticker, priority=priority)

    async def forget_limits(self) -> None:
        """Another key, or “check again”: what was refused before is asked for anew."""
        if self.rest is not None:
            self.rest.check_again()
        await self._gaps.forget_limits()

    async def _answer(
        self,
        series: Series,
        timeframe: Timeframe,
        begin_ms: int,
        end_ms: int,
        now_ms: int,
        error: MarketError | None,
        *,
        is_offline: bool,
    ) -> Answer:
        """What the cache holds, judged at the time the filling ended: a bar that closes meanwhile still counts.

        The filling's `error` is kept where nothing is missing: bars that may have changed could not be had.
        """
        covered = await self._store.covered(series.ticker, series.base, series.adjusted, begin_ms, end_ms)
        base_bars = await self._store.bars(series.ticker, series.base, series.adjusted, begin_ms, end_ms)
        held = held_ranges(covered, series.base, series.market, now_ms=now_ms, max_age_ms=_FOREVER_MS)
        missing = whole_buckets(gaps(held, begin_ms, end_ms), timeframe, series.market)
        settled = settled_ranges_of(covered, series.base, series.market, now_ms)
        if missing and error is None:
            error = Offline(_OFFLINE) if is_offline else self._gaps.why_missing(series)
        bars = base_bars
        if timeframe != series.base:
            bars = await asyncio.to_thread(roll_up, base_bars, timeframe, series.market)
        return Answer(
            bars=without(bars, missing),
            missing=tuple(missing),
            error=error,
            settled_until_ms=min(settled[-1][1], end_ms) if settled else None,
            oldest_ms=self._gaps.edges.oldest_ms(series.market, now_ms),
            newest_ms=self._gaps.edges.newest_ms(series.market, now_ms),
            fetched_ms=covered[-1].fetched_ms if covered else None,
            is_delayed=self._gaps.is_delayed(series.market),
        )

    async def _explain_nothing(
        self, series: Series, answer: Answer, begin_ms: int, end_ms: int, *, offline: bool, priority: Priority
    ) -> None:
        """Raises when an empty answer means that nothing is cached, or that the ticker does not exist."""
        if offline or self.rest is None:
            if answer.missing and gaps(answer.missing, begin_ms, end_ms) == []:
                raise NotCached(f"The cache holds nothing of {series.ticker} in this range.")
            return
        if (answer.missing and not self._gaps.is_unproven(series)) or await self.catalogue.ticker(
            series.ticker
        ) is not None:
            return
        try:
            # The vendor answers for unknown tickers as for quiet ones.
            await self.catalogue.look_up(self.rest, series.ticker, priority=priority)
        except UnknownTicker:
            raise
        except MarketError as error:
            _log.info("could not look up %s: %s", series.ticker, error)

    def _online(self) -> RestClient:
        if self.rest is None:
            raise Offline(_OFFLINE)
        return self.rest


def series_of(ticker: str, timeframe: Timeframe, *, adjusted: bool = True) -> Series:
    """The stored series that bars of a timeframe come from; only stocks have an unadjusted one."""
    market = market_of(ticker)
    return Series(ticker, timeframe.base, adjusted or market is not Market.STOCKS, market)


def _whole_bars(from_ms: int, to_ms: int, timeframe: Timeframe, market: Market) -> Range:
    """From the first bar that starts in [from_ms, to_ms) to the end of the last one."""
    begin_ms = bucket_start(from_ms, timeframe, market)
    if begin_ms < from_ms:
        begin_ms = bucket_end(begin_ms, timeframe, market)
    return begin_ms, bucket_end(bucket_start(to_ms - 1, timeframe, market), timeframe, market)


def _end_of_forming(now_ms: int, series: Series) -> int:
    return bucket_end(bucket_start(now_ms, series.base, series.market), series.base, series.market)
