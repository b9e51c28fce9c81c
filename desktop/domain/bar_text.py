"""Bars as text for files and clipboards: CSV, TSV, numbers in full, times in UTC."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from desktop.domain.bars import VALUE_COLUMNS, Bar, Bars

COLUMNS: Final = ("time", "start_ms", *VALUE_COLUMNS)
"""Of a row: start as ISO 8601 UTC and as Unix ms, then the values; a value that is not known is empty."""

CSV_HEADER: Final = ",".join(COLUMNS) + "\n"
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def number(value: float) -> str:
    """The shortest decimal that reads back as the same float, never with an exponent; empty when unknown."""
    if math.isnan(value):
        return ""
    text = repr(value)
    if "e" in text:
        return str(np.format_float_positional(value, trim="-"))
    return text.removesuffix(".0")


def utc_text(time_ms: int) -> str:
    """ISO 8601 with a Z, to the second."""
    return dt.datetime.fromtimestamp(time_ms // 1000, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def text_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text


def rows(bars: Bars) -> Iterator[tuple[str, ...]]:
    """The cells of each bar, in the order of COLUMNS."""
    starts = bars.start_ms
    times = np.datetime_as_string(starts.astype("datetime64[ms]"), unit="s").tolist()
    values = (map(number, column.tolist()) for column in bars.values())
    for time, start_ms, *cells in zip(times, starts.tolist(), *values, strict=True):
        yield f"{time}Z", str(start_ms), *cells


def csv_lines(bars: Bars) -> str:
    """A line for each bar."""
    return "".join(",".join(cells) + "\n" for cells in rows(bars))


def bars_tsv(bars: Bars) -> str:
    """The names of the columns and a line for each bar, as spreadsheets take them from the clipboard."""
    return "".join("\t".join(cells) + "\n" for cells in (COLUMNS, *rows(bars)))


def bar_tsv(bar: Bar) -> str:
    """`bars_tsv` of one bar."""
    return bars_tsv(Bars.from_rows([bar]))
