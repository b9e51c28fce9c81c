"""`candelabra watch`: live bars, trades and the connection as JSON lines."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import signal
import sys
from contextlib import suppress
from functools import partial
from typing import Any

from desktop.assembly import DataLayer
from desktop.commands.environment import open_environment, say
from desktop.data.feed import FeedState, Phase
from desktop.data.wire_socket import Event, TradeEvent
from desktop.domain.errors import BadInput, MarketError, NotInPlan, Unauthorized
from desktop.domain.market import Market, is_plausible_ticker, market_of
from desktop.domain.timeframe import Timeframe
from desktop.services.chart_data import ChartData
from desktop.services.live import Channel, LiveMarket, channels_of

_BARS_BEFORE = 2  # finished bars loaded before the stream, for the bar that is forming


async def run(arguments: argparse.Namespace) -> None:
    """Prints until `--seconds` are over or a signal comes. Raises MarketError when the feed refuses for good."""
    timeframe = Timeframe.parse(arguments.timeframe)
    for ticker in arguments.tickers:
        if not is_plausible_ticker(ticker):
            raise BadInput(f"“{ticker}” is not a ticker.", next_step="Try X:BTCUSD, C:EURUSD or AAPL.")
    async with open_environment(arguments) as layer:
        await _watch(layer, arguments.tickers, timeframe, arguments.seconds)


async def _watch(layer: DataLayer, tickers: list[str], timeframe: Timeframe, seconds: float | None) -> None:
    live = LiveMarket(layer.make_feed, layer.clock, is_delayed=layer.source.is_delayed)
    refused: asyncio.Future[MarketError] = asyncio.get_running_loop().create_future()
    printer = _Printer()
    live.state_changed.connect(lambda: printer.states(live.states, refused))
    charts = []
    subscriptions = []
    for ticker in tickers:
        chart = ChartData(
            layer.market_data,
            live,
            layer.clock,
            source=layer.source.name,
            is_limited=layer.limiter.usage().limit_per_minute is not None,
            first_bars=_BARS_BEFORE,
        )
        chart.changed.connect(lambda first, chart=chart: printer.bars(chart, first))
        chart.reset.connect(lambda chart=chart: printer.bars(chart, max(0, len(chart.series) - 1)))
        chart.status_changed.connect(lambda chart=chart: printer.trouble(chart))
        charts.append(chart)
        if Channel.TRADE in channels_of(market_of(ticker), Channel.TRADE):
            subscriptions.append(live.listen(ticker, [Channel.TRADE], partial(printer.trades, ticker)))
        chart.show(ticker, timeframe)
    try:
        await _until_over(seconds, refused)
    finally:
        for subscription in subscriptions:
            subscription.close()
        for chart in charts:
            await chart.aclose()
        await live.aclose()
        printer.flush()


async def _until_over(seconds: float | None, refused: asyncio.Future[MarketError]) -> None:
    loop = asyncio.get_running_loop()
    interrupted = loop.create_future()

    def interrupt() -> None:
        if not interrupted.done():
            interrupted.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: an interrupt ends the run by KeyboardInterrupt
            loop.add_signal_handler(number, interrupt)
    done, _ = await asyncio.wait({interrupted, refused}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if refused in done:
        raise refused.result()


class _Printer:
    """Writes JSON lines; a bar is written again whenever it or its state changed."""

    def __init__(self) -> None:
        self._written: dict[tuple[str, int], str] = {}
        self._phases: dict[Market, Phase] = {}
        self._said: dict[str, str | None] = {}

    def bars(self, chart: ChartData, first: int) -> None:
        bars = chart.series.bars
        for index in range(first, len(bars)):
            bar = bars[index]
            line = _json(
                type="bar",
                ticker=chart.ticker,
                timeframe=str(chart.timeframe),
                t=bar.start_ms,
                o=bar.open,
                h=bar.high,
                l=bar.low,
                c=bar.close,
                v=None if math.isnan(bar.volume) else bar.volume,
                state=chart.state_of(bar.start_ms),
            )
            key = (chart.ticker, bar.start_ms)
            if self._written.get(key) != line:
                self._written[key] = line
                self._write(line)
        self.flush()

    def trades(self, ticker: str, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, TradeEvent):
                self._write(_json(type="trade", ticker=ticker, t=event.time_ms, p=event.price, s=event.size))
        self.flush()

    def states(self, states: dict[Market, FeedState], refused: asyncio.Future[MarketError]) -> None:
        for market, state in states.items():
            if self._phases.get(market) is not state.phase:
                self._phases[market] = state.phase
                self._write(
                    _json(type="connection", cluster=market.cluster, state=state.phase.value, message=state.sentence)
                )
            if state.phase is Phase.REFUSED and not refused.done():
                kind = Unauthorized if state.action == "enter_key" else NotInPlan
                refused.set_result(kind(state.sentence or "The feed refused the connection."))
        self.flush()

    def trouble(self, chart: ChartData) -> None:
        sentence = chart.status.sentence
        if sentence and self._said.get(chart.ticker) != sentence:
            say(f"{chart.ticker}: {sentence}")
        self._said[chart.ticker] = sentence

    def _write(self, line: str) -> None:
        sys.stdout.write(line + "\n")

    def flush(self) -> None:
        sys.stdout.flush()


def _json(**fields: Any) -> str:
    return json.dumps(fields, separators=(",", ":"))
