"""A chunk of bars as bytes and back, bit for bit: prices are mostly whole numbers of some decimal place.

A column whose every value is a whole number of 10^-n (n from 0 to 15) that fits 32 bits is kept as these numbers: the
division gives the very same float that parsing the vendor's decimal digits gave. Any other column is kept as float64.
Bars at equal distances need no starts. Everything is little-endian, column by column.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final, NamedTuple

import numpy as np

from desktop.domain.bars import Bars, Floats, Ints

SCALES: Final = "0123456789abcdef"  # how many decimals
FLOATS: Final = "-"
_LARGEST: Final = float(np.iinfo(np.int32).max)
_SAMPLE: Final = 64


class Packed(NamedTuple):
    """step_ms: distance of the starts, None when they are in the body. scales: a letter for each value column."""

    step_ms: int | None
    scales: str
    body: bytes


def pack(bars: Bars) -> Packed:
    """The bytes of some bars, at least one."""
    steps = np.diff(bars.start_ms)
    step_ms = int(steps[0]) if len(steps) else 0
    is_even = bool((steps == step_ms).all())
    parts = [] if is_even else [bars.start_ms.astype("<i8").tobytes()]
    scales = ""
    for column in bars.values():
        scale, whole = _in_whole_numbers(column)
        scales += scale
        parts.append(column.astype("<f8").tobytes() if whole is None else whole.tobytes())
    return Packed(step_ms if is_even else None, scales, b"".join(parts))


def unpack(packed: Packed, first_ms: int, starts: Ints, values: Floats) -> None:
    """Fills starts (n,) and values (7, n) with the bars packed; n is their number."""
    step_ms, scales, body = packed
    count, at = len(starts), 0
    if step_ms is None:
        starts[:] = np.frombuffer(body, "<i8", count)
        at = 8 * count
    else:
        starts[:] = np.arange(first_ms, first_ms + step_ms * count, step_ms) if step_ms else first_ms
    row = 0
    for scale, equals in groupby(scales):
        rows = len(list(equals))
        kind = "<f8" if scale == FLOATS else "<i4"
        columns = np.frombuffer(body, kind, rows * count, at).reshape(rows, count)
        target = values[row : row + rows]
        if scale == FLOATS:
            target[:] = columns
        else:
            np.divide(columns, 10.0 ** SCALES.index(scale), out=target)
        at += columns.nbytes
        row += rows


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
