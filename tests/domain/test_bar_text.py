"""Bars as text: every digit, nothing a spreadsheet takes for something else, times in UTC."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.bar_text import COLUMNS, CSV_HEADER, bar_tsv, bars_tsv, csv_lines, number, text_cell, utc_text
from desktop.domain.bars import VALUE_COLUMNS, Bar, Bars

START_MS = 1_772_546_400_000  # 2026-03-03 14:00 UTC
NAMES = ("time", "start_ms", "open", "high", "low", "close", "volume", "vwap", "trades")
BAR = Bar(START_MS, 0.1 + 0.2, 64_000.0, 1.5e-7, 1e22, 812.5, math.nan, 17.0)

anything = st.floats(allow_nan=True, allow_infinity=False)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_the_same_and_carry_no_exponent(value: float) -> None:
    text = number(value)
    assert "e" not in text
    assert float(text) == value


def test_an_unknown_number_is_empty_and_whole_ones_have_no_point() -> None:
    assert number(math.nan) == ""
    assert number(42.0) == "42"
    assert number(-0.5) == "-0.5"
    assert number(1.5e-7) == "0.00000015"


def test_a_bar_as_a_row() -> None:
    assert ",".join(NAMES) + "\n" == CSV_HEADER
    assert csv_lines(Bars.from_rows([BAR])) == (
        "2026-03-03T14:00:00Z,1772546400000,0.30000000000000004,64000,0.00000015,10000000000000000000000,812.5,,17\n"
    )
    head, row = bar_tsv(BAR).splitlines()
    assert tuple(head.split("\t")) == COLUMNS == NAMES
    assert row.split("\t")[:4] == ["2026-03-03T14:00:00Z", "1772546400000", "0.30000000000000004", "64000"]


@given(st.lists(st.tuples(st.integers(0, 4_000_000_000), *[anything] * 7), max_size=6, unique_by=lambda row: row[0]))
def test_what_is_written_reads_back_bit_for_bit(rows: list[tuple[float, ...]]) -> None:
    bars = Bars.from_rows([Bar(int(seconds) * 1000, *values) for seconds, *values in rows])
    read = list(csv.DictReader(io.StringIO(CSV_HEADER + csv_lines(bars))))
    assert [int(row["start_ms"]) for row in read] == bars.start_ms.tolist()
    assert [row["time"] for row in read] == [utc_text(start_ms) for start_ms in bars.start_ms.tolist()]
    for name in VALUE_COLUMNS:
        column = np.array([float(row[name] or "nan") for row in read])
        np.testing.assert_array_equal(column, getattr(bars, name))
    assert bars_tsv(bars).replace("\t", ",") == CSV_HEADER + csv_lines(bars)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\tx", "\rx", "\nx"])
def test_text_is_no_formula(text: str) -> None:
    assert text_cell(text) == "'" + text


@pytest.mark.parametrize("text", ["", "X:BTCUSD", "a=1", "2026-03-03T14:00:00Z"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert text_cell(text) == text
