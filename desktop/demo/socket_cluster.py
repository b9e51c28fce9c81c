"""One cluster of the socket: authentication, subscriptions, eviction, as the vendor does them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Final, Literal

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from desktop.demo.faults import Faults
from desktop.demo.plan import Plan
from desktop.demo.rest_call import Catalog
from desktop.demo.socket_conversation import Conversation
from desktop.demo.socket_outbox import Outbox
from desktop.demo.source import CatalogRow
from desktop.demo.stats import ClusterStats
from desktop.demo.wire import frame, status_event
from desktop.domain.market import Market

Kind = Literal["trade", "quote", "second", "minute"]
CHANNELS: Final[dict[Market, dict[str, Kind]]] = {
    Market.CRYPTO: {"XT": "trade", "XQ": "quote", "XA": "minute", "XAS": "second"},
    Market.STOCKS: {"T": "trade", "Q": "quote", "A": "second", "AM": "minute"},
    Market.FOREX: {"C": "quote", "CA": "minute", "CAS": "second"},
}
WILDCARD: Final = "*"
_POLICY_VIOLATION: Final = 1008
_NO_SOCKET: Final = "Your plan doesn't include websocket access. Visit https://massive.com/pricing to upgrade."
_TOO_MANY: Final = (
    "Maximum number of websocket connections exceeded. You have reached the connection limit for your account. "
    "Please contact support at https://massive.com/contact to increase your limit."
)


def _nobody_listens() -> None:
    pass


def socket_symbol(row: CatalogRow) -> str:
    """How events name a ticker: `BTC-USD`, `EUR/USD`, `AAPL`."""
    if row.market is Market.STOCKS:
        return row.ticker
    return f"{row.base}{'/' if row.market is Market.FOREX else '-'}{row.currency}"


class Subscriber:
    """One connection; `wanted` holds what it is subscribed to, as (channel, symbol with a hyphen or `*`)."""

    def __init__(self, connection: ServerConnection, outbox: Outbox) -> None:
        self.connection = connection
        self.outbox = outbox
        self.is_authenticated = False
        self.wanted: dict[tuple[str, str], None] = {}

    def wants(self, channel: str, symbol: str) -> bool:
        """Whether events of `channel` for a hyphenated `symbol` go to it."""
        return (channel, symbol) in self.wanted or (channel, WILDCARD) in self.wanted


class Cluster:
    """The connections of one market and what they want."""

    def __init__(
        self, market: Market, *, key: str, plan: Plan, catalog: Catalog, faults: Faults, stats: ClusterStats
    ) -> None:
        self.market = market
        self.name = market.cluster
        self.channels = CHANNELS[market]
        self.key = key
        self.plan = plan
        self.stats = stats
        self.subscribers: dict[Subscriber, None] = {}
        self.changes = 0  # of what is wanted
        self.on_change: Callable[[], None] = _nobody_listens  # called at the moment of each
        self._faults = faults
        self._by_symbol = {socket_symbol(row).replace("/", "-"): row for row in catalog.of_market(market)}

    @property
    def streaming(self) -> list[Subscriber]:
        """The connections that are authenticated, oldest first."""
        return [subscriber for subscriber in self.subscribers if subscriber.is_authenticated]

    def wanted_rows(self) -> list[tuple[str, str, CatalogRow]]:
        """(channel, hyphenated symbol, row) of everything that any connection wants, sorted."""
        found: dict[tuple[str, str], CatalogRow] = {}
        for subscriber in self.streaming:
            for channel, symbol in subscriber.wanted:
                if symbol == WILDCARD:
                    found.update({(channel, name): row for name, row in self._by_symbol.items()})
                elif (row := self._by_symbol.get(symbol)) is not None:
                    found[channel, symbol] = row
        return [(channel, symbol, row) for (channel, symbol), row in sorted(found.items(), key=lambda item: item[0])]

    async def serve(self, connection: ServerConnection) -> None:
        """The life of one connection."""
        subscriber = Subscriber(connection, Outbox(connection, self.stats))
        self.subscribers[subscriber] = None
        self.stats.opened()
        try:
            subscriber.outbox.ping()
            subscriber.outbox.send(frame([status_event("connected", "Connected Successfully")]), 1)
            await Conversation(
                connection,
                subscriber.outbox,
                is_let_in=lambda: subscriber.is_authenticated,
                let_in=functools.partial(self._authenticate, subscriber),
                change=functools.partial(self._change, subscriber),
            ).run()
        except ConnectionClosed:
            pass
        finally:
            del self.subscribers[subscriber]
            self.stats.now -= 1
            self._changed()

    def _authenticate(self, subscriber: Subscriber, key: str) -> bool:
        """False when the conversation is over."""
        refusal = None
        if key != self.key or self._faults.take(("socket_auth_failed",), cluster=self.name) is not None:
            refusal = "authentication failed"
        elif not self.plan.has_socket or self._faults.take(("socket_no_plan",), cluster=self.name) is not None:
            refusal = _NO_SOCKET
        if refusal is not None:
            subscriber.outbox.send(frame([status_event("auth_failed", refusal)]), 1)
            subscriber.outbox.hang_up()
            return False
        older = [other for other in self.streaming if other is not subscriber]
        subscriber.is_authenticated = True
        self.stats.authenticated += 1
        subscriber.outbox.send(frame([status_event("auth_success", "authenticated")]), 1)
        for other in older:
            self.evict(other)
        return True

    def evict(self, subscriber: Subscriber) -> None:
        """Tells a connection that another one took its place, and closes it."""
        subscriber.is_authenticated = False
        self.stats.evicted += 1
        self._changed()
        subscriber.outbox.send(frame([status_event("max_connections", _TOO_MANY)]), 1)
        subscriber.outbox.hang_up(_POLICY_VIOLATION, "max_connections")

    def _changed(self) -> None:
        self.changes += 1
        self.on_change()

    def _change(self, subscriber: Subscriber, asked: Iterable[str], is_adding: bool) -> None:
        """Adds or removes subscriptions; unknown channels and what changes nothing get no answer."""
        answers = []
        is_denied = False
        for name in asked:
            channel, dot, symbol = name.partition(".")
            if not dot or not symbol or channel not in self.channels:
                continue
            if channel in self.plan.denied_channels:
                is_denied = True
                continue
            wanted = (channel, symbol.replace("/", "-"))
            if (wanted in subscriber.wanted) == is_adding:
                continue
            if is_adding:
                subscriber.wanted[wanted] = None
            else:
                del subscriber.wanted[wanted]
            answers.append(status_event("success", f"{'' if is_adding else 'un'}subscribed to: {name}"))
        if is_denied:
            answers.insert(0, status_event("error", "not authorized"))
        if answers:
            self._changed()
            subscriber.outbox.send(frame(answers), len(answers))
