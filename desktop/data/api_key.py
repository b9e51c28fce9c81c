"""The API key: typed for this run, from the environment, or in the OS keyring; never in a file, log or message."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import importlib
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from desktop.domain.errors import BadInput, CacheError

SERVICE: Final = "candelabra"
USER: Final = "massive-api-key"
NO_KEYRING_VARIABLE: Final = "CANDELABRA_NO_KEYRING"

_KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_BACKENDS: Final = (  # those that keep secrets encrypted; anything else a keyring plugin offers is not trusted
    ("keyring.backends.SecretService", "Keyring"),
    ("keyring.backends.kwallet", "DBusKeyring"),
    ("keyring.backends.libsecret", "Keyring"),
    ("keyring.backends.macOS", "Keyring"),
    ("keyring.backends.Windows", "WinVaultKeyring"),
)
_LOOK_LIMIT_S = 2.0  # where the key comes from elsewhere
_Answer = TypeVar("_Answer")


class KeySource(enum.StrEnum):
    """Where the key in use comes from, strongest first."""

    TYPED = "typed"
    ENV_MASSIVE = "MASSIVE_API_KEY"
    ENV_POLYGON = "POLYGON_API_KEY"
    KEYRING = "keyring"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class KeyInUse:
    """The key to use now and its source; `sentence` says what is wrong with a stronger or an unreadable source."""

    key: str | None = field(repr=False)
    source: KeySource
    sentence: str | None = None


class KeyringBackend(Protocol):
    """What is needed of a backend of the `keyring` library; all of it may block and raise anything."""

    name: str

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...
    def delete_password(self, service: str, username: str) -> None: ...


def clean_key(text: str) -> str:
    """A typed or pasted key without what surrounds it. Raises BadInput (which never holds the text)."""
    key = text.strip().strip("\"'").strip()
    if not key:
        raise BadInput("No key was entered.")
    if _KEY_PATTERN.fullmatch(key) is None:
        raise BadInput("This is not an API key: it has 16 to 128 letters, digits, “-” or “_”.")
    return key


class ApiKeys:
    """Finds, takes and keeps the key. Keyring calls run in a thread of their own and give up after `timeout_s`."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        find_backend: Callable[[], KeyringBackend | None] | None = None,
        timeout_s: float = 8.0,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._find_backend = find_backend or find_keyring
        self._timeout_s = timeout_s
        self._typed: str | None = None
        self._backend: KeyringBackend | None = None
        self._has_looked = bool(self._environ.get(NO_KEYRING_VARIABLE))

    async def load(self) -> KeyInUse:
        """The key to use now; never raises for a keyring that fails, its sentence says so."""
        stronger = self._from_environment() if self._typed is None else KeyInUse(self._typed, KeySource.TYPED)
        if stronger.key is not None:
            with contextlib.suppress(CacheError):  # only its name is of interest now
                await self._keyring(limit_s=min(_LOOK_LIMIT_S, self._timeout_s))
            return stronger
        sentence = stronger.sentence
        try:
            backend = await self._keyring()
            stored = None if backend is None else await self._call(backend.get_password, SERVICE, USER)
            if stored is not None:
                return KeyInUse(clean_key(stored), KeySource.KEYRING, sentence)
        except CacheError as error:
            sentence = str(error)
        except BadInput:
            sentence = "What the keyring holds is not an API key."
        return KeyInUse(None, KeySource.NONE, sentence)

    def use_for_this_run(self, key: str) -> None:
        """Takes a key for as long as this process runs. Raises BadInput."""
        self._typed = clean_key(key)

    async def remember(self, key: str) -> None:
        """Stores the key in the keyring and uses it from now on. Raises BadInput, or CacheError when that fails."""
        key = clean_key(key)
        backend = await self._keyring()
        if backend is None:
            raise CacheError("This system has no keyring that can be trusted with the key.")
        await self._call(backend.set_password, SERVICE, USER, key)
        self._typed = key if self._from_environment().key is not None else None

    async def forget(self) -> None:
        """Drops the typed key and the one in the keyring. Raises CacheError when the keyring fails."""
        self._typed = None
        backend = await self._keyring()
        if backend is not None and await self._call(backend.get_password, SERVICE, USER) is not None:
            await self._call(backend.delete_password, SERVICE, USER)

    def keyring_name(self) -> str | None:
        """Name of the keyring; None where there is none that may be trusted, and before the first `load`."""
        return None if self._backend is None else str(self._backend.name)

    def _from_environment(self) -> KeyInUse:
        sentence = None
        for source in (KeySource.ENV_MASSIVE, KeySource.ENV_POLYGON):
            if text := self._environ.get(source.value, "").strip():
                try:
                    return KeyInUse(clean_key(text), source, sentence)
                except BadInput:
                    sentence = f"The variable {source.value} does not hold an API key."
        return KeyInUse(None, KeySource.NONE, sentence)

    async def _keyring(self, limit_s: float | None = None) -> KeyringBackend | None:
        if not self._has_looked:
            self._backend = await self._call(self._find_backend, limit_s=limit_s)
            self._has_looked = True
        return self._backend

    async def _call(self, function: Callable[..., _Answer], *arguments: str, limit_s: float | None = None) -> _Answer:
        """Runs a blocking call in a daemon thread, so that an unanswered prompt can stop neither us nor our exit."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Answer] = loop.create_future()

        def settle(result: _Answer | None, error: BaseException | None) -> None:
            if answer.done():
                return
            if error is not None:
                answer.set_exception(_failure_of(error))
            else:
                answer.set_result(result)  # type: ignore[arg-type]

        def work() -> None:
            outcome: tuple[Any, BaseException | None]
            try:
                outcome = function(*arguments), None
            except Exception as error:  # noqa: BLE001 - backends raise anything; it becomes one CacheError
                outcome = None, error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, *outcome)

        threading.Thread(target=work, name="keyring", daemon=True).start()
        limit_s = self._timeout_s if limit_s is None else limit_s
        try:
            async with asyncio.timeout(limit_s):
                return await answer
        except TimeoutError:
            raise CacheError(f"The keyring did not answer within {limit_s:g} s.") from None


def find_keyring() -> KeyringBackend | None:
    """The best keyring of this system that may be trusted, or None. Blocks; imports the `keyring` library.

    Configured and plugin backends are passed over on purpose: some of them write plain text.
    """
    found: list[tuple[float, KeyringBackend]] = []
    for module_name, class_name in _BACKENDS:
        try:
            backend_class = getattr(importlib.import_module(module_name), class_name)
            found.append((float(backend_class.priority), backend_class()))
        except Exception:  # noqa: BLE001 - a backend that is not for this system may fail in any way
            continue
    return max(found, key=lambda pair: pair[0], default=(0.0, None))[1]


def _failure_of(error: BaseException) -> CacheError:
    """A sentence that holds nothing the backend said: its message could carry the key."""
    kind = type(error).__name__
    if kind == "KeyringLocked" or (kind == "InitError" and "dismissed" in str(error)):
        return CacheError("The keyring is locked.", next_step="Unlock it, or use the key for this run only.")
    return CacheError(f"The keyring failed ({kind}).")
