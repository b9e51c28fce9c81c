"""Coverage ranges against sets of single milliseconds."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.coverage import Covered, gaps, joined, settled_ranges

ranges = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda r: (min(r), max(r))), max_size=8)


def points(parts: list[tuple[int, int]]) -> set[int]:
    return {t for start, end in parts for t in range(start, end)}


@given(ranges)
def test_joined_keeps_the_times_and_leaves_no_seams(parts: list[tuple[int, int]]) -> None:
    answer = joined(parts)
    assert points(answer) == points(parts)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(answer))


@given(ranges, st.integers(0, 40), st.integers(0, 40))
def test_gaps_are_what_is_not_held(parts: list[tuple[int, int]], a: int, b: int) -> None:
    from_ms, to_ms = min(a, b), max(a, b)
    assert points(gaps(parts, from_ms, to_ms)) == set(range(from_ms, to_ms)) - points(parts)


def test_only_what_was_fetched_long_after_its_end_is_settled() -> None:
    assert settled_ranges([Covered(0, 100, 1000)], 300) == [(0, 100)]
    assert settled_ranges([Covered(0, 900, 1000)], 300) == [(0, 700)]
    assert settled_ranges([Covered(800, 900, 1000)], 300) == []
