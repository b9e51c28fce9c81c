"""The control endpoint: the clock, the world, counters, faults, plan and flood of a running feed server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from desktop.demo.clock import VirtualClock
from desktop.demo.clock_order import set_clock
from desktop.demo.corrections import CorrectedSource
from desktop.demo.faults import REST_KINDS, SOCKET_KINDS, Fault, Faults
from desktop.demo.http import Request, Response
from desktop.demo.plan import PLANS, CallMeter
from desktop.demo.rest_app import RestApp
from desktop.demo.socket_cluster import Cluster, socket_symbol
from desktop.demo.socket_flood import Flood, FloodOrder
from desktop.demo.stats import Stats
from desktop.demo.wire import bar_event, encode, frame
from desktop.domain.timeframe import MINUTE_MS

_IMMEDIATE: Final = ("socket_drop", "socket_close", "socket_stall", "socket_evict", "correction")
_GOING_AWAY: Final = 1001


class PlanOrder(msgspec.Struct):
    """Changes of the plan; `name` takes one of the known plans first."""

    name: str | None = None
    calls_per_minute: int | msgspec.UnsetType | None = msgspec.UNSET
    history_days: int | msgspec.UnsetType | None = msgspec.UNSET
    is_end_of_day: bool | msgspec.UnsetType = msgspec.UNSET
    has_socket: bool | msgspec.UnsetType = msgspec.UNSET
    cuts_history: bool | msgspec.UnsetType = msgspec.UNSET
    denied_channels: list[str] | msgspec.UnsetType = msgspec.UNSET


@dataclass
class Control:
    """Answers the control endpoint's requests."""

    world: dict[str, object]
    clock: VirtualClock
    faults: Faults
    stats: Stats
    rest: RestApp
    clusters: list[Cluster]
    source: CorrectedSource
    flood: Flood

    async def answer(self, request: Request) -> Response:
        """Never raises; what cannot be read is a 400 with the reason in `error`."""
        routes: dict[tuple[str, str], Callable[[Request], Any]] = {
            ("GET", "/clock"): lambda _: self.clock.state(),
            ("POST", "/clock"): lambda request: set_clock(self.clock, request.body),
            ("GET", "/world"): lambda _: self.world,
            ("GET", "/stats"): lambda _: self.stats.state(),
            ("GET", "/faults"): lambda _: self._rules(),
            ("POST", "/plan"): self._set_plan,
            ("POST", "/flood"): self._order_flood,
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): self._clear_faults,
        }
        try:
            handler = routes.get((request.method, request.path))
            if handler is None:
                return _json(404, {"error": f"no {request.method} {request.path} here"})
            return _json(200, handler(request))
        except (msgspec.MsgspecError, ValueError) as error:
            return _json(400, {"error": str(error)})

    def _set_plan(self, request: Request) -> object:
        order = msgspec.json.decode(request.body, type=PlanOrder)
        plan = self.rest.plan
        if order.name is not None:
            if order.name not in PLANS:
                raise ValueError(f"name must be one of {', '.join(PLANS)}")
            plan = replace(PLANS[order.name], delay_ms=plan.delay_ms)
        changes = {name: value for name, value in msgspec.structs.asdict(order).items() if value is not msgspec.UNSET}
        changes.pop("name")
        if "denied_channels" in changes:
            changes["denied_channels"] = frozenset(changes["denied_channels"])
        plan = replace(plan, **changes)
        if plan.calls_per_minute != self.rest.meter.limit:
            self.rest.meter = CallMeter(plan.calls_per_minute)
        self.rest.plan = plan
        for cluster in self.clusters:
            cluster.plan = plan
        return {"calls_per_minute": plan.calls_per_minute, "has_socket": plan.has_socket}

    def _order_flood(self, request: Request) -> object:
        self.flood.order(msgspec.json.decode(request.body, type=FloodOrder))
        return self.stats.flood

    def _rules(self) -> dict[str, object]:
        return {"faults": self.faults.rules, "kinds": [*REST_KINDS, *SOCKET_KINDS]}

    def _clear_faults(self, _request: Request) -> object:
        self.faults.clear()
        return self._rules()

    def _add_fault(self, request: Request) -> object:
        fault = msgspec.json.decode(request.body, type=Fault)
        if fault.kind not in _IMMEDIATE or (fault.kind == "socket_drop" and fault.probability < 1):
            self.faults.add(fault)
            return self._rules()
        self.faults.counter[fault.kind] += 1
        clusters = [cluster for cluster in self.clusters if fault.cluster in (None, cluster.name)]
        if fault.kind == "correction":
            return self._correct(fault, clusters)
        struck = 0
        for cluster in clusters:
            for subscriber in list(cluster.subscribers):
                struck += 1
                match fault.kind:
                    case "socket_drop":
                        subscriber.outbox.drop(fault.after_bytes or 0)
                    case "socket_close":
                        subscriber.outbox.close(_GOING_AWAY, "restarting")
                    case "socket_stall":
                        subscriber.outbox.stall()
                    case "socket_evict":
                        cluster.evict(subscriber)
        return {**self._rules(), "struck": struck}

    def _correct(self, fault: Fault, clusters: list[Cluster]) -> object:
        """Changes one closed minute of a ticker and sends it again to whoever has its minute bars."""
        row = self.rest.catalog.find(fault.ticker or "")
        if row is None:
            raise ValueError("a correction needs a known ticker")
        bar = self.source.correct(row.ticker, self.clock.now_ms(), fault.minutes_back, fault.factor)
        if bar is None:
            raise ValueError(f"{row.ticker} has no closed minute that near")
        symbol = socket_symbol(row)
        for cluster in clusters:
            if cluster.market is not row.market:
                continue
            channel = next(name for name, kind in cluster.channels.items() if kind == "minute")
            event = bar_event(channel, symbol, bar, MINUTE_MS)
            for subscriber in cluster.streaming:
                if subscriber.wants(channel, symbol.replace("/", "-")):
                    subscriber.outbox.send(frame([event]), 1)
        return {**self._rules(), "bar": {"t": bar.start_ms, "o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close}}


def _json(status: int, payload: object) -> Response:
    return Response(status, encode(payload))
