"""“Audit this range”: what it will cost, its progress, and what differs between the cache and the vendor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHeaderView,
    QProgressBar,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from desktop.domain.timeframe import ONE_DAY, ONE_HOUR, ONE_MINUTE, ONE_SECOND
from desktop.services.audit import AuditOffer, AuditState
from desktop.ui.audit_csv import report_csv
from desktop.ui.audit_table import DifferencesModel, utc_bar_time
from desktop.ui.formatting import DASH
from desktop.ui.forms import Remark, button, button_row, form_style, label
from desktop.ui.services_api import AuditApi
from desktop.ui.theme import Tokens

_BARS: Final = {ONE_SECOND: "second bars", ONE_MINUTE: "minute bars", ONE_HOUR: "hour bars", ONE_DAY: "day bars"}
_TAKEN_OVER: Final = "The cache and the chart have taken over the vendor's values."


class AuditDialog(QDialog):
    """Follows one audit; stays open beside the window. Closing it lets a running audit go on."""

    def __init__(self, audit: AuditApi, tokens: Tokens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._audit = audit
        self.setWindowTitle("Audit a range")
        self.resize(640, 440)
        self.setMinimumSize(460, 320)
        self.title = label("", "heading")
        self.span = label("")
        self.cost = label("", "quiet")
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of the audit")
        self.progress.setTextVisible(False)
        self.remark = Remark()
        self.model = DifferencesModel(self)
        self.table = QTableView()
        self.table.setAccessibleName("Differences")
        self.table.setModel(self.model)
        self.table.verticalHeader().hide()
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        for column in range(self.model.columnCount()):
            mode = QHeaderView.ResizeMode.ResizeToContents if column < 2 else QHeaderView.ResizeMode.Stretch
            self.table.horizontalHeader().setSectionResizeMode(column, mode)
        self.table.setTabKeyNavigation(False)
        self.start_button = button("&Start audit", is_primary=True)
        self.cancel_button = button("Cancel")
        self.copy_button = button("C&opy")
        self.save_button = button("&Export CSV…")
        self.close_button = button("&Close")
        self._lay_out()
        self.start_button.clicked.connect(audit.start)
        self.cancel_button.clicked.connect(audit.cancel)
        self.copy_button.clicked.connect(self._copy)
        self.save_button.clicked.connect(self._ask_where)
        self.close_button.clicked.connect(self.close)
        audit.changed.connect(self._follow)
        self.set_tokens(tokens)
        self._follow()

    def _lay_out(self) -> None:
        doing = (self.start_button, self.cancel_button, self.copy_button, self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(8)
        layout.addWidget(self.title)
        layout.addWidget(self.span)
        layout.addWidget(self.cost)
        layout.addWidget(self.progress)
        layout.addWidget(self.remark)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)
        layout.addLayout(button_row(*doing, at_the_end=self.close_button))

    def open(self) -> None:
        """Shows the dialog without blocking the window, or brings it to the front."""
        self.setModal(False)
        self.show()
        self.raise_()
        self.activateWindow()
        (self.start_button if self.start_button.isVisible() else self.close_button).setFocus()

    def set_tokens(self, tokens: Tokens) -> None:
        """Takes the colours of another theme."""
        self.setStyleSheet(
            form_style(tokens)
            + f"""
    QDialog {{ background: {tokens.panel}; }}
    QProgressBar {{ background: {tokens.raised}; border: 1px solid {tokens.line}; border-radius: 4px; height: 8px; }}
    QProgressBar::chunk {{ background: {tokens.accent}; border-radius: 3px; }}
    QTableView {{ border: 1px solid {tokens.line}; }}
    QTableView::item {{ padding: 0 5px; }}
    QTableView:focus {{ border-color: {tokens.accent}; }}
    """
        )

    # --- what is shown -------------------------------------------------------------------------------------

    def _follow(self) -> None:
        state = self._audit.state
        offer = state.offer
        if offer is None:
            return
        self.title.setText(f"{offer.ticker}, {_BARS[offer.timeframe]}")
        self.span.setText(_span(offer))
        self.cost.setText(_cost(offer))
        is_running, is_done = state.phase == "running", state.report is not None
        self.progress.setVisible(is_running)
        self.progress.setRange(0, offer.calls if offer.calls > 1 else 0)
        self.progress.setValue(state.done)
        self.remark.say(*_result(state))
        differences = state.findings.differences
        self.model.show_rows(differences, offer.timeframe)
        self.table.setVisible(bool(differences))
        had_focus = self.focusWidget()
        self.start_button.setText("&Start audit" if state.phase == "offered" else "&Audit again")
        self.start_button.setVisible(not is_running)
        self.cancel_button.setVisible(is_running)
        self.copy_button.setVisible(is_done)
        self.save_button.setVisible(is_done)
        if had_focus in (self.start_button, self.cancel_button):
            (self.cancel_button if is_running else self.start_button).setFocus()

    # --- what a person does --------------------------------------------------------------------------------

    def _copy(self) -> None:
        if (report := self._audit.state.report) is not None:
            QGuiApplication.clipboard().setText(report_csv(report))
            self.remark.say(f"{self.remark.text()} Copied.", "good")

    def _ask_where(self) -> None:
        report = self._audit.state.report
        if report is None:
            return
        name = re.sub(r"[^\w.\-]", "_", f"audit-{report.ticker}-{report.timeframe}.csv")
        dialog = QFileDialog(self, "Export the report", name, "CSV file (*.csv)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("csv")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.save(Path(path)))
        dialog.open()

    def save(self, path: Path) -> None:
        """Writes the report, and says so."""
        report = self._audit.state.report
        if report is None:
            return
        try:
            path.write_text(report_csv(report), "utf-8", newline="")
        except OSError as error:
            self.remark.say(f"The report could not be written to {path}: {error.strerror}.", "error")
        else:
            self.remark.say(f"{report.summary} The report was saved as {path.name}.", "good")


def _span(offer: AuditOffer) -> str:
    """`Tue 03 Mar '26 12:29 – 14:01 UTC`; the second date only where it is another one."""
    first, last = (utc_bar_time(time_ms, offer.timeframe) for time_ms in (offer.from_ms, offer.to_ms))
    day, clock = first.rsplit(" ", 1)
    if offer.timeframe != ONE_DAY and last.startswith(day):
        last = last.removeprefix(day).strip()
    return f"{day} {clock} {DASH} {last} UTC"


def _cost(offer: AuditOffer) -> str:
    calls = f"{offer.calls:,} call{'' if offer.calls == 1 else 's'}"
    text = f"Fetches these bars anew and compares them with the cache: {calls} to the vendor."
    if (limit := offer.calls_per_minute) is None:
        return text
    minutes = (offer.calls - 1) // limit
    text = f"{text} The plan allows {limit} a minute"
    return f"{text}, so it takes about {minutes} min." if minutes else f"{text}."


def _result(state: AuditState) -> tuple[str, str]:
    """What is said, and in which colour."""
    offer, found = state.offer, state.findings
    match state.phase:
        case "running":
            step = f"Call {min(state.done + 1, offer.calls)} of {offer.calls}" if offer else ""
            return f"{step}: {found.compared:,} bars compared, {len(found.differences):,} differences so far.", "quiet"
        case "cancelled":
            return f"Cancelled. {found.compared:,} bars were compared until then.", "quiet"
        case "failed":
            return state.sentence or "The audit failed.", "error"
        case _ if state.report is not None:
            report = state.report
            parts = [report.summary, report.sentence or "", "" if report.is_clean else _TAKEN_OVER]
            kind = "good" if report.is_clean and report.findings.compared else "quiet"
            return " ".join(part for part in parts if part), kind
        case _:
            return "", "quiet"
