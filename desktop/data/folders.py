"""Where everything the application writes lives; every folder is for its owner alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from desktop.domain.errors import CacheError
from desktop.domain.world import World

_LONGEST_SOCKET_PATH = 100  # the system's limit is 104 to 108 bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What one process at a time owns: the file of the lock, and the socket others reach the owner at."""

    lock: Path
    socket: Path


@dataclass(frozen=True, slots=True)
class Folders:
    """Paths below one data folder. Use `open`, which makes sure that it can be written."""

    root: Path

    @classmethod
    def open(cls, root: Path | None = None) -> Folders:
        """The folders below `root`, by default the user's own data folder; made where missing.

        Raises CacheError with a sentence when nothing can be written there.
        """
        folders = cls((root or default_root()).expanduser().absolute())
        try:
            folders.root.mkdir(mode=0o700, parents=True, exist_ok=True)  # the mode of an existing one is its owner's
            _make_private(folders.logs)
            with tempfile.TemporaryFile(dir=folders.root):
                pass
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise CacheError(
                f"The data folder {folders.root} cannot be written ({why}).",
                next_step="Choose another one with --data-dir.",
            ) from error
        return folders

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.root / "settings.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def worlds_file(self) -> Path:
        """Which world each base address served when it was last asked."""
        return self.root / "worlds.json"

    def worlds(self) -> list[World]:
        """The worlds that have a folder here."""
        found = []
        for folder in sorted((self.root / "worlds").glob("*")):
            with contextlib.suppress(ValueError):  # a folder of somebody else's
                found.append(World(folder.name))
        return found

    def world(self, world: World) -> Path:
        """The folder of one world's caches, made where missing. Raises CacheError."""
        folder = self.root / "worlds" / world.id
        try:
            _make_private(folder.parent)
            _make_private(folder)
        except OSError as error:
            raise CacheError(f"The folder {folder} cannot be made ({error.strerror}).") from error
        return folder

    @property
    def application(self) -> Claim:
        """What the one copy of the application on this data folder holds. Raises CacheError."""
        return Claim(self.root / "application.lock", self._socket(""))

    def claim(self, world: World) -> Claim:
        """What the one process holds that has a world's connections, limiter and cache. Raises CacheError."""
        return Claim(self.world(world) / "owner.lock", self._socket(world.id))

    def _socket(self, part: str) -> Path:
        """Path of a socket in the user's runtime folder where there is one; its name tells data folders apart."""
        place = os.fsencode(self.root.resolve()) + b"\0" + part.encode()
        name = f"candelabra-{hashlib.sha256(place).hexdigest()[:12]}.sock"
        path = _runtime_folder(self.root) / name
        if len(os.fsencode(path)) > _LONGEST_SOCKET_PATH:
            path = Path(tempfile.gettempdir()) / f"candelabra-{_user_id()}" / name
        try:
            _make_private(path.parent)
        except OSError as error:
            raise CacheError(f"The folder {path.parent} cannot be used ({error.strerror}).") from error
        return path


def default_root() -> Path:
    """The user's data folder for this application."""
    return Path(platformdirs.user_data_dir("candelabra", appauthor=False))


def _runtime_folder(root: Path) -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR") if sys.platform != "win32" else None
    if runtime and Path(runtime).is_dir() and os.access(runtime, os.W_OK):
        return Path(runtime) / "candelabra"
    return root / "run"


def _user_id() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")


def _make_private(folder: Path) -> None:
    """Makes the folder with mode 0700; an existing one is narrowed to that. Refuses one of another user."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if sys.platform == "win32":
        return
    state = folder.stat()
    if state.st_uid == os.getuid() and state.st_mode & 0o077:
        folder.chmod(0o700)
    elif state.st_uid not in (os.getuid(), 0):
        raise PermissionError(13, "it belongs to another user", str(folder))
