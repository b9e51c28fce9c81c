"""Bars and coverage into SQLite, and coverage out of it: a tail of single rows and packed chunks.

Every function takes a connection and runs in its thread; the writing ones run inside the caller's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

import numpy as np

from desktop.data.bar_codec import pack
from desktop.data.store_read import CODEC, COLUMN_LIST, read_bars, read_chunks, read_tail
from desktop.data.store_view import CHUNK_BARS
from desktop.domain.bars import VALUE_COLUMNS, Bars
from desktop.domain.coverage import SETTLE_MS, Covered

TAIL_BARS: Final = 1024  # more rows than this are moved into chunks
_KEPT_IN_TAIL: Final = 64  # the newest stay: they are written again and again
_SMALL_WRITE: Final = 256  # fewer new bars than this go into the tail
_MERGED_MS: Final = 86_400_000
_SETTLED_MS: Final = min(SETTLE_MS.values())

SeriesKey = tuple[str, str, int]  # ticker, timeframe, adjusted


def find_series(connection: sqlite3.Connection, key: SeriesKey) -> int | None:
    """The id of a series, or None when nothing was ever stored of it."""
    row = connection.execute(
        "SELECT id FROM series WHERE ticker = ? AND timeframe = ? AND adjusted = ?", key
    ).fetchone()
    return None if row is None else int(row[0])


def make_series(connection: sqlite3.Connection, key: SeriesKey) -> int:
    """The id of a series, new if need be."""
    found = find_series(connection, key)
    if found is not None:
        return found
    cursor = connection.execute("INSERT INTO series (ticker, timeframe, adjusted) VALUES (?, ?, ?)", key)
    return int(cursor.lastrowid or 0)


def write_bars(connection: sqlite3.Connection, series_id: int, bars: Bars, covered: Covered | None) -> None:
    """Stores bars. With `covered`, they replace everything whose start lies in that range; without, only equals."""
    if covered is None:
        if not len(bars):
            return
        begin, end = int(bars.start_ms[0]), int(bars.start_ms[-1]) + 1
        bars = read_bars(connection, series_id, begin, end).merged(bars)
    else:
        begin, end = covered.start_ms, covered.end_ms
        bars = bars.between(begin, end)
    connection.execute(
        "DELETE FROM bar_tail WHERE series_id = ? AND start_ms >= ? AND start_ms < ?", (series_id, begin, end)
    )
    cut = _take_chunks(connection, series_id, begin, end)
    left, right = cut.between(_FIRST, begin), cut.between(end, _LAST)
    recent = _joined([bars, right])
    if len(recent) <= _SMALL_WRITE:
        write_chunks(connection, series_id, left)
        _write_tail(connection, series_id, recent)
        _compact(connection, series_id)
    else:
        _absorb(connection, series_id, _joined([left, recent]))


_FIRST: Final = -(1 << 62)
_LAST: Final = 1 << 62


def _joined(parts: Sequence[Bars]) -> Bars:
    """Bars of ascending, disjoint parts as one."""
    filled = [part for part in parts if len(part)]
    if len(filled) < 2:
        return filled[0] if filled else Bars.empty()
    return Bars(
        np.concatenate([part.start_ms for part in filled]),
        *(np.concatenate(columns) for columns in zip(*(part.values() for part in filled), strict=True)),
    )


def _take_chunks(connection: sqlite3.Connection, series_id: int, from_ms: int, to_ms: int) -> Bars:
    """Removes the chunks that reach into [from_ms, to_ms) and answers all their bars."""
    touched = []
    for first_ms, last_ms in connection.execute(
        "SELECT first_ms, last_ms FROM bar_chunk WHERE series_id = ? AND first_ms < ? ORDER BY first_ms DESC",
        (series_id, to_ms),
    ):
        if last_ms < from_ms:
            break  # chunks do not overlap: all earlier ones end before
        touched.append((first_ms, last_ms))
    if not touched:
        return Bars.empty()
    first_ms, last_ms = touched[-1][0], touched[0][1]
    bars = read_chunks(connection, series_id, first_ms, last_ms + 1)
    connection.execute(
        "DELETE FROM bar_chunk WHERE series_id = ? AND first_ms BETWEEN ? AND ?", (series_id, first_ms, last_ms)
    )
    return bars


def _absorb(connection: sqlite3.Connection, series_id: int, bars: Bars) -> None:
    """Writes bars as chunks, filling up the chunk before them if it has room. They overlap no chunk."""
    row = connection.execute(
        "SELECT first_ms, last_ms, bar_count FROM bar_chunk WHERE series_id = ? AND first_ms < ?"
        " ORDER BY first_ms DESC LIMIT 1",
        (series_id, int(bars.start_ms[0])),
    ).fetchone()
    if row is not None and row[2] < CHUNK_BARS:
        bars = _joined([_take_chunks(connection, series_id, row[0], row[1] + 1), bars])
    write_chunks(connection, series_id, bars)


def write_chunks(connection: sqlite3.Connection, series_id: int, bars: Bars) -> None:
    """Writes bars as new chunks. They overlap none that there is."""
    for begin in range(0, len(bars), CHUNK_BARS):
        part = bars.take(begin, begin + CHUNK_BARS)
        layout, body = pack(part)
        connection.execute(
            "INSERT INTO bar_chunk (series_id, last_ms, codec, first_ms, bar_count, step_ms, scales, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (series_id, int(part.start_ms[-1]), CODEC, *layout, body),
        )


def _write_tail(connection: sqlite3.Connection, series_id: int, bars: Bars) -> None:
    columns = [bars.start_ms.tolist(), *(column.tolist() for column in bars.values())]
    connection.executemany(
        f"INSERT INTO bar_tail (series_id, {COLUMN_LIST}) VALUES ({series_id}{', ?' * (len(VALUE_COLUMNS) + 1)})",
        zip(*columns, strict=True),
    )


def _compact(connection: sqlite3.Connection, series_id: int) -> None:
    """Moves a tail that has grown long into chunks, but for its newest rows."""
    count = connection.execute("SELECT count(*) FROM bar_tail WHERE series_id = ?", (series_id,)).fetchone()[0]
    if count <= TAIL_BARS:
        return
    tail = read_tail(connection, series_id, _FIRST, _LAST)
    leaving = tail.take(0, len(tail) - _KEPT_IN_TAIL)
    begin, end = int(leaving.start_ms[0]), int(leaving.start_ms[-1]) + 1
    connection.execute("DELETE FROM bar_tail WHERE series_id = ? AND start_ms < ?", (series_id, end))
    chunked = _take_chunks(connection, series_id, begin, end)
    _absorb(connection, series_id, chunked.merged(leaving))


def read_coverage(connection: sqlite3.Connection, series_id: int, from_ms: int, to_ms: int) -> list[Covered]:
    """The covered ranges that touch [from_ms, to_ms), in order, whole."""
    rows = connection.execute(
        "SELECT start_ms, end_ms, fetched_ms FROM coverage WHERE series_id = ? AND start_ms < ?"
        " AND start_ms >= coalesce((SELECT max(start_ms) FROM coverage WHERE series_id = ? AND start_ms <= ?), ?)"
        " ORDER BY start_ms",
        (series_id, to_ms, series_id, from_ms, from_ms),
    )
    return [Covered(*row) for row in rows if row[1] > from_ms]


def write_coverage(connection: sqlite3.Connection, series_id: int, covered: Covered) -> None:
    """Records that a range was asked for; where it was before, the newer word holds."""
    touching = read_coverage(connection, series_id, covered.start_ms - 1, covered.end_ms + 1)
    parts = [covered]
    for old in touching:
        if old.start_ms < covered.start_ms:
            parts.append(Covered(old.start_ms, min(old.end_ms, covered.start_ms), old.fetched_ms))
        if old.end_ms > covered.end_ms:
            parts.append(Covered(max(old.start_ms, covered.end_ms), old.end_ms, old.fetched_ms))
    first = min(part.start_ms for part in parts)
    before = read_coverage(connection, series_id, first - 1, first)
    parts = _fused(sorted([*before, *parts]))
    connection.execute(
        "DELETE FROM coverage WHERE series_id = ? AND start_ms >= ? AND start_ms < ?",
        (series_id, parts[0].start_ms, parts[-1].end_ms),
    )
    connection.executemany(
        f"INSERT INTO coverage (series_id, start_ms, end_ms, fetched_ms) VALUES ({series_id}, ?, ?, ?)",
        [(part.start_ms, part.end_ms, part.fetched_ms) for part in parts],
    )


def _fused(parts: Sequence[Covered]) -> list[Covered]:
    """Joins neighbours, so that a live edge that is asked for every minute does not leave a row each time.

    Only settled ones, a day at most: their common fetch time is off by no more than that, and stays after both.
    """
    answer: list[Covered] = []
    for part in parts:
        if answer and _may_fuse(answer[-1], part):
            last = answer.pop()
            part = Covered(last.start_ms, part.end_ms, max(last.fetched_ms, part.fetched_ms))
        answer.append(part)
    return answer


def _may_fuse(left: Covered, right: Covered) -> bool:
    return (
        left.end_ms == right.start_ms
        and left.fetched_ms >= left.end_ms + _SETTLED_MS
        and right.fetched_ms >= right.end_ms + _SETTLED_MS
        and right.end_ms - left.start_ms <= _MERGED_MS
        and abs(right.fetched_ms - left.fetched_ms) <= _MERGED_MS
    )
