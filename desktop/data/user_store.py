"""What a person made in one world and nobody can give back: watchlists, drawings, layouts.

The file is written through to the disk at every change and backed up at start and end; the newest five backups stay.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self, TypeVar

from desktop.data.closing import ClosesAtExit
from desktop.data.migrations import USER_ID, user_steps
from desktop.data.sqlite_thread import SqliteThread
from desktop.data.store_files import DamagedFile, open_writer, set_aside, transaction, translated, utc_stamp
from desktop.domain import layout_json
from desktop.domain.drawing_json import as_record, from_record
from desktop.domain.drawings import Drawing
from desktop.domain.errors import BadInput, CacheError
from desktop.domain.layout import Layout
from desktop.domain.world import World

T = TypeVar("T")
_log = logging.getLogger(__name__)
_KEPT_BACKUPS: Final = 5


class UserStore(ClosesAtExit):
    """user.sqlite of one world. Close it with `aclose` or as an async context manager.

    A damaged file is kept aside and the newest good backup takes its place; `on_event` is told in one sentence.
    Every method raises CacheError for what the disk does to us.
    """

    def __init__(self, path: Path, world: World, *, on_event: Callable[[str], None]) -> None:
        self.path = path
        self.world = world
        self._on_event = on_event
        self._thread = SqliteThread("user-store")

    @property
    def backups_dir(self) -> Path:
        """Where the backups are."""
        return self.path.parent / "backups"

    @classmethod
    async def open(cls, path: Path, world: World, *, on_event: Callable[[str], None]) -> Self:
        """Opens or makes the file. Raises CacheError when it is another world's, newer than us, or unusable."""
        store = cls(path, world, on_event=on_event)
        try:
            await store._thread.open(store._open_or_restore)
            await store._back_up_quietly()
        except BaseException:
            await store._thread.aclose()
            raise
        return store

    async def aclose(self) -> None:
        """Backs up what changed and ends the thread."""
        try:
            await self._back_up_quietly()
        finally:
            await self._thread.aclose()

    async def watchlist(self, name: str) -> list[str] | None:
        """The tickers of a watchlist in their order; None when it was never saved."""

        def work(connection: sqlite3.Connection) -> list[str] | None:
            row = connection.execute("SELECT id FROM watchlist WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            rows = connection.execute(
                "SELECT ticker FROM watchlist_ticker WHERE watchlist_id = ? ORDER BY position", row
            )
            return [ticker for (ticker,) in rows]

        return await self._run(work)

    async def put_watchlist(self, name: str, tickers: Sequence[str]) -> None:
        """Saves a watchlist as a whole; repeats are left out."""
        unique = list(dict.fromkeys(tickers))

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute("INSERT OR IGNORE INTO watchlist (name) VALUES (?)", (name,))
                (list_id,) = connection.execute("SELECT id FROM watchlist WHERE name = ?", (name,)).fetchone()
                connection.execute("DELETE FROM watchlist_ticker WHERE watchlist_id = ?", (list_id,))
                connection.executemany(
                    "INSERT INTO watchlist_ticker (watchlist_id, position, ticker) VALUES (?, ?, ?)",
                    [(list_id, position, ticker) for position, ticker in enumerate(unique)],
                )
                _count_change(connection)

        await self._run(work)

    async def drawings(self) -> dict[str, tuple[Drawing, ...]]:
        """The drawings of all tickers, each in painting order; one that cannot be read is left out."""

        def work(connection: sqlite3.Connection) -> dict[str, tuple[Drawing, ...]]:
            found: dict[str, list[Drawing]] = {}
            for ticker, record in connection.execute("SELECT ticker, record FROM drawing ORDER BY ticker, position"):
                try:
                    found.setdefault(ticker, []).append(from_record(json.loads(record)))
                except (ValueError, BadInput) as error:
                    _log.warning("a drawing on %s cannot be read: %s", ticker, error)
            return {ticker: tuple(drawings) for ticker, drawings in found.items()}

        return await self._run(work)

    async def put_drawings(self, ticker: str, drawings: Sequence[Drawing]) -> None:
        """Saves the drawings of a ticker as a whole."""

        def work(connection: sqlite3.Connection) -> None:
            records = [json.dumps(as_record(drawing), allow_nan=False) for drawing in drawings]
            with transaction(connection):
                connection.execute("DELETE FROM drawing WHERE ticker = ?", (ticker,))
                connection.executemany(
                    "INSERT INTO drawing (ticker, position, record) VALUES (?, ?, ?)",
                    [(ticker, position, record) for position, record in enumerate(records)],
                )
                _count_change(connection)

        await self._run(work)

    async def layout(self, name: str) -> Layout | None:
        """A layout of charts; None when it was never saved, or cannot be read."""

        def work(connection: sqlite3.Connection) -> Layout | None:
            row = connection.execute("SELECT record FROM layout WHERE name = ?", (name,)).fetchone()
            if row is None:
                return None
            try:
                return layout_json.load(row[0])
            except BadInput as error:
                _log.warning("the layout %s cannot be read: %s", name, error)
                return None

        return await self._run(work)

    async def put_layout(self, name: str, layout: Layout) -> None:
        """Saves a layout as a whole."""

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.execute(
                    "INSERT OR REPLACE INTO layout (name, record) VALUES (?, ?)", (name, layout_json.dump(layout))
                )
                _count_change(connection)

        await self._run(work)

    async def back_up(self) -> Path | None:
        """Makes a backup if anything changed since the newest one; answers its path."""
        return await self._thread.run(self._back_up)

    async def _back_up_quietly(self) -> None:
        try:
            await self.back_up()
        except CacheError as error:
            _log.warning("no backup of the user file: %s", error)

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._thread.run(work)
        except DamagedFile:
            await self._thread.open(self._open_or_restore)
        return await self._thread.run(work)

    # In the thread

    def _open(self) -> sqlite3.Connection:
        return open_writer(self.path, self.world, user_steps(), USER_ID, synchronous="FULL")

    def _open_or_restore(self) -> sqlite3.Connection:
        try:
            return self._open()
        except DamagedFile:
            aside = set_aside(self.path, "corrupt")
        for backup in reversed(self._backups()):
            try:
                self._put_in_place(backup)
                connection = self._open()
            except (DamagedFile, CacheError) as error:
                _log.warning("backup %s is not usable: %s", backup.name, error)
                for suffix in ("", "-wal", "-shm"):
                    Path(f"{self.path}{suffix}").unlink(missing_ok=True)
                continue
            self._on_event(
                f"The file with your watchlists, drawings and layouts was damaged; the backup of"
                f" {_moment(backup)} was restored and the damaged file kept as {aside.name}."
            )
            return connection
        self._on_event(
            "The file with your watchlists, drawings and layouts was damaged and there is no backup yet;"
            f" it was kept as {aside.name}."
        )
        return self._open()

    def _put_in_place(self, backup: Path) -> None:
        with translated():
            content = backup.read_bytes()
            part = self.path.with_name(f"{self.path.name}.part")
            _write_through(part, content)
            os.replace(part, self.path)

    def _backups(self) -> list[Path]:
        """Oldest first."""
        return sorted(self.backups_dir.glob(f"{self.path.stem}-{'[0-9]' * 6}-*.sqlite"))

    def _back_up(self, connection: sqlite3.Connection) -> Path | None:
        with translated():
            self.backups_dir.mkdir(mode=0o700, exist_ok=True)
            changes = _changes(connection)
            held = self._backups()
            if changes == "0" or (held and _changes_in(held[-1]) == changes):
                return None
            # Numbered, so that names sort by age whatever the clock does.
            number = int(held[-1].stem.split("-")[1]) + 1 if held else 1
            target = self.backups_dir / f"{self.path.stem}-{number:06}-{utc_stamp()}.sqlite"
            part = target.with_suffix(".part")
            part.unlink(missing_ok=True)
            os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with contextlib.closing(sqlite3.connect(part)) as copy:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            os.replace(part, target)
            for old in self._backups()[:-_KEPT_BACKUPS]:
                old.unlink(missing_ok=True)
            return target


def _count_change(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'changes'")


def _changes(connection: sqlite3.Connection) -> str:
    row = connection.execute("SELECT value FROM meta WHERE name = 'changes'").fetchone()
    return str(row[0])


def _changes_in(backup: Path) -> str | None:
    """How far a backup has come; None when it cannot be read."""
    try:
        with contextlib.closing(sqlite3.connect(f"{backup.as_uri()}?mode=ro", uri=True)) as connection:
            return _changes(connection)
    except (sqlite3.Error, TypeError):
        return None


def _moment(backup: Path) -> str:
    """`2026-11-22 16:03 UTC` of a backup's name."""
    stamp = backup.stem.split("-")[2]
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]} {stamp[9:11]}:{stamp[11:13]} UTC"


def _write_through(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
