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

from desktop.data.bar_codec import Packed, unpack
from desktop.domain.bars import VALUE_COLUMNS, Bars, Floats, Ints
from desktop.domain.errors import CacheError

COLUMN_LIST: Final = ", ".join(("start_ms", *VALUE_COLUMNS))
CODEC: Final = "packed"
_SHARED_FROM: Final = 4  # chunks; fewer are read before a second thread has begun

Helper = Callable[[Callable[[sqlite3.Connection], None]], "Future[None]"]  # does work with a connection elsewhere


class _Chunk(NamedTuple):
    id: int
    first_ms: int
    step_ms: int | None
    scales: str
    starts: Ints  # to be filled
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
        "SELECT id, first_ms, step_ms, scales, codec, bar_count FROM bar_chunk"
        " WHERE series_id = ? AND first_ms >= ? AND first_ms < ? ORDER BY first_ms",
        (series_id, from_ms if row is None else row[0], to_ms),
    ).fetchall()
    if not rows:
        return Bars.empty()
    total = sum(row[-1] for row in rows)
    starts, values = np.empty(total, np.int64), np.empty((len(VALUE_COLUMNS), total))
    chunks: deque[_Chunk] = deque()
    at = 0
    for id_, first_ms, step_ms, scales, codec, count in rows:
        if codec != CODEC:
            raise CacheError(f"A newer version of Candelabra packed bars as “{codec}”.", next_step="Update Candelabra.")
        part = slice(at, at + count)
        chunks.append(_Chunk(id_, first_ms, step_ms, scales, starts[part], values[:, part]))
        at += count
    _fill(connection, chunks, helper)
    found = Bars(starts, *values).between(from_ms, to_ms)
    # A look at a few bars must not hold the whole chunks.
    return found if len(found) > total // 2 else found.copy()


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


def _fill(connection: sqlite3.Connection, chunks: deque[_Chunk], helper: Helper | None) -> None:
    """Reads chunks, each by whoever is free.

    The helper sees the file as it is by now: a chunk that it does not find any more is read here, in the caller's
    transaction. What it finds under an id is what was there when the caller began (ids never come twice).
    """
    if helper is None or len(chunks) < _SHARED_FROM:
        _drain(connection, chunks)
        return
    gone: list[_Chunk] = []
    helped = helper(lambda theirs: _drain(theirs, chunks, gone))
    try:
        _drain(connection, chunks)
    finally:
        chunks.clear()
    helped.result()
    _drain(connection, deque(gone))


def _drain(connection: sqlite3.Connection, chunks: deque[_Chunk], gone: list[_Chunk] | None = None) -> None:
    while True:
        try:
            chunk = chunks.popleft()
        except IndexError:
            return
        try:
            blob = connection.blobopen("bar_chunk", "body", chunk.id, readonly=True)
        except sqlite3.OperationalError as error:
            if gone is None or error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
                raise
            gone.append(chunk)
            continue
        with blob:
            body = blob.read()
        unpack(Packed(chunk.step_ms, chunk.scales, body), chunk.first_ms, chunk.starts, chunk.values)
