"""All studies. To add one: an entry here, and a kernel when TA-Lib's function is not enough."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from desktop.domain.errors import BadInput
from desktop.domain.studies import moving_averages as averages
from desktop.domain.studies.entry import StudyEntry, line, period, source

STUDIES: Final = (
    StudyEntry(
        "sma",
        "Simple moving average",
        "SMA",
        "overlay",
        parameters=(period(20, minimum=1), source()),
        output_names=("average",),
        plots=(line("average", "Average", colour="first"),),
        kernel=lambda p, _: averages.sma(p.text("source"), p.whole("period")),
    ),
    StudyEntry(
        "ema",
        "Exponential moving average",
        "EMA",
        "overlay",
        parameters=(period(20, minimum=1), source()),
        output_names=("average",),
        plots=(line("average", "Average", colour="second"),),
        kernel=lambda p, _: averages.Ema(p.text("source"), p.whole("period")),
    ),
)
_BY_KIND: Final = MappingProxyType({entry.kind: entry for entry in STUDIES})


def entry_of(kind: str) -> StudyEntry:
    """Raises BadInput when no study is called that."""
    entry = _BY_KIND.get(kind)
    if entry is None:
        raise BadInput(f"There is no study called “{kind}”.", next_step=f"Known are {', '.join(_BY_KIND)}.")
    return entry
