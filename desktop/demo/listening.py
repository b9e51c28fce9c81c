"""What every feed server listens on, and how it works on beside that."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, Final, NamedTuple, Protocol

from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from desktop.demo.http import HOST, HttpServer

_LARGEST_MESSAGE: Final = 1 << 20
_CLOSE_TIMEOUT_S: Final = 1.0
_LOG: Final = logging.getLogger(__name__)

Admission = Callable[[ServerConnection, Request], Response | None]  # None lets the connection in


class Addresses(NamedTuple):
    """The base addresses of a server that listens."""

    rest: str
    socket: str
    control: str


class Ports(Protocol):
    """Where to listen; 0 takes any free port."""

    @property
    def rest_port(self) -> int: ...
    @property
    def socket_port(self) -> int: ...
    @property
    def control_port(self) -> int: ...


class ServesSockets(Protocol):
    """A cluster."""

    async def serve(self, connection: ServerConnection) -> None:
        """The life of one connection."""


def cluster_name(request: Request) -> str:
    """Which cluster a handshake asks for."""
    return request.path.partition("?")[0].strip("/")


@contextlib.asynccontextmanager
async def listening(
    ports: Ports, *, rest: HttpServer, control: HttpServer, clusters: Mapping[str, ServesSockets], admit: Admission
) -> AsyncIterator[Addresses]:
    """Listens for the time of the context, then cuts what is open. Raises OSError when a port is taken.

    `admit` answers handshakes, and lets nobody into a cluster that is not there.
    """
    async with contextlib.AsyncExitStack() as stack:
        for server, port in ((control, ports.control_port), (rest, ports.rest_port)):
            await server.start(port)
            stack.push_async_callback(server.aclose)
        socket_port = await stack.enter_async_context(_serving_sockets(clusters, admit, ports.socket_port))
        yield Addresses(rest.url, f"ws://{HOST}:{socket_port}", control.url)


@contextlib.asynccontextmanager
async def _serving_sockets(clusters: Mapping[str, ServesSockets], admit: Admission, port: int) -> AsyncIterator[int]:
    """Yields the port."""

    async def converse(connection: ServerConnection) -> None:
        assert connection.request is not None
        await clusters[cluster_name(connection.request)].serve(connection)

    server = await serve(
        converse,
        HOST,
        port,
        process_request=admit,
        compression=None,
        ping_interval=None,  # the server's own work pings, so that a stalled connection is silent altogether
        close_timeout=_CLOSE_TIMEOUT_S,
        max_size=_LARGEST_MESSAGE,
        logger=_LOG,
    )
    try:
        yield next(iter(server.sockets)).getsockname()[1]
    finally:
        for connection in server.connections:
            connection.transport.abort()
        server.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def working(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `jobs` for the time of the context. What is raised in the context comes out without a group around it."""
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job) for job in jobs]
        try:
            yield
        except BaseException as error:  # noqa: BLE001 (raised again below)
            failure = error
        for task in tasks:
            task.cancel()
    if failure is not None:
        raise failure
