"""The report of an audit as CSV: every digit, and nothing a spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from desktop.ui.audit_csv import report_csv, value_text
from tests.domain.test_audit import REPORT


def test_numbers_keep_every_digit_and_no_exponent() -> None:
    assert value_text(1.5e-7) == "0.00000015"
    assert value_text(0.1 + 0.2) == "0.30000000000000004"
    assert value_text(64_000.0) == "64000"
    assert value_text(None) == "missing"
    assert value_text(float("nan")) == ""


def test_the_csv_reads_back() -> None:
    rows = list(csv.reader(io.StringIO(report_csv(REPORT))))
    assert rows[0][:2] == ["X:BTCUSD", "1m"]
    assert rows[0][4] == REPORT.summary
    assert rows[1] == ["time", "field", "cached", "vendor"]
    assert rows[2] == ["2026-03-03T14:01:00Z", "close", "64000.1", "0.00000015"]


@given(st.sampled_from("=+-@\t\r"), st.text(max_size=8))
def test_no_cell_of_text_is_a_formula(sign: str, rest: str) -> None:
    rows = list(csv.reader(io.StringIO(report_csv(replace(REPORT, ticker=sign + rest)), newline="")))
    assert rows[0][0] == "'" + sign + rest
