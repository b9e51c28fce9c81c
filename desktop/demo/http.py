"""A small HTTP/1.1 server on asyncio and h11: keep-alive, gzip, HEAD, and answers that misbehave on request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import h11

HOST: Final = "127.0.0.1"
_LARGEST_BODY: Final = 1 << 20
_GZIP_FROM_BYTES: Final = 1024
_IN_THREAD_FROM_BYTES: Final = 64 * 1024
_READ_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is decoded, header names are lower case."""

    method: str
    target: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes = b""

    def first(self, name: str) -> str | None:
        """The first value of a query parameter, None when it is absent."""
        return next((value for key, value in self.query if key == name), None)

    @property
    def api_key(self) -> str | None:
        """The key of the Authorization header, else of the query."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else self.first("apiKey")


@dataclass(frozen=True, slots=True)
class Sabotage:
    """How sending goes wrong: cut after some bytes of the answer, at a crawl, or never."""

    drop_after_bytes: int | None = None
    bytes_per_s: float | None = None
    is_stalled: bool = False


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `Content-Length` and `Content-Encoding` are added when it is sent."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    sabotage: Sabotage | None = None


Handler = Callable[[Request], Awaitable[Response]]


def reset(transport: asyncio.BaseTransport) -> None:
    """Cuts a connection with a TCP reset, as a crashed peer or a firewall does."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


class HttpServer:
    """Serves `handler` on loopback from `start` to `aclose`; `admits` is asked before a connection is read."""

    def __init__(self, handler: Handler, *, admits: Callable[[], bool] = lambda: True) -> None:
        self._handler = handler
        self._admits = admits
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    async def start(self, port: int = 0) -> None:
        """Binds to loopback; 0 takes any free port. Raises OSError when the port is taken."""
        self._server = await asyncio.start_server(self._serve, HOST, port, limit=_READ_BYTES)
        self.port = self._server.sockets[0].getsockname()[1]

    async def aclose(self) -> None:
        """Stops listening and cuts what is open."""
        if self._server is None:
            return
        self._server.close()
        serving = list(self._open.items())
        for writer, task in serving:
            writer.transport.abort()
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for _, task in serving if task is not None), return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._admits():
            reset(writer.transport)
            return
        self._open[writer] = asyncio.current_task()
        try:
            await _Session(self._handler, reader, writer).run()
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass  # the peer left, or the server ends
        finally:
            del self._open[writer]
            writer.close()


class _Session:
    """The requests of one connection, one after the other."""

    def __init__(self, handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._handler = handler
        self._reader, self._writer = reader, writer
        self._peer = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        while True:
            try:
                request = await self._next_request()
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint)
                return
            if request is None:
                return
            if not await self._send(request, await self._handler(request)):
                return
            if self._peer.our_state is h11.MUST_CLOSE or self._peer.their_state is not h11.DONE:
                return
            self._peer.start_next_cycle()

    async def _next_request(self) -> Request | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._peer.next_event()
            if event is h11.NEED_DATA:
                if self._peer.they_are_waiting_for_100_continue:
                    self._writer.write(self._peer.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                self._peer.receive_data(await self._reader.read(_READ_BYTES))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _LARGEST_BODY:
                    raise h11.RemoteProtocolError("body too large", error_status_hint=413)
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _request(head, bytes(body))
            else:
                return None

    async def _send(self, request: Request, response: Response) -> bool:
        """Sends the answer; False when the connection is no longer of use."""
        headers = {"Content-Type": response.content_type, **response.headers}
        body = response.body
        if len(body) >= _GZIP_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
            body = await _compressed(body)
            headers["Content-Encoding"] = "gzip"
        headers["Content-Length"] = str(len(body))
        pieces = [self._peer.send(h11.Response(status_code=response.status, headers=list(headers.items())))]
        pieces.append(self._peer.send(h11.Data(data=b"" if request.method == "HEAD" else body)))
        pieces.append(self._peer.send(h11.EndOfMessage()))
        data = b"".join(piece for piece in pieces if piece)
        if response.sabotage is not None:
            return await self._send_badly(data, response.sabotage)
        self._writer.write(data)
        await self._writer.drain()
        return True

    async def _send_badly(self, data: bytes, sabotage: Sabotage) -> bool:
        if sabotage.is_stalled:
            await self._reader.read()  # until the client gives up
            return False
        if sabotage.bytes_per_s is not None:
            step = max(1, int(sabotage.bytes_per_s / 20))
            for at in range(0, len(data), step):
                self._writer.write(data[at : at + step])
                await self._writer.drain()
                await asyncio.sleep(step / sabotage.bytes_per_s)
            return True
        if sabotage.drop_after_bytes is not None:
            if sabotage.drop_after_bytes:
                self._writer.write(data[: sabotage.drop_after_bytes])
                await self._writer.drain()
            self._writer.transport.abort()
            return False
        return True

    async def _refuse(self, status: int) -> None:
        if self._peer.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [("Content-Length", "0"), ("Connection", "close")]
            self._writer.write(self._peer.send(h11.Response(status_code=status, headers=headers)) or b"")
            await self._writer.drain()


def _request(head: h11.Request, body: bytes) -> Request:
    target = head.target.decode("ascii", "replace")
    parts = urlsplit(target)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    return Request(head.method.decode("ascii"), target, unquote(parts.path), query, headers, body)


async def _compressed(body: bytes) -> bytes:
    return await asyncio.to_thread(_gzip, body) if len(body) >= _IN_THREAD_FROM_BYTES else _gzip(body)


def _gzip(body: bytes) -> bytes:
    """Gzip without a time stamp: equal bodies stay equal."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()
