-- The cache of one world: everything in it can be asked for again.
-- Times are Unix ms UTC.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    ticker TEXT NOT NULL,
    timeframe TEXT NOT NULL,
    adjusted INTEGER NOT NULL CHECK (adjusted IN (0, 1)),
    UNIQUE (ticker, timeframe, adjusted)
) STRICT;

-- A row a bar: recent and scattered ones. NULL where the vendor did not say.
CREATE TABLE bar_tail (
    series_id INTEGER NOT NULL REFERENCES series (id),
    start_ms INTEGER NOT NULL,
    open REAL NOT NULL,
    high REAL NOT NULL,
    low REAL NOT NULL,
    close REAL NOT NULL,
    volume REAL,
    vwap REAL,
    trades REAL,
    PRIMARY KEY (series_id, start_ms)
) STRICT, WITHOUT ROWID;

-- Replaced in schema_2.sql.
CREATE TABLE bar_chunk (
    series_id INTEGER NOT NULL REFERENCES series (id),
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    bar_count INTEGER NOT NULL CHECK (bar_count BETWEEN 1 AND 8192),
    codec TEXT NOT NULL DEFAULT 'raw',
    start_ms BLOB NOT NULL,
    open BLOB NOT NULL,
    high BLOB NOT NULL,
    low BLOB NOT NULL,
    close BLOB NOT NULL,
    volume BLOB NOT NULL,
    vwap BLOB NOT NULL,
    trades BLOB NOT NULL,
    PRIMARY KEY (series_id, first_ms)
) STRICT;

-- What the vendor was asked for: a covered range without bars is known to be empty.
CREATE TABLE coverage (
    series_id INTEGER NOT NULL REFERENCES series (id),
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL CHECK (end_ms > start_ms),
    fetched_ms INTEGER NOT NULL,
    PRIMARY KEY (series_id, start_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE ticker (
    ticker TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    market TEXT NOT NULL,
    base TEXT NOT NULL,
    currency TEXT NOT NULL,
    is_active INTEGER NOT NULL,
    kind TEXT NOT NULL,
    exchange TEXT NOT NULL,
    fetched_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshot (
    ticker TEXT PRIMARY KEY,
    fetched_ms INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Small things as JSON: what the plan allows, call times, when the catalogue was read.
CREATE TABLE value (
    name TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;
