"""Saving behind the scenes what a person changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from desktop.services.tasks import Tasks

_SAVE: Final = "save"


class Saver:
    """Calls `save` after changes: one at a time, and again when there were more meanwhile."""

    def __init__(self, save: Callable[[], Awaitable[None]], *, name: str) -> None:
        """save: expected failures are its own affair. name: the task's."""
        self._save = save
        self._name = name
        self._tasks = Tasks()
        self._is_dirty = False

    def mark(self) -> None:
        """There is something to save."""
        self._is_dirty = True
        if not self._tasks.is_running(_SAVE):
            self._tasks.start(self._save_all(), replace=_SAVE, name=self._name)

    async def aclose(self) -> None:
        """Saves what is not saved yet and stops."""
        await self._tasks.finish()

    async def _save_all(self) -> None:
        while self._is_dirty:
            self._is_dirty = False
            await self._save()
