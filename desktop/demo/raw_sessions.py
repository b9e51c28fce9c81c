"""What the recorded connections of one cluster went through: what they were told, confirmed, refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from desktop.data.recording_format import ConnectionLine

_EARLY_MS: Final = 1_000  # a replay may connect a little before the recorded program did
_ROUTINE: Final = ("connected", "auth_success", "auth_failed", "success", "error")
_CONFIRMED: Final = "subscribed to: "


class _Status(msgspec.Struct):
    ev: str = ""
    status: str = ""
    message: str = ""


_DECODER: Final = msgspec.json.Decoder(list[_Status])


def is_routine(text: str) -> bool:
    """Whether the server says this to every client anyway: it is said to a replay when its own turn comes."""
    events = _events_of(text)
    return bool(events) and all(event.ev == "status" and event.status in _ROUTINE for event in events)


def _events_of(text: str) -> list[_Status]:
    """The events of a frame with what status events have; none when it cannot be read."""
    try:
        return _DECODER.decode(text)
    except msgspec.MsgspecError:
        return []


@dataclass
class _Session:
    opened_ms: int
    frames: list[str] = field(default_factory=list)  # with status events
    words: set[str] = field(default_factory=set)


class Sessions:
    """The recorded connections of one cluster, in the order of their times."""

    def __init__(self, lines: Iterable[tuple[int, ConnectionLine]]) -> None:
        """`lines`: each with the number of its part."""
        self.confirmed: set[str] = set()
        self.is_denied = False  # something was “not authorized”
        self._sessions: dict[tuple[int, int], _Session] = {}
        self._ways: list[tuple[int, ConnectionLine]] = []  # when a connection was made, or could not be
        for part, line in lines:
            key = (part, line.connection)
            if line.kind == "open":
                self._sessions[key] = _Session(line.ms)
            if line.kind in ("open", "failed"):
                self._ways.append((line.ms, line))
            if line.kind == "status" and line.text is not None and key in self._sessions:
                self._hear(self._sessions[key], line.text)
        self._ways.sort(key=lambda way: way[0])

    def _hear(self, session: _Session, text: str) -> None:
        session.frames.append(text)
        for event in _events_of(text):
            session.words.add(event.status)
            if event.status == "success" and event.message.startswith(_CONFIRMED):
                self.confirmed.add(event.message.removeprefix(_CONFIRMED).replace("/", "-"))
            self.is_denied |= event.status == "error" and "not authorized" in event.message.lower()

    def failure_at(self, now_ms: int) -> ConnectionLine | None:
        """Why no connection could be made at this time; None when one could."""
        past = [line for ms, line in self._ways if ms <= now_ms + _EARLY_MS]
        line = past[-1] if past else (self._ways[0][1] if self._ways else None)
        return line if line is not None and line.kind == "failed" else None

    def refusal_at(self, now_ms: int) -> list[str]:
        """What a client was told instead of being let in at this time; nothing when it was let in."""
        ordered = sorted(self._sessions.values(), key=lambda session: session.opened_ms)
        past = [session for session in ordered if session.opened_ms <= now_ms + _EARLY_MS]
        session = past[-1] if past else next(iter(ordered), None)
        if session is None or "auth_success" in session.words or session.words <= {"connected"}:
            return []
        return [text for text in session.frames if any(event.status != "connected" for event in _events_of(text))]
