"""What a client says on a socket: its key first, then what it subscribes to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from websockets.asyncio.server import ServerConnection

from desktop.demo.socket_outbox import Outbox
from desktop.demo.wire import frame, status_event

_AUTH_TIMEOUT_S: Final = 10.0


class _Message(msgspec.Struct):
    action: str = ""
    params: str = ""


_DECODER: Final = msgspec.json.Decoder(_Message)


@dataclass(frozen=True, slots=True)
class Conversation:
    """The one of a connection.

    let_in: judges a key; False when the conversation is over. change: takes what is to be subscribed to, or no longer,
    and which of the two it is (`is_adding`).
    """

    connection: ServerConnection
    outbox: Outbox
    is_let_in: Callable[[], bool]
    let_in: Callable[[str], bool]
    change: Callable[[list[str], bool], None]

    async def run(self) -> None:
        """Goes on until one side ends it. Raises ConnectionClosed when the client was cut off."""
        try:
            async with asyncio.timeout(_AUTH_TIMEOUT_S) as limit:
                async for text in self.connection:
                    if not self._on_message(text):
                        return
                    if self.is_let_in():
                        limit.reschedule(None)
        except TimeoutError:
            self._say("auth_timeout", "authentication timed out")
            await self.connection.close()

    def _on_message(self, text: str | bytes) -> bool:
        """Does what a message asks for; False when the conversation is over."""
        try:
            message = _DECODER.decode(text)
        except msgspec.MsgspecError:
            self._say("error", "invalid message")
            return True
        if message.action == "auth":
            return self.let_in(message.params)
        if not self.is_let_in():
            self._say("error", "not authorized")
        elif message.action in ("subscribe", "unsubscribe"):
            self.change(message.params.split(","), message.action == "subscribe")
        return True

    def _say(self, status: str, sentence: str) -> None:
        self.outbox.send(frame([status_event(status, sentence)]), 1)
