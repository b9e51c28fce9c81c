"""The report of an audit as CSV, for a spreadsheet or a letter to the vendor."""

from __future__ import annotations

import csv
import io
from typing import Final

from desktop.domain.audit import AuditReport
from desktop.domain.bar_text import number, text_cell, utc_text

_HEADER: Final = ("time", "field", "cached", "vendor")


def value_text(value: float | None) -> str:
    """Full precision without exponents; `missing` for a bar that is not there, nothing for an unknown value."""
    return "missing" if value is None else number(value)


def report_csv(report: AuditReport) -> str:
    """The report as CSV: what was compared in a first line, then a line for each difference.

    Cells of text cannot be taken for a formula by a spreadsheet.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    span = f"{utc_text(report.from_ms)} to {utc_text(report.to_ms)}"
    checked = f"checked {utc_text(report.checked_ms)}"
    writer.writerow(map(text_cell, (report.ticker, str(report.timeframe), span, checked, report.summary)))
    writer.writerow(_HEADER)
    for difference in report.findings.differences:
        texts = (utc_text(difference.start_ms), difference.field)
        writer.writerow([*map(text_cell, texts), value_text(difference.cached), value_text(difference.vendor)])
    return text.getvalue()
