"""Serves a recording of a session: REST, socket and control on loopback, over one virtual clock.

Unless told otherwise the clock stands at the recording's begin until the first client comes, and where the recorded
program connected to a socket until a client has: so a replay that starts more slowly misses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request as HandshakeRequest
from websockets.http11 import Response as HandshakeResponse

from desktop.demo.clock import VirtualClock
from desktop.demo.clock_order import set_clock
from desktop.demo.faults import Faults
from desktop.demo.http import HttpServer, Request, Response, reset
from desktop.demo.listening import Admission, cluster_name, listening, working
from desktop.demo.raw_calls import RawAnswers
from desktop.demo.raw_files import RawRecording
from desktop.demo.raw_player import Player
from desktop.demo.raw_sessions import Sessions
from desktop.demo.raw_socket import RawCluster
from desktop.demo.raw_tail import StreamTail
from desktop.demo.server import RunningServer
from desktop.demo.stats import ClusterStats, Stats
from desktop.demo.wire import encode
from desktop.domain.market import Market

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RawOptions:
    """What to serve. `start_ms` None: from the begin; `rate` None: as fast as the readers take it."""

    recording: RawRecording
    key: str
    start_ms: float | None = None
    rate: float | None = 1.0
    rest_port: int = 0
    socket_port: int = 0
    control_port: int = 0


def _start_ms(options: RawOptions) -> float:
    """Where the clock begins, Unix ms."""
    return options.recording.first_ms if options.start_ms is None else options.start_ms


class _Desk:
    """REST and control, and the clock's waiting for clients."""

    def __init__(self, options: RawOptions, clock: VirtualClock, stats: Stats, answers: RawAnswers) -> None:
        self.world: dict[str, object] = {"world": options.recording.world.id}
        self.base = ""
        self.headers: dict[str, str] = {}
        self.worker = ThreadPoolExecutor(1, thread_name_prefix="rest")
        self._key = options.key
        self._clock = clock
        self._stats = stats
        self._answers = answers
        self._end_ms = options.recording.end_ms
        self._is_waiting = True
        start_ms = _start_ms(options)
        clock.set(now_ms=start_ms, paused=True)
        opened = (line.ms for _, line in options.recording.connections if line.kind in ("open", "failed"))
        clock.end_ms = min((ms for ms in opened if ms >= start_ms), default=self._end_ms)

    def someone_came(self) -> None:
        """The market's time goes on from here."""
        if self._is_waiting:
            self._is_waiting = False
            self._clock.set(paused=False)

    def someone_connected(self) -> None:
        """From here on to the recording's end."""
        self.someone_came()
        if self._clock.end_ms != self._end_ms:
            self._clock.set()  # what passed while it stood does not count
            self._clock.end_ms = self._end_ms

    async def answer(self, request: Request) -> Response:
        """A REST call."""
        self.someone_came()
        self._stats.requests[request.path] += 1
        self._stats.keys_in_addresses += request.first("apiKey") is not None
        response = await self._answered(request)
        self._stats.statuses[response.status] += 1
        headers = {**response.headers, **self.headers}
        return Response(response.status, response.body, response.content_type, headers, response.sabotage)

    async def _answered(self, request: Request) -> Response:
        if request.api_key != self._key:
            return Response(401, encode({"status": "ERROR", "request_id": "", "error": "Unknown API Key"}))
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(
                self.worker, self._answers.answer, request, self._clock.now_ms(), self.base
            )
        except Exception:  # noqa: BLE001 (the outermost hook: a recording may hold anything)
            _LOG.exception("no answer for %s", request.path)
            return Response(500, encode({"status": "ERROR", "request_id": "", "error": "Internal server error"}))

    async def control(self, request: Request) -> Response:
        """The control endpoint: clock, world and counters."""
        try:
            match request.method, request.path:
                case "GET", "/clock":
                    self.someone_came()
                    payload: object = self._clock.state()
                case "POST", "/clock":
                    self._is_waiting = False
                    self.someone_connected()
                    payload = set_clock(self._clock, request.body)
                case "GET", "/world":
                    payload = self.world
                case "GET", "/stats":
                    payload = {**self._stats.state(), "recording": vars(self._answers.counts)}
                case _:
                    payload = {"error": f"no {request.method} {request.path} here"}
                    return Response(404, encode(payload))
        except (msgspec.MsgspecError, ValueError) as error:
            return Response(400, encode({"error": str(error)}))
        return Response(200, encode(payload))


@contextlib.asynccontextmanager
async def serving_recording(options: RawOptions) -> AsyncIterator[RunningServer]:
    """A feed server of a recording for the time of the context. Raises OSError when a port is taken."""
    recording = options.recording
    clock = VirtualClock(
        _start_ms(options),
        rate=1.0 if options.rate is None else options.rate,
        is_stepped=options.rate is None,
        end_ms=recording.end_ms,
    )
    stats, tail = Stats(), StreamTail()
    desk = _Desk(options, clock, stats, RawAnswers(recording.calls, tail))
    clusters = {}
    for name in (market.cluster for market in Market):
        counts = stats.clusters[name] = ClusterStats()
        lines = ((part.number, line) for part, line in recording.connections if line.cluster == name)
        clusters[name] = RawCluster(Sessions(lines), options.key, counts, clock.now_ms)
    async with contextlib.AsyncExitStack() as stack:
        reading = ThreadPoolExecutor(1, thread_name_prefix="frames")
        for worker in (desk.worker, reading):
            stack.callback(worker.shutdown, cancel_futures=True)
        player = Player(recording, clock, clusters, tail, reading)
        addresses = await stack.enter_async_context(
            listening(
                options,
                rest=HttpServer(desk.answer),
                control=HttpServer(desk.control),
                clusters=clusters,
                admit=_admission(clusters, clock, desk),
            )
        )
        desk.base = addresses.rest
        desk.headers = {"X-Candelabra-World": recording.world.id, "X-Candelabra-Control": addresses.control}
        desk.world.update(addresses._asdict())
        desk.world.update({"first_ms": recording.first_ms, "end_ms": recording.end_ms})
        async with working(player.run()):
            yield RunningServer(options.key, recording.world.id, *addresses, clock, Faults(stats.faults), stats)


def _admission(clusters: dict[str, RawCluster], clock: VirtualClock, desk: _Desk) -> Admission:
    def admit(connection: ServerConnection, request: HandshakeRequest) -> HandshakeResponse | None:
        desk.someone_connected()
        cluster = clusters.get(cluster_name(request))
        if cluster is None:
            return connection.respond(HTTPStatus.NOT_FOUND, "404 page not found\n")
        if (failure := cluster.sessions.failure_at(clock.now_ms())) is None:
            return None
        if failure.code is None:
            reset(connection.transport)
        return connection.respond(HTTPStatus(failure.code or HTTPStatus.SERVICE_UNAVAILABLE), "")

    return admit
