"""What a person should know: events, with repeats folded into one line and a count."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from PySide6.QtCore import QObject, Signal

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One message; `count` says how often it came, `action` is a button's text or None."""

    text: str
    level: Level = "info"
    count: int = 1
    key: str = ""
    action: str | None = None
    action_id: str | None = None


class Notices(QObject):
    """Posts messages to whoever shows them; a repeated key raises the count instead of adding a line."""

    posted = Signal(object)  # Notice
    cleared = Signal(str)  # key

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open: dict[str, Notice] = {}

    @property
    def open(self) -> tuple[Notice, ...]:
        """Messages that were posted and not cleared, oldest first."""
        return tuple(self._open.values())

    def post(
        self,
        text: str,
        level: Level = "info",
        *,
        key: str | None = None,
        action: str | None = None,
        action_id: str | None = None,
    ) -> None:
        """Shows `text`; the same `key` (default: the text) while still open counts up."""
        key = key or text
        notice = Notice(text, level, 1, key, action, action_id)
        if (held := self._open.get(key)) is not None:
            notice = replace(notice, count=held.count + 1)
        self._open[key] = notice
        self.posted.emit(notice)

    def clear(self, key: str) -> None:
        """Takes a message away, if it is still there."""
        if self._open.pop(key, None) is not None:
            self.cleared.emit(key)
