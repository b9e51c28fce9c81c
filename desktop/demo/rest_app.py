"""The REST side: who may call what, faults, routing, and the headers every answer carries."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final
from urllib.parse import urlencode

from desktop.demo import (
    rest_aggregates,
    rest_indicators,
    rest_reference,
    rest_snapshots,
    rest_status,
    rest_ticks,
)
from desktop.demo.clock import VirtualClock
from desktop.demo.faults import REST_KINDS, Fault, Faults
from desktop.demo.http import Request, Response, Sabotage
from desktop.demo.plan import CallMeter, Family, Plan
from desktop.demo.rest_call import Call, Catalog, Refusal, not_entitled, read_cursor, timeframe_not_in_plan
from desktop.demo.source import MarketSource
from desktop.demo.stats import Stats
from desktop.demo.wire import encode

_LOG = logging.getLogger(__name__)
_TOO_MANY: Final = (
    "You've exceeded the maximum requests per minute, please wait or upgrade your subscription to continue. "
    "https://massive.com/pricing"
)
_HTML: Final = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
Endpoint = Callable[..., bytes]
ROUTES: Final[tuple[tuple[str, Family, Endpoint], ...]] = (
    (r"/v2/aggs/ticker/([^/]+)/range/([^/]+)/([^/]+)/([^/]+)/([^/]+)", "aggregates", rest_aggregates.range_of_bars),
    (r"/v2/aggs/ticker/([^/]+)/prev", "aggregates", rest_aggregates.previous_day),
    (r"/v2/aggs/grouped/locale/([^/]+)/market/([^/]+)/([^/]+)", "aggregates", rest_aggregates.grouped_daily),
    (r"/v3/reference/tickers", "reference", rest_reference.tickers),
    (r"/v3/reference/tickers/types", "reference", rest_reference.ticker_types),
    (r"/v3/reference/tickers/([^/]+)", "reference", rest_reference.overview),
    (r"/v3/reference/exchanges", "reference", rest_reference.exchanges),
    (r"/v3/reference/conditions", "reference", rest_reference.conditions),
    (r"/v3/reference/splits", "reference", rest_reference.splits),
    (r"/stocks/v1/splits", "reference", rest_reference.splits),
    (r"/v1/marketstatus/now", "status", rest_status.now),
    (r"/v1/marketstatus/upcoming", "status", rest_status.upcoming),
    (r"/v2/snapshot/locale/([^/]+)/markets/([^/]+)/tickers", "snapshots", rest_snapshots.all_or_several),
    (r"/v2/snapshot/locale/([^/]+)/markets/([^/]+)/tickers/([^/]+)", "snapshots", rest_snapshots.one),
    (r"/v2/snapshot/locale/([^/]+)/markets/([^/]+)/(gainers|losers)", "snapshots", rest_snapshots.movers),
    (r"/v3/snapshot", "snapshots", rest_snapshots.unified),
    (r"/v1/last/crypto/([^/]+)/([^/]+)", "last", rest_ticks.last_crypto_trade),
    (r"/v1/last_quote/currencies/([^/]+)/([^/]+)", "last", rest_ticks.last_forex_quote),
    (r"/v2/last/trade/([^/]+)", "last", rest_ticks.last_stock_trade),
    (r"/v3/trades/([^/]+)", "trades", rest_ticks.trades),
    (r"/v3/quotes/([^/]+)", "quotes", rest_ticks.quotes),
    (r"/v1/indicators/(sma|ema|rsi|macd)/([^/]+)", "indicators", rest_indicators.indicator),
)
_PATTERNS: Final = tuple((re.compile(pattern), family, endpoint) for pattern, family, endpoint in ROUTES)


@dataclass
class RestApp:
    """Answers REST requests; all work on the source happens in `worker`, one call at a time."""

    source: MarketSource
    clock: VirtualClock
    key: str
    faults: Faults
    stats: Stats
    worker: Executor
    plan: Plan
    headers: dict[str, str] = field(default_factory=dict)  # of every answer
    base: str = ""
    meter: CallMeter = field(init=False)
    catalog: Catalog = field(init=False)

    def __post_init__(self) -> None:
        self.meter = CallMeter(self.plan.calls_per_minute)
        self.catalog = Catalog.of(self.source.tickers())

    def admits(self) -> bool:
        """Whether a new connection is read at all."""
        return self.faults.take(("refuse",)) is None

    async def answer(self, request: Request) -> Response:
        """Never raises; what goes wrong on purpose is in the answer."""
        self.stats.requests[request.path] += 1
        self.stats.keys_in_addresses += request.first("apiKey") is not None
        fault = self.faults.take([kind for kind in REST_KINDS if kind != "refuse"], path=request.path)
        response = None if fault is None else _instead(fault, _request_id(request, 0))
        if response is None:
            behind_ms = fault.behind_ms if fault is not None and fault.kind == "behind" else 0
            response = await self._served(request, behind_ms)
            if fault is not None:
                response = _spoilt(response, fault)
        self.stats.statuses[response.status] += 1
        date = formatdate(self.clock.now_ms() / 1000, usegmt=True)
        headers = {**response.headers, **self.headers, "Date": date}
        return Response(response.status, response.body, response.content_type, headers, response.sabotage)

    async def _served(self, request: Request, behind_ms: int) -> Response:
        now_ms = self.clock.now_ms() - self.plan.delay_ms - behind_ms
        request_id = _request_id(request, now_ms)
        headers = {"X-Request-Id": request_id}
        if request.method not in ("GET", "HEAD"):
            return Response(405, b"405 method not allowed", "text/plain; charset=utf-8", headers)
        if request.api_key != self.key:
            refusal = Refusal(401, "ERROR", "Unknown API Key")
            return Response(401, encode(refusal.body(request_id)), headers=headers)
        if not self.meter.admits(time.monotonic()):
            return _refused(Refusal(429, "ERROR", _TOO_MANY), request_id)
        route = _route(request.path)
        if route is None:
            return Response(404, b"404 page not found", "text/plain; charset=utf-8", headers)
        family, endpoint, arguments = route
        try:
            if family not in self.plan.families:
                raise not_entitled()
            call = self._call(request, now_ms, request_id)
            loop = asyncio.get_running_loop()
            body = await loop.run_in_executor(self.worker, endpoint, call, *arguments)
        except Refusal as refusal:
            return _refused(refusal, request_id)
        except Exception:  # noqa: BLE001 (the outermost hook: one broken answer must not end the connection silently)
            _LOG.exception("no answer for %s", request.path)
            return _refused(Refusal(500, "ERROR", "Internal server error"), request_id)
        return Response(200, body, headers=headers)

    def _call(self, request: Request, now_ms: int, request_id: str) -> Call:
        params = {name: value for name, value in reversed(request.query) if name != "apiKey"}
        if (cursor := params.pop("cursor", None)) is not None:
            params = {**params, **read_cursor(cursor)}
        return Call(self.source, self.catalog, self.plan, now_ms, request_id, self.base, request.path, params)


def _route(path: str) -> tuple[Family, Endpoint, tuple[str, ...]] | None:
    for pattern, family, endpoint in _PATTERNS:
        if (match := pattern.fullmatch(path)) is not None:
            return family, endpoint, match.groups()
    return None


def _request_id(request: Request, now_ms: int) -> str:
    """The same for the same request at the same market time, and without the key in it."""
    query = urlencode([pair for pair in request.query if pair[0] != "apiKey"])
    return hashlib.blake2b(f"{request.path}?{query} {now_ms}".encode(), digest_size=16).hexdigest()


def _refused(refusal: Refusal, request_id: str) -> Response:
    return Response(refusal.http_status, encode(refusal.body(request_id)), headers={"X-Request-Id": request_id})


def _instead(fault: Fault, request_id: str) -> Response | None:
    """The answer that takes the place of the real one; None when the fault spoils the real one."""
    match fault.kind:
        case "too_many_requests":
            response = _refused(Refusal(429, "ERROR", _TOO_MANY), request_id)
            if fault.retry_after_s is None:
                return response
            headers = {**response.headers, "Retry-After": str(fault.retry_after_s)}
            return Response(429, response.body, headers=headers)
        case "server_error":
            return _refused(Refusal(fault.status or 503, "ERROR", "Internal server error"), request_id)
        case "html":
            return Response(fault.status or 502, _HTML, "text/html; charset=utf-8")
        case "garbage":
            return Response(200, b'{"status":"OK","results":[{"t":\x00\xff,,}')
        case "not_entitled":
            return _refused(not_entitled(), request_id)
        case "timeframe":
            return _refused(timeframe_not_in_plan(), request_id)
        case "stall":
            return Response(200, sabotage=Sabotage(is_stalled=True))
    return None


def _spoilt(response: Response, fault: Fault) -> Response:
    sabotage = None
    body = response.body
    match fault.kind:
        case "drop":
            sabotage = Sabotage(drop_after_bytes=fault.after_bytes or 0)
        case "slow":
            sabotage = Sabotage(bytes_per_s=fault.bytes_per_s)
        case "truncated":
            body = body[: len(body) // 2 if fault.after_bytes is None else fault.after_bytes]
    return Response(response.status, body, response.content_type, response.headers, sabotage)
