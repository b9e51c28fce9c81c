"""Database files: opening, judging, setting aside. Everything here blocks; it runs in the stores' own threads."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from desktop.data.migrations import Step, migrate
from desktop.domain.errors import CacheError
from desktop.domain.world import World

_HEADER: Final = b"SQLite format 3\x00"
_KEPT_ASIDE: Final = 2
_SIDE_FILES: Final = ("", "-wal", "-shm")
_BUSY_MS: Final = 5000
_WAL_BYTES: Final = 4 << 20  # moved into the file from this size on
_READ_CACHE_KB: Final = 1024  # as much as a processor's cache holds: a larger one slows long reads down

_SENTENCES: Final = {
    sqlite3.SQLITE_FULL: ("The disk is full, so nothing more can be saved.", "Free some space."),
    sqlite3.SQLITE_READONLY: ("The data folder is read-only, so nothing is saved.", "Check its permissions."),
    sqlite3.SQLITE_CANTOPEN: ("The data file cannot be opened.", "Check the data folder and its permissions."),
    sqlite3.SQLITE_PERM: ("The data file cannot be opened.", "Check the data folder and its permissions."),
    sqlite3.SQLITE_BUSY: ("Another program keeps the data file busy.", "Close it and try again."),
    sqlite3.SQLITE_LOCKED: ("Another program keeps the data file busy.", "Close it and try again."),
    sqlite3.SQLITE_IOERR: ("The disk reports an error.", "Check the disk and its free space."),
}


class DamagedFile(CacheError):
    """The file is no database, or a broken one."""


class NewerFile(CacheError):
    """A newer version of the application wrote the file."""


def cache_error(error: sqlite3.Error) -> CacheError:
    """What a library error means for a person; DamagedFile where the file itself is broken."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if str(error).startswith("Could not decode to UTF-8") or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return DamagedFile("The data file is damaged.")
    sentence, next_step = _SENTENCES.get(code, ("The data file cannot be used.", None))
    return CacheError(sentence, next_step=next_step)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turns sqlite3's errors into CacheError. Bugs of ours (wrong SQL, wrong use) stay what they are."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except UnicodeDecodeError as error:  # no text that was ever written here
        raise DamagedFile("The data file is damaged.") from error
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISUSE):
            raise
        raise cache_error(error) from error
    except OSError as error:
        raise CacheError(
            "The data folder cannot be used.", next_step="Check its permissions and the disk's free space."
        ) from error


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Several reads of one and the same state of the file."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def open_writer(
    path: Path,
    world: World,
    steps: list[Step],
    application_id: int,
    *,
    synchronous: str,
    page_bytes: int = 4096,
    checked_bytes: int | None = None,
) -> sqlite3.Connection:
    """Opens or makes the file and brings it up to date; checks it through first.

    page_bytes: of a new file. checked_bytes: of a larger file only the outside is looked at.
    Raises DamagedFile, NewerFile, or CacheError when it belongs to another world; in each case nothing was changed.
    """
    with translated():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _judge_header(path, len(steps))
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        connection = _connect(path)
        try:
            connection.execute(f"PRAGMA page_size = {page_bytes}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_BYTES // page_bytes}")
            _judge(connection, world, len(steps), application_id)
            if (checked_bytes is None or path.stat().st_size <= checked_bytes) and not is_sound(connection):
                raise DamagedFile("The data file is damaged.")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection, steps, application_id)
            connection.execute("INSERT OR IGNORE INTO meta (name, value) VALUES ('world', ?)", (world.id,))
        except BaseException:
            connection.close()
            raise
        return connection


def open_reader(path: Path, *, own_thread: bool = True) -> sqlite3.Connection:
    """A second connection that cannot write. own_thread: used by this thread alone, and not interrupted by another."""
    with translated():
        connection = _connect(path, own_thread=own_thread)
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KB}")
        return connection


def _connect(path: Path, *, own_thread: bool = True) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_MS / 1000, isolation_level=None, check_same_thread=own_thread)
    try:
        connection.execute("PRAGMA cache_size = -16384")
    except BaseException:  # this is the first look at the file
        connection.close()
        raise
    return connection


def is_sound(connection: sqlite3.Connection) -> bool:
    """Whether SQLite finds the whole file in order; reads every page."""
    with translated():
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")


def was_cut_off(path: Path) -> bool:
    """Whether the last program that wrote the file did not close it. To be asked before it is opened."""
    with contextlib.suppress(OSError):  # opening will say what it is
        return Path(f"{path}-wal").stat().st_size > 0
    return False


def _judge_header(path: Path, newest_version: int) -> None:
    """Looks at the first bytes without SQLite, which might change the file already."""
    try:
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError:
        return
    if not header:
        return
    if len(header) < 100 or not header.startswith(_HEADER):
        raise DamagedFile("The data file is damaged.")
    if int.from_bytes(header[60:64], "big") > newest_version:
        raise _newer()
    page_bytes = int.from_bytes(header[16:18], "big")
    page_bytes = 65_536 if page_bytes == 1 else page_bytes
    # While a write-ahead log waits, the file may rightly be shorter than it says.
    if not was_cut_off(path) and path.stat().st_size < page_bytes * int.from_bytes(header[28:32], "big"):
        raise DamagedFile("The data file is damaged.")


def _judge(connection: sqlite3.Connection, world: World, newest_version: int, application_id: int) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    found_id = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables and version == 0:
        return
    if version > newest_version:
        raise _newer()
    if found_id != application_id or "meta" not in tables:
        raise DamagedFile("The data file is not one of Candelabra's.")
    row = connection.execute("SELECT value FROM meta WHERE name = 'world'").fetchone()
    if row is not None and row[0] != world.id:
        raise CacheError(
            f"The data file belongs to another source of data ({row[0]}), not to {world.id}; it was left alone.",
            next_step="Choose another data folder.",
        )


def _newer() -> NewerFile:
    return NewerFile("A newer version of Candelabra wrote the data file.", next_step="Update Candelabra.")


def set_aside(path: Path, reason: str) -> Path:
    """Renames a file that cannot be used, with its side files, to `<name>.<reason>-<time>`; keeps the newest two."""
    with translated():
        stamp = utc_stamp()
        target = path.with_name(f"{path.name}.{reason}-{stamp}")
        number = 1
        while target.exists():
            number += 1
            target = path.with_name(f"{path.name}.{reason}-{stamp}-{number}")
        for suffix in _SIDE_FILES:
            with contextlib.suppress(FileNotFoundError):
                os.replace(f"{path}{suffix}", f"{target}{suffix}")
        files = path.parent.glob(f"{path.name}.{reason}-*")
        aside = [file for file in files if not file.name.endswith(("-wal", "-shm"))]
        for old in sorted(aside, key=lambda file: (file.stat().st_mtime_ns, file.name))[:-_KEPT_ASIDE]:
            if old != target:
                for suffix in _SIDE_FILES:
                    Path(f"{old}{suffix}").unlink(missing_ok=True)
        return target


def utc_stamp() -> str:
    """Now, for file names: `20261122T160300Z`."""
    return dt.datetime.fromtimestamp(utc_now_s(), dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def utc_now_s() -> float:
    """This computer's time in Unix s: how long ago a file was dealt with has nothing to do with the market's time."""
    return time.time()
