"""Every REST answer of the feed server against the vendor's field tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from desktop.demo.rest_app import ROUTES
from desktop.demo.source import MarketSource
from tests.helpers import field_tables as tables
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket

DAY_MS = 86_400_000
NOW_MS = START_MS + 4 * DAY_MS + 15 * 3_600_000 + 12_345  # Tuesday 2024-03-05, 10:00 New York
GLOBAL = "/v2/snapshot/locale/global/markets"
ANSWERS: tuple[tuple[str, Any], ...] = (
    ("/v2/aggs/ticker/X:BTCUSD/range/1/minute/2024-03-04/2024-03-05?limit=500", tables.AGGREGATES),
    ("/v2/aggs/ticker/C:EURUSD/range/4/hour/2024-03-01/2024-03-05?sort=desc", tables.AGGREGATES),
    ("/v2/aggs/ticker/AAPL/range/1/week/2024-03-01/2024-03-05?adjusted=false", tables.AGGREGATES),
    ("/v2/aggs/ticker/X:BTCUSD/range/15/second/2024-03-05/2024-03-05?limit=100", tables.AGGREGATES),
    ("/v2/aggs/ticker/X:NONEUSD/range/1/day/2024-03-01/2024-03-05", tables.AGGREGATES),
    ("/v2/aggs/ticker/X:BTCUSD/prev", tables.PREVIOUS),
    ("/v2/aggs/ticker/AAPL/prev", tables.PREVIOUS),
    ("/v2/aggs/grouped/locale/global/market/crypto/2024-03-04", tables.GROUPED),
    ("/v2/aggs/grouped/locale/global/market/fx/2024-03-04", tables.GROUPED),
    ("/v2/aggs/grouped/locale/us/market/stocks/2024-03-04", tables.GROUPED),
    ("/v2/aggs/grouped/locale/us/market/stocks/2020-03-04", tables.GROUPED),
    ("/v3/reference/tickers?limit=3", tables.TICKERS),
    ("/v3/reference/tickers?market=crypto&search=bit&sort=name&order=desc", tables.TICKERS),
    ("/v3/reference/tickers?search=nothing-of-that-name", tables.TICKERS),
    ("/v3/reference/tickers/AAPL", tables.OVERVIEW),
    ("/v3/reference/tickers/X:BTCUSD", tables.OVERVIEW),
    ("/v3/reference/tickers/types?asset_class=stocks", tables.TYPES),
    ("/v3/reference/exchanges?asset_class=crypto", tables.EXCHANGES),
    ("/v3/reference/splits", tables.SPLITS),
    ("/stocks/v1/splits?ticker=AAPL", tables.SPLITS),
    ("/v1/marketstatus/now", tables.STATUS_NOW),
    ("/v1/marketstatus/upcoming", tables.STATUS_UPCOMING),
    (f"{GLOBAL}/crypto/tickers", tables.snapshots("crypto")),
    (f"{GLOBAL}/crypto/tickers?tickers=X:BTCUSD,X:ETHUSD", tables.snapshots("crypto")),
    (f"{GLOBAL}/forex/tickers", tables.snapshots("forex")),
    ("/v2/snapshot/locale/us/markets/stocks/tickers", tables.snapshots("stocks")),
    (f"{GLOBAL}/crypto/tickers/X:BTCUSD", tables.snapshot("crypto")),
    (f"{GLOBAL}/forex/tickers/C:EURUSD", tables.snapshot("forex")),
    ("/v2/snapshot/locale/us/markets/stocks/tickers/BRK.A", tables.snapshot("stocks")),
    (f"{GLOBAL}/crypto/gainers", tables.snapshots("crypto")),
    ("/v2/snapshot/locale/us/markets/stocks/losers", tables.snapshots("stocks")),
    ("/v3/snapshot?ticker.any_of=X:BTCUSD,AAPL,C:EURUSD,TSLAAPL&limit=250", tables.UNIFIED),
    ("/v3/snapshot?type=crypto", tables.UNIFIED),
    ("/v1/last/crypto/BTC/USD", tables.LAST_CRYPTO),
    ("/v1/last_quote/currencies/EUR/USD", tables.LAST_FOREX),
    ("/v2/last/trade/AAPL", tables.LAST_STOCK),
    ("/v3/trades/X:BTC-USD?limit=10", tables.CRYPTO_TRADES),
    ("/v3/trades/AAPL?order=asc&timestamp.gte=2024-03-05", tables.STOCK_TRADES),
    ("/v3/quotes/C:EUR-USD", tables.FOREX_QUOTES),
    ("/v3/quotes/AAPL?limit=5", tables.STOCK_QUOTES),
    ("/v1/indicators/sma/X:BTCUSD?timespan=minute&window=10&expand_underlying=true", tables.INDICATOR),
    ("/v1/indicators/ema/AAPL?timespan=hour&window=5", tables.INDICATOR),
    ("/v1/indicators/rsi/C:EURUSD?timespan=hour", tables.INDICATOR),
    ("/v1/indicators/macd/X:ETHUSD?timespan=hour", tables.MACD),
    ("/v1/indicators/sma/X:NONEUSD", tables.INDICATOR),
)
UNTABLED = {"/v3/reference/conditions"}  # no field table is known


async def bodies(source: MarketSource, now_ms: int, paths: list[str]) -> list[Any]:
    async with serving_source(source, start_ms=now_ms) as server:
        headers = {"Authorization": f"Bearer {server.key}"}
        async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False, timeout=30) as client:
            answers = [await client.get(path) for path in paths]
    for answer in answers:
        assert answer.status_code == 200, (answer.url, answer.text)
        assert answer.headers["Content-Type"] == "application/json"
        assert b"NaN" not in answer.content
    return [answer.json() for answer in answers]


def test_every_answer_fits_its_table(run_async: Callable[..., Any]) -> None:
    found = run_async(bodies(SteadyMarket(), NOW_MS, [path for path, _ in ANSWERS]))
    for (path, table), body in zip(ANSWERS, found, strict=True):
        assert tables.complaints(body, table) == [], path


def test_every_route_is_checked() -> None:
    checked = [path.partition("?")[0] for path, _ in ANSWERS]
    for pattern, _, _ in ROUTES:
        assert pattern in UNTABLED or any(re.fullmatch(pattern, path) for path in checked), pattern


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"t": 1_600_000_000, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}, "$.t"),
        ({"t": 1_600_000_000_000, "o": 1, "h": 1, "l": 1, "c": 1}, "lacks v"),
        ({"t": 1_600_000_000_000, "o": "1", "h": 1, "l": 1, "c": 1, "v": 1}, "$.o"),
        ({"t": 1_600_000_000_000, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1, "x": 2}, "unknown x"),
        ({"t": 1_600_000_000_000, "o": 1, "h": 1, "l": 1, "c": 1, "v": 1, "vw": None}, "$.vw"),
    ],
)
def test_the_validator_sees_what_is_wrong(body: dict[str, Any], complaint: str) -> None:
    (found,) = tables.complaints(body, tables.BAR)
    assert complaint in found
