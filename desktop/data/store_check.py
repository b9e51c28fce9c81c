"""A look through a large database file in the background, so that damage is found before it is met."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path
from typing import Final

from desktop.data.store_files import DamagedFile, is_sound, open_reader, utc_now_s
from desktop.domain.errors import CacheError

_log = logging.getLogger(__name__)

CHECKED_AT_OPEN_BYTES: Final = 16 << 20  # a file up to this size is looked through at open, in some milliseconds
_LASTS_S: Final = 86_400


class FileCheck:
    """Checks a file in a thread and over a connection of its own: neither reads nor writes wait for it.

    `damage` is set when the file is broken, `is_passed` when it was found sound to the end.
    """

    def __init__(self, path: Path) -> None:
        self.damage: DamagedFile | None = None
        self.is_passed = False
        self._path = path
        self._is_stopped = False
        self._connection: sqlite3.Connection | None = None
        self._thread = threading.Thread(target=self._run, name="store-check", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ends the look, whose outcome stays what it is; blocks for some milliseconds."""
        self._is_stopped = True
        while self._thread.is_alive():
            if self._connection is not None:
                with contextlib.suppress(sqlite3.ProgrammingError):  # closed meanwhile
                    self._connection.interrupt()
            self._thread.join(0.01)

    def _run(self) -> None:
        try:
            connection = self._connection = open_reader(self._path, own_thread=False)
            with contextlib.closing(connection):
                if self._is_stopped:
                    return
                self.is_passed = is_sound(connection)
                if not self.is_passed:
                    self.damage = DamagedFile("The data file is damaged.")
        except DamagedFile as error:
            self.damage = error
        except CacheError as error:
            _log.info("the cache could not be looked through: %s", error)
        except sqlite3.OperationalError as error:
            _log.info("the cache was not looked through: %s", error)


def is_check_due(connection: sqlite3.Connection, path: Path, *, was_cut: bool) -> bool:
    """Whether a file was not looked through at open, and not within a day; at once when its last writer was killed."""
    if path.stat().st_size <= CHECKED_AT_OPEN_BYTES:
        return False
    row = connection.execute("SELECT CAST(value AS REAL) FROM meta WHERE name = 'checked_s'").fetchone()
    return was_cut or row is None or not 0 <= utc_now_s() - row[0] < _LASTS_S


def record_check(connection: sqlite3.Connection) -> None:
    """Notes that the file was found sound now."""
    connection.execute(
        "INSERT OR REPLACE INTO meta (name, value) VALUES ('checked_s', CAST(? AS TEXT))", (utc_now_s(),)
    )
