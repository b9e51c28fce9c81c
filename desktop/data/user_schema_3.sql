-- Which charts are open, as JSON; one row for each named layout.

CREATE TABLE layout (
    name TEXT PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
