"""The feed server as a whole: REST, socket and control on loopback over one source and one clock."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request as HandshakeRequest
from websockets.http11 import Response as HandshakeResponse

from desktop.demo.clock import VirtualClock
from desktop.demo.control import Control
from desktop.demo.corrections import CorrectedSource
from desktop.demo.faults import Faults
from desktop.demo.http import HttpServer, reset
from desktop.demo.listening import Admission, cluster_name, listening, working
from desktop.demo.plan import PAID, Plan
from desktop.demo.rest_app import RestApp
from desktop.demo.socket_cluster import Cluster
from desktop.demo.socket_flood import Flood
from desktop.demo.socket_pump import TICK_S, Pump
from desktop.demo.source import MarketSource
from desktop.demo.stats import ClusterStats, Stats
from desktop.demo.turns import Turns
from desktop.domain.market import Market


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What to serve. `start_ms` None is now; `rate` None replays as fast as the readers take it."""

    source: MarketSource
    key: str
    start_ms: float | None = None
    rate: float | None = 1.0
    plan: Plan = PAID
    rest_port: int = 0
    socket_port: int = 0
    control_port: int = 0
    tick_s: float = TICK_S  # real seconds between two looks for what is to be sent


@dataclass
class RunningServer:
    """A server that listens, and its parts for whoever runs it in the same process."""

    key: str
    world: str
    rest: str
    socket: str
    control: str
    clock: VirtualClock
    faults: Faults
    stats: Stats

    def line(self) -> dict[str, str]:
        """What is printed when it is ready."""
        return {
            "rest": self.rest,
            "socket": self.socket,
            "control": self.control,
            "key": self.key,
            "world": self.world,
        }


@contextlib.asynccontextmanager
async def serving(options: ServerOptions) -> AsyncIterator[RunningServer]:
    """A feed server for the time of the context. Raises OSError when a port is taken."""
    turns = Turns()
    source = CorrectedSource(options.source, turns.patient)
    urgent = source.in_turn(turns.urgent)  # live events do not wait for a long REST answer
    start_ms = time.time() * 1000 if options.start_ms is None else options.start_ms
    clock = VirtualClock(
        start_ms,
        rate=1.0 if options.rate is None else options.rate,
        is_stepped=options.rate is None,
        end_ms=options.source.end_ms,
    )
    stats = Stats()
    faults = Faults(stats.faults)
    async with contextlib.AsyncExitStack() as stack:
        answering, filling = (ThreadPoolExecutor(1, thread_name_prefix=name) for name in ("rest", "pump"))
        for worker in (answering, filling):
            stack.callback(worker.shutdown, cancel_futures=True)
        rest = RestApp(source, clock, options.key, faults, stats, answering, options.plan)
        clusters = {}
        for market in Market:
            counts = stats.clusters[market.cluster] = ClusterStats()
            clusters[market.cluster] = Cluster(
                market, key=options.key, plan=options.plan, catalog=rest.catalog, faults=faults, stats=counts
            )
        pump = Pump(urgent, clock, list(clusters.values()), faults, filling, options.plan.delay_ms, options.tick_s)
        clock.on_jump = pump.follow_subscriptions
        for cluster in clusters.values():
            cluster.on_change = pump.follow_subscriptions
        flood = Flood(clusters[Market.CRYPTO.cluster], urgent, clock.now_ms, pump.muted, stats.flood, filling)
        description: dict[str, object] = {"world": source.world.id}
        control = Control(description, clock, faults, stats, rest, list(clusters.values()), source, flood)

        addresses = await stack.enter_async_context(
            listening(
                options,
                rest=HttpServer(rest.answer, admits=rest.admits),
                control=HttpServer(control.answer),
                clusters=clusters,
                admit=_admission(clusters, faults),
            )
        )
        rest.base = addresses.rest
        rest.headers = {"X-Candelabra-World": source.world.id, "X-Candelabra-Control": addresses.control}
        description.update(addresses._asdict())
        description.update({"first_ms": source.first_ms, "end_ms": source.end_ms, "tickers": len(rest.catalog.rows)})
        async with working(pump.run(), flood.run()):
            yield RunningServer(options.key, source.world.id, *addresses, clock, faults, stats)


def _admission(clusters: dict[str, Cluster], faults: Faults) -> Admission:
    def admit(connection: ServerConnection, request: HandshakeRequest) -> HandshakeResponse | None:
        name = cluster_name(request)
        if faults.take(("socket_refuse",), cluster=name) is not None:
            reset(connection.transport)
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "")
        if name not in clusters:
            return connection.respond(HTTPStatus.NOT_FOUND, "404 page not found\n")
        return None

    return admit
