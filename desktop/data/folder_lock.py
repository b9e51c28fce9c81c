"""Who owns a folder: a lock of the operating system, which dies with its process, and where its owner is reached."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import msgspec

from desktop.domain.errors import CacheError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_LARGEST_BYTES = 4096
_LOCKED_BYTE = 1 << 30  # Windows forbids reading what is locked: lock a byte far behind the content
_BUSY = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK)


class Owner(msgspec.Struct, frozen=True):
    """What the owner of a folder tells others: `address` of its local channel, the `token` that opens it.

    `rest_base`: the server it asks; "" when it has none. Never a key.
    """

    pid: int
    address: str
    token: str
    rest_base: str = ""


class FolderLock:
    """The lock, held until `release` or the end of the process, however that comes. Made by `try_take`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def try_take(cls, path: Path) -> FolderLock | None:
        """The lock on the file `path`, made where missing; None while another process holds it.

        Raises CacheError when the file cannot be opened or its file system has no locks.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # not inherited by children
        except OSError as error:
            raise CacheError(
                f"The data folder's lock {path} cannot be used ({error.strerror}).",
                next_step="Choose another folder with --data-dir.",
            ) from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if error.errno in _BUSY:
                return None
            raise CacheError(
                f"The file system of {path.parent} has no locks ({error.strerror}).",
                next_step="Choose another folder with --data-dir.",
            ) from error
        lock = cls(path, descriptor)
        lock._write(b"")  # what a killed owner left
        return lock

    def publish(self, owner: Owner) -> None:
        """Says where the owner is reached."""
        self._write(msgspec.json.encode(owner))

    def release(self) -> None:
        """Gives the folder free; the file stays, for deleting it would race with the next owner."""
        if self._descriptor is not None:
            self._write(b"")
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, content: bytes) -> None:
        if self._descriptor is None:
            return
        try:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, content)
        except OSError as error:
            raise CacheError(f"{self.path} cannot be written ({error.strerror}).") from error


def read_owner(path: Path) -> Owner | None:
    """Who holds the lock, by its own word; None when that is not (yet) written."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_LARGEST_BYTES), type=Owner)
    except (OSError, msgspec.MsgspecError):
        return None


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
