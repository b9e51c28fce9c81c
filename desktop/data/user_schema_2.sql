-- Drawings of a ticker in painting order, each as the JSON of one record.

CREATE TABLE drawing (
    ticker TEXT NOT NULL,
    position INTEGER NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (ticker, position)
) STRICT, WITHOUT ROWID;
