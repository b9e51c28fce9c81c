-- What a person made and nobody can give back.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Counts the writes, so that an unchanged file is not backed up again.
INSERT INTO meta (name, value) VALUES ('changes', '0');

CREATE TABLE watchlist (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE watchlist_ticker (
    watchlist_id INTEGER NOT NULL REFERENCES watchlist (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    ticker TEXT NOT NULL,
    PRIMARY KEY (watchlist_id, position),
    UNIQUE (watchlist_id, ticker)
) STRICT, WITHOUT ROWID;
