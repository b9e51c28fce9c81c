"""BarSeries against a plain dictionary: whatever is merged, the columns are the sorted union, newest value wins."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.bars import NO_CHANGE, Bar, Bars, BarSeries

starts = st.lists(st.integers(0, 60), max_size=12)


def bars_of(start_list: list[int], value: float) -> Bars:
    return Bars.from_rows([Bar(start * 60_000, value, value, value, value, 1.0) for start in start_list])


@given(st.lists(starts, max_size=12))
def test_merges_keep_the_union_and_the_newest_values(batches: list[list[int]]) -> None:
    series = BarSeries()
    expected: dict[int, float] = {}
    for number, batch in enumerate(batches):
        before = series.bars.start_ms.copy()
        old_close = series.bars.close.copy()
        change = series.merge(bars_of(batch, float(number)))
        expected.update({start * 60_000: float(number) for start in batch})
        assert series.bars.start_ms.tolist() == sorted(expected)
        assert series.bars.close.tolist() == [expected[start] for start in sorted(expected)]
        if change != NO_CHANGE:
            untouched = slice(change.prepended, change.first_index)
            moved = series.bars.start_ms[untouched]
            assert np.array_equal(moved, before[: len(moved)])
            assert np.array_equal(series.bars.close[untouched], old_close[: len(moved)])


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), min_size=1, max_size=40))
def test_upserts_equal_merges(rows: list[tuple[int, int]]) -> None:
    one, other = BarSeries(), BarSeries()
    for start, price in rows:
        bar = Bar(start * 1000, price, price, price, price, 1.0)
        one.upsert(bar)
        other.merge(Bars.from_rows([bar]))
    assert one.bars.start_ms.tolist() == other.bars.start_ms.tolist()
    assert one.bars.close.tolist() == other.bars.close.tolist()


def test_upsert_says_what_changed() -> None:
    series = BarSeries(bars_of([1, 2], 5.0))
    assert series.upsert(Bar(120_000, 5.0, 5.0, 5.0, 5.0, 1.0)) == NO_CHANGE
    assert series.upsert(Bar(120_000, 5.0, 6.0, 5.0, 5.0, 1.0)).first_index == 1
    assert series.upsert(Bar(180_000, 5.0, 6.0, 5.0, 5.0, 1.0)).first_index == 2


def test_many_prepends_and_appends_keep_every_bar() -> None:
    series = BarSeries(bars_of([5000], 0.0))
    for step in range(1, 60):
        series.merge(bars_of(list(range(5000 - 50 * step, 5000 - 50 * (step - 1))), 1.0))
        series.merge(bars_of(list(range(5000 + 30 * step, 5030 + 30 * step)), 2.0))
    held = series.bars.start_ms // 60_000
    assert len(held) == len(set(held.tolist())) == 1 + 59 * 50 + 59 * 30
    assert (np.diff(held) > 0).all()


def test_of_equal_starts_the_last_wins() -> None:
    bars = Bars.from_rows([Bar(2, 1, 1, 1, 1), Bar(1, 2, 2, 2, 2), Bar(2, 3, 3, 3, 3)])
    assert bars.start_ms.tolist() == [1, 2]
    assert bars.close.tolist() == [2, 3]


def test_between_is_half_open() -> None:
    bars = bars_of([1, 2, 3], 1.0)
    assert bars.between(60_000, 180_000).start_ms.tolist() == [60_000, 120_000]
