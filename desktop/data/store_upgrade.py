"""Bars as the first version of the cache kept them, brought into today's form."""

from __future__ import annotations

import sqlite3

import numpy as np

from desktop.data.store_bars import write_chunks
from desktop.domain.bars import VALUE_COLUMNS, Bars


def pack_old_chunks(connection: sqlite3.Connection) -> None:
    """Moves the bars of `old_chunk` (a big-endian blob a column) into `bar_chunk` and drops it."""
    columns = ", ".join(f"old.{name}" for name in ("start_ms", *VALUE_COLUMNS))
    rows = connection.execute(
        f"SELECT series_id, {columns} FROM old_chunk old WHERE codec = 'raw' ORDER BY series_id, first_ms"
    )
    for series_id, start_blob, *blobs in rows:
        values = (np.frombuffer(blob, ">f8").astype(np.float64) for blob in blobs)
        write_chunks(connection, series_id, Bars(np.frombuffer(start_blob, ">i8").astype(np.int64), *values))
    connection.execute("DROP TABLE old_chunk")
    connection.execute("DROP VIEW IF EXISTS bar")
