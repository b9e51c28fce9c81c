"""Random numbers that are a pure function of where they are used, equal on every machine.

SplitMix64 (Steele, Lea, Flood 2014) over counters, and the few functions of floats that libm would round differently
from platform to platform. Only additions, multiplications, divisions and square roots are used on floats.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from desktop.domain.bars import Floats, Ints

Hashes = NDArray[np.uint64]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_LOW_BYTES: Final = np.uint64(0x00FF00FF00FF00FF)
_EIGHT: Final = np.uint64(8)
_ADD_LANES: Final = np.uint64(0x0001000100010001)
_TOP_LANE: Final = np.uint64(48)
_BYTE_SUM_MEAN: Final = 8 * 255 / 2
_BYTE_SUM_SCALE: Final = (8 * (256**2 - 1) / 12) ** -0.5
_LN_2: Final = 0.6931471805599453
_COEFFICIENTS: Final = (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1.0, 1.0)


def key_of(*names: object) -> int:
    """64 bits that stand for `names`, the same in every process."""
    text = "\x1f".join(map(str, names)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def hashes(key: int | Hashes, counters: Ints) -> Hashes:
    """A hash for each counter under `key`; an array of keys is broadcast against the counters."""
    mixed: Hashes = counters.astype(np.uint64)
    mixed *= _STEP
    mixed = mixed + np.asarray(key, np.uint64)
    scratch = mixed >> _SHIFT_1
    mixed ^= scratch
    mixed *= _MIX_1
    np.right_shift(mixed, _SHIFT_2, out=scratch)
    mixed ^= scratch
    mixed *= _MIX_2
    np.right_shift(mixed, _SHIFT_3, out=scratch)
    mixed ^= scratch
    return mixed


def lanes16(hashed: Hashes) -> list[NDArray[np.uint16]]:
    """The four 16-bit lanes of each hash, as views (the platforms the app runs on are all little-endian)."""
    view = np.ascontiguousarray(hashed).view(np.uint16)
    return [view[..., lane::4] for lane in range(4)]


def lanes8(hashed: Hashes) -> list[NDArray[np.uint8]]:
    """The eight bytes of each hash, as views."""
    view = np.ascontiguousarray(hashed).view(np.uint8)
    return [view[..., lane::8] for lane in range(8)]


def normals(hashed: Hashes) -> Floats:
    """About normal: mean 0, deviation 1, within ±4.9; the sum of the eight bytes of each hash."""
    pairs = (hashed & _LOW_BYTES) + ((hashed >> _EIGHT) & _LOW_BYTES)
    pairs *= _ADD_LANES
    pairs >>= _TOP_LANE
    answer = pairs.astype(np.float64)
    answer -= _BYTE_SUM_MEAN
    answer *= _BYTE_SUM_SCALE
    return answer


def uniforms(hashed: Hashes) -> Floats:
    """Uniform in [-1, 1)."""
    answer: Floats = (hashed >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0
    return answer


def exp(x: Floats) -> Floats:
    """e to the power of x, to about 1e-9, identically on every machine."""
    whole = np.rint(x / _LN_2)
    rest = x - whole * _LN_2
    answer = np.zeros_like(rest)
    for coefficient in _COEFFICIENTS:
        answer = answer * rest + coefficient
    scaled: Floats = np.ldexp(answer, whole.astype(np.int32))
    return scaled
