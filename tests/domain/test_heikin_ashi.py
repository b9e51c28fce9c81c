"""Heikin-Ashi bars against the rule written out, however the series came together."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.bars import Bars
from desktop.domain.heikin_ashi import HeikinAshi


def series(count: int, seed: int) -> Bars:
    rng = np.random.default_rng(seed)
    close = 100 + rng.normal(0, 1, count).cumsum()
    opened = close + rng.normal(0, 0.5, count)
    high, low = np.maximum(opened, close) + rng.random(count), np.minimum(opened, close) - rng.random(count)
    known = np.ones(count)
    return Bars(np.arange(count, dtype=np.int64) * 60_000, opened, high, low, close, known, close, known)


def by_rule(bars: Bars) -> np.ndarray:
    rows: list[tuple[float, float, float, float]] = []
    for index in range(len(bars)):
        bar = bars[index]
        close = (bar.open + bar.high + bar.low + bar.close) / 4
        opened = (rows[-1][0] + rows[-1][3]) / 2 if rows else (bar.open + bar.close) / 2
        rows.append((opened, max(bar.high, opened, close), min(bar.low, opened, close), close))
    return np.array(rows).T


@settings(deadline=None)
@given(st.integers(1, 400), st.lists(st.integers(1, 90), max_size=6), st.integers(0, 1 << 30))
def test_any_growth_gives_what_the_rule_gives(count: int, steps: list[int], seed: int) -> None:
    bars = series(count + sum(steps), seed)
    heikin_ashi, known = HeikinAshi(), count
    heikin_ashi.update(bars.take(0, known))
    for step in steps:
        first, known = known - 1, known + step  # the last bar moves as well
        heikin_ashi.update(bars.take(0, known), first)
    found = heikin_ashi.of(bars)
    columns = np.array([found.open, found.high, found.low, found.close])
    np.testing.assert_allclose(columns, by_rule(bars), rtol=1e-12)
    assert found.volume is bars.volume
