"""A chunk of bars as bytes and back, bit for bit: prices are mostly whole numbers of some decimal place.

A column whose every value is a whole number of 10^-n (n from 0 to 15) that fits 32 bits is kept as these numbers: the
division gives the very same float that parsing the vendor's decimal digits gave. Any other column is kept as float64.
Bars at equal distances need no starts. Everything is little-endian, column by column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from desktop.domain.bars import Bars, Floats, Ints

SCALES: Final = "0123456789abcdef"  # how many decimals
FLOATS: Final = "-"
_LARGEST: Final = float(np.iinfo(np.int32).max)
_SAMPLE: Final = 64


Read = Callable[[int, int], bytes]  # some bytes of a body: from an offset on, how many


class Layout(NamedTuple):
    """What has to be known of a chunk to read its body.

    step_ms: distance of the starts, None when they are in the body. scales: a letter for each value column.
    """

    first_ms: int
    bar_count: int
    step_ms: int | None
    scales: str


def pack(bars: Bars) -> tuple[Layout, bytes]:
    """Some bars, at least one, with what has to be known to read them."""
    steps = np.diff(bars.start_ms)
    step_ms = int(steps[0]) if len(steps) else 0
    is_even = bool((steps == step_ms).all())
    parts = [] if is_even else [bars.start_ms.astype("<i8").tobytes()]
    scales = ""
    for column in bars.values():
        scale, whole = _in_whole_numbers(column)
        scales += scale
        parts.append(column.astype("<f8").tobytes() if whole is None else whole.tobytes())
    layout = Layout(int(bars.start_ms[0]), len(bars), step_ms if is_even else None, scales)
    return layout, b"".join(parts)


def unpack(layout: Layout, read: Read, begin: int, starts: Ints, values: Floats) -> None:
    """Fills starts (n,) and values (7, n) with the bars from the one at `begin` on; n is how many are wanted."""
    count = layout.bar_count
    end = begin + len(starts)
    starts[:] = read_starts(layout, read, begin, end)
    at = 8 * count if layout.step_ms is None else 0
    for column, scale in zip(values, layout.scales, strict=True):
        if scale == FLOATS:
            column[:] = np.frombuffer(read(at + 8 * begin, 8 * (end - begin)), "<f8")
            at += 8 * count
        else:
            units = np.frombuffer(read(at + 4 * begin, 4 * (end - begin)), "<i4")
            if decimals := SCALES.index(scale):
                np.divide(units, 10.0**decimals, out=column)
            else:
                column[:] = units
            at += 4 * count


def read_starts(layout: Layout, read: Read, begin: int, end: int) -> Ints:
    """The starts of the bars `begin` to `end` (exclusive)."""
    if layout.step_ms is None:
        return np.frombuffer(read(8 * begin, 8 * (end - begin)), "<i8")
    if not layout.step_ms:
        return np.full(end - begin, layout.first_ms)
    first_ms, last_ms = (layout.first_ms + layout.step_ms * index for index in (begin, end))
    return np.arange(first_ms, last_ms, layout.step_ms, dtype=np.int64)


def _in_whole_numbers(column: Floats) -> tuple[str, Ints | None]:
    if not np.isfinite(column).all() or np.signbit(column[column == 0]).any():
        return FLOATS, None  # not a number; or a zero that would lose its sign
    largest = float(np.abs(column).max())
    sample = column[:: len(column) // _SAMPLE + 1]
    for decimals, scale in enumerate(SCALES):
        factor = 10.0**decimals
        if largest * factor > _LARGEST:
            break
        if _are_whole(sample, factor) and _are_whole(column, factor):
            return scale, np.rint(column * factor).astype("<i4")
    return FLOATS, None


def _are_whole(column: Floats, factor: float) -> bool:
    return bool((np.rint(column * factor) / factor == column).all())
