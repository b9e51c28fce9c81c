"""A TCP proxy that cuts, or goes silent, after a chosen number of bytes from the server."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Self

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CuttingProxy:
    """`async with CuttingProxy(port, plan=[120, None]) as proxy`: the first connection is cut after 120 bytes.

    plan: bytes from the server to let through, per connection; None lets everything through, and so does an exhausted
    plan. is_reset: cut with RST, not FIN. is_silent: keep the connection open and forward nothing more.
    """

    def __init__(self, port: int, plan: list[int | None], *, is_reset: bool = False, is_silent: bool = False) -> None:
        self._upstream = port
        self._plan: Iterator[int | None] = iter(plan)
        self._is_reset = is_reset
        self._is_silent = is_silent
        self._server: asyncio.Server | None = None
        self._handlers: set[asyncio.Task[None]] = set()
        self.passed: list[int] = []  # bytes let through from the server, per connection
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for handler in self._handlers:
            handler.cancel()
        await asyncio.gather(*self._handlers, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handler = asyncio.current_task()
        assert handler is not None
        self._handlers.add(handler)
        limit = next(self._plan, None)
        number = len(self.passed)
        self.passed.append(0)
        upstream_writer = None
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            async with asyncio.TaskGroup() as group:
                forward = group.create_task(self._forward(reader, upstream_writer))
                await self._backward(upstream_reader, writer, limit, number)
                forward.cancel()
        except (OSError, ExceptionGroup):
            pass  # either end went away: that is what this proxy is for
        finally:
            if self._is_reset:
                connection: socket.socket = writer.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            writer.transport.abort() if self._is_reset else writer.close()
            if upstream_writer is not None:
                upstream_writer.close()
            self._handlers.discard(handler)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def _backward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None, number: int
    ) -> None:
        while data := await reader.read(65536):
            room = len(data) if limit is None else limit - self.passed[number]
            writer.write(data[:room])
            await writer.drain()
            self.passed[number] += min(room, len(data))
            if limit is not None and self.passed[number] >= limit:
                if self._is_silent:
                    await asyncio.Event().wait()
                return
