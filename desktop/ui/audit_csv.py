"""The report of an audit as CSV, for a spreadsheet or a letter to the vendor."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Iterable
from typing import Final

import numpy as np

from desktop.domain.audit import AuditReport

_HEADER: Final = ("time", "field", "cached", "vendor")
_FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")


def utc_text(time_ms: int) -> str:
    """ISO 8601 with a Z."""
    return dt.datetime.fromtimestamp(time_ms / 1000, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def value_text(value: float | None) -> str:
    """Full precision without exponents; `missing` for a bar that is not there, nothing for an unknown value."""
    if value is None:
        return "missing"
    return "" if math.isnan(value) else np.format_float_positional(value, trim="-")


def report_csv(report: AuditReport) -> str:
    """The report as CSV: what was compared in a first line, then a line for each difference.

    Cells of text cannot be taken for a formula by a spreadsheet.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    span = f"{utc_text(report.from_ms)} to {utc_text(report.to_ms)}"
    checked = f"checked {utc_text(report.checked_ms)}"
    writer.writerow(_cells([report.ticker, str(report.timeframe), span, checked, report.summary]))
    writer.writerow(_HEADER)
    for difference in report.findings.differences:
        texts = (utc_text(difference.start_ms), difference.field)
        writer.writerow([*_cells(texts), value_text(difference.cached), value_text(difference.vendor)])
    return text.getvalue()


def _cells(texts: Iterable[str]) -> list[str]:
    return [f"'{text}" if text.startswith(_FORMULA_SIGNS) else text for text in texts]
