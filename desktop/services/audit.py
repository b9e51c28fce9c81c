"""Audits of a range a person asks for: what it will cost, progress, the report, and corrections into the chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.data.audit import AuditProgress, audit_calls
from desktop.data.market_data import MarketData, series_of
from desktop.domain.audit import AuditReport, Findings
from desktop.domain.errors import MarketError
from desktop.domain.timeframe import Timeframe
from desktop.services.tasks import Tasks

AuditPhase = Literal["idle", "offered", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class AuditOffer:
    """What would be compared, at which cost: calls, and how many the plan allows a minute (None: no limit)."""

    ticker: str
    timeframe: Timeframe  # the stored one
    from_ms: int
    to_ms: int
    calls: int
    calls_per_minute: int | None


@dataclass(frozen=True, slots=True)
class AuditState:
    """Where an audit stands. `report` when it is done, `sentence` when it failed; `findings` so far."""

    phase: AuditPhase = "idle"
    offer: AuditOffer | None = None
    done: int = 0
    findings: Findings = field(default_factory=Findings)
    report: AuditReport | None = None
    sentence: str | None = None


class RangeAudit(QObject):
    """One audit at a time; `offer` begins the next.

    on_stored: told the ticker and range of each page as soon as the cache holds the vendor's bars.
    """

    changed = Signal()

    def __init__(
        self, market_data: MarketData, on_stored: Callable[[str, int, int], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._market_data = market_data
        self._on_stored = on_stored
        self._tasks = Tasks()
        self.state = AuditState()

    def offer(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int) -> None:
        """Says what an audit of [from_ms, to_ms) would cost; no call is made. One that runs is left alone."""
        if self.state.phase == "running":
            return
        series = series_of(ticker, timeframe)
        rest = self._market_data.rest
        limit = None if rest is None else rest.limiter.calls_per_minute
        calls = audit_calls(series, from_ms, to_ms)
        self._set(AuditState("offered", AuditOffer(ticker, series.base, from_ms, to_ms, calls, limit)))

    def start(self) -> None:
        """Runs what was offered, again if need be."""
        offer = self.state.offer
        if offer is not None and self.state.phase != "running":
            self._set(AuditState("running", offer))
            self._tasks.start(self._run(offer), replace="audit", name=f"audit {offer.ticker}")

    def cancel(self) -> None:
        """Ends a running audit; the pages that were stored stay."""
        if self.state.phase == "running":
            self._tasks.cancel("audit")
            self._set(replace(self.state, phase="cancelled"))

    async def _run(self, offer: AuditOffer) -> None:
        def on_progress(progress: AuditProgress) -> None:
            self._on_stored(offer.ticker, progress.from_ms, progress.to_ms)
            self._set(replace(self.state, done=progress.done, findings=progress.findings))

        try:
            report = await self._market_data.audit(
                offer.ticker, offer.timeframe, offer.from_ms, offer.to_ms, on_progress
            )
        except MarketError as error:
            self._set(replace(self.state, phase="failed", sentence=str(error)))
        else:
            self._set(replace(self.state, phase="done", report=report, findings=report.findings))

    def _set(self, state: AuditState) -> None:
        self.state = state
        self.changed.emit()

    async def aclose(self) -> None:
        """Ends what runs."""
        await self._tasks.aclose()
