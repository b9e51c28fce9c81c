"""Fills the gaps of the cache: pages of bars in order of need, one fetcher per series, plan limits respected."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from desktop.data.clock import MarketClock
from desktop.data.ledger import Range, aligned, held_ranges, vouched
from desktop.data.plan_edges import PlanEdges
from desktop.data.rate_limit import Priority, Ticket
from desktop.data.rest import RestClient
from desktop.data.store import Store
from desktop.domain.coverage import Covered, gaps
from desktop.domain.errors import BadResponse, MarketError, NotInPlan, UnknownTicker
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, MINUTE_MS, ONE_DAY, Timeframe, bucket_end

_FOREVER_MS: Final = 1 << 60
_ASKED_AT_MOST: Final = 4  # times one gap is asked for in one call of `fill`
_UNPROVEN_MS: Final = 10 * MINUTE_MS  # until a range that was answered with nothing is asked for again


@dataclass(frozen=True, slots=True)
class Series:
    """What is stored and fetched as one: a ticker's bars of a base timeframe."""

    ticker: str
    base: Timeframe
    adjusted: bool
    market: Market


@dataclass(slots=True)
class _Lane:
    """Who fetches for a series now, and how many wait for their turn."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ticket: Ticket | None = None
    users: int = 0


class GapFiller:
    """Fetches what the cache lacks and writes it back, page by page."""

    def __init__(self, store: Store, clock: MarketClock) -> None:
        self.edges = PlanEdges(store)
        self._store = store
        self._clock = clock
        self._lanes: dict[Series, _Lane] = {}
        self._delayed: set[Market] = set()
        self._unproven: dict[Series, list[Covered]] = {}  # answered with nothing, where the plan may end

    def is_delayed(self, market: Market) -> bool:
        """Whether the vendor said that this market's data run behind."""
        return market in self._delayed

    def is_unproven(self, series: Series) -> bool:
        """Whether part of the series was answered with a silence that proves nothing."""
        return bool(self._unproven.get(series))

    def unproven_ranges(self, series: Series) -> list[Range]:
        """The parts of a series that were answered with such a silence."""
        return [(part.start_ms, part.end_ms) for part in self._unproven.get(series, [])]

    async def forget_limits(self) -> None:
        """Another key or plan: what was refused or silent is asked for anew."""
        self._unproven.clear()
        await self.edges.forget()

    def why_missing(self, series: Series) -> MarketError:
        """Nothing failed, yet not all is there."""
        if self._unproven.get(series):
            return NotInPlan(
                "The server sent nothing for part of this time; the plan may not include it.",
                next_step="A larger plan has it: massive.com/pricing.",
                is_timeframe=True,
            )
        # Bars that should have closed are not known: it is not as late as we believe.
        return BadResponse("This computer's clock is ahead of the server's.", next_step="Set the clock.")

    async def fill(
        self,
        rest: RestClient,
        series: Series,
        begin_ms: int,
        end_ms: int,
        max_age_ms: int,
        priority: Priority,
        on_page: Callable[[int], None] = lambda _bars: None,
    ) -> tuple[int, MarketError | None]:
        """Fetches what is not held, newest gap first, a page at a time; `on_page` hears how many bars each stored.

        Answers the market time at which nothing more was to be done, and why something is still missing.
        """
        began_ms = self._clock.now_ms()
        fetched: list[Covered] = []
        asked: Counter[int] = Counter()
        while True:
            # One page of a series at a time: who asks for the same gap meanwhile finds it filled.
            async with self._lane(series, Ticket(priority)) as ticket:
                now_ms = self._clock.now_ms()
                covered = await self._store.covered(series.ticker, series.base, series.adjusted, begin_ms, end_ms)
                held = held_ranges(
                    [*covered, *fetched],
                    series.base,
                    series.market,
                    now_ms=now_ms,
                    max_age_ms=max(max_age_ms, now_ms - began_ms),  # what this call fetched is fresh enough for it
                )
                unproven = [
                    (part.start_ms, part.end_ms)
                    for part in self._unproven.get(series, [])
                    if 0 <= now_ms - part.fetched_ms < _UNPROVEN_MS
                ]
                todo, left_out = self._in_plan(gaps([*held, *unproven], begin_ms, end_ms), series.market, now_ms)
                if not todo:
                    return now_ms, left_out
                gap = todo[-1]
                asked[gap[0]] += 1
                if asked[gap[0]] > _ASKED_AT_MOST:
                    return now_ms, BadResponse("The server's answers do not get anywhere.")
                try:
                    fetched.append(await self._fetch_page(rest, series, gap, ticket, on_page))
                except NotInPlan as error:
                    if not error.is_timeframe or not await self._learn_edges(rest, series, gap, ticket):
                        return now_ms, error
                except UnknownTicker:
                    raise
                except MarketError as error:
                    return now_ms, error

    async def refetch(self, rest: RestClient, series: Series, asked: Range, priority: Priority) -> None:
        """Fetches a range anew, whatever is held of it, and stores what came. Raises MarketError."""
        at_ms, end_ms = asked
        while at_ms < end_ms:
            async with self._lane(series, Ticket(priority)) as ticket:
                at_ms = (await self._fetch_page(rest, series, (at_ms, end_ms), ticket)).end_ms

    def _in_plan(self, wanted: list[Range], market: Market, now_ms: int) -> tuple[list[Range], NotInPlan | None]:
        """The wanted ranges without what the plan is known to lack, and the reason if anything was cut off."""
        oldest_ms, newest_ms = self.edges.oldest_ms(market, now_ms), self.edges.newest_ms(market, now_ms)
        first = oldest_ms if oldest_ms is not None else -_FOREVER_MS
        last = newest_ms if newest_ms is not None else _FOREVER_MS
        cut = [(max(start, first), min(end, last)) for start, end in wanted]
        cut = [(start, end) for start, end in cut if start < end]
        if cut == wanted:
            return wanted, None
        sentence = "The plan does not include the current day."
        if any(start < first for start, _ in wanted):
            sentence = "The plan does not include data as old as this."
        return cut, NotInPlan(sentence, next_step="A larger plan has it: massive.com/pricing.", is_timeframe=True)

    async def _fetch_page(
        self,
        rest: RestClient,
        series: Series,
        gap: Range,
        ticket: Ticket,
        on_page: Callable[[int], None] = lambda _bars: None,
    ) -> Covered:
        """Fetches and stores as much of a gap as one call gives; answers that, by this machine's clock."""
        begin_ms, end_ms = gap
        asked_ms = fetched_ms = self._clock.now_ms()
        page = await rest.bars_page(
            series.ticker, series.base, begin_ms, end_ms, adjusted=series.adjusted, place=ticket
        )
        if page.server_ms is not None:
            # A clock that runs ahead must not make unfinished bars look settled.
            fetched_ms = min(fetched_ms, page.server_ms + 1000)
        if page.is_delayed:
            self._delayed.add(series.market)
        bars = aligned(page.bars, series.base, series.market).between(begin_ms, end_ms)
        if page.next_url is not None:
            if not len(bars):
                raise BadResponse("The server sent a page without bars, yet says there are more.")
            last_ms = int(bars.start_ms[-1])
            end_ms = min(end_ms, bucket_end(last_ms, series.base, series.market))
        known_ms = begin_ms, end_ms
        if rest.limiter.calls_per_minute is not None:
            known_ms = vouched(bars, known_ms, series.market, asked_ms)
            parts = [Covered(*part, asked_ms) for part in gaps([known_ms], begin_ms, end_ms)]
            self._unproven[series] = [*self._unproven.get(series, [])[-4:], *parts]
        if known_ms[0] < known_ms[1]:
            covered = Covered(*known_ms, fetched_ms)
            await self._store.put_bars(series.ticker, series.base, series.adjusted, bars, covered)
        on_page(len(bars))
        return Covered(begin_ms, end_ms, asked_ms)

    async def _learn_edges(self, rest: RestClient, series: Series, gap: Range, ticket: Ticket) -> bool:
        async def is_allowed(day_ms: int) -> bool:
            try:
                await rest.bars_page(series.ticker, ONE_DAY, day_ms, day_ms + DAY_MS, limit=10, place=ticket)
            except NotInPlan:
                return False
            return True

        return await self.edges.learn(series.market, gap[0], self._clock.now_ms(), is_allowed)

    @asynccontextmanager
    async def _lane(self, series: Series, ticket: Ticket) -> AsyncIterator[Ticket]:
        """The right to fetch for a series. Whoever waits lifts the one who works to its own priority."""
        lane = self._lanes.setdefault(series, _Lane())
        lane.users += 1
        try:
            if lane.ticket is not None:
                lane.ticket.raise_to(ticket.priority)
            async with lane.lock:
                lane.ticket = ticket
                try:
                    yield ticket
                finally:
                    lane.ticket = None
        finally:
            lane.users -= 1
            if not lane.users:
                del self._lanes[series]
