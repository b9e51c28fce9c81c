"""Bars out of SQLite: chunks, by two connections when there are many, and single rows.

Every function takes a connection and runs in its thread, inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, NamedTuple

import numpy as np

from desktop.data.bar_codec import Layout, Read, read_starts, unpack
from desktop.domain.bars import VALUE_COLUMNS, Bars, Floats, Ints
from desktop.domain.errors import CacheError

COLUMN_LIST: Final = ", ".join(("start_ms", *VALUE_COLUMNS))
CODEC: Final = "packed"
_SHARED_FROM: Final = 3  # chunks; fewer are read before a second thread has begun

Helper = Callable[[Callable[[sqlite3.Connection], None]], "Future[None]"]  # does work with a connection elsewhere


class _Part(NamedTuple):
    """Bars `begin` on of a chunk, and the arrays they go to."""

    id: int
    layout: Layout
    begin: int
    starts: Ints
    values: Floats


def read_bars(
    connection: sqlite3.Connection, series_id: int, from_ms: int, to_ms: int, helper: Helper | None = None
) -> Bars:
    """The bars whose start lies in [from_ms, to_ms)."""
    chunked = read_chunks(connection, series_id, from_ms, to_ms, helper)
    tail = read_tail(connection, series_id, from_ms, to_ms)
    if not len(tail):
        return chunked
    if not len(chunked):
        return tail
    return chunked.merged(tail)


def read_chunks(
    connection: sqlite3.Connection, series_id: int, from_ms: int, to_ms: int, helper: Helper | None = None
) -> Bars:
    """The bars of [from_ms, to_ms) that are in chunks."""
    row = connection.execute(
        "SELECT first_ms FROM bar_chunk WHERE series_id = ? AND first_ms <= ? ORDER BY first_ms DESC LIMIT 1",
        (series_id, from_ms),
    ).fetchone()
    rows = connection.execute(
        "SELECT id, last_ms, codec, first_ms, bar_count, step_ms, scales FROM bar_chunk"
        " WHERE series_id = ? AND first_ms >= ? AND first_ms < ? ORDER BY first_ms",
        (series_id, from_ms if row is None else row[0], to_ms),
    ).fetchall()
    wanted = []
    for id_, last_ms, codec, *fields in rows:
        if codec != CODEC:
            raise CacheError(f"A newer version of Candelabra packed bars as “{codec}”.", next_step="Update Candelabra.")
        layout = Layout(*fields)
        is_whole = from_ms <= layout.first_ms and last_ms < to_ms
        begin, end = (0, layout.bar_count) if is_whole else _window(connection, id_, layout, from_ms, to_ms)
        if begin < end:
            wanted.append((id_, layout, begin, end))
    total = sum(end - begin for *_, begin, end in wanted)
    starts, values = np.empty(total, np.int64), np.empty((len(VALUE_COLUMNS), total))
    parts: deque[_Part] = deque()
    at = 0
    for id_, layout, begin, end in wanted:
        place = slice(at, at + end - begin)
        parts.append(_Part(id_, layout, begin, starts[place], values[:, place]))
        at = place.stop
    _fill(connection, parts, helper)
    return Bars(starts, *values)


def _window(connection: sqlite3.Connection, id_: int, layout: Layout, from_ms: int, to_ms: int) -> tuple[int, int]:
    """Which bars of a chunk start in [from_ms, to_ms): from one to another (exclusive)."""
    with _open_body(connection, id_) as body:
        begin, end = np.searchsorted(read_starts(layout, _read(body), 0, layout.bar_count), [from_ms, to_ms])
    return int(begin), int(end)


def read_tail(connection: sqlite3.Connection, series_id: int, from_ms: int, to_ms: int) -> Bars:
    """The bars of [from_ms, to_ms) that are single rows."""
    rows = connection.execute(
        f"SELECT {COLUMN_LIST} FROM bar_tail WHERE series_id = ? AND start_ms >= ? AND start_ms < ? ORDER BY start_ms",
        (series_id, from_ms, to_ms),
    ).fetchall()
    if not rows:
        return Bars.empty()
    table = np.array(rows, np.float64)  # whole ms fit a float exactly; None becomes NaN
    columns = np.ascontiguousarray(table.T)
    return Bars(columns[0].astype(np.int64), *columns[1:])


def _fill(connection: sqlite3.Connection, parts: deque[_Part], helper: Helper | None) -> None:
    """Reads parts, each by whoever is free: from both ends, so that no two meet in the same new page of memory.

    The helper sees the file as it is by now: a chunk that it does not find any more is read here, in the caller's
    transaction. What it finds under an id is what was there when the caller began (ids never come twice).
    """
    if helper is None or len(parts) < _SHARED_FROM:
        _drain(connection, parts.popleft)
        return
    gone: list[_Part] = []
    helped = helper(lambda theirs: _drain(theirs, parts.pop, gone))
    try:
        _drain(connection, parts.popleft)
    finally:
        parts.clear()
    helped.result()
    _drain(connection, deque(gone).popleft)


def _drain(connection: sqlite3.Connection, take: Callable[[], _Part], gone: list[_Part] | None = None) -> None:
    while True:
        try:
            part = take()
        except IndexError:
            return
        try:
            opened = _open_body(connection, part.id)
        except sqlite3.OperationalError as error:
            if gone is None or error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            gone.append(part)
            continue
        with opened as body:
            unpack(part.layout, _read(body), part.begin, part.starts, part.values)


def _open_body(connection: sqlite3.Connection, id_: int) -> sqlite3.Blob:
    return connection.blobopen("bar_chunk", "body", id_, readonly=True)


def _read(body: sqlite3.Blob) -> Read:
    def read(at: int, size: int) -> bytes:
        body.seek(at)
        return body.read(size)

    return read
