"""The steps that bring a database file from any older version to the present one, each in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from desktop.data.store_upgrade import pack_old_chunks
from desktop.data.store_view import bar_view_sql

CACHE_ID: Final = 0x434E4443  # application_id: "CNDC"
USER_ID: Final = 0x434E4455  # "CNDU"


Step = Sequence[str | Callable[[sqlite3.Connection], None]]  # SQL scripts and functions, one after another


def cache_steps() -> list[Step]:
    """What brings cache.sqlite from each version to the next, from nothing on."""
    return [[_read("schema.sql")], [_read("schema_2.sql"), pack_old_chunks, bar_view_sql()]]


def user_steps() -> list[Step]:
    """What brings user.sqlite from each version to the next, from nothing on."""
    return [[_read("user_schema.sql")], [_read("user_schema_2.sql")], [_read("user_schema_3.sql")]]


def migrate(connection: sqlite3.Connection, steps: list[Step], application_id: int) -> None:
    """Runs the steps the file has not had. The caller has made sure that it is ours and not newer.

    connection: in autocommit mode (isolation_level None).
    """
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, step in enumerate(steps[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for part in step:
                if callable(part):
                    part(connection)
                    continue
                for statement in _statements(part):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {application_id}")
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _statements(script: str) -> Iterator[str]:
    """The statements one by one: `executescript` would commit in between."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _read(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")
