"""Live data for everyone: one feed per cluster, counted subscriptions, the newest values per ticker."""

from __future__ import annotations

import asyncio
import enum
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal

from desktop.data.clock import MarketClock
from desktop.data.feed import Feed, FeedState, Phase
from desktop.data.market_data import MarketData
from desktop.data.wire_socket import Event, symbol_of
from desktop.domain.freshness import Line, freshness_of
from desktop.domain.market import Market, market_of
from desktop.domain.sessions import is_open
from desktop.services.board import Board, LiveQuote
from desktop.services.snapshots import Snapshots
from desktop.services.tasks import Tasks

Listener = Callable[[list[Event]], None]
FeedFactory = Callable[[str, Callable[[list[Event]], None], Callable[[FeedState], None]], Feed]
_FRESHNESS_EVERY_S = 1.0
_LAG_SHOWN_MS = 2_000
_DELAY_MS = 15 * 60_000  # of the vendor's delayed feed
_LAG_WEIGHT = 0.2  # of the newest batch in the lag that is shown


class Channel(enum.StrEnum):
    """What can be listened to, by its name here."""

    TRADE = "trade"
    QUOTE = "quote"
    SECOND = "second"
    MINUTE = "minute"


_WIRE_CHANNELS = {
    Market.CRYPTO: {Channel.TRADE: "XT", Channel.QUOTE: "XQ", Channel.SECOND: "XAS", Channel.MINUTE: "XA"},
    Market.STOCKS: {Channel.TRADE: "T", Channel.QUOTE: "Q", Channel.SECOND: "A", Channel.MINUTE: "AM"},
    Market.FOREX: {Channel.QUOTE: "C", Channel.SECOND: "CAS", Channel.MINUTE: "CA"},
}


def channels_of(market: Market, *wanted: Channel) -> tuple[Channel, ...]:
    """Those of `wanted` the market has; forex has no trades, so its second bars stand in for them."""
    has = _WIRE_CHANNELS[market]
    return tuple(dict.fromkeys(c if c in has else Channel.SECOND for c in wanted))


@dataclass(slots=True)
class _Entry:
    """One ticker somebody listens to."""

    ticker: str
    quote: LiveQuote
    wanted: Counter[Channel] = field(default_factory=Counter)
    listeners: list[Listener] = field(default_factory=list)
    pending: list[Event] = field(default_factory=list)
    connection: int | None = None  # that carries it


class Subscription:
    """What `LiveMarket.listen` gives; `close` ends it, once is enough."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close: Callable[[], None] | None = close

    def close(self) -> None:
        if self._close is not None:
            self._close()
            self._close = None


@dataclass(slots=True)
class _Cluster:
    feed: Feed
    market: Market
    entries: dict[str, _Entry] = field(default_factory=dict)  # by socket symbol
    state: FeedState | None = None
    lag_ms: float = 0.0
    events: int = 0
    void_until: int = 0  # connections up to this number may have missed something: time broke off while they stood

    @property
    def is_streaming(self) -> bool:
        state = self.state
        return state is not None and state.phase is Phase.STREAMING and state.connections > self.void_until

    @property
    def silence_ms(self) -> int | None:
        """Real time since data, status or pong came; None when nothing ever did."""
        received_s = self.feed.state.last_received_monotonic
        return None if received_s is None else int((time.monotonic() - received_s) * 1000)


class LiveMarket(QObject):
    """Opens a cluster's socket when it is first needed and shares it between everything that listens."""

    state_changed = Signal()

    def __init__(
        self,
        make_feed: FeedFactory | None,
        clock: MarketClock,
        market_data: MarketData | None = None,
        *,
        delayed: frozenset[Market] = frozenset(),
        snapshot_every_s: float = 60.0,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_feed = make_feed
        self._clock = clock
        self._delayed = delayed
        self._clusters: dict[Market, _Cluster] = {}
        self._board = Board()
        self._snapshots = (
            None
            if market_data is None
            else Snapshots(market_data, self._board, clock, self._connection_of, snapshot_every_s)
        )
        self._tasks = Tasks()
        self._seen_breaks = clock.breaks

    @property
    def board(self) -> dict[str, LiveQuote]:
        return self._board.quotes

    def take_changed(self) -> set[str]:
        """Tickers whose LiveQuote changed since the last call; for one caller."""
        return self._board.take_changed()

    @property
    def states(self) -> dict[Market, FeedState]:
        """The state of each opened cluster."""
        return {market: cluster.state for market, cluster in self._clusters.items() if cluster.state is not None}

    @property
    def events(self) -> int:
        """Data events received so far, over all clusters."""
        return sum(cluster.events for cluster in self._clusters.values())

    @property
    def lag_ms(self) -> float:
        """How far behind the market the newest events are, at worst; 0 when not worth a word."""
        in_time = (cluster.lag_ms for market, cluster in self._clusters.items() if market not in self._delayed)
        worst = max(in_time, default=0.0)
        return worst if worst >= _LAG_SHOWN_MS else 0.0

    def delay_ms(self, market: Market) -> int:
        """How far a market's feed runs behind by its plan."""
        return _DELAY_MS if market in self._delayed else 0

    def start(self) -> None:
        """Begins to keep freshness and snapshots up to date."""
        self._tasks.start(self._keep_fresh(), replace="freshness", name="freshness")
        if self._snapshots is not None:
            self._tasks.start(self._snapshots.run(), replace="snapshots", name="snapshots")

    def listen(self, ticker: str, channels: Collection[Channel], listener: Listener | None = None) -> Subscription:
        """Subscribes to a ticker's channels; `listener` gets its events in batches, in the order they came."""
        market = market_of(ticker)
        cluster = self._cluster(market)
        quote = self._board.quote(ticker)
        if cluster is None:
            return Subscription(lambda: None)
        symbol = symbol_of(ticker)
        entry = cluster.entries.get(symbol)
        if entry is None:
            entry = cluster.entries[symbol] = _Entry(ticker, quote)
        entry.wanted.update(channels)
        if listener is not None:
            entry.listeners.append(listener)
        self._send_wanted(cluster)

        def close() -> None:
            entry.wanted.subtract(channels)
            if listener is not None:
                entry.listeners.remove(listener)
            if not +entry.wanted:
                cluster.entries.pop(symbol, None)
            self._send_wanted(cluster)

        return Subscription(close)

    def is_streaming(self, ticker: str, channel: Channel | None = None) -> bool:
        """Whether the ticker's subscription (any, or that of `channel`) is confirmed on a working connection."""
        cluster = self._clusters.get(market_of(ticker))
        if cluster is None or cluster.state is None or not cluster.is_streaming:
            return False
        symbol = symbol_of(ticker)
        codes = _WIRE_CHANNELS[cluster.market]
        asked = codes.values() if channel is None else [codes[channel]] if channel in codes else []
        return any(f"{code}.{symbol}" in cluster.state.confirmed for code in asked)

    def stream_of(self, ticker: str) -> int | None:
        """Number of the connection that carries the ticker's minute bars; None while none does."""
        if not self.is_streaming(ticker, Channel.MINUTE):
            return None
        state = self._clusters[market_of(ticker)].state
        return None if state is None else state.connections

    def is_without_feed(self, ticker: str) -> bool:
        """Whether the plan has no live data for the ticker's market: REST is asked every minute instead."""
        cluster = self._clusters.get(market_of(ticker))
        return cluster is not None and cluster.state is not None and cluster.state.is_not_in_plan

    def is_refused(self, ticker: str, channel: Channel) -> bool:
        """Whether the plan does not allow that subscription."""
        cluster = self._clusters.get(market_of(ticker))
        code = _WIRE_CHANNELS[market_of(ticker)].get(channel)
        if cluster is None or cluster.state is None or code is None:
            return False
        return f"{code}.{symbol_of(ticker)}" in cluster.state.refused

    def retry_now(self) -> None:
        """Connects at once where a feed waits or was refused, and asks for snapshots again."""
        if self._snapshots is not None:
            self._snapshots.check_again()
        for cluster in self._clusters.values():
            cluster.feed.retry_now()

    def _look_at_clock(self, now_ms: int) -> None:
        """After a sleep or a step of the clock nothing that a connection says proves that it missed nothing."""
        if self._clock.breaks == self._seen_breaks:
            return
        self._seen_breaks = self._clock.breaks
        for cluster in self._clusters.values():
            if cluster.state is not None:
                cluster.void_until = cluster.state.connections
            cluster.feed.restart()
        self._judge_all(now_ms)
        self.state_changed.emit()

    def _cluster(self, market: Market) -> _Cluster | None:
        if market not in self._clusters:
            if self._make_feed is None:
                return None
            feed = self._make_feed(
                market.cluster,
                lambda events: self._on_events(cluster, events),
                lambda state: self._on_state(cluster, state),
            )
            cluster = self._clusters[market] = _Cluster(feed, market)
            self._tasks.start(feed.run(), name=f"feed {market.cluster}")
        return self._clusters[market]

    def _send_wanted(self, cluster: _Cluster) -> None:
        codes = _WIRE_CHANNELS[cluster.market]
        cluster.feed.set_wanted(
            {
                f"{codes[channel]}.{symbol}"
                for symbol, entry in cluster.entries.items()
                for channel in +entry.wanted
                if channel in codes
            }
        )

    def _on_events(self, cluster: _Cluster, events: list[Event]) -> None:
        received_ms = self._clock.now_ms()
        self._look_at_clock(received_ms)
        entries, apply = cluster.entries, self._board.apply
        with_listeners: list[_Entry] = []
        count = 0
        number = cluster.state.connections if cluster.state is not None and cluster.is_streaming else None
        for event in events:
            entry = entries.get(event.symbol)
            if entry is None:
                continue
            count += 1
            if entry.connection != number:
                _carry(entry, number, received_ms)  # its confirmation is about to be announced
            apply(entry.quote, event, received_ms)
            if entry.listeners:
                if not entry.pending:
                    with_listeners.append(entry)
                entry.pending.append(event)
        cluster.events += count
        sent_ms = events[-1].sent_ms if events else None
        if sent_ms is not None:
            cluster.lag_ms += (max(0, received_ms - sent_ms) - cluster.lag_ms) * _LAG_WEIGHT
        is_void = cluster.state is not None and not cluster.is_streaming
        for entry in with_listeners:
            pending, entry.pending = entry.pending, []
            if is_void:
                continue  # there may be a hole before them; the next connection starts anew
            for listener in tuple(entry.listeners):
                listener(pending)

    def _on_state(self, cluster: _Cluster, state: FeedState) -> None:
        cluster.state = state
        now_ms, is_other = self._clock.now_ms(), False
        for entry in cluster.entries.values():
            if (number := self._connection_of(entry.ticker)) != entry.connection:
                _carry(entry, number, now_ms)
                is_other = True
        if is_other:
            self._judge_all(now_ms)
        if self._snapshots is not None and cluster.is_streaming:
            self._snapshots.hurry()  # the server is back
        self.state_changed.emit()

    def _connection_of(self, ticker: str) -> int | None:
        """Number of the connection on which any channel of the ticker is confirmed."""
        state = self._clusters[market_of(ticker)].state if self.is_streaming(ticker) else None
        return None if state is None else state.connections

    async def _keep_fresh(self) -> None:
        while True:
            now_ms = self._clock.now_ms()
            self._look_at_clock(now_ms)
            self._judge_all(now_ms)
            await asyncio.sleep(_FRESHNESS_EVERY_S)

    def _judge_all(self, now_ms: int) -> None:
        silences = {market: cluster.silence_ms for market, cluster in self._clusters.items()}
        opened = {market: is_open(market, now_ms) for market in Market}
        for ticker, quote in self._board.quotes.items():
            market = market_of(ticker)
            since_ms = quote.since_ms if self.is_streaming(ticker) else None
            quote.freshness = freshness_of(
                quote.seen,
                Line(since_ms, silences.get(market), market in self._delayed),
                now_ms=now_ms,
                is_market_open=opened[market],
                usual_gap_ms=quote.usual_gap_ms,
            )
            self._board.mark(ticker)  # its age moved on in any case

    async def aclose(self) -> None:
        """Closes every connection."""
        await self._tasks.aclose()


def _carry(entry: _Entry, number: int | None, now_ms: int) -> None:
    """The ticker is carried by another connection, or by none."""
    entry.connection = number
    entry.quote.since_ms = None if number is None else now_ms
