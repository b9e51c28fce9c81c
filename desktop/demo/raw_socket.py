"""One cluster of a recording: its own handshake, then the frames as they were received, to whoever is let in.

Frames are not filtered by subscription: a replayed program reads exactly what the recorded one read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from desktop.demo.raw_sessions import Sessions
from desktop.demo.socket_conversation import Conversation
from desktop.demo.socket_outbox import Outbox
from desktop.demo.stats import ClusterStats
from desktop.demo.wire import frame, status_event


class RawCluster:
    """The connections of one cluster. `now_ms`: the market's time."""

    def __init__(self, sessions: Sessions, key: str, stats: ClusterStats, now_ms: Callable[[], int]) -> None:
        self.sessions = sessions
        self.stats = stats
        self.changes = 0  # of who is there
        self._key = key
        self._now_ms = now_ms
        self._connected: dict[Outbox, None] = {}
        self._streaming: dict[Outbox, None] = {}

    @property
    def is_heard(self) -> bool:
        """Whether anybody was let in."""
        return bool(self._streaming)

    @property
    def backlog_bytes(self) -> int:
        """How far the slowest reader is behind."""
        return max((outbox.buffered for outbox in self._streaming), default=0)

    def send(self, content: bytes) -> None:
        """A recorded frame, to all."""
        for outbox in self._streaming:
            outbox.send(content, 1)

    def end_all(self, code: int | None, reason: str | None) -> None:
        """The recorded connection was lost now: without a `code` it was cut."""
        for outbox in list(self._streaming):
            if code is None:
                outbox.drop()
            else:
                outbox.hang_up(code, reason or "")
            self._streaming.pop(outbox, None)

    def ping(self) -> None:
        for outbox in self._connected:
            outbox.ping()

    async def serve(self, connection: ServerConnection) -> None:
        """The life of one connection."""
        outbox = Outbox(connection, self.stats)
        self._connected[outbox] = None
        self.stats.opened()
        try:
            outbox.send(frame([status_event("connected", "Connected Successfully")]), 1)
            await Conversation(
                connection,
                outbox,
                is_let_in=lambda: outbox in self._streaming,
                let_in=functools.partial(self._let_in, outbox),
                change=functools.partial(self._change, outbox, set()),
            ).run()
        except ConnectionClosed:
            pass
        finally:
            del self._connected[outbox]
            self._streaming.pop(outbox, None)
            self.stats.now -= 1
            self.changes += 1

    def _let_in(self, outbox: Outbox, key: str) -> bool:
        """False when the conversation is over."""
        refusal = self.sessions.refusal_at(self._now_ms())
        if key != self._key:
            refusal = [frame([status_event("auth_failed", "authentication failed")]).decode()]
        if refusal:
            for text in refusal:
                outbox.send(text.encode(), 1)
            outbox.hang_up()
            return False
        self.stats.authenticated += 1
        outbox.send(frame([status_event("auth_success", "authenticated")]), 1)
        self._streaming[outbox] = None
        self.changes += 1
        return True

    def _change(self, outbox: Outbox, wanted: set[str], asked: Iterable[str], is_adding: bool) -> None:
        """Confirms what the recorded program was confirmed; silence about the rest, as for unknown channels."""
        answers = []
        is_denied = False
        for name in asked:
            plain = name.replace("/", "-")
            if is_adding and not self._is_recorded(plain):
                is_denied |= self.sessions.is_denied
                continue
            if (plain in wanted) == is_adding:
                continue
            (wanted.add if is_adding else wanted.discard)(plain)
            answers.append(status_event("success", f"{'' if is_adding else 'un'}subscribed to: {name}"))
        if is_denied:
            answers.insert(0, status_event("error", "not authorized"))
        if answers:
            outbox.send(frame(answers), len(answers))

    def _is_recorded(self, name: str) -> bool:
        return name in self.sessions.confirmed or f"{name.partition('.')[0]}.*" in self.sessions.confirmed
