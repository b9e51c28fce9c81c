"""The whole REST path against the feed server in its own process."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from desktop.data.clock import FollowedClock
from desktop.data.market_data import MarketData
from desktop.data.rate_limit import Limiter
from desktop.data.rest import RestClient, RestOptions
from desktop.data.store import Store
from desktop.domain.aggregation import roll_up
from desktop.domain.bars import Bars
from desktop.domain.errors import BadResponse, NotInPlan, Unauthorized, UnknownTicker, WrongWorld
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, ONE_MINUTE, Timeframe
from desktop.domain.world import VENDOR, World
from tests.helpers.feed_server import ServerProcess, feed_servers  # noqa: F401 (fixture `feed_server`)

START = 1_700_000_000_000  # 2023-11-14 22:13:20Z, a Tuesday


@contextlib.asynccontextmanager
async def connected(
    server: ServerProcess, folder: Path, *, world: World | None = None, **options: Any
) -> AsyncIterator[MarketData]:
    limiter = Limiter(calls_per_minute=None, calls_per_second=1000)
    async with (
        httpx.AsyncClient(trust_env=False) as plain,
        RestClient(
            base=server.rest,
            key=options.pop("key", server.key),
            limiter=limiter,
            world=world or World(server.world),
            options=RestOptions(backoff_s=0.01),
        ) as rest,
        await Store.open(folder / "cache.sqlite", World(server.world), on_event=lambda _text: None) as store,
    ):
        clock = FollowedClock(server.control_url)
        await clock.sync(plain)
        yield MarketData(rest=rest, store=store, clock=clock)


@pytest.mark.parametrize("ticker", ["X:BTCUSD", "AAPL", "C:EURUSD"])
def test_every_timeframe_equals_the_minutes(
    run_async: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path, ticker: str
) -> None:
    server = feed_server("--seed", "7", "--start", START, "--speed", "1")
    server.control("POST", "/clock", {"paused": True})

    async def scenario() -> None:
        async with connected(server, tmp_path) as data:
            market = market_of(ticker)
            to_ms = START - START % DAY_MS
            minutes = await data.bars(ticker, ONE_MINUTE, to_ms - 10 * DAY_MS, to_ms)
            assert minutes.error is None
            assert len(minutes.bars) > 1000
            for text in ("7m", "15m", "1h", "4h"):
                timeframe = Timeframe.parse(text)
                found = await data.bars(ticker, timeframe, to_ms - 8 * DAY_MS, to_ms - DAY_MS)
                assert found.missing == ()
                expected = roll_up(minutes.bars, timeframe, market).between(to_ms - 8 * DAY_MS, to_ms - DAY_MS)
                for name in ("start_ms", "open", "high", "low", "close", "volume", "trades"):
                    np.testing.assert_array_equal(
                        getattr(found.bars, name), getattr(expected, name), err_msg=f"{text} {name}"
                    )
            calls = data.rest.limiter.usage().last_minute if data.rest else 0
            again = await data.bars(ticker, ONE_MINUTE, to_ms - 10 * DAY_MS, to_ms)
            assert len(again.bars) == len(minutes.bars)
            assert data.rest is not None
            assert data.rest.limiter.usage().last_minute == calls

    run_async(scenario())


def test_the_forming_bar_and_what_follows(
    run_async: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", "7", "--start", START, "--speed", "600")

    async def scenario() -> None:
        async with connected(server, tmp_path) as data:
            first = await data.bars("X:BTCUSD", ONE_MINUTE, START - HOUR_MS, START + DAY_MS)
            assert first.error is None
            assert first.missing == ()
            server.control("POST", "/clock", {"paused": True})
            now_ms = int(server.control("GET", "/clock")["now_ms"])
            async with connected(server, tmp_path / "other") as other:
                found = await data.bars("X:BTCUSD", ONE_MINUTE, START - HOUR_MS, now_ms - 6 * MINUTE_MS)
                truth = await other.bars("X:BTCUSD", ONE_MINUTE, START - HOUR_MS, now_ms - 6 * MINUTE_MS)
                np.testing.assert_array_equal(found.bars.start_ms, truth.bars.start_ms)
                np.testing.assert_array_equal(found.bars.close, truth.bars.close)

    run_async(scenario())


def test_catalogue_snapshots_and_status(
    run_async: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", "7", "--start", START)

    async def scenario() -> None:
        async with connected(server, tmp_path) as data:
            for market in Market:
                assert await data.refresh_tickers(market)
                assert len(await data.tickers(market)) >= 40
            bitcoin = await data.ticker_info("X:BTCUSD")
            assert bitcoin.code == "BTC/USD"
            snapshots = await data.snapshot(["X:BTCUSD", "AAPL", "C:EURUSD", "X:NOBODY"])
            assert set(snapshots) == {"X:BTCUSD", "AAPL", "C:EURUSD"}
            assert all(snapshot.last for snapshot in snapshots.values())
            status = await data.market_status()
            assert abs(status.server_time_ms - START) < 60_000
            close = await data.previous_close("X:BTCUSD")
            assert close == snapshots["X:BTCUSD"].prev_close or close is not None
            assert data.rest is not None
            assert (await data.rest.previous_bar("X:BTCUSD")) is not None
            assert (await data.rest.last_trade("X:BTCUSD", Market.CRYPTO)).price > 0
            assert (await data.rest.last_trade("AAPL", Market.STOCKS)).price > 0
            async for trades in data.rest.trades_pages("X:BTCUSD", START - MINUTE_MS, START):
                assert all(START - MINUTE_MS <= trade.time_ms < START for trade in trades)
            with pytest.raises(UnknownTicker):
                await data.bars("X:NOBODYUSD", ONE_MINUTE, START - HOUR_MS, START)

    run_async(scenario())


def test_wrong_key_and_wrong_world(
    run_async: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", "7", "--start", START)

    async def scenario() -> None:
        async with connected(server, tmp_path, key="not-the-key-0123456789") as data:
            answer = await data.bars("X:BTCUSD", ONE_MINUTE, START - HOUR_MS, START)
            assert isinstance(answer.error, Unauthorized)
        async with connected(server, tmp_path, world=VENDOR) as data:
            answer = await data.bars("X:BTCUSD", ONE_MINUTE, START - HOUR_MS, START)
            assert isinstance(answer.error, WrongWorld)
            assert answer.bars.start_ms.tolist() == Bars.empty().start_ms.tolist()
            assert await data._store.covered("X:BTCUSD", ONE_MINUTE, True, 0, START) == []

    run_async(scenario())


def test_a_free_plan_is_told_from_silence(
    run_async: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", "7", "--start", START, "--plan", "free")

    async def scenario() -> None:
        async with connected(server, tmp_path) as data:
            assert data.rest is not None
            data.rest.limiter.set_calls_per_minute(5)
            answer = await data.bars("X:BTCUSD", ONE_MINUTE, START - 30 * HOUR_MS, START)
            today = START - START % DAY_MS
            assert answer.missing == ((today, START + MINUTE_MS - START % MINUTE_MS),)
            assert isinstance(answer.error, NotInPlan)
            assert len(answer.bars) > 300
            assert answer.bars.start_ms[-1] < today
            with pytest.raises(NotInPlan):
                await data.snapshot(["X:BTCUSD"])

    run_async(scenario())


@pytest.mark.parametrize(
    "fault", [{"kind": "html", "status": 200}, {"kind": "truncated"}, {"kind": "garbage"}], ids=str
)
def test_a_broken_answer_is_a_sentence_and_stores_nothing(
    run_async: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path, fault: dict[str, Any]
) -> None:
    server = feed_server("--seed", "7", "--start", START)
    server.control("POST", "/faults", {**fault, "count": 1})

    async def scenario() -> None:
        async with connected(server, tmp_path) as data:
            answer = await data.bars("X:BTCUSD", ONE_MINUTE, START - HOUR_MS, START)
            assert isinstance(answer.error, BadResponse)
            assert str(answer.error).count(".") <= 2
            assert (len(answer.bars), len(answer.missing)) == (0, 1)
            again = await data.bars("X:BTCUSD", ONE_MINUTE, START - HOUR_MS, START)
            assert (again.error, again.missing) == (None, ())
            assert len(again.bars) > 20

    run_async(scenario())
