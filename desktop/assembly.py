"""Builds the data layer of one world; the window and the commands use the same.

Part of the composition root: with `app.py` the only place that knows all layers.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from desktop.data.call_log import CallLog
from desktop.data.clock import FollowedClock, MarketClock, WallClock
from desktop.data.feed import Feed, FeedState
from desktop.data.folders import Folders
from desktop.data.market_data import MarketData
from desktop.data.rate_limit import Limiter
from desktop.data.recorder import Recorder, RecordingOrder
from desktop.data.rest import RestClient
from desktop.data.rest_calls import CONTROL_HEADER, WORLD_HEADER
from desktop.data.store import Store
from desktop.data.wire_socket import Event
from desktop.domain.addresses import LOOPBACK_HOSTS, real_time_base
from desktop.domain.errors import MarketError
from desktop.domain.market import Market
from desktop.domain.settings import Plan
from desktop.domain.world import VENDOR, World, world_of_base
from desktop.services.tasks import Tasks

_SYNC_EVERY_S = 2.0
_PROBE_S = 5.0
_PLAN_KEY = "plan_key"


@dataclass(frozen=True, slots=True)
class Source:
    """Where data come from: addresses, key, and the world they belong to."""

    rest_base: str
    socket_base: str
    key: str | None
    world: World
    control: str | None = None
    plan: Plan = Plan.FREE
    is_offline: bool = False

    @property
    def delayed(self) -> frozenset[Market]:
        """The markets whose feed runs behind: of the vendor's delayed host, stocks alone."""
        is_delayed = urlsplit(self.socket_base).hostname in ("delayed.massive.com", "delayed.polygon.io")
        return frozenset({Market.STOCKS} if is_delayed else ())

    def socket_base_of(self, cluster: str) -> str:
        """Where a cluster's socket is: the delayed host has that of stocks, the others are beside it in real time."""
        return self.socket_base if cluster == Market.STOCKS.cluster else real_time_base(self.socket_base)

    @property
    def name(self) -> str:
        """What legend and exports call it."""
        return self.world.label or "Massive"


@dataclass(frozen=True, slots=True)
class DataLayer:
    """Everything one world's data needs; made by `open_data_layer`, closed by its context."""

    source: Source
    store: Store
    limiter: Limiter
    rest: RestClient | None
    market_data: MarketData
    clock: MarketClock
    folder: Path
    recorder: Recorder | None = None

    def make_feed(
        self, cluster: str, on_events: Callable[[list[Event]], None], on_state: Callable[[FeedState], None]
    ) -> Feed:
        """A feed of one cluster with this source's address and key."""
        return Feed(
            cluster=cluster,
            base=self.source.socket_base_of(cluster),
            key=self.source.key or "",
            on_events=on_events,
            on_state=on_state,
            recorder=self.recorder,
        )


async def identify(source: Source, folders: Folders) -> Source:
    """Finds out which world a base address serves: by its server's own word, else by what was learnt before."""
    if world_of_base(source.rest_base) == VENDOR:
        return replace(source, world=VENDOR)
    known = await asyncio.to_thread(_known_worlds, folders.worlds_file)
    if not source.is_offline:
        try:
            named, control = await _ask_world(source)
        except MarketError:
            named = control = None
        if named is not None:
            if known.get(source.rest_base) != named.id:
                known[source.rest_base] = named.id
                await asyncio.to_thread(_remember_worlds, folders.worlds_file, known)
            return replace(source, world=named, control=source.control or control)
    return replace(source, world=await known_world(source, folders))


async def known_world(source: Source, folders: Folders) -> World:
    """Which world a base address served when it was last asked, without asking."""
    if world_of_base(source.rest_base) == VENDOR:
        return VENDOR
    held = (await asyncio.to_thread(_known_worlds, folders.worlds_file)).get(source.rest_base)
    return World(held) if held else world_of_base(source.rest_base)


async def _ask_world(source: Source) -> tuple[World | None, str | None]:
    """A feed server says it in every answer, a refusal too: without the key it is no call of the key's plan."""
    async with _client(source.rest_base, _PROBE_S) as client:
        try:
            response = await client.get(f"{source.rest_base}/v1/marketstatus/now")
        except httpx.RequestError:
            return None, None
    named = response.headers.get(WORLD_HEADER)
    control = response.headers.get(CONTROL_HEADER)
    if control is not None and urlsplit(control).hostname not in LOOPBACK_HOSTS:
        control = None
    try:
        return (World(named) if named else None), control
    except ValueError:
        return None, None


def _client(base: str, timeout_s: float) -> httpx.AsyncClient:
    is_loopback = urlsplit(base).hostname in LOOPBACK_HOSTS
    return httpx.AsyncClient(timeout=timeout_s, trust_env=not is_loopback, follow_redirects=False)


def _known_worlds(path: Path) -> dict[str, str]:
    try:
        held = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(base): str(world) for base, world in held.items()} if isinstance(held, dict) else {}


def _remember_worlds(path: Path, worlds: dict[str, str]) -> None:
    newest = dict(list(worlds.items())[-200:])  # feed servers take a new port each time
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(newest, indent=1), "utf-8")
    partial.replace(path)


@asynccontextmanager
async def open_data_layer(
    source: Source, folders: Folders, on_event: Callable[[str], None], record: RecordingOrder | None = None
) -> AsyncIterator[DataLayer]:
    """Opens store, limiter, REST client and clock of one world; closes them in reverse.

    on_event gets one sentence when a damaged file was set aside or restored, or when nothing more can be recorded.
    """
    folder = folders.world(source.world)
    async with AsyncExitStack() as stack:
        store = await Store.open(folder / "cache.sqlite", source.world, on_event=on_event)
        stack.push_async_callback(store.aclose)
        call_log = await CallLog.open(folder / "calls.log")
        stack.push_async_callback(call_log.aclose)
        limiter = Limiter(calls_per_minute=source.plan.calls_per_minute, record=call_log)
        limiter.restore(call_log.past)
        clock = await stack.enter_async_context(_clock(source))
        rest = recorder = None
        if not source.is_offline:
            if record is not None:
                recorder = await stack.enter_async_context(_recorder(record, source, clock, on_event))
            rest = RestClient(
                base=source.rest_base, key=source.key, limiter=limiter, world=source.world, recorder=recorder
            )
            stack.push_async_callback(rest.aclose)
            rest.on_server_time = clock.heard if isinstance(clock, WallClock) else None
        market_data = MarketData(rest=rest, store=store, clock=clock)
        with suppress(MarketError):  # a cache that cannot be written: what was learnt stays until asked for anew
            await _meet_key(source, store, market_data)
        yield DataLayer(source, store, limiter, rest, market_data, clock, folder, recorder)


async def _meet_key(source: Source, store: Store, market_data: MarketData) -> None:
    """What the plan of another key did not have is asked for anew."""
    if source.key is None or source.is_offline:
        return
    mark = hashlib.blake2b(source.key.encode(), digest_size=4).hexdigest()  # tells keys apart, not what they are
    if await store.get_value(_PLAN_KEY) != mark:
        await market_data.forget_limits()
        await store.put_value(_PLAN_KEY, mark)


@asynccontextmanager
async def _recorder(
    order: RecordingOrder, source: Source, clock: MarketClock, on_event: Callable[[str], None]
) -> AsyncIterator[Recorder | None]:
    """None when nothing can be recorded: the application goes on without."""
    try:
        recorder = await Recorder.open(
            order,
            world=source.world.id,
            rest_base=source.rest_base,
            socket_base=source.socket_base,
            now_ms=clock.now_ms,
            on_notice=on_event,
        )
    except MarketError as error:
        on_event(str(error))
        yield None
        return
    recorder.hide(source.key)
    try:
        yield recorder
    finally:
        await recorder.aclose()


@asynccontextmanager
async def _clock(source: Source) -> AsyncIterator[MarketClock]:
    if source.control is None or source.is_offline:
        yield WallClock()
        return
    clock = FollowedClock(source.control)
    tasks = Tasks()
    async with _client(source.control, _PROBE_S) as client:
        with suppress(MarketError):  # the wall clock stands in until the server answers
            await clock.sync(client)
        tasks.start(_follow(clock, client), name="market clock")
        try:
            yield clock
        finally:
            await tasks.aclose()


async def _follow(clock: FollowedClock, client: httpx.AsyncClient) -> None:
    while True:
        await asyncio.sleep(_SYNC_EVERY_S)
        with suppress(MarketError):  # goes on at the last known rate
            await clock.sync(client)
