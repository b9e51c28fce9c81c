"""Times without bars: known to be empty (nothing was traded), or not known (missing here)."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from desktop.domain.coverage import gaps
from desktop.domain.sessions import is_open
from desktop.services.chart_status import ChartStatus
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.painting import Frame
from desktop.ui.chart.pyramid import CLOSE

Emptiness = Literal["empty", "unknown", "closed"]
Line = tuple[int, int, int]

WORDS: Final[dict[Emptiness, str]] = {
    "empty": "No bar here: nothing was traded, as far as the vendor says",
    "closed": "No bar here: the market is closed",
    "unknown": "No bar here: this time is missing, what was traded is not known yet",
}
_LEAST_SPACING: Final = 3.0  # logical pixels a slot, below which bars are merged


def band_text(status: ChartStatus) -> str:
    """What stands on the hatch of times that are not known."""
    if status.is_plan_limit:
        return "not in the plan"
    return "missing" if status.sentence else "missing, fetching…"


def emptiness_at(model: ChartModel, slot: int) -> Emptiness | None:
    """Why a slot between the first and the last bar holds none; None when it holds one, or lies outside."""
    view, starts = model.view, model.bars.start_ms
    if not len(starts) or model.index_at(slot) is not None:
        return None
    from_ms, to_ms = model.axis.time_at(starts, slot), model.axis.time_at(starts, slot + 1)
    if any(from_ms < end_ms and start_ms < to_ms for start_ms, end_ms in model.source.status.missing):
        return "unknown"
    if not view.first_slot <= slot <= view.last_slot:
        return None
    return "empty" if is_open(model.source.market, from_ms) else "closed"


def empty_lines(frame: Frame) -> tuple[Line, ...]:
    """For each visible hole that is known to be empty a line at the last close: first and last device column, row."""
    columns = frame.columns
    if frame.has_closed_time or columns.size != 1 or columns.spacing < _LEAST_SPACING or len(columns) < 2:
        return ()
    lines: list[Line] = []
    unknown = [(first, last + 1) for first, last in frame.bands]
    for at in np.flatnonzero(np.diff(columns.keys) > 1).tolist():
        row = frame.prices.row(float(columns.values[CLOSE, at]))
        first = max(frame.grid.left_of(int(columns.keys[at]) + 1), 0)
        end = min(frame.grid.left_of(int(columns.keys[at + 1])), frame.plot_width)
        if first < end and 0 <= row < frame.plot_height:
            lines += [(begin, stop - 1, row) for begin, stop in gaps(unknown, first, end)]
    return tuple(lines)
