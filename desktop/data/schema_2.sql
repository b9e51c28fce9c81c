-- Bars packed, a row up to 65536 of them. The view `bar` shows every bar, wherever it is kept.

ALTER TABLE bar_chunk RENAME TO old_chunk;

-- Rows are made and removed, never changed, and no id comes twice: who knows an id knows the bars.
-- No start is in two chunks or in a chunk and the tail; chunks of a series do not overlap in time.
-- The body, little-endian, column by column: start_ms (int64) unless the starts are step_ms apart, then open, high, low,
-- close, volume, vwap, trades. A letter of `scales` for each of the seven: a hexadecimal digit n for int32 in units of
-- 10^-n, `-` for float64 (NaN where the vendor did not say).
CREATE TABLE bar_chunk (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    series_id INTEGER NOT NULL REFERENCES series (id),
    first_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    bar_count INTEGER NOT NULL CHECK (bar_count BETWEEN 1 AND 65536),
    codec TEXT NOT NULL,
    step_ms INTEGER,
    scales TEXT NOT NULL CHECK (length(scales) = 7),
    body BLOB NOT NULL,
    UNIQUE (series_id, first_ms)
) STRICT;
