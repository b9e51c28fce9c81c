"""A file a person asked for, which appears whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import Final

from desktop.domain.errors import CacheError

_REASONS: Final = {
    errno.ENOSPC: ("the disk is full", "Free some space, or choose another folder."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, or choose another folder."),
    errno.EACCES: ("this folder does not allow it", "Choose another folder."),
    errno.EPERM: ("this folder does not allow it", "Choose another folder."),
    errno.EROFS: ("the disk is read-only", "Choose another folder."),
    errno.ENOENT: ("the folder is gone", "Choose another folder."),
    errno.EISDIR: ("it is a folder", "Choose another name."),
}


class ExportFile:
    """Written beside its place and moved there by `commit`. Every call may block, and raises CacheError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._target = Path(os.path.realpath(path))  # what a link leads to is replaced, not the link
        self._temporary: Path | None = self._target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            self._file = self._temporary.open("xb")
        except OSError as error:
            raise failure(self._path, error) from error

    def write(self, content: bytes) -> None:
        try:
            self._file.write(content)
        except OSError as error:
            raise failure(self._path, error) from error

    def commit(self) -> None:
        """What was written becomes the file; an older one of that name is replaced."""
        assert self._temporary is not None
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._target)
        except OSError as error:
            raise failure(self._path, error) from error
        self._temporary = None

    def close(self) -> None:
        """Leaves nothing behind of what was not committed."""
        with contextlib.suppress(OSError):
            self._file.close()
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                self._temporary.unlink()


def failure(path: Path, error: OSError) -> CacheError:
    """Why a file could not be written, for a person."""
    reason, step = _REASONS.get(error.errno or 0, (error.strerror or type(error).__name__, None))
    return CacheError(f"{path.name} could not be written: {reason}.", next_step=step)
