"""Cache first, gaps from the vendor: what is asked, what is stored, what is said to be missing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.data.ledger import held_ranges, settled_until
from desktop.data.market_data import Answer, MarketData
from desktop.data.rate_limit import Limiter, Priority
from desktop.data.rest import RestClient, RestOptions
from desktop.data.store import Store
from desktop.domain.aggregation import roll_up
from desktop.domain.bars import VALUE_COLUMNS, Bars
from desktop.domain.coverage import Covered, joined
from desktop.domain.errors import BadInput, BadResponse, NotCached, NotInPlan, Offline, UnknownTicker
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    ONE_DAY,
    ONE_HOUR,
    ONE_MINUTE,
    Span,
    Timeframe,
    bucket_end,
    bucket_start,
)
from desktop.domain.world import VENDOR
from tests.data.small_vendor import KEY, Reply, SmallVendor, json_reply

NOW = 20_000 * DAY_MS + 15 * HOUR_MS + 7 * MINUTE_MS + 30_000  # 2024-10-04 15:07:30Z, a Friday, 11:07:30 New York
BTC = {"ticker": "X:BTCUSD", "name": "Bitcoin", "market": "crypto", "active": True}


class SetClock:
    """Shows what it is set to."""

    rate = 1.0
    breaks = 0

    def __init__(self, now_ms: int) -> None:
        self.time_ms = now_ms

    def now_ms(self) -> int:
        return self.time_ms


def random_minutes(first_ms: int, last_ms: int, share: float = 0.8, seed: int = 1) -> Bars:
    rng = np.random.default_rng(seed)
    starts = np.arange(first_ms - first_ms % MINUTE_MS, last_ms, MINUTE_MS)
    starts = starts[rng.random(len(starts)) < share]
    values = rng.integers(1, 1000, (len(VALUE_COLUMNS), len(starts))) / 8
    return Bars(starts, *values)


class Bench:
    """A vendor, a cache and the thing under test."""

    def __init__(self, vendor: SmallVendor, store: Store, rest: RestClient, clock: SetClock) -> None:
        self.vendor, self.store, self.rest, self.clock = vendor, store, rest, clock
        self.data = MarketData(rest=rest, store=store, clock=clock)

    def at(self, now_ms: int) -> None:
        self.clock.time_ms = self.vendor.now_ms = now_ms

    def calls(self) -> list[str]:
        asked, self.vendor.asked = self.vendor.asked, []
        return asked

    def truth(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int) -> Bars:
        happened = self.vendor.minutes[ticker].between(0, self.vendor.now_ms)
        return roll_up(happened, timeframe, market_of(ticker)).between(from_ms, to_ms)


@asynccontextmanager
async def bench(tmp_path: Path, now_ms: int = NOW) -> AsyncIterator[Bench]:
    async def no_wait(_seconds: float) -> None:
        return

    limiter = Limiter(calls_per_minute=None, calls_per_second=10_000)
    async with (
        SmallVendor() as vendor,
        RestClient(
            base=vendor.base, key=KEY, limiter=limiter, world=None, sleep=no_wait, options=RestOptions()
        ) as rest,
        await Store.open(tmp_path / "cache.sqlite", VENDOR, on_event=lambda _text: None) as store,
    ):
        vendor.tickers = [BTC, {"ticker": "AAPL", "name": "Apple Inc.", "market": "stocks", "active": True}]
        made = Bench(vendor, store, rest, SetClock(now_ms))
        made.at(now_ms)
        yield made


def assert_same(found: Bars, expected: Bars) -> None:
    np.testing.assert_array_equal(found.start_ms, expected.start_ms)
    for name in VALUE_COLUMNS:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("ticker", ["X:BTCUSD", "AAPL"])
@pytest.mark.parametrize("text", ["1m", "5m", "7m", "15m", "1h", "4h", "1D", "1W", "1M"])
def test_bars_equal_the_market_and_cost_one_call_once(run_async, tmp_path: Path, ticker: str, text: str) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            timeframe, market = Timeframe.parse(text), market_of(ticker)
            b.vendor.minutes[ticker] = random_minutes(NOW - 5 * DAY_MS, NOW + HOUR_MS)
            from_ms, to_ms = NOW - 3 * DAY_MS, NOW + 5 * DAY_MS
            answer = await b.data.bars(ticker, timeframe, from_ms, to_ms)
            assert_same(answer.bars, b.truth(ticker, timeframe, from_ms, to_ms))
            assert (answer.missing, answer.error) == ((), None)
            expected_calls = 0 if bucket_end(bucket_start(from_ms, timeframe, market), timeframe, market) > NOW else 1
            assert len(b.calls()) == expected_calls
            again = await b.data.bars(ticker, timeframe, from_ms, to_ms)
            assert_same(again.bars, answer.bars)
            assert b.calls() == []

    run_async(scenario())


def test_the_recent_edge_is_asked_again_and_the_settled_past_never(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - DAY_MS, NOW + DAY_MS, share=1)
            from_ms, to_ms = NOW - 10 * HOUR_MS, NOW + DAY_MS
            first = await b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, to_ms)
            assert first.settled_until_ms == NOW - 30_000 - 5 * MINUTE_MS
            b.calls()
            b.at(NOW + 20_000)  # still the same minute
            await b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, to_ms)
            assert b.calls() == []
            await b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, to_ms, max_age_ms=0)
            assert len(b.calls()) == 1
            b.at(NOW + 40_000)  # the forming minute has closed
            found = await b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, to_ms)
            assert_same(found.bars, b.truth("X:BTCUSD", ONE_MINUTE, from_ms, to_ms))
            assert len(b.calls()) == 1
            b.at(NOW + HOUR_MS)
            changed = b.vendor.minutes["X:BTCUSD"]
            changed.close[changed.start_ms >= NOW - 4 * MINUTE_MS] = 0.5  # corrected before they settled
            found = await b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, to_ms)
            assert_same(found.bars, b.truth("X:BTCUSD", ONE_MINUTE, from_ms, to_ms))
            (call,) = b.calls()
            assert int(call.split("/")[8]) >= NOW - 6 * MINUTE_MS
            inside = await b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, NOW - HOUR_MS)
            assert b.calls() == []
            assert inside.settled_until_ms == NOW - 30_000 - HOUR_MS + MINUTE_MS

    run_async(scenario())


def test_pages_are_followed_and_each_is_kept_when_the_next_fails(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - 10 * HOUR_MS, NOW, share=1)
            b.vendor.page_bars = 100
            from_ms = NOW - 10 * HOUR_MS
            b.vendor.gate = asyncio.Event()
            b.vendor.gate.set()
            task = asyncio.create_task(b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, NOW))
            while len(await b.store.covered("X:BTCUSD", ONE_MINUTE, True, 0, NOW)) < 1:
                b.vendor.arrived.clear()
                await b.vendor.arrived.wait()
            task.cancel()
            await asyncio.wait([task])
            await b.store.put_value("barrier", 1)  # a page that was being written is written now
            held = await b.store.bars("X:BTCUSD", ONE_MINUTE, True, 0, NOW)
            assert len(held) % 100 == 0
            assert 100 <= len(held) < 600
            b.calls()
            b.vendor.faults.extend([json_reply({"message": "no"}, 400)])
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, NOW)
            assert isinstance(answer.error, BadResponse)
            (missing,) = answer.missing
            assert missing[0] == held.start_ms[-1] + MINUTE_MS
            assert len(answer.bars) == len(held)
            b.calls()
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, from_ms, NOW)
            assert_same(answer.bars, b.truth("X:BTCUSD", ONE_MINUTE, from_ms, NOW))
            assert len(b.calls()) == -(-(600 - len(held)) // 100)

    run_async(scenario())


@pytest.mark.parametrize("text", ["1h", "4h"])
def test_hour_pages_reach_as_far_as_their_minutes(run_async, tmp_path: Path, text: str) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - 5 * DAY_MS, NOW, share=0.9)
            b.vendor.page_bars = 1000
            answer = await b.data.bars("X:BTCUSD", Timeframe.parse(text), NOW - 4 * DAY_MS, NOW)
            assert_same(answer.bars, b.truth("X:BTCUSD", Timeframe.parse(text), NOW - 4 * DAY_MS, NOW))
            assert answer.missing == ()
            assert 5 <= len(b.calls()) <= 7

    run_async(scenario())


def test_the_same_gap_asked_at_once_is_fetched_once_at_the_first_priority(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - DAY_MS, NOW)
            places = [Priority.BACKFILL, Priority.SCREEN, Priority.GAP, Priority.WATCHLIST]
            answers = await asyncio.gather(
                *(b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - DAY_MS, NOW, priority=place) for place in places)
            )
            assert len({len(answer.bars) for answer in answers}) == 1
            assert len(b.calls()) == 1

    run_async(scenario())


def test_a_withdrawn_bar_goes_and_a_late_one_comes(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - HOUR_MS, NOW, share=0.5, seed=1)
            await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - HOUR_MS, NOW)
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - 3 * MINUTE_MS, NOW, share=0.5, seed=9)
            b.at(NOW + 2 * MINUTE_MS)
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - 3 * MINUTE_MS, NOW)
            assert_same(answer.bars, b.truth("X:BTCUSD", ONE_MINUTE, NOW - 3 * MINUTE_MS, NOW))

    run_async(scenario())


def test_offline_shows_what_is_held_and_says_what_is_not(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - DAY_MS, NOW + DAY_MS, share=1)
            with pytest.raises(NotCached):
                await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - HOUR_MS, NOW, offline=True)
            await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - HOUR_MS, NOW + HOUR_MS)
            b.at(NOW + HOUR_MS)
            b.calls()
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - 2 * HOUR_MS, NOW + HOUR_MS, offline=True)
            before, after = answer.missing
            minute = NOW - 30_000
            assert before == (minute - 2 * HOUR_MS + MINUTE_MS, minute - HOUR_MS + MINUTE_MS)
            assert after == (minute, minute + HOUR_MS + MINUTE_MS)  # the bar that was forming is not whole
            assert len(answer.bars) == 59
            assert isinstance(answer.error, Offline)
            quarter = await b.data.bars("X:BTCUSD", Timeframe.parse("15m"), NOW - HOUR_MS, NOW + HOUR_MS, offline=True)
            assert_same(quarter.bars, b.truth("X:BTCUSD", Timeframe.parse("15m"), NOW - HOUR_MS, NOW - 10 * MINUTE_MS))
            b.data.rest = None
            held = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - HOUR_MS, NOW - HOUR_MS // 2)
            assert (held.error, held.missing) == (None, ())
            with pytest.raises(Offline):
                await b.data.market_status()
            assert b.calls() == []

    run_async(scenario())


def test_a_failing_server_leaves_the_cached_bars_in_view(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - DAY_MS, NOW)
            await b.data.bars("X:BTCUSD", ONE_HOUR, NOW - 10 * HOUR_MS, NOW)
            for reply in (
                Reply(200, b"<html>Sign in"),
                Reply(200, b'{"results":[{"t":1'),
                Reply(502, b"<html>"),
                Reply(401),
            ):
                b.vendor.faults.extend([reply] * (4 if reply.status == 502 else 1))
                answer = await b.data.bars("X:BTCUSD", ONE_HOUR, NOW - 20 * HOUR_MS, NOW)
                assert answer.error is not None
                assert len(answer.bars) == 10
                assert len(answer.missing) == 1
                b.rest.check_again()
            answer = await b.data.bars("X:BTCUSD", ONE_HOUR, NOW - 20 * HOUR_MS, NOW)
            assert_same(answer.bars, b.truth("X:BTCUSD", ONE_HOUR, NOW - 20 * HOUR_MS, NOW))

    run_async(scenario())


def test_an_unknown_ticker_is_told_from_a_quiet_one(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            quiet = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - HOUR_MS, NOW)
            assert (len(quiet.bars), quiet.error, quiet.missing) == (0, None, ())
            with pytest.raises(UnknownTicker, match="X:NONE"):
                await b.data.bars("X:NONE", ONE_MINUTE, NOW - HOUR_MS, NOW)
            with pytest.raises(BadInput):
                await b.data.bars("not a ticker", ONE_MINUTE, NOW - HOUR_MS, NOW)
            assert (await b.data.ticker_info("AAPL")).name == "Apple Inc."

    run_async(scenario())


@pytest.mark.parametrize("depth_days", [2000, 731, 730, 365, 100])
def test_the_plans_depth_is_learnt_and_remembered(run_async, tmp_path: Path, depth_days: int) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - 800 * DAY_MS, NOW, share=0.0005)
            b.vendor.depth_ms = depth_days * DAY_MS
            answer = await b.data.bars("X:BTCUSD", ONE_DAY, NOW - 4000 * DAY_MS, NOW)
            assert isinstance(answer.error, NotInPlan)
            assert answer.oldest_ms is not None
            depth = (NOW - answer.oldest_ms) / DAY_MS
            assert depth_days / 2.6 < depth <= depth_days
            if depth_days in (730, 365):  # as sold: nothing of it is lost but the day that is cut through
                assert depth > depth_days - 1
            assert_same(answer.bars, b.truth("X:BTCUSD", ONE_DAY, answer.oldest_ms, NOW))
            assert answer.missing == (
                (
                    bucket_end(bucket_start(NOW - 4000 * DAY_MS, ONE_DAY, Market.CRYPTO), ONE_DAY, Market.CRYPTO),
                    answer.oldest_ms,
                ),
            )
            assert len(b.calls()) <= 7
            fresh = MarketData(rest=b.rest, store=b.store, clock=b.clock)
            again = await fresh.bars("X:BTCUSD", ONE_DAY, NOW - 4000 * DAY_MS, NOW)
            assert again.missing == answer.missing
            assert b.calls() == []
            b.vendor.depth_ms = None
            await fresh.forget_limits()
            wide = await fresh.bars("X:BTCUSD", ONE_DAY, NOW - 4000 * DAY_MS, NOW)
            assert (wide.missing, wide.error, wide.oldest_ms) == ((), None, None)

    run_async(scenario())


def test_an_end_of_day_plan_ends_yesterday(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - 900 * DAY_MS, NOW, share=0.0005)
            b.vendor.is_end_of_day = True
            b.vendor.depth_ms = 731 * DAY_MS
            today = 20_000 * DAY_MS
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - 30 * HOUR_MS, NOW)
            assert answer.newest_ms == today
            assert answer.missing == ((today, NOW + 30_000),)
            assert isinstance(answer.error, NotInPlan)
            assert_same(answer.bars, b.truth("X:BTCUSD", ONE_MINUTE, NOW - 30 * HOUR_MS, today))
            b.calls()
            long = await b.data.bars("X:BTCUSD", ONE_DAY, NOW - 1500 * DAY_MS, NOW)
            assert long.oldest_ms is not None
            assert long.newest_ms == today
            assert_same(long.bars, b.truth("X:BTCUSD", ONE_DAY, long.oldest_ms, today))
            assert await b.data.previous_close("X:BTCUSD") == pytest.approx(float(long.bars.close[-1]))

    run_async(scenario())


def test_a_small_plans_silence_is_not_taken_for_no_trades(run_async, tmp_path: Path) -> None:
    """The server gives two years up to yesterday and says nothing about the rest."""

    async def scenario() -> None:
        async with bench(tmp_path) as b:
            everything = random_minutes(NOW - 1000 * DAY_MS, NOW + DAY_MS, share=0.001)
            today, edge = 20_000 * DAY_MS, NOW - 730 * DAY_MS
            b.vendor.minutes["X:BTCUSD"] = everything.between(edge, today)
            b.rest.limiter.set_calls_per_minute(1000)
            answer = await b.data.bars("X:BTCUSD", ONE_DAY, NOW - 900 * DAY_MS, NOW)
            assert_same(
                answer.bars, b.truth("X:BTCUSD", ONE_DAY, bucket_start(edge, ONE_DAY, Market.CRYPTO) + DAY_MS, NOW)
            )
            assert [end for _, end in answer.missing] == [
                bucket_start(edge, ONE_DAY, Market.CRYPTO) + DAY_MS,
                today + DAY_MS,
            ]
            assert isinstance(answer.error, NotInPlan)
            assert len(b.calls()) == 1
            await b.data.bars("X:BTCUSD", ONE_DAY, NOW - 900 * DAY_MS, NOW)
            assert b.calls() == []
            minutes = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - 2 * DAY_MS, NOW)
            assert minutes.missing == ((today, NOW + 30_000),)
            b.at(NOW + 12 * HOUR_MS)  # tomorrow, all of the day is in the plan
            b.vendor.minutes["X:BTCUSD"] = everything.between(edge, today + DAY_MS)
            minutes = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - 2 * DAY_MS, today + DAY_MS)
            assert_same(minutes.bars, b.truth("X:BTCUSD", ONE_MINUTE, NOW - 2 * DAY_MS, today + DAY_MS))
            assert (minutes.missing, minutes.error) == ((), None)
            with pytest.raises(UnknownTicker):
                await b.data.bars("X:NONE", ONE_MINUTE, NOW - HOUR_MS, NOW)

    run_async(scenario())


def test_day_bars_of_old_crypto_and_strays_are_put_right(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            day = 19_000 * DAY_MS
            rows = [
                {"t": day + 4 * HOUR_MS, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1},
                {"t": day + DAY_MS, "o": 2, "h": 2, "l": 2, "c": 2, "v": 1},
                {"t": day + DAY_MS + 4 * HOUR_MS, "o": 3, "h": 3, "l": 3, "c": 3, "v": 1},
            ]
            b.vendor.faults.append(json_reply({"status": "OK", "results": rows}))
            answer = await b.data.bars("X:BTCUSD", ONE_DAY, day, day + 2 * DAY_MS)
            assert answer.bars.start_ms.tolist() == [day, day + DAY_MS]
            assert answer.bars.close.tolist() == [1, 3]
            stray = [
                {"t": day + 30_000, "o": 1, "h": 1, "l": 1, "c": 1},
                {"t": day + MINUTE_MS, "o": 1, "h": 1, "l": 1, "c": 1},
            ]
            b.vendor.faults.append(json_reply({"status": "DELAYED", "results": stray}))
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, day, day + HOUR_MS)
            assert answer.bars.start_ms.tolist() == [day + MINUTE_MS]
            assert answer.is_delayed

    run_async(scenario())


def test_a_server_that_turns_in_circles_is_left(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            more = json_reply({"status": "OK", "results": [], "next_url": f"{b.vendor.base}/v2/x"})
            b.vendor.faults.extend([more] * 3)
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - HOUR_MS, NOW)
            assert isinstance(answer.error, BadResponse)
            assert len(b.calls()) == 1

    run_async(scenario())


def test_a_clock_set_back_serves_no_bar_of_the_future(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - DAY_MS, NOW, share=1)
            await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - DAY_MS, NOW)
            earlier = NOW - 3 * HOUR_MS
            b.at(earlier)
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, earlier - HOUR_MS, NOW)
            assert_same(answer.bars, b.truth("X:BTCUSD", ONE_MINUTE, earlier - HOUR_MS, NOW))
            b.at(NOW)
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - DAY_MS, NOW)
            assert_same(answer.bars, b.truth("X:BTCUSD", ONE_MINUTE, NOW - DAY_MS, NOW))

    run_async(scenario())


def test_a_local_clock_that_runs_ahead_does_not_settle_what_has_not_happened(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes["X:BTCUSD"] = random_minutes(NOW - DAY_MS, NOW + 3 * HOUR_MS, share=1)
            b.clock.time_ms = NOW + 2 * HOUR_MS  # wrong by two hours
            said = json_reply({"status": "OK"}, Date="Fri, 04 Oct 2024 15:07:30 GMT")
            b.vendor.faults.append(said)
            early = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW - HOUR_MS, NOW + 3 * HOUR_MS)
            assert len(b.calls()) == 1
            assert early.missing == ((NOW - 30_000, NOW + 2 * HOUR_MS + 30_000),)
            assert "clock" in str(early.error)
            b.at(NOW + 3 * HOUR_MS)
            answer = await b.data.bars("X:BTCUSD", ONE_MINUTE, NOW, NOW + 3 * HOUR_MS)
            assert_same(answer.bars, b.truth("X:BTCUSD", ONE_MINUTE, NOW, NOW + 3 * HOUR_MS))

    run_async(scenario())


def test_the_catalogue_is_read_weekly_and_as_a_whole(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.tickers = [
                {"ticker": f"X:C{at:04}USD", "name": f"Coin {at}", "market": "crypto"} for at in range(2500)
            ]
            assert await b.data.refresh_tickers(Market.CRYPTO)
            assert len(b.calls()) == 3
            assert len(await b.data.tickers(Market.CRYPTO)) == 2500
            assert not await b.data.refresh_tickers(Market.CRYPTO)
            b.at(NOW + 8 * DAY_MS)
            b.vendor.faults.append(
                json_reply({"results": b.vendor.tickers[:5], "next_url": f"{b.vendor.base}/v3/gone"})
            )
            with pytest.raises(BadResponse):
                await b.data.refresh_tickers(Market.CRYPTO)
            assert len(await b.data.tickers()) == 2500
            b.vendor.tickers = [BTC]
            assert await b.data.refresh_tickers(Market.CRYPTO)
            assert [row.ticker for row in await b.data.tickers()] == ["X:BTCUSD"]
            b.vendor.tickers.append({"ticker": "TSLA", "name": "Tesla, Inc.", "market": "stocks"})
            assert [row.ticker for row in await b.data.find_tickers("tesla")] == ["TSLA"]
            assert [row.ticker for row in await b.data.tickers()] == ["TSLA", "X:BTCUSD"]

    run_async(scenario())


def test_snapshots_take_one_call_a_market_and_are_kept(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            found = await b.data.snapshot(["X:BTCUSD", "AAPL", "X:ETHUSD", "C:EURUSD", "AAPL"])
            assert set(found) == {"X:BTCUSD", "AAPL", "X:ETHUSD", "C:EURUSD"}
            assert len(b.calls()) == 3
            kept = await b.data.cached_snapshots(["AAPL", "X:NONE"])
            assert kept == {"AAPL": (found["AAPL"], NOW)}

    run_async(scenario())


def test_history_start_takes_one_call(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            assert await b.data.history_start_ms("X:BTCUSD") is None
            b.at(NOW + DAY_MS)
            b.vendor.minutes["AAPL"] = random_minutes(NOW - 3000 * DAY_MS, NOW, share=0.0002)
            b.calls()
            first = b.truth("AAPL", ONE_DAY, 0, NOW).start_ms[0]
            assert await b.data.history_start_ms("AAPL") == first
            assert await b.data.history_start_ms("AAPL") == first
            assert len(b.calls()) == 1

    run_async(scenario())


def test_when_things_settle() -> None:
    assert settled_until(NOW, Market.CRYPTO) == NOW - 5 * MINUTE_MS
    midnight = bucket_start(NOW, ONE_DAY, Market.STOCKS)
    assert settled_until(NOW, Market.STOCKS) == midnight
    evening = midnight + 20 * HOUR_MS + 15 * MINUTE_MS
    assert settled_until(evening - 1, Market.STOCKS) == midnight
    assert settled_until(evening, Market.STOCKS) == evening - 16 * MINUTE_MS


spans = st.lists(
    st.tuples(st.integers(0, 100), st.integers(1, 60), st.integers(0, 200)).map(
        lambda t: Covered(t[0] * MINUTE_MS, (t[0] + t[1]) * MINUTE_MS, t[2] * 45_000)
    ),
    max_size=6,
)


@settings(max_examples=200, deadline=None)
@given(
    spans,
    st.integers(0, 10_000_000),
    st.integers(0, 10**8),
    st.sampled_from([ONE_MINUTE, ONE_HOUR, Timeframe(1, Span.DAY)]),
)
def test_what_is_held_is_whole_bars_that_had_closed_or_still_form(covered, now_ms, max_age_ms, base):
    held = held_ranges(covered, base, Market.CRYPTO, now_ms=now_ms, max_age_ms=max_age_ms)
    assert held == joined(held)
    asked = joined((part.start_ms, part.end_ms) for part in covered)
    for start_ms, end_ms in held:
        assert any(a <= start_ms and end_ms <= b for a, b in asked)
        last = bucket_start(end_ms - 1, base, Market.CRYPTO)
        sources = [part for part in covered if part.start_ms < end_ms <= part.end_ms]
        is_forming = last == bucket_start(now_ms, base, Market.CRYPTO)
        assert any(part.fetched_ms >= last + base.typical_ms or is_forming or part.end_ms == end_ms for part in sources)


def answers_equal(one: Answer, other: Answer) -> bool:
    return len(one.bars) == len(other.bars) and one.missing == other.missing


action = st.tuples(
    st.sampled_from(["ask", "ask", "ask", "fail", "later", "correct"]),
    st.integers(0, 600),
    st.integers(1, 300),
    st.sampled_from(["1m", "7m", "15m", "1h", "1D"]),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(action, min_size=3, max_size=12), st.sampled_from(["X:BTCUSD", "AAPL", "C:EURUSD"]), st.integers(0, 1000)
)
def test_any_sequence_ends_with_the_markets_bars(tmp_path_factory, actions: list[Any], ticker: str, seed: int):
    """Asks at random, failures, passing time, late corrections: what is shown without a gap equals the market."""

    async def scenario() -> None:
        async with bench(tmp_path_factory.mktemp("cache")) as b:
            b.vendor.tickers.append({"ticker": "C:EURUSD", "name": "Euro", "market": "fx"})
            b.vendor.minutes[ticker] = random_minutes(NOW - DAY_MS, NOW + DAY_MS, share=0.3, seed=seed)
            b.vendor.page_bars = 60
            for kind, back, length, text in actions:
                timeframe = Timeframe.parse(text)
                from_ms = b.clock.time_ms - back * MINUTE_MS
                to_ms = from_ms + length * MINUTE_MS
                if kind == "later":
                    b.at(b.clock.time_ms + length * 7_000)
                elif kind == "correct":
                    bars = b.vendor.minutes[ticker]
                    bars.close[
                        (bars.start_ms > b.clock.time_ms - 3 * MINUTE_MS) & (bars.start_ms < b.clock.time_ms)
                    ] += 0.5
                else:
                    if kind == "fail":
                        b.vendor.faults.append(json_reply({"error": "no"}, 400))
                    answer = await b.data.bars(ticker, timeframe, from_ms, to_ms, max_age_ms=0)
                    b.vendor.faults.clear()
                    b.clock.time_ms += 1
                    truth = b.truth(ticker, timeframe, from_ms, to_ms)
                    for start_ms, end_ms in answer.missing:
                        truth = truth.between(0, start_ms).merged(truth.between(end_ms, 1 << 50))
                    found = answer.bars
                    if answer.error is not None:  # an unsettled bar may be of an earlier time
                        settled_ms = answer.settled_until_ms or 0
                        found, truth = (bars.between(0, settled_ms - timeframe.typical_ms) for bars in (found, truth))
                    assert_same(found, truth)
                    assert not answer.missing or answer.error is not None

    asyncio.run(asyncio.wait_for(scenario(), 20))
