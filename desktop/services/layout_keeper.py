"""The layout of the charts, saved in the user file at every change and read at the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from desktop.data.user_store import UserStore
from desktop.domain.errors import CacheError
from desktop.domain.layout import Layout
from desktop.services.notices import Notices
from desktop.services.saving import Saver

_NAME: Final = "Last"


class LayoutKeeper:
    """Saves what `current` gives."""

    def __init__(self, store: UserStore, notices: Notices, current: Callable[[], Layout]) -> None:
        self._store = store
        self._notices = notices
        self._current = current
        self._saver = Saver(self._save, name="save layout")

    @staticmethod
    async def saved(store: UserStore) -> Layout | None:
        """The layout of the last time; None when there was none. Raises CacheError."""
        return await store.layout(_NAME)

    def mark(self) -> None:
        """The layout is another one."""
        self._saver.mark()

    async def _save(self) -> None:
        try:
            await self._store.put_layout(_NAME, self._current())
        except CacheError as error:
            self._notices.post(f"The layout was not saved. {error}", "warning", key="layout not saved")

    async def aclose(self) -> None:
        """Writes what is not written yet and stops."""
        await self._saver.aclose()
