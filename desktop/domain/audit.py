"""What comparing the cache with the vendor found: every value that differs, and counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from desktop.domain.bars import VALUE_COLUMNS, Bars
from desktop.domain.timeframe import Timeframe

Range = tuple[int, int]
WHOLE_BAR: Final = "bar"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs. Of a `WHOLE_BAR` the values are the closes, None on the side that lacks the bar."""

    start_ms: int
    field: str
    cached: float | None
    vendor: float | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Differences of some bars, oldest first, and how many bars they concern."""

    compared: int = 0  # bars that either side has
    differing: int = 0
    missing_here: int = 0
    missing_there: int = 0
    differences: tuple[Difference, ...] = ()

    def __add__(self, later: Findings) -> Findings:
        return Findings(
            self.compared + later.compared,
            self.differing + later.differing,
            self.missing_here + later.missing_here,
            self.missing_there + later.missing_there,
            self.differences + later.differences,
        )


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Settled bars of [from_ms, to_ms) held against the vendor's answer of `checked_ms`. Times Unix ms UTC."""

    ticker: str
    timeframe: Timeframe  # the stored one: 1s, 1m, 1h or 1D
    from_ms: int
    to_ms: int
    checked_ms: int
    findings: Findings = Findings()
    added: int = 0  # bars of times that the cache did not claim to have
    sentence: str | None = None  # why a part was not compared

    @property
    def is_clean(self) -> bool:
        """Whether everything that was compared is the same on both sides."""
        return not self.findings.differences

    @property
    def summary(self) -> str:
        """`1,440 bars compared with the vendor, 2 differ, 1 missing here, 0 missing there.`"""
        found = self.findings
        counted = f"{found.compared:,} bar{'' if found.compared == 1 else 's'} compared with the vendor"
        if found.compared and self.is_clean:
            text = f"{counted}, all the same."
        else:
            differ = "differs" if found.differing == 1 else "differ"
            text = (
                f"{counted}, {found.differing:,} {differ},"
                f" {found.missing_here:,} missing here, {found.missing_there:,} missing there."
            )
        if self.added:
            text += f" {self.added:,} {'was' if self.added == 1 else 'were'} not in the cache yet."
        return text


def compare(cached: Bars, vendor: Bars) -> Findings:
    """Bars of the same times on both sides; a value unknown on both sides (NaN) is the same."""
    here, there = cached.start_ms, vendor.start_ms
    _, ours, theirs = np.intersect1d(here, there, assume_unique=True, return_indices=True)
    found: list[Difference] = []
    is_other = np.zeros(len(ours), bool)
    for name in VALUE_COLUMNS:
        left, right = getattr(cached, name)[ours], getattr(vendor, name)[theirs]
        unequal = ~((left == right) | (np.isnan(left) & np.isnan(right)))
        is_other |= unequal
        found += [
            Difference(int(here[ours[i]]), name, float(left[i]), float(right[i])) for i in np.flatnonzero(unequal)
        ]
    only_here, only_there = np.setdiff1d(here, there), np.setdiff1d(there, here)
    close_here = cached.close[np.searchsorted(here, only_here)]
    close_there = vendor.close[np.searchsorted(there, only_there)]
    found += [
        Difference(start_ms, WHOLE_BAR, close, None)
        for start_ms, close in zip(only_here.tolist(), close_here.tolist(), strict=True)
    ]
    found += [
        Difference(start_ms, WHOLE_BAR, None, close)
        for start_ms, close in zip(only_there.tolist(), close_there.tolist(), strict=True)
    ]
    found.sort(key=lambda difference: difference.start_ms)
    compared = len(ours) + len(only_here) + len(only_there)
    return Findings(compared, int(is_other.sum()), len(only_there), len(only_here), tuple(found))
