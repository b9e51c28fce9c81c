"""Aggregates over HTTP: snapping, paging by base aggregates, the forming bar, plans."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.demo.market_splits import unadjusted
from desktop.demo.plan import FREE, PAID, Plan
from desktop.demo.source import MarketSource, Split
from desktop.demo.windows import UNITS, Windows
from desktop.domain.aggregation import roll_up
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import Market
from desktop.domain.timeframe import ONE_DAY, ONE_HOUR, ONE_MINUTE, new_york_midnight_ms
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000


class Client:
    """Asks the server and follows pages."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, status: int = 200) -> Any:
        response = await self.http.get(path)
        assert response.status_code == status, response.text
        return response.json()

    async def pages(self, path: str) -> list[Any]:
        pages = [await self.get(path)]
        while url := pages[-1].get("next_url"):
            assert self.http.headers["Authorization"].split()[1] not in url
            assert len(pages) < 100
            pages.append(await self.get(url))
        return pages


@contextlib.asynccontextmanager
async def asking(now_ms: int, source: MarketSource | None = None, plan: Plan = PAID) -> AsyncIterator[Client]:
    async with serving_source(source or SteadyMarket(), start_ms=now_ms, plan=plan) as server:
        headers = {"Authorization": f"Bearer {server.key}"}
        async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False, timeout=30) as http:
            yield Client(http)


def starts(pages: list[Any]) -> list[int]:
    return [row["t"] for page in pages for row in page.get("results", [])]


def test_hours_are_paged_by_the_minutes_they_are_made_of(run_async: Callable[..., Any]) -> None:
    """The vendor's example: hours with limit=100 give one bar on the first page, not two."""

    async def scenario() -> None:
        async with asking(START_MS + 2 * DAY_MS) as client:
            path = f"/v2/aggs/ticker/X:BTCUSD/range/1/hour/{START_MS}/{START_MS + 3 * HOUR_MS - 1}"
            pages = await client.pages(f"{path}?limit=100&sort=asc")
            assert [page["resultsCount"] for page in pages] == [1, 1, 1]
            assert [page["queryCount"] for page in pages] == [60, 60, 60]
            assert starts(pages) == [START_MS + i * HOUR_MS for i in range(3)]
            path, _, cursor = pages[0]["next_url"].partition("?cursor=")
            assert path.endswith(f"/range/1/hour/{START_MS + HOUR_MS}/{START_MS + 3 * HOUR_MS - 1}")
            assert base64.urlsafe_b64decode(cursor + "==").decode() == "limit=100&sort=asc"
            assert "next_url" not in pages[-1]

    run_async(scenario())


def test_an_exactly_full_last_page_is_the_last(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking(START_MS + 2 * DAY_MS) as client:
            path = f"/v2/aggs/ticker/X:BTCUSD/range/1/minute/{START_MS}/{START_MS + HOUR_MS - 1}"
            pages = await client.pages(f"{path}?limit=30")
            assert [len(page["results"]) for page in pages] == [30, 30]

    run_async(scenario())


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize(("multiplier", "limit"), [(1, 7), (5, 7), (15, 40), (7, 3), (240, 50)])
def test_pages_together_are_the_whole(run_async: Callable[..., Any], sort: str, multiplier: int, limit: int) -> None:
    """Also where one bar is made of more base bars than a page may have."""

    async def scenario() -> None:
        async with asking(START_MS + 2 * DAY_MS) as client:
            span = f"{START_MS + 3 * MINUTE_MS}/{START_MS + 103 * MINUTE_MS}"
            path = f"/v2/aggs/ticker/X:BTCUSD/range/{multiplier}/minute/{span}?sort={sort}"
            whole = await client.pages(f"{path}&limit=50000")
            assert len(whole) == 1
            paged = await client.pages(f"{path}&limit={limit}")
            assert [row for page in paged for row in page["results"]] == whole[0]["results"]
            assert (len(paged) == 1) == (multiplier == 240)

    run_async(scenario())


def test_thin_tickers_reach_further_and_have_holes(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking(START_MS + 20 * DAY_MS) as client:
            path = f"/v2/aggs/ticker/X:THINUSD/range/1/minute/{START_MS}/{START_MS + 20 * DAY_MS}?limit=100"
            pages = await client.pages(path)
            assert [page["queryCount"] for page in pages] == [100, 100, 100, 100, 80]
            assert starts(pages) == [START_MS + i * HOUR_MS for i in range(480)]

    run_async(scenario())


def test_windows_count_from_the_requested_start(run_async: Callable[..., Any]) -> None:
    """One pre-market bar from 04:00 to 09:30 New York is a 330-minute multiplier (vendor's knowledge base)."""

    async def scenario() -> None:
        premarket_ms = new_york_midnight_ms(dt.date(2024, 3, 4)) + 4 * HOUR_MS
        async with asking(START_MS + 5 * DAY_MS) as client:
            path = f"/v2/aggs/ticker/AAPL/range/330/minute/{premarket_ms + 59_999}/{premarket_ms + 330 * MINUTE_MS - 1}"
            body = await client.get(path)
            assert [row["t"] for row in body["results"]] == [premarket_ms]
            assert body["results"][0]["n"] == 330 * 6
            # `to` is stretched until the last bar is whole.
            body = await client.get(path.replace(str(premarket_ms + 330 * MINUTE_MS - 1), str(premarket_ms + 61_000)))
            assert body["results"][0]["n"] == 330 * 6

    run_async(scenario())


def test_the_forming_bar_grows_and_an_empty_answer_has_no_results(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with serving_source(SteadyMarket(), start_ms=START_MS + HOUR_MS + 12_000) as server:
            headers = {"Authorization": f"Bearer {server.key}"}
            async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False) as http:
                client = Client(http)
                path = f"/v2/aggs/ticker/X:BTCUSD/range/1/minute/{START_MS + HOUR_MS}/{START_MS + 2 * HOUR_MS}"
                (row,) = (await client.get(path))["results"]
                assert (row["n"], row["o"], row["c"], row["v"]) == (1, 110.0, 110.0, 1.0)
                server.clock.advance(20_000)
                (row,) = (await client.get(path))["results"]
                assert (row["n"], row["o"], row["h"], row["c"], row["v"]) == (3, 110.0, 112.0, 112.0, 3.0)
                for empty in (
                    "/v2/aggs/ticker/AAPL/range/1/day/0001-01-01/1990-01-01",
                    "/v2/aggs/ticker/AAPL/range/10/year/9000-01-01/9999-12-31",
                    f"/v2/aggs/ticker/X:BTCUSD/range/1/minute/{START_MS - DAY_MS}/{START_MS - HOUR_MS}",
                    f"/v2/aggs/ticker/X:NONEUSD/range/1/minute/{START_MS}/{START_MS + HOUR_MS}",
                ):
                    body = await client.get(empty)
                    assert "results" not in body
                    assert (body["queryCount"], body["resultsCount"], body["status"]) == (0, 0, "OK")

    run_async(scenario())


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/range/1/minute/2024-03-02/2024-03-01", "The parameter 'to' cannot be a time that occurs before 'from'"),
        ("/range/1/fortnight/2024-03-01/2024-03-02", "timespan"),
        ("/range/0/minute/2024-03-01/2024-03-02", "multiplier"),
        ("/range/1/minute/yesterday/2024-03-02", "yesterday"),
        ("/range/1/minute/2024-13-41/2024-03-02", "2024-13-41"),
        ("/range/1/minute/2024-03-01/2024-03-02?limit=50001", "limit"),
        ("/range/1/minute/2024-03-01/2024-03-02?sort=up", "sort"),
    ],
)
def test_bad_parameters_are_named(run_async: Callable[..., Any], path: str, sentence: str) -> None:
    async def scenario() -> None:
        async with asking(START_MS + 2 * DAY_MS) as client:
            body = await client.get("/v2/aggs/ticker/X:BTCUSD" + path, 400)
            assert body["status"] == "ERROR"
            assert sentence in body["error"]
            assert body["request_id"]

    run_async(scenario())


def test_roll_ups_of_served_minutes_are_the_served_hours_and_days(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking(START_MS + 3 * DAY_MS + 90_000) as client:
            for ticker, market in (("X:BTCUSD", Market.CRYPTO), ("C:EURUSD", Market.FOREX), ("AAPL", Market.STOCKS)):
                served = {}
                for unit in ("minute", "hour", "day"):
                    path = f"/v2/aggs/ticker/{ticker}/range/1/{unit}/2024-03-01/2024-03-08?limit=50000"
                    served[unit] = columns((await client.get(path))["results"])
                for unit, timeframe in (("hour", ONE_HOUR), ("day", ONE_DAY)):
                    rolled = roll_up(served["minute"], timeframe, market)
                    for name in ("start_ms", "open", "high", "low", "close", "volume", "trades"):
                        assert np.array_equal(getattr(rolled, name), getattr(served[unit], name)), (ticker, unit, name)

    run_async(scenario())


def columns(rows: list[dict[str, float]]) -> Bars:
    return Bars.from_rows(Bar(*(row[key] for key in ("t", "o", "h", "l", "c", "v", "vw", "n"))) for row in rows)  # type: ignore[arg-type]


def test_previous_day_and_grouped_day(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking(START_MS + 2 * DAY_MS + HOUR_MS) as client:
            day = await client.get("/v2/aggs/ticker/X:BTCUSD/range/1/day/2024-03-02/2024-03-02")
            previous = await client.get("/v2/aggs/ticker/X:BTCUSD/prev")
            (row,) = previous["results"]
            assert (row["T"], row["t"]) == ("X:BTCUSD", START_MS + 2 * DAY_MS - 1)
            assert all(row[key] == day["results"][0][key] for key in "ohlcvn")
            grouped = await client.get("/v2/aggs/grouped/locale/global/market/crypto/2024-03-02")
            assert [row["T"] for row in grouped["results"]] == ["X:BTCUSD", "X:ETHUSD", "X:THINUSD"]
            assert grouped["results"][0] == row
            stocks = await client.get("/v2/aggs/grouped/locale/us/market/stocks/2024-03-01")
            assert stocks["results"][0]["t"] == new_york_midnight_ms(dt.date(2024, 3, 1)) + 16 * HOUR_MS
            await client.get("/v2/aggs/grouped/locale/us/market/crypto/2024-03-02", 404)

    run_async(scenario())


def test_the_free_plan_cuts_history_and_refuses_today(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        plan = replace(FREE, calls_per_minute=None, history_days=2)
        now_ms = START_MS + 5 * DAY_MS + 6 * HOUR_MS
        async with asking(now_ms, plan=plan) as client:
            body = await client.get("/v2/aggs/ticker/X:BTCUSD/range/1/hour/2024-03-01/2024-03-06?limit=50000")
            times = [row["t"] for row in body["results"]]
            assert (times[0], times[-1]) == (now_ms - 2 * DAY_MS, START_MS + 5 * DAY_MS - HOUR_MS)
            assert body["status"] == "DELAYED"
            for outside in ("2024-03-01/2024-03-02", "2024-03-06/2024-03-06"):
                body = await client.get(f"/v2/aggs/ticker/X:BTCUSD/range/1/hour/{outside}", 403)
                assert body["status"] == "NOT_AUTHORIZED"
                assert "data timeframe" in body["message"]
            body = await client.get("/v3/snapshot?ticker.any_of=X:BTCUSD", 403)
            assert "not entitled" in body["message"]
        async with asking(now_ms, plan=replace(plan, cuts_history=False)) as client:
            await client.get("/v2/aggs/ticker/X:BTCUSD/range/1/hour/2024-03-01/2024-03-06", 403)

    run_async(scenario())


class SplitMarket(SteadyMarket):
    def splits(self, ticker: str) -> list[Split]:
        return [Split(dt.date(2024, 3, 2), 1, 4)] if ticker == "AAPL" else []


def test_unadjusted_bars_are_on_the_scale_of_their_day(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking(START_MS + 4 * DAY_MS, SplitMarket()) as client:
            path = "/v2/aggs/ticker/AAPL/range/1/day/2024-03-01/2024-03-02"
            adjusted, raw = await client.get(path), await client.get(f"{path}?adjusted=false")
            before, after = zip(adjusted["results"], raw["results"], strict=True)
            assert before[1]["o"] == before[0]["o"] * 4
            assert before[1]["v"] == before[0]["v"] / 4
            assert after[1] == after[0]
            (split,) = (await client.get("/v3/reference/splits?ticker=AAPL"))["results"]
            assert (split["execution_date"], split["split_from"], split["split_to"]) == ("2024-03-02", 1, 4)
            (split,) = (await client.get("/stocks/v1/splits?ticker=AAPL"))["results"]
            assert split["historical_adjustment_factor"] == 0.25
        assert not len(unadjusted(Bars.empty(), SplitMarket().splits("AAPL"), START_MS))

    run_async(scenario())


@settings(deadline=None)
@given(
    unit=st.sampled_from(UNITS),
    multiplier=st.integers(1, 40),
    market=st.sampled_from(Market),
    from_ms=st.integers(1_000_000_000_000, 1_900_000_000_000),
    length_ms=st.integers(0, 400 * DAY_MS),
)
def test_windows_cover_the_request_without_gap_or_overlap(
    unit: str, multiplier: int, market: Market, from_ms: int, length_ms: int
) -> None:
    windows = Windows.snapped(unit, multiplier, market, from_ms, from_ms + length_ms)
    assert windows.start_ms <= from_ms
    assert from_ms + length_ms < windows.end_ms
    single = Windows.snapped(unit, 1, market, from_ms, from_ms)
    assert windows.start_ms == single.start_ms  # snapped to the unit, not to multiplier times unit
    probes = np.array([windows.start_ms, windows.end_ms - 1, from_ms, from_ms + length_ms], np.int64)
    found = windows.starts(probes)
    assert found[0] == windows.start_ms
    assert (found <= probes).all()
    assert all(windows.next_start(int(start)) > probe for start, probe in zip(found, probes, strict=True))
    assert windows.next_start(int(found[1])) == windows.end_ms


def test_units_of_the_calendar() -> None:
    stocks = Windows.snapped("week", 1, Market.STOCKS, new_york_midnight_ms(dt.date(2024, 3, 6)), START_MS + 5 * DAY_MS)
    assert stocks.start_ms == new_york_midnight_ms(dt.date(2024, 3, 3))  # Sunday 12:00 am ET
    quarter = Windows.snapped("quarter", 1, Market.CRYPTO, START_MS, START_MS)
    assert (quarter.start_ms, quarter.end_ms) == (START_MS - 60 * DAY_MS, START_MS + 31 * DAY_MS)
    change_ms = new_york_midnight_ms(dt.date(2024, 3, 10))
    spring = Windows.snapped("day", 1, Market.STOCKS, change_ms, change_ms)
    assert spring.end_ms - spring.start_ms == 23 * HOUR_MS  # the day of the change
    assert spring.is_built_from(ONE_DAY)
    assert not Windows.snapped("minute", 1, Market.CRYPTO, START_MS, START_MS).is_built_from(ONE_HOUR)
    assert Windows.snapped("minute", 5, Market.CRYPTO, START_MS, START_MS).stored_base == ONE_MINUTE
