"""A small server that answers like the vendor, over real sockets: bars of given minutes, paging, plan edges, faults."""

from __future__ import annotations

import asyncio
import json
import math
from collections import deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from desktop.domain.aggregation import roll_up
from desktop.domain.bars import Bars
from desktop.domain.market import market_of
from desktop.domain.timeframe import DAY_MS, ONE_MINUTE, Span, Timeframe, bucket_start

KEY = "small-vendor-key-0123456789"


@dataclass
class Reply:
    """An answer, or a fault. `cut_after`: so many bytes are sent, then the connection ends; `stalls`: nothing is."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    stalls: bool = False


def json_reply(document: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json", **headers})


class SmallVendor:
    """`faults` are served first, one a request. `asked` holds path and query of every request that came in."""

    def __init__(self, world: str | None = None) -> None:
        self.world = world
        self.minutes: dict[str, Bars] = {}
        self.now_ms = 0
        self.depth_ms: int | None = None
        self.is_end_of_day = False
        self.tickers: list[dict[str, Any]] = []
        self.faults: deque[Reply] = deque()
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.page_bars = 50_000
        self.arrived = asyncio.Event()
        self.gate: asyncio.Event | None = None  # when set, answers wait for it
        self._handlers: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.base = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._handlers:
            task.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            while request := await reader.readline():
                headers = {}
                while (line := await reader.readline()).strip():
                    name, _, value = line.decode().partition(":")
                    headers[name.strip().lower()] = value.strip()
                target = request.decode().split()[1]
                self.asked.append(target)
                self.headers.append(headers)
                self.arrived.set()
                if self.gate is not None:
                    await self.gate.wait()
                reply = self.faults.popleft() if self.faults else self._answer(target, headers)
                if reply.stalls:
                    await asyncio.Event().wait()
                if self.world is not None:
                    reply.headers.setdefault("X-Candelabra-World", self.world)
                lines = [f"HTTP/1.1 {reply.status} Said", f"Content-Length: {len(reply.body)}"]
                lines += [f"{name}: {value}" for name, value in reply.headers.items()]
                message = "\r\n".join(lines).encode() + b"\r\n\r\n" + reply.body
                if reply.cut_after is not None:
                    writer.write(message[: len(message) - len(reply.body) + reply.cut_after])
                    break
                writer.write(message)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._handlers.discard(task)
            writer.close()

    def _answer(self, target: str, headers: dict[str, str]) -> Reply:
        parts = urlsplit(target)
        path, query = unquote(parts.path), dict(parse_qsl(parts.query))
        if headers.get("authorization") != f"Bearer {KEY}":
            return json_reply({"status": "ERROR", "request_id": "r1", "error": "Unknown API Key"}, 401)
        if path.startswith("/v2/aggs/ticker/") and "/range/" in path:
            return self._bars(path, query)
        if path == "/v3/reference/tickers":
            return self._tickers(query)
        if path.startswith("/v3/reference/tickers/"):
            for row in self.tickers:
                if row["ticker"] == path.rsplit("/", 1)[1]:
                    return json_reply({"status": "OK", "results": row})
            return json_reply({"status": "NOT_FOUND", "request_id": "r2", "message": "Ticker not found."}, 404)
        if path.startswith("/v2/snapshot/"):
            names = query.get("tickers", "").split(",")
            rows = [{"ticker": name, "lastTrade": {"p": 5.5, "t": 1_700_000_000_000}} for name in names]
            return json_reply({"status": "OK", "tickers": rows})
        return Reply(404, b"404 page not found", {"Content-Type": "text/plain"})

    def _bars(self, path: str, query: dict[str, str]) -> Reply:
        _, _, _, _, ticker, _, multiplier, span, begin, end = path.split("/")
        timeframe, market = Timeframe(int(multiplier), Span(span)), market_of(ticker)
        from_ms, to_ms = int(begin), int(end) + 1
        today_ms = bucket_start(self.now_ms, Timeframe(1, Span.DAY), market)
        is_too_old = self.depth_ms is not None and from_ms < self.now_ms - self.depth_ms
        if is_too_old or (self.is_end_of_day and to_ms > today_ms):
            message = "Your plan doesn't include this data timeframe. Please upgrade."
            return json_reply({"status": "NOT_AUTHORIZED", "request_id": "r3", "message": message}, 403)
        happened = self.minutes.get(ticker, Bars.empty()).between(0, self.now_ms)
        base = happened.between(from_ms, to_ms)
        limit = min(int(query.get("limit", "5000")), self.page_bars)
        document: dict[str, Any] = {"ticker": ticker, "status": "OK", "request_id": "r4", "adjusted": True}
        page = base if timeframe.span in (Span.DAY, Span.WEEK) else base.take(0, limit)
        bars = roll_up(page, timeframe, market)
        if len(page) < len(base):
            if timeframe != ONE_MINUTE:
                bars = bars.take(0, len(bars) - 1)  # cut short by the limit
            following = int(base.start_ms[len(page)]) if timeframe == ONE_MINUTE else int(bars.start_ms[-1]) + 3_600_000
            document["next_url"] = self.base + path.replace(f"/{begin}/", f"/{following}/") + f"?limit={limit}&sort=asc"
        rows = [
            {
                key: value
                for key, value in zip(("t", "o", "h", "l", "c", "v", "vw", "n"), row, strict=True)
                if not math.isnan(value)
            }
            for row in zip(bars.start_ms.tolist(), *(column.tolist() for column in bars.values()), strict=True)
        ]
        if rows:
            document["results"] = rows
        return json_reply(document)

    def _tickers(self, query: dict[str, str]) -> Reply:
        rows = [row for row in self.tickers if query.get("market") in (None, row["market"])]
        rows = [row for row in rows if query.get("search", "").lower() in (row["name"] + row["ticker"]).lower()]
        begin, limit = int(query.get("cursor", "0")), int(query.get("limit", "100"))
        document: dict[str, Any] = {"status": "OK", "results": rows[begin : begin + limit]}
        if begin + limit < len(rows):
            rest = f"&market={query['market']}" if "market" in query else ""
            document["next_url"] = f"{self.base}/v3/reference/tickers?cursor={begin + limit}&limit={limit}{rest}"
        return json_reply(document)


DAYS_OF_TESTS_MS = 20_000 * DAY_MS  # 2024-10-04T00:00Z
