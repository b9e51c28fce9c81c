"""A vendor socket under a test's control: real websockets on loopback, the vendor's rules, faults on demand."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Collection
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import Event

KEY = "test-key-0123456789abcdef"


def frame(*events: dict[str, Any]) -> str:
    """One vendor frame."""
    return json.dumps(events, separators=(",", ":"))


def status(word: str, message: str = "") -> dict[str, Any]:
    return {"ev": "status", "status": word, "message": message}


def trade(number: int, pair: str = "BTC-USD") -> dict[str, Any]:
    """A crypto trade whose price and id tell which one it is."""
    ms = 1_700_000_000_000 + number
    price = 100 + number
    return {"ev": "XT", "pair": pair, "p": price, "s": 0.5, "t": ms, "c": [2], "i": str(number), "x": 1, "r": ms}


class ScriptedVendor:
    """`async with ScriptedVendor() as vendor`; every wanted subscription gets trade 0 at once, as a sign of delivery.

    log: what clients sent, in order, as (connection number, message). connections: those open now, oldest first.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.log: list[tuple[int, dict[str, Any]]] = []
        self.connections: list[ServerConnection] = []
        self.opened = 0
        self.attempts = 0
        self.pings = 0
        self.greeting: list[dict[str, Any]] = [status("connected", "Connected Successfully")]
        self.auth_answer: list[dict[str, Any]] = [status("auth_success", "authenticated")]
        self.drops_after_auth = False  # without a close frame
        self.unauthorized: Collection[str] = ()
        self.unanswered: Collection[str] = ()
        self.answer_http: Callable[[], Response | None] = lambda: None
        self.on_subscribed: Callable[[ServerConnection, list[str]], Any] | None = None
        self.delivers_at_once = True
        self._server: Server | None = None
        self._something = asyncio.Event()
        self.port = 0

    @property
    def base(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens, on the same port as before when started again."""
        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            process_request=self._on_request,
            ssl=self._tls,
            compression=None,
            ping_interval=None,
            close_timeout=0.2,
            create_connection=lambda *args, **kwargs: _CountingConnection(self, *args, **kwargs),
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Nobody listens any more; open connections are cut."""
        self.drop()
        if self._server is not None:
            self._server.close(close_connections=False)
            await self._server.wait_closed()
            self._server = None

    def drop(self) -> None:
        """Cuts every connection without a close frame."""
        for connection in list(self.connections):
            connection.transport.abort()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until `condition` holds; looked at whenever a client did something."""
        while not condition():
            self._something.clear()
            await self._something.wait()

    async def send(self, *events: dict[str, Any]) -> None:
        """One frame to the newest connection."""
        await self.connections[-1].send(frame(*events))

    def messages(self, connection: int | None = None) -> list[tuple[str, str]]:
        """(action, params) of what was received, of all connections or one (counted from 1)."""
        return [(m["action"], m["params"]) for number, m in self.log if connection in (None, number)]

    def _on_request(self, _connection: ServerConnection, _request: Request) -> Response | None:
        self.attempts += 1
        self._something.set()
        return self.answer_http()

    async def _serve(self, connection: ServerConnection) -> None:
        self.opened += 1
        number = self.opened
        self.connections.append(connection)
        self._something.set()
        try:
            await connection.send(frame(*self.greeting))
            async for text in connection:
                message = json.loads(text)
                self.log.append((number, message))
                await self._answer(connection, message)
                self._something.set()
        except ConnectionClosed:
            pass
        finally:
            self.connections.remove(connection)
            self._something.set()

    async def _answer(self, connection: ServerConnection, message: dict[str, Any]) -> None:
        names = message["params"].split(",")
        match message["action"]:
            case "auth":
                is_right = message["params"] == KEY
                answer = self.auth_answer if is_right else [status("auth_failed", "authentication failed")]
                await connection.send(frame(*answer))
                if not is_right or self.drops_after_auth:
                    connection.transport.abort()
            case "subscribe":
                good = [n for n in names if n not in self.unauthorized and n not in self.unanswered]
                answers = [status("success", f"subscribed to: {name}") for name in good]
                if any(name in self.unauthorized for name in names):
                    answers.insert(0, status("error", "not authorized"))
                if answers:
                    await connection.send(frame(*answers))
                if self.delivers_at_once and good:
                    await connection.send(frame(*(trade(0, n.split(".", 1)[1]) for n in good)))
                if self.on_subscribed is not None:
                    await self.on_subscribed(connection, good)
            case "unsubscribe":
                await connection.send(frame(*(status("success", f"unsubscribed to: {n}") for n in names)))


class _CountingConnection(ServerConnection):
    """Tells its vendor about pings."""

    def __init__(self, vendor: ScriptedVendor, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._vendor = vendor

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self._vendor.pings += 1
            self._vendor._something.set()


def http_answer(code: HTTPStatus, **headers: str) -> Response:
    """An HTTP answer instead of a WebSocket handshake."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(code, code.phrase, Headers({"Content-Length": "0", "Connection": "close", **fields}), b"")
