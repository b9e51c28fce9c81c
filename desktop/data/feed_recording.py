"""A socket connection that is recorded: what it receives and sends, how it opens and ends."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import InvalidStatus
from websockets.protocol import State

from desktop.data.recorder import ConnectionRecord


class RecordedConnection(ClientConnection):
    """Used in place of the library's connection only while something is recorded, so that nothing else pays for it."""

    record: ConnectionRecord | None = None
    _is_left = False

    async def recv(self, decode: bool | None = None) -> Any:
        frame = await super().recv(decode)
        if self.record is not None:
            self.record.received(frame)
        return frame

    async def send(self, message: Any, **options: Any) -> None:
        if self.record is not None and isinstance(message, str):
            self.record.sent(message)
        await super().send(message, **options)

    def leave(self) -> None:
        """This side is about to close: an end that follows is no loss."""
        self._is_left = self.state is State.OPEN

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.record is not None:
            # The library makes up a code where no close frame came.
            came = self.protocol.close_rcvd
            code, reason = (None, None) if came is None else (came.code, came.reason)
            self.record.closed(code, reason, is_ours=self._is_left)


async def open_recorded(connecting: Awaitable[ClientConnection], record: ConnectionRecord) -> ClientConnection:
    """The connection, and in the recording that it opened or why it did not."""
    try:
        connection = await connecting
    except BaseException as error:
        record.failed(error, error.response.status_code if isinstance(error, InvalidStatus) else None)
        raise
    if isinstance(connection, RecordedConnection):
        connection.record = record
        record.opened()
    return connection
