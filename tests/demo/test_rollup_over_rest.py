"""What the demo market serves agrees with itself: 50 tickers on random days, over REST, at every level."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import httpx

from desktop.demo.market import SyntheticMarket
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import DAY_MS, HOUR_MS, Timeframe, bucket_end, bucket_start
from tests.helpers.feed_server import serving_source

NOW = 1_790_000_000_000  # 2026-09-21
TICKERS = 50
Row = dict[str, Any]


def rolled(rows: list[Row], timeframe: Timeframe, market: Market) -> dict[int, tuple[float, ...]]:
    """The obvious loop: first open, max, min, last close, exact sum of volume, sum of trades."""
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(bucket_start(row["t"], timeframe, market), []).append(row)
    return {
        start: (
            group[0]["o"],
            max(row["h"] for row in group),
            min(row["l"] for row in group),
            group[-1]["c"],
            math.fsum(row["v"] for row in group),
            sum(row["n"] for row in group),
        )
        for start, group in groups.items()
    }


def values(rows: list[Row]) -> dict[int, tuple[float, ...]]:
    return {row["t"]: tuple(row[name] for name in ("o", "h", "l", "c", "v", "n")) for row in rows}


async def fetch(client: httpx.AsyncClient, path: str, **params: Any) -> list[Row]:
    """All pages."""
    rows: list[Row] = []
    url: str | httpx.URL = path
    while True:
        answer = (await client.get(url, params=params or None)).raise_for_status().json()
        rows += answer.get("results") or []
        if "next_url" not in answer:
            return rows
        url, params = answer["next_url"], {}


def test_fifty_tickers_roll_up_exactly_on_random_days(run_async: Callable[..., Any]) -> None:
    market, rng = SyntheticMarket(11), random.Random(4)
    chosen = rng.sample([row.ticker for row in market.tickers() if row.is_active], TICKERS)
    day, hour = Timeframe.parse("1D"), Timeframe.parse("1h")

    async def scenario() -> None:
        compared = {"minutes": 0, "trades": 0, "days": 0}
        async with serving_source(market, start_ms=NOW) as server:
            headers = {"Authorization": f"Bearer {server.key}"}
            async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False, timeout=30) as client:
                for ticker in chosen:
                    at = bucket_start(rng.randrange(NOW - 2 * 365 * DAY_MS, NOW - DAY_MS), day, market_of(ticker))
                    await compare(client, ticker, at, bucket_end(at, day, market_of(ticker)), compared)
        assert compared["days"] > TICKERS // 3  # the rest are weekends, holidays and coins nobody traded
        assert compared["minutes"] > 5_000
        assert compared["trades"] > 5_000

    async def compare(client: httpx.AsyncClient, ticker: str, from_ms: int, to_ms: int, compared: Row) -> None:
        base = f"/v2/aggs/ticker/{ticker}/range/1"
        span, options = f"{from_ms}/{to_ms - 1}", {"limit": 50_000, "sort": "asc"}
        minutes = await fetch(client, f"{base}/minute/{span}", **options)
        hours = await fetch(client, f"{base}/hour/{span}", **options)
        days = await fetch(client, f"{base}/day/{span}", **options)
        assert values(hours) == rolled(minutes, hour, market_of(ticker)), ticker
        assert values(days) == rolled(minutes, day, market_of(ticker)), ticker
        compared["minutes"] += len(minutes)
        compared["days"] += len(days)
        if minutes and market_of(ticker) is not Market.FOREX:
            await compare_trades(client, ticker, minutes, compared)

    async def compare_trades(client: httpx.AsyncClient, ticker: str, minutes: list[Row], compared: Row) -> None:
        first = rng.choice(minutes)["t"] // HOUR_MS * HOUR_MS
        wanted = [row for row in minutes if first <= row["t"] < first + HOUR_MS]
        unadjusted = await fetch(
            client,
            f"/v2/aggs/ticker/{ticker}/range/1/minute/{first}/{first + HOUR_MS - 1}",
            limit=50_000,
            sort="asc",
            adjusted="false",
        )
        assert [row["t"] for row in unadjusted] == [row["t"] for row in wanted]
        trades = await fetch(
            client,
            f"/v3/trades/{ticker}",
            limit=50_000,
            order="asc",
            **{"timestamp.gte": first * 1_000_000, "timestamp.lt": (first + HOUR_MS) * 1_000_000},
        )
        key = "participant_timestamp" if market_of(ticker) is Market.CRYPTO else "sip_timestamp"
        rows = [
            {
                "t": t[key] // 1_000_000,
                "o": t["price"],
                "h": t["price"],
                "l": t["price"],
                "c": t["price"],
                "v": t["size"],
                "n": 1,
            }
            for t in trades
        ]
        assert values(unadjusted) == rolled(rows, Timeframe.parse("1m"), market_of(ticker)), ticker
        compared["trades"] += len(trades)

    run_async(scenario(), 110)
