"""The API key as the user sees it: where it comes from, never what it is."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from desktop.data.api_key import ApiKeys, KeyInUse, KeySource, clean_key
from desktop.domain.errors import MarketError
from desktop.services.tasks import Tasks

__all__ = ["KeySource", "Keys"]


class Keys(QObject):
    """The key in use and what can be done with it. The key itself is handed to the data layer only."""

    changed = Signal()
    saved = Signal(bool, str)  # worked, one sentence

    def __init__(
        self, api_keys: ApiKeys, in_use: KeyInUse, on_key: Callable[[str], None], parent: QObject | None = None
    ) -> None:
        """on_key hears of every key that is taken, to keep it out of logs."""
        super().__init__(parent)
        self._api_keys = api_keys
        self._in_use = in_use
        self._on_key = on_key
        if in_use.key is not None:
            on_key(in_use.key)
        self._tasks = Tasks()

    @property
    def source(self) -> KeySource:
        return self._in_use.source

    @property
    def sentence(self) -> str | None:
        """What went wrong on the way to the key, if anything."""
        return self._in_use.sentence

    @property
    def has_key(self) -> bool:
        return self._in_use.key is not None

    @property
    def keyring_name(self) -> str | None:
        """Name of the OS keyring, or None where there is none that may be trusted."""
        return self._api_keys.keyring_name()

    @property
    def is_busy(self) -> bool:
        return self._tasks.is_running("keyring")

    def use(self, text: str, *, remember: bool) -> None:
        """Takes a typed or pasted key: for this run, or into the keyring too. Raises BadInput at once."""
        key = clean_key(text)
        self._on_key(key)
        if remember:
            self._tasks.start(self._remember(key), replace="keyring", name="save key")
        else:
            self._api_keys.use_for_this_run(key)
            self._tasks.start(self._reload(), replace="keyring", name="use key")

    def forget(self) -> None:
        """Removes the key of this run and the one in the keyring."""
        self._tasks.start(self._forget(), replace="keyring", name="forget key")

    async def _remember(self, key: str) -> None:
        try:
            await self._api_keys.remember(key)
        except MarketError as error:
            self._api_keys.use_for_this_run(key)
            await self._reload(f"The key is in use for this run only. {error}", worked=False)
        else:
            await self._reload("The key is saved in the keyring.")

    async def _forget(self) -> None:
        try:
            await self._api_keys.forget()
        except MarketError as error:
            await self._reload(str(error), worked=False)
        else:
            await self._reload("The key was removed.")

    async def _reload(self, sentence: str = "The key is in use for this run.", *, worked: bool = True) -> None:
        self._in_use = await self._api_keys.load()
        self.saved.emit(worked, sentence)
        self.changed.emit()

    async def aclose(self) -> None:
        await self._tasks.aclose()
