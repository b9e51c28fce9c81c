"""One scenario's stage: a feed server and the application's data path on one virtual loop, and the oracle beside them.

Import only in a process whose clocks are virtual (`tests.helpers.virtual_process`).
"""

from __future__ import annotations

import asyncio
import functools
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from desktop.data.clock import WallClock
from desktop.data.feed import Feed
from desktop.data.ledger import settled_until
from desktop.data.market_data import MarketData
from desktop.data.rate_limit import Limiter
from desktop.data.rest import RestClient
from desktop.data.store import Store
from desktop.demo.corrections import CorrectedSource
from desktop.demo.faults import Fault
from desktop.demo.plan import PAID
from desktop.demo.server import RunningServer, ServerOptions, serving
from desktop.domain.bars import Bars, Ints
from desktop.domain.freshness import Freshness
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    ONE_DAY,
    ONE_HOUR,
    ONE_MINUTE,
    Timeframe,
    bucket_end,
    bucket_starts,
)
from desktop.domain.world import World
from desktop.services.chart_data import ChartData
from desktop.services.clock_check import ClockCheck
from desktop.services.live import LiveMarket
from desktop.services.notices import Notices
from tests.helpers.virtual_loop import VirtualTime
from tests.oracle.patchy_market import END_MS, START_MS, PatchyMarket, all_bars

KEY = "oracle-key"
TIMEFRAMES = tuple(Timeframe.parse(text) for text in ("1m", "7m", "1h", "1D"))
TICKERS = {
    Market.CRYPTO: ("X:BTCUSD", "X:ETHUSD", "X:THINUSD"),
    Market.STOCKS: ("AAPL",),
    Market.FOREX: ("C:EURUSD",),
}
_CLAIMS = (Freshness.LIVE, Freshness.DELAYED, Freshness.NO_TRADES)
_UNNOTICED_MS = 35_000  # a connection that went silent is found out after a ping and the time its pong has
_WAKES_IN_S = 1.5  # the charts of the stage look at the clock once a second
_LIVE_WITHIN_S = 1200


class Hole(AssertionError):
    """Something was shown as current, or kept as settled, that the market contradicts."""


@functools.cache
def _buckets(seed: int, ticker: str, timeframe: Timeframe) -> tuple[Ints, Ints]:
    """Starts and ends of all buckets with trades."""
    market = market_of(ticker)
    starts = all_bars(seed, ticker, timeframe).start_ms
    ends = np.array([bucket_end(start_ms, timeframe, market) for start_ms in starts.tolist()], np.int64)
    return starts, ends


class _Machine:
    """The user's computer: its wall clock can be set."""

    def __init__(self, virtual: VirtualTime) -> None:
        self._virtual = virtual
        self.step_s = 0.0

    def clock(self) -> WallClock:
        return WallClock(lambda: self._virtual.wall() + self.step_s, self._virtual.elapsed)


class Stage:
    """Server, client and oracle; every method runs on the virtual loop. `faults` counts what was done, by kind."""

    def __init__(self, virtual: VirtualTime, folder: Path, seed: int) -> None:
        self.virtual = virtual
        self.folder = folder
        self.seed = seed
        self.faults: Counter[str] = Counter()
        self.checks = 0
        self.live_checks = 0
        self._awake_s = 0.0
        self._corrected = CorrectedSource(PatchyMarket(seed))
        self._corrections: defaultdict[str, set[int]] = defaultdict(set)
        self._machine = _Machine(virtual)
        self._server_stack = AsyncExitStack()
        self._client_stack: AsyncExitStack | None = None
        self._served: RunningServer | None = None
        self._http: httpx.AsyncClient | None = None
        self._shown: dict[Market, tuple[str, Timeframe]] = {
            market: (tickers[0], ONE_MINUTE) for market, tickers in TICKERS.items()
        }
        self.charts: dict[Market, ChartData] = {}
        self.live: LiveMarket | None = None
        self.data: MarketData | None = None
        self.store: Store | None = None

    @property
    def server(self) -> RunningServer:
        assert self._served is not None
        return self._served

    @property
    def now_ms(self) -> int:
        """The market's time."""
        return self.server.clock.now_ms()

    async def open(self) -> None:
        """Starts the server at the virtual wall time, and the client."""
        options = ServerOptions(PatchyMarket(self.seed), KEY, self.virtual.wall() * 1000, 1.0, PAID, tick_s=1.0)
        self._served = await self._server_stack.enter_async_context(serving(options))
        self._http = await self._server_stack.enter_async_context(httpx.AsyncClient(trust_env=False, verify=False))
        await self.open_client()

    async def close(self) -> None:
        await self.close_client()
        await self._server_stack.aclose()

    async def open_client(self) -> None:
        """What the application builds, on the folder as it is."""
        stack = self._client_stack = AsyncExitStack()
        server, clock = self.server, self._machine.clock()
        world = World(server.world)
        store = self.store = await Store.open(self.folder / "cache.sqlite", world, on_event=self._on_file_event)
        stack.push_async_callback(store.aclose)
        rest = RestClient(base=server.rest, key=KEY, limiter=Limiter(calls_per_minute=None), world=world)
        rest.on_server_time = clock.heard
        stack.push_async_callback(rest.aclose)
        data = self.data = MarketData(rest=rest, store=store, clock=clock)

        def make_feed(cluster: str, on_events: Any, on_state: Any) -> Feed:
            return Feed(cluster=cluster, base=server.socket, key=KEY, on_events=on_events, on_state=on_state)

        live = self.live = LiveMarket(make_feed, clock, data)
        stack.push_async_callback(live.aclose)
        check = ClockCheck(data, clock, Notices())
        stack.push_async_callback(check.aclose)
        check.start()
        live.start()
        self.charts = {}
        for market, shown in self._shown.items():
            chart = self.charts[market] = ChartData(
                data, live, clock, source="test", is_limited=False, first_bars=200, look_s=1.0
            )
            stack.push_async_callback(chart.aclose)
            chart.show(*shown)

    async def close_client(self) -> None:
        if self._client_stack is not None:
            await self._client_stack.aclose()
            self._client_stack = None

    def _on_file_event(self, sentence: str) -> None:
        raise Hole(f"the cache was given up: {sentence}")

    # What happens

    def note(self, kind: str) -> None:
        self.faults[kind] += 1

    def add_fault(self, fault: Fault) -> None:
        self.note(fault.kind)
        self.server.faults.add(fault)

    async def order(self, **fault: Any) -> Any:
        """A fault that strikes at once, by the control endpoint."""
        assert self._http is not None
        self.note(fault["kind"])
        answer = await self._http.post(f"{self.server.control}/faults", json=fault)
        return answer.json()

    async def correct(self, ticker: str, minutes_back: int) -> None:
        """A minute changes after the fact, in REST and on the socket."""
        answer = await self.order(kind="correction", ticker=ticker, minutes_back=minutes_back)
        if "bar" in answer:
            bar = self._corrected.correct(ticker, answer["bar"]["t"] + MINUTE_MS, 0, 1.001)
            assert bar is not None
            assert bar.start_ms == answer["bar"]["t"]
            self._corrections[ticker].add(bar.start_ms)

    def show(self, ticker: str, timeframe: Timeframe) -> None:
        market = market_of(ticker)
        self._shown[market] = (ticker, timeframe)
        self.charts[market].show(ticker, timeframe)

    def sleep(self, seconds: float) -> None:
        """The machine sleeps: the market goes on, nothing here runs."""
        self.note("sleep")
        self._skip(seconds)
        self._awake_s = self.virtual.monotonic_s + _WAKES_IN_S

    def _skip(self, seconds: float) -> None:
        """The market and everybody's clocks go on, nothing here runs."""
        self.virtual.sleep(seconds)
        self.server.clock.set(now_ms=self.server.clock.exact_ms() + seconds * 1000)

    def step_clock(self, seconds: float) -> None:
        self.note("clock step forward" if seconds > 0 else "clock step back")
        self._machine.step_s += seconds

    def retry(self) -> None:
        """A person presses Reconnect."""
        for chart in self.charts.values():
            chart.reload()
        if self.live is not None:
            self.live.retry_now()

    async def restart(self, away_s: float) -> None:
        """Ends the application and starts it again later on the same folder."""
        self.note("restart")
        await self.close_client()
        if away_s:
            self._skip(away_s)
        await self.open_client()

    async def advance(self, seconds: float) -> None:
        """Lets time pass and looks at every second what the charts claim."""
        end_s = self.virtual.monotonic_s + seconds
        while self.virtual.monotonic_s < end_s:
            await asyncio.sleep(1.0)
            self.check()

    # What is held against it

    def check(self) -> None:
        """No chart may say that it is current with a hole behind it."""
        if self.virtual.monotonic_s < self._awake_s:
            return
        self.checks += 1
        for chart in self.charts.values():
            status = chart.status
            if not (chart.is_live or status.freshness in _CLAIMS) or not len(chart.series):
                continue
            self.live_checks += 1
            starts, ends = _buckets(self.seed, chart.ticker, chart.timeframe)
            held = chart.series.bars.start_ms
            begin = int(np.searchsorted(starts, held[0]))
            end = int(np.searchsorted(ends, self.now_ms - _UNNOTICED_MS, "right"))
            due = starts[begin:end]
            lacking = due[held[np.minimum(np.searchsorted(held, due), len(held) - 1)] != due]
            for from_ms, to_ms in status.missing:
                lacking = lacking[(lacking < from_ms) | (lacking >= to_ms)]
            if len(lacking):
                raise Hole(
                    f"{chart.ticker} {chart.timeframe} says {status.freshness} (live: {chart.is_live}) at {self.now_ms}"
                    f" and lacks {len(lacking)} bars: {lacking[:3].tolist()}"
                )

    async def until_live(self, limit_s: float = _LIVE_WITHIN_S) -> None:
        """Waits until everything has caught up by itself."""
        deadline_s = self.virtual.monotonic_s + limit_s
        while not all(chart.is_live and not chart.status.missing for chart in self.charts.values()):
            if self.virtual.monotonic_s > deadline_s:
                raise Hole(f"not whole after {limit_s} s: {[self._state(chart) for chart in self.charts.values()]}")
            await self.advance(1.0)

    def _state(self, chart: ChartData) -> str:
        return f"{chart.ticker} {chart.timeframe} live={chart.is_live} bars={len(chart.series)} {chart.status}"

    async def catch_up(self) -> None:
        """All faults end: everything comes back by itself, and what is settled is what the market says."""
        self.server.faults.clear()
        await self.until_live()
        await self.advance(3)
        for chart in self.charts.values():
            self._compare_chart(chart, except_corrected=True)

    async def finish(self, *, a_day_later: bool) -> None:
        """Every series that was looked at is in the store what the market says.

        A correction that nobody was told of is found only when the page is looked at a day later.
        """
        if a_day_later:
            await self._pass_a_day()
        for ticker in (ticker for tickers in TICKERS.values() for ticker in tickers):
            for base in (ONE_MINUTE, ONE_HOUR, ONE_DAY):
                await self._compare_store(ticker, base, except_corrected=not a_day_later)
        if a_day_later:
            for ticker in (shown[0] for shown in self._shown.values()):
                for timeframe in TIMEFRAMES:
                    await self._compare_answer(ticker, timeframe)

    async def _pass_a_day(self) -> None:
        self.server.faults.clear()
        self.sleep(25 * 3600)
        await self.order(kind="socket_drop")
        await self.advance(2)
        await self.until_live()
        await self.advance(3)
        assert self.data is not None
        for ticker in (ticker for tickers in TICKERS.values() for ticker in tickers):
            for base in (ONE_MINUTE, ONE_HOUR, ONE_DAY):
                await self.data.recheck(ticker, base, START_MS, self.now_ms)

    def expected(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int) -> Bars:
        """The oracle's bars of whole buckets in [from_ms, to_ms), from the market's trades and corrections alone."""
        return self._corrected.bars(ticker, timeframe, from_ms, to_ms, END_MS)

    async def _compare_store(self, ticker: str, base: Timeframe, *, except_corrected: bool) -> None:
        """Every range that the store calls settled holds the market's bars, no more and no less."""
        assert self.store is not None
        market = market_of(ticker)
        for part in await self.store.covered(ticker, base, True, 0, 1 << 60):
            end_ms = min(part.end_ms, settled_until(part.fetched_ms, market), self.now_ms)
            held = await self.store.bars(ticker, base, True, part.start_ms, end_ms)
            ends = bucket_starts(held.start_ms + base.typical_ms * 3 // 2, base, market)
            held = held.take(0, int(np.searchsorted(ends, end_ms, "right")))
            expected = self.expected(ticker, base, part.start_ms, _whole(end_ms, base, market))
            if except_corrected:
                held, expected = (self._without_corrected(bars, ticker, base) for bars in (held, expected))
            _same(f"store {ticker} {base} {part} at {self.now_ms}", held, expected)

    def _without_corrected(self, bars: Bars, ticker: str, timeframe: Timeframe) -> Bars:
        minutes = self._corrections.get(ticker)
        if not minutes:
            return bars
        touched = bucket_starts(np.array(sorted(minutes), np.int64), timeframe, market_of(ticker))
        keep = ~np.isin(bars.start_ms, touched)
        return Bars(bars.start_ms[keep], *(column[keep] for column in bars.values()))

    async def _compare_answer(self, ticker: str, timeframe: Timeframe) -> None:
        assert self.data is not None
        to_ms = _whole(self.now_ms - HOUR_MS, timeframe, market_of(ticker))
        from_ms = max(START_MS + DAY_MS, to_ms - max(300 * timeframe.typical_ms, DAY_MS))
        from_ms = _whole(from_ms, timeframe, market_of(ticker))
        answer = await self.data.bars(ticker, timeframe, from_ms, to_ms)
        if answer.missing or answer.error is not None:
            raise Hole(f"{ticker} {timeframe}: {answer.error} {answer.missing}")
        _same(f"answer {ticker} {timeframe}", answer.bars, self.expected(ticker, timeframe, from_ms, to_ms))

    def _compare_chart(self, chart: ChartData, *, except_corrected: bool) -> None:
        """Nothing is missing, and settled bars are right. A correction nobody was told of is found within a day."""
        name = f"chart {chart.ticker} {chart.timeframe}"
        if not len(chart.series):
            raise Hole(f"{name}: no bars")
        if chart.status.missing:
            raise Hole(f"{name}: {chart.status.missing} is still missing")
        held = chart.series.bars
        states = [chart.state_of(start_ms) for start_ms in held.start_ms[-400:].tolist()]
        to_ms = (
            int(held.start_ms[-len(states) + states.index("closed")]) if "closed" in states else int(held.start_ms[-1])
        )
        from_ms = int(held.start_ms[0])
        expected = self.expected(chart.ticker, chart.timeframe, from_ms, to_ms)
        held = held.between(from_ms, to_ms)
        if except_corrected:
            held, expected = (self._without_corrected(bars, chart.ticker, chart.timeframe) for bars in (held, expected))
        _same(name, held, expected)


def _whole(time_ms: int, timeframe: Timeframe, market: Market) -> int:
    """The start of the bucket that `time_ms` lies in."""
    return int(bucket_starts(np.array([time_ms], np.int64), timeframe, market)[0])


def _same(what: str, held: Bars, expected: Bars) -> None:
    if not np.array_equal(held.start_ms, expected.start_ms):
        lacking = np.setdiff1d(expected.start_ms, held.start_ms)
        extra = np.setdiff1d(held.start_ms, expected.start_ms)
        raise Hole(f"{what}: lacks {lacking[:3].tolist()} ({len(lacking)}), has {extra[:3].tolist()} ({len(extra)})")
    for name in ("open", "high", "low", "close", "volume", "trades"):
        ours, theirs = getattr(held, name), getattr(expected, name)
        if not np.array_equal(ours, theirs):
            index = int(np.flatnonzero(ours != theirs)[0])
            raise Hole(f"{what}: {name} of {int(held.start_ms[index])} is {ours[index]}, not {theirs[index]}")
    if not np.allclose(held.vwap, expected.vwap, rtol=1e-9, atol=0):
        raise Hole(f"{what}: vwap differs")
