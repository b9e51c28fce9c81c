"""Settings as they are now, announced when they change and saved behind the scenes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.data import settings_file
from desktop.domain.errors import CacheError
from desktop.domain.settings import Settings
from desktop.services.notices import Notices
from desktop.services.saving import Saver


class Preferences(QObject):
    """Holds the Settings; `update` changes, announces and saves them."""

    changed = Signal(object)  # Settings

    def __init__(self, path: Path, settings: Settings, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = path
        self._settings = settings
        self._for_this_run: dict[str, Any] = {}
        self._notices = notices
        self._saver = Saver(self._save, name="save settings")

    @property
    def settings(self) -> Settings:
        return replace(self._settings, **self._for_this_run)

    def override(self, **changes: Any) -> None:
        """Fields that hold for this run only and are not saved; `update` of a field ends it."""
        self._for_this_run.update(changes)

    def update(self, **changes: Any) -> None:
        """Replaces fields of the settings by name."""
        shown = self.settings
        settings = replace(self._settings, **changes)
        self._for_this_run = {name: value for name, value in self._for_this_run.items() if name not in changes}
        if settings == self._settings and self.settings == shown:
            return
        self._settings = settings
        self.changed.emit(self.settings)
        self._saver.mark()

    async def _save(self) -> None:
        try:
            await asyncio.to_thread(settings_file.save, self._path, self._settings)
        except CacheError as error:
            self._notices.post(str(error), "warning", key="settings not saved")

    async def aclose(self) -> None:
        """Writes what is not written yet and stops."""
        await self._saver.aclose()
