"""A flood of plausible crypto trades at a rate asked for, to find out what a reader can take."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Final

import msgspec

from desktop.demo.latest import last_trade
from desktop.demo.socket_cluster import Cluster, socket_symbol
from desktop.demo.socket_outbox import text_frame
from desktop.demo.source import CatalogRow, MarketSource
from desktop.demo.wire import encode, frame

TURN_S: Final = 0.005
_RENEW_S: Final = 0.25  # how old the times in the events may be
_KINDS_PER_TICKER: Final = 8
_MEASURED_S: Final = 2.0
_WAITING_BYTES: Final = 4 << 20  # a reader further behind is waited for: the reached rate then tells
_FALLEN_BEHIND_S: Final = 0.25
_CHANNEL: Final = "XT"


class FloodOrder(msgspec.Struct):
    """`rate` events a second (0 stops), `per_frame` in each message, over the first `tickers` subscribed ones."""

    rate: float
    per_frame: int = 10
    tickers: int = 200

    def __post_init__(self) -> None:
        if self.rate < 0 or self.per_frame < 1 or self.tickers < 1:
            raise ValueError("rate, per_frame and tickers must be positive")


@dataclass
class Flood:
    """Sends while an order stands; `state` is what `/stats` shows."""

    cluster: Cluster
    source: MarketSource
    now_ms: Callable[[], int]
    muted: set[str]  # the pump's: its own trades keep quiet meanwhile
    state: dict[str, float]
    worker: Executor  # where the source is asked
    _order: FloodOrder | None = None
    _ids: int = 10**12
    _prices: dict[str, float] = field(default_factory=dict)
    _chance: random.Random = field(default_factory=lambda: random.Random(2))
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def order(self, order: FloodOrder) -> None:
        """Begins, changes or (rate 0) ends the flood."""
        self._order = order if order.rate > 0 else None
        self.muted.discard(_CHANNEL)
        if self._order is not None:
            self.muted.add(_CHANNEL)
        self.state.clear()
        self.state.update({"rate_asked": order.rate, "per_frame": order.per_frame, "rate_reached": 0.0, "sent": 0})
        self._wake.set()

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            if self._order is None:
                self._wake.clear()
                await self._wake.wait()
            else:
                await self._flood(self._order)

    async def _flood(self, order: FloodOrder) -> None:
        begun_s = time.monotonic()
        frames_sent, renewed_s = 0, 0.0
        samples: deque[tuple[float, int]] = deque([(begun_s, 0)])
        templates: list[tuple[bytes, bytes]] = []
        while self._order is order:
            now_s = time.monotonic()
            if now_s - renewed_s >= _RENEW_S:
                await self._find_prices(order.tickers)
                templates, renewed_s = self._templates(order.tickers), now_s
            due = int((now_s - begun_s) * order.rate / order.per_frame) - frames_sent
            if templates and due > 0 and self._readers_keep_up():
                self._send(templates, due, order.per_frame)
                frames_sent += due
            elif not templates or due * order.per_frame > order.rate * _FALLEN_BEHIND_S:
                # Never made up for: a burst later would not be the rate that was asked for.
                begun_s, frames_sent = now_s, 0
            samples.append((now_s, int(self.state["sent"])))
            while samples[0][0] < now_s - _MEASURED_S:
                samples.popleft()
            (first_s, first), (last_s, last) = samples[0], samples[-1]
            if last_s > first_s:
                self.state["rate_reached"] = (last - first) / (last_s - first_s)
            await asyncio.sleep(TURN_S)

    def _readers_keep_up(self) -> bool:
        return all(subscriber.outbox.buffered < _WAITING_BYTES for subscriber in self.cluster.streaming)

    def _send(self, templates: list[tuple[bytes, bytes]], frames: int, per_frame: int) -> None:
        count = frames * per_frame
        kinds, first = len(templates), self._ids
        events = []
        for number in range(first, first + count):
            head, tail = templates[number % kinds]
            events.append(b"%b%d%b" % (head, number, tail))
        self._ids += count
        messages = [text_frame(frame(events[at : at + per_frame])) for at in range(0, count, per_frame)]
        for subscriber in self.cluster.streaming:
            subscriber.outbox.send_frames(messages, count)
        self.state["sent"] += count

    def _rows(self, tickers: int) -> list[CatalogRow]:
        return [row for channel, _, row in self.cluster.wanted_rows() if channel == _CHANNEL][:tickers]

    async def _find_prices(self, tickers: int) -> None:
        """Learns where the prices of newly subscribed tickers are."""
        new = [row for row in self._rows(tickers) if row.ticker not in self._prices]
        if new:
            loop = asyncio.get_running_loop()
            self._prices |= await loop.run_in_executor(self.worker, _last_prices, self.source, new, self.now_ms())

    def _templates(self, tickers: int) -> list[tuple[bytes, bytes]]:
        """Events cut at their trade id: a few per ticker, interleaved, with prices that walk from the last one."""
        rows = [row for row in self._rows(tickers) if row.ticker in self._prices]
        now_ms = self.now_ms()
        templates = []
        for _ in range(_KINDS_PER_TICKER):
            for row in rows:
                price = float(f"{self._prices[row.ticker] * (1 + self._chance.gauss(0, 2e-5)):.7g}")
                self._prices[row.ticker] = price
                event = {
                    "ev": _CHANNEL,
                    "pair": socket_symbol(row),
                    "p": price,
                    "t": now_ms,
                    "s": self._chance.randint(1, 4096) / 1024,
                    "c": [self._chance.randint(1, 2)],
                    "x": 1,
                    "r": now_ms,
                    "i": "@",
                }
                head, _, tail = encode(event).rpartition(b"@")
                templates.append((head, tail))
        return templates


def _last_prices(source: MarketSource, rows: Sequence[CatalogRow], now_ms: int) -> dict[str, float]:
    """The last price of each ticker; 1 for what has not been traded for a month."""
    trades = {row.ticker: last_trade(source, row, now_ms) for row in rows}
    return {ticker: 1.0 if trade is None else float(trade.price[0]) for ticker, trade in trades.items()}
