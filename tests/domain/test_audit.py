"""What an audit finds between two sets of bars, and the report in a sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.audit import WHOLE_BAR, AuditReport, Difference, Findings, compare
from desktop.domain.bars import VALUE_COLUMNS, Bar, Bars
from desktop.domain.timeframe import ONE_MINUTE

MINUTE_MS = 60_000
_VALUES = st.sampled_from([1.0, 2.5, float("nan")])
_BARS = st.dictionaries(st.integers(0, 12), st.tuples(*[_VALUES] * len(VALUE_COLUMNS)), max_size=8).map(
    lambda rows: Bars.from_rows([Bar(start * MINUTE_MS, *values) for start, values in rows.items()])
)


def slow_compare(cached: Bars, vendor: Bars) -> tuple[int, int, int, int, set[tuple[int, str]]]:
    here = {cached[i].start_ms: cached[i] for i in range(len(cached))}
    there = {vendor[i].start_ms: vendor[i] for i in range(len(vendor))}
    cells = set()
    for start_ms in here.keys() | there.keys():
        if start_ms not in here or start_ms not in there:
            cells.add((start_ms, WHOLE_BAR))
            continue
        for name in VALUE_COLUMNS:
            left, right = getattr(here[start_ms], name), getattr(there[start_ms], name)
            if left != right and not (np.isnan(left) and np.isnan(right)):
                cells.add((start_ms, name))
    differing = {start_ms for start_ms, name in cells if name != WHOLE_BAR}
    return len(here | there), len(differing), len(there.keys() - here), len(here.keys() - there), cells


@given(_BARS, _BARS)
def test_every_value_that_differs_is_named(cached: Bars, vendor: Bars) -> None:
    found = compare(cached, vendor)
    cells = {(difference.start_ms, difference.field) for difference in found.differences}
    assert (found.compared, found.differing, found.missing_here, found.missing_there, cells) == slow_compare(
        cached, vendor
    )
    assert len(cells) == len(found.differences)
    assert [d.start_ms for d in found.differences] == sorted(d.start_ms for d in found.differences)


@given(_BARS)
def test_the_same_bars_do_not_differ(bars: Bars) -> None:
    assert compare(bars, bars) == Findings(compared=len(bars))


def test_a_bar_that_one_side_lacks_shows_the_others_close() -> None:
    bar = Bar(MINUTE_MS, 1.0, 2.0, 0.5, 1.5, 10.0)
    only_here = compare(Bars.from_rows([bar]), Bars.empty())
    assert only_here.differences == (Difference(MINUTE_MS, WHOLE_BAR, 1.5, None),)
    only_there = compare(Bars.empty(), Bars.from_rows([bar]))
    assert only_there.differences == (Difference(MINUTE_MS, WHOLE_BAR, None, 1.5),)


REPORT = AuditReport(
    "X:BTCUSD",
    ONE_MINUTE,
    1_772_546_400_000,
    1_772_632_800_000,
    1_772_640_000_000,
    Findings(1440, 2, 1, 0, (Difference(1_772_546_460_000, "close", 64_000.1, 1.5e-7),)),
)


def test_the_summary_is_one_sentence() -> None:
    assert REPORT.summary == "1,440 bars compared with the vendor, 2 differ, 1 missing here, 0 missing there."
    same = replace(REPORT, findings=Findings(1))
    assert same.summary == "1 bar compared with the vendor, all the same."
    assert replace(same, added=3).summary.endswith("all the same. 3 were not in the cache yet.")
