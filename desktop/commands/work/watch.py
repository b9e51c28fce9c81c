"""Follows tickers for whoever asks, as JSON lines: bars, trades, the connection."""

from __future__ import annotations

import asyncio
import json
import math
from functools import partial
from typing import Any

import msgspec

from desktop.commands.work.workplace import Workplace
from desktop.data.feed import FeedState, Phase
from desktop.data.local_channel import Outlet, Said, Text, as_request
from desktop.data.wire_socket import Event, TradeEvent
from desktop.domain.errors import BadInput, MarketError, NotInPlan, Unauthorized
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import Timeframe
from desktop.services.chart_data import ChartData
from desktop.services.live import Channel, LiveMarket, channels_of

_BARS_BEFORE = 2  # finished bars loaded before the stream, for the bar that is forming
_LINES_AT_ONCE = 1000


class WatchRequest(msgspec.Struct):
    """Which tickers, and the timeframe of their bars."""

    tickers: list[str]
    timeframe: str


async def work(workplace: Workplace, arguments: dict[str, Any], outlet: Outlet) -> None:
    """Goes on until it is cancelled. Raises MarketError when the feed refuses for good."""
    request = as_request(arguments, WatchRequest)
    layer = workplace.layer
    if layer.source.is_offline:
        raise BadInput("Nothing can be watched offline.")
    if layer.source.key is None:
        raise Unauthorized("Watching needs an API key.", next_step="Enter it in Settings, or set MASSIVE_API_KEY.")
    live = workplace.live
    lines = _Lines(outlet, {market_of(ticker) for ticker in request.tickers})
    refused: asyncio.Future[MarketError] = asyncio.get_running_loop().create_future()

    def on_state() -> None:
        lines.states(live.states, refused)

    live.state_changed.connect(on_state)
    charts, subscriptions = [], []
    try:
        for ticker in request.tickers:
            charts.append(_chart(workplace, live, lines))
            if Channel.TRADE in channels_of(market_of(ticker), Channel.TRADE):
                subscriptions.append(live.listen(ticker, [Channel.TRADE], partial(lines.trades, ticker)))
            charts[-1].show(ticker, Timeframe.parse(request.timeframe))
        on_state()
        raise await refused
    finally:
        live.state_changed.disconnect(on_state)
        for subscription in subscriptions:
            subscription.close()
        for chart in charts:
            await chart.aclose()
            chart.deleteLater()  # and with it what is connected to it, here and in `live`


def _chart(workplace: Workplace, live: LiveMarket, lines: _Lines) -> ChartData:
    layer = workplace.layer
    chart = ChartData(
        layer.market_data,
        live,
        layer.clock,
        source=layer.source.name,
        is_limited=layer.limiter.usage().limit_per_minute is not None,
        first_bars=_BARS_BEFORE,
    )
    chart.changed.connect(lambda first: lines.bars(chart, first))
    chart.reset.connect(lambda: lines.bars(chart, max(0, len(chart.series) - 1)))
    chart.status_changed.connect(lambda: lines.trouble(chart))
    return chart


class _Lines:
    """Writes JSON lines; a bar is written again whenever it or its state changed."""

    def __init__(self, outlet: Outlet, markets: set[Market]) -> None:
        self._outlet = outlet
        self._markets = markets
        self._phases: dict[Market, Phase] = {}
        self._said: dict[str, str | None] = {}

    def bars(self, chart: ChartData, first: int) -> None:
        bars = chart.series.bars
        lines = []
        for index in range(first, len(bars)):
            bar = bars[index]
            lines.append(
                _json(
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
            )
        self._write(lines)

    def trades(self, ticker: str, events: list[Event]) -> None:
        self._write(
            [
                _json(type="trade", ticker=ticker, t=event.time_ms, p=event.price, s=event.size)
                for event in events
                if isinstance(event, TradeEvent)
            ]
        )

    def states(self, states: dict[Market, FeedState], refused: asyncio.Future[MarketError]) -> None:
        lines = []
        for market, state in states.items():
            if market not in self._markets:
                continue
            if self._phases.get(market) is not state.phase:
                self._phases[market] = state.phase
                lines.append(
                    _json(type="connection", cluster=market.cluster, state=state.phase.value, message=state.sentence)
                )
            if state.phase is Phase.REFUSED and not refused.done():
                kind = Unauthorized if state.action == "enter_key" else NotInPlan
                refused.set_result(kind(state.sentence or "The feed refused the connection."))
        self._write(lines)

    def trouble(self, chart: ChartData) -> None:
        sentence = chart.status.sentence
        if sentence and self._said.get(chart.ticker) != sentence:
            self._outlet.post(Said(f"{chart.ticker}: {sentence}"))
        self._said[chart.ticker] = sentence

    def _write(self, lines: list[str]) -> None:
        for begin in range(0, len(lines), _LINES_AT_ONCE):
            self._outlet.post(Text("".join(lines[begin : begin + _LINES_AT_ONCE])))


def _json(**fields: Any) -> str:
    return json.dumps(fields, separators=(",", ":")) + "\n"
