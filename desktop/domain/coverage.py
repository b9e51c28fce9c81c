"""Which time ranges of a series the cache has asked the vendor for, and which calls fill the rest.

Ranges are half-open [start_ms, end_ms) in Unix ms. A covered range without bars is known to be empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SETTLE_MS = {"crypto": 5 * 60_000, "fx": 5 * 60_000, "stocks": 16 * 60_000}


@dataclass(frozen=True, slots=True, order=True)
class Covered:
    """A range the vendor answered for at `fetched_ms` (market time)."""

    start_ms: int
    end_ms: int
    fetched_ms: int


def settled_ranges(covered: Iterable[Covered], settle_ms: int) -> list[tuple[int, int]]:
    """The parts that were fetched at least `settle_ms` after they ended: joined, sorted, disjoint."""
    parts = [(c.start_ms, min(c.end_ms, c.fetched_ms - settle_ms)) for c in covered]
    return joined(part for part in parts if part[0] < part[1])


def joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same set of times as sorted, disjoint, non-touching ranges."""
    answer: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if answer and start <= answer[-1][1]:
            answer[-1] = (answer[-1][0], max(end, answer[-1][1]))
        elif start < end:
            answer.append((start, end))
    return answer


def gaps(held: Iterable[tuple[int, int]], from_ms: int, to_ms: int) -> list[tuple[int, int]]:
    """What of [from_ms, to_ms) is in none of the `held` ranges."""
    answer = []
    at = from_ms
    for start, end in joined(held):
        if end <= at:
            continue
        if start >= to_ms:
            break
        if start > at:
            answer.append((at, start))
        at = max(at, end)
    if at < to_ms:
        answer.append((at, to_ms))
    return answer


def overwritten(
    ranges: Iterable[tuple[int, int]], asked: tuple[int, int], found: Iterable[tuple[int, int]]
) -> list[tuple[int, int]]:
    """The ranges with what they say about `asked` replaced by `found`, joined."""
    from_ms, to_ms = asked
    kept = [part for start, end in ranges for part in ((start, min(end, from_ms)), (max(start, to_ms), end))]
    return joined([part for part in kept if part[0] < part[1]] + list(found))
