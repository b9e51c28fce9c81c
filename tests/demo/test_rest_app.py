"""The REST side: keys, refusals, reference data, ticks, indicators, faults, keep-alive."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import numpy as np
import pytest

from desktop.demo.faults import Fault
from desktop.demo.plan import FREE, PAID, Plan
from desktop.demo.rest_indicators import ema, rsi, sma
from desktop.demo.server import RunningServer
from tests.helpers.feed_server import TEST_KEY, serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
NOW_MS = START_MS + DAY_MS
STATUS = "/v1/marketstatus/now"


@contextlib.asynccontextmanager
async def asking(
    plan: Plan = PAID, now_ms: int = NOW_MS, key: str = TEST_KEY
) -> AsyncIterator[tuple[RunningServer, httpx.AsyncClient]]:
    async with serving_source(SteadyMarket(), start_ms=now_ms, plan=plan) as server:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx.AsyncClient(base_url=server.rest, headers=headers, trust_env=False, timeout=10) as client:
            yield server, client


def test_the_key_goes_in_the_header_or_the_query(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking(key="") as (_, client):
            assert (await client.get(STATUS, headers={"Authorization": f"Bearer {TEST_KEY}"})).status_code == 200
            answer = await client.get(f"/v3/reference/tickers?limit=1&apiKey={TEST_KEY}")
            assert answer.status_code == 200
            assert TEST_KEY not in answer.text
            for bad in ("", "?apiKey=other"):
                answer = await client.get(STATUS + bad)
                assert answer.status_code == 401
                assert answer.json()["error"] == "Unknown API Key"
                assert answer.json()["status"] == "ERROR"

    run_async(scenario())


def test_unknown_paths_and_tickers_are_told_apart(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (_, client):
            answer = await client.get("/crypto/v1/exchanges")
            assert (answer.status_code, answer.text) == (404, "404 page not found")
            assert answer.headers["Content-Type"].startswith("text/plain")
            for path in ("/v3/reference/tickers/X:NONE", "/v1/last/crypto/NO/PE", "/v3/trades/NOPE"):
                answer = await client.get(path)
                assert (answer.status_code, answer.json()["status"]) == (404, "NOT_FOUND")
            assert (await client.post(STATUS)).status_code == 405

    run_async(scenario())


def test_the_free_plan_has_five_calls_a_minute(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking(FREE) as (server, client):
            statuses = [(await client.get(STATUS)).status_code for _ in range(7)]
            assert statuses == [200] * 5 + [429] * 2
            answer = await client.get(STATUS)
            assert "maximum requests per minute" in answer.json()["error"]
            assert "Retry-After" not in answer.headers
            assert server.stats.statuses == {200: 5, 429: 3}

    run_async(scenario())


def test_the_catalogue_is_searched_filtered_sorted_and_paged(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (_, client):

            async def tickers(query: str) -> list[str]:
                path, found = f"/v3/reference/tickers?{query}", []
                while path:
                    body = (await client.get(path)).json()
                    found += [row["ticker"] for row in body.get("results", [])]
                    assert body["count"] == len(body.get("results", []))
                    path = body.get("next_url", "")
                return found

            everything = [row.ticker for row in SteadyMarket().tickers()]
            assert await tickers("limit=2") == everything
            assert await tickers("limit=3&order=desc") == everything[::-1]
            assert await tickers("search=BITCOIN") == ["X:BTCUSD"]
            assert await tickers("market=fx&sort=name") == ["C:GBPUSD", "C:EURUSD"]
            assert await tickers("ticker.gte=X:BTC&ticker.lt=X:BTD") == ["X:BTCUSD"]
            assert await tickers("ticker=AAPL") == ["AAPL"]
            assert await tickers("active=false") == []
            assert (await client.get("/v3/reference/tickers?limit=1001")).status_code == 400
            assert (await client.get("/v3/reference/tickers?cursor=%%%")).status_code == 400

    run_async(scenario())


def test_trades_are_paged_without_losing_equal_times(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (_, client):
            span = f"timestamp.gte={START_MS}000000&timestamp.lt={START_MS + 30 * MINUTE_MS}000000"
            for order in ("asc", "desc"):
                path, ids = f"/v3/trades/X:BTC-USD?order={order}&limit=41&{span}", []
                while path:
                    body = (await client.get(path)).json()
                    ids += [int(row["id"]) for row in body["results"]]
                    path = body.get("next_url", "")
                assert ids == sorted(range(1, 181), reverse=order == "desc")
            (row,) = (await client.get("/v3/trades/X:BTCUSD?limit=1")).json()["results"]
            assert row["participant_timestamp"] == (NOW_MS - 5_000) * 1_000_000
            last = (await client.get("/v1/last/crypto/BTC/USD")).json()["last"]
            assert (last["price"], last["timestamp"]) == (row["price"], NOW_MS - 5_000)

    run_async(scenario())


def test_snapshots_tell_the_same_as_bars(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking(now_ms=START_MS + 2 * DAY_MS + 7 * HOUR_MS) as (_, client):
            row = (await client.get("/v2/snapshot/locale/global/markets/crypto/tickers/X:BTCUSD")).json()["ticker"]
            midnight_ms = START_MS + 2 * DAY_MS + 5 * HOUR_MS  # New York
            path = (
                f"/v2/aggs/ticker/X:BTCUSD/range/1/hour/{midnight_ms - DAY_MS}/{midnight_ms + 2 * HOUR_MS}?limit=50000"
            )
            hours = (await client.get(path)).json()["results"]
            assert row["day"]["v"] == math.fsum(hour["v"] for hour in hours[24:])
            assert row["day"]["o"] == hours[24]["o"]
            assert row["prevDay"]["v"] == math.fsum(hour["v"] for hour in hours[:24])
            assert row["todaysChange"] == row["lastTrade"]["p"] - row["prevDay"]["c"]
            unknown = (await client.get("/v3/snapshot?ticker.any_of=TSLAAPL,X:BTCUSD")).json()["results"][0]
            assert (unknown["ticker"], unknown["error"]) == ("TSLAAPL", "NOT_FOUND")
            several = (
                await client.get("/v2/snapshot/locale/global/markets/crypto/tickers?tickers=X:ETHUSD,X:NO")
            ).json()
            assert [row["ticker"] for row in several["tickers"]] == ["X:ETHUSD"]

    run_async(scenario())


def test_indicators_are_those_of_the_served_bars(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (_, client):
            path = f"/v2/aggs/ticker/X:BTCUSD/range/1/minute/{START_MS}/{NOW_MS}?limit=50000"
            closes = np.array([row["c"] for row in (await client.get(path)).json()["results"]])
            for name, column in (("sma", sma(closes, 10)), ("ema", ema(closes, 10)), ("rsi", rsi(closes, 10))):
                path = f"/v1/indicators/{name}/X:BTCUSD?timespan=minute&window=10&limit=5&order=desc"
                values = (await client.get(path)).json()["results"]["values"]
                assert [value["value"] for value in values] == pytest.approx(column[::-1][:5].tolist(), rel=1e-7)
            line = ema(closes, 12) - ema(closes, 26)
            path = "/v1/indicators/macd/X:BTCUSD?timespan=minute&limit=1"
            (value,) = (await client.get(path)).json()["results"]["values"]
            assert value["value"] == pytest.approx(line[-1], rel=1e-6)
            assert value["histogram"] == pytest.approx(value["value"] - value["signal"])

    run_async(scenario())


def test_indicators_by_hand() -> None:
    prices = np.array([1.0, 2.0, 3.0, 2.0, 4.0])
    assert sma(prices, 2).tolist()[1:] == [1.5, 2.5, 2.5, 3.0]
    assert ema(prices, 3).tolist()[2:] == [2.0, 2.0, 3.0]
    # Wilder: gains 1, 1 -> (1 + 0)/2 = 0.5 and losses 0 -> 0.5 after the fall; then +2: (0.5 + 2)/2 against 0.25.
    assert rsi(prices, 2).tolist()[2:] == [100.0, 50.0, pytest.approx(100 - 100 / (1 + 1.25 / 0.25))]


@pytest.mark.parametrize(
    ("fault", "status", "content_type"),
    [
        (Fault(kind="too_many_requests", count=1, retry_after_s=7), 429, "application/json"),
        (Fault(kind="server_error", count=1, status=500), 500, "application/json"),
        (Fault(kind="html", count=1), 502, "text/html; charset=utf-8"),
        (Fault(kind="html", count=1, status=200), 200, "text/html; charset=utf-8"),
        (Fault(kind="not_entitled", count=1), 403, "application/json"),
        (Fault(kind="timeframe", count=1), 403, "application/json"),
    ],
)
def test_faults_that_answer(run_async: Callable[..., Any], fault: Fault, status: int, content_type: str) -> None:
    async def scenario() -> None:
        async with asking() as (server, client):
            server.faults.add(fault)
            answer = await client.get(STATUS)
            assert (answer.status_code, answer.headers["Content-Type"]) == (status, content_type)
            assert answer.headers.get("Retry-After") == ("7" if fault.retry_after_s else None)
            assert answer.headers["X-Candelabra-World"] == "demo-0"
            assert (await client.get(STATUS)).status_code == 200  # the count is used up
            assert server.stats.faults == {fault.kind: 1}

    run_async(scenario())


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="refuse", count=1),
        Fault(kind="drop", count=1),
        Fault(kind="drop", count=1, after_bytes=40),
        Fault(kind="drop", count=1, after_bytes=400),
        Fault(kind="stall", count=1),
    ],
)
def test_faults_that_do_not_answer(run_async: Callable[..., Any], fault: Fault) -> None:
    async def scenario() -> None:
        async with asking() as (server, client):
            server.faults.add(fault)
            with pytest.raises(httpx.TransportError):
                await client.get(STATUS, timeout=0.5 if fault.kind == "stall" else 10)
            assert (await client.get(STATUS)).status_code == 200

    run_async(scenario())


def test_cut_and_broken_json(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (server, client):
            for kind in ("truncated", "garbage"):
                server.faults.add(Fault(kind=kind, path="marketstatus", count=1))  # type: ignore[arg-type]
                assert (await client.get("/v3/reference/exchanges")).json()["status"] == "OK"
                answer = await client.get(STATUS)
                assert answer.status_code == 200
                with pytest.raises(ValueError):  # noqa: PT011 (JSON or UTF-8, as it comes)
                    answer.json()

    run_async(scenario())


def test_a_slow_answer_arrives_whole(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (server, client):
            whole = (await client.get("/v3/reference/tickers")).content
            server.faults.add(Fault(kind="slow", bytes_per_s=40_000))
            assert (await client.get("/v3/reference/tickers")).content == whole

    run_async(scenario())


def test_pipelined_requests_are_answered_in_order(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (server, _):
            host, port = server.rest.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            for path in (STATUS, "/nowhere", STATUS):
                writer.write(f"GET {path}?apiKey={TEST_KEY} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            statuses = []
            for _ in range(3):
                head = await reader.readuntil(b"\r\n\r\n")
                statuses.append(int(head.split()[1]))
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                await reader.readexactly(int(length.split(b":")[1]))
            assert statuses == [200, 404, 200]
            writer.write(b"NONSENSE\r\n\r\n")
            assert b" 400 " in await reader.readline()
            writer.close()

    run_async(scenario())


def test_head_and_gzip(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (_, client):
            path = f"/v2/aggs/ticker/X:BTCUSD/range/1/minute/{START_MS}/{NOW_MS}?limit=50000"
            plain = await client.get(path, headers={"Accept-Encoding": "identity"})
            packed = await client.get(path)
            assert packed.headers["Content-Encoding"] == "gzip"
            assert "Content-Encoding" not in plain.headers
            assert packed.content == plain.content
            head = await client.head(path, headers={"Accept-Encoding": "identity"})
            assert (head.content, head.headers["Content-Length"]) == (b"", str(len(plain.content)))

    run_async(scenario())


def test_control_changes_plan_and_faults_and_refuses_nonsense(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        async with asking() as (server, client):
            control = server.control
            await client.post(f"{control}/plan", json={"calls_per_minute": 1})
            assert [(await client.get(STATUS)).status_code for _ in range(2)] == [200, 429]
            await client.post(f"{control}/plan", json={"calls_per_minute": None})
            answer = await client.post(f"{control}/faults", json={"kind": "html", "path": "status"})
            assert answer.json()["faults"] == [{"kind": "html", "path": "status"}]
            assert (await client.get(STATUS)).status_code == 502
            await client.delete(f"{control}/faults")
            assert (await client.get(STATUS)).status_code == 200
            assert (await client.get(f"{control}/stats")).json()["faults"] == {"html": 1}
            for bad in ({"kind": "earthquake"}, {"kind": "html", "path": "("}, {}):
                answer = await client.post(f"{control}/faults", content=json.dumps(bad))
                assert answer.status_code == 400
                assert answer.json()["error"]
            assert (await client.post(f"{control}/flood", content="{")).status_code == 400
            assert (await client.get(f"{control}/nothing")).status_code == 404

    run_async(scenario())
