"""Bars for tests of studies: random walks of every kind, and the recorded ones."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from desktop.domain.bars import Bars, Floats

MINUTE = 60_000


def walk(
    count: int,
    seed: int = 1,
    *,
    price: float = 100.0,
    decimals: int | None = None,
    flat: float = 0.0,
    unknown: float = 0.0,
    spikes: float = 0.0,
    step_ms: int = MINUTE,
    start_ms: int = 1_600_000_000_000,
) -> Bars:
    """A random walk that begins near `price`; shares of bars that stand still, lack volume or vwap, or trade hugely.

    `decimals`: digits of a price relative to `price`, so that equal prices happen.
    """
    random = np.random.default_rng(seed)

    def stepped(values: Floats) -> Floats:
        return values if decimals is None else np.round(values, decimals)

    moves = random.normal(size=count) * 0.003 * (random.random(count) >= flat)
    close = stepped(np.exp(np.cumsum(moves)))
    opened = np.concatenate([close[:1], close[:-1]])
    reach = np.abs(random.normal(size=(2, count))) * 0.002 * (random.random(count) >= flat)
    high = stepped(np.maximum(opened, close) + reach[0])
    low = stepped(np.minimum(opened, close) - reach[1])
    volume = random.lognormal(sigma=2.0, size=count) * np.where(random.random(count) < spikes, 1e9, 1.0)
    volume[random.random(count) < unknown] = np.nan
    vwap = (high + low) / 2
    vwap[random.random(count) < unknown] = np.nan
    starts = start_ms + step_ms * np.cumsum(random.integers(1, 4, count))
    return Bars(
        starts.astype(np.int64),
        *(column * price for column in (opened, high, low, close)),
        volume,
        vwap * price,
        volume,
    )


@st.composite
def any_bars(draw: st.DrawFn, max_size: int = 260) -> Bars:
    """Walks of 0 to `max_size` bars at prices of 1e-12 to 1e6, with stretches of one price and gaps of volume."""
    return walk(
        draw(st.integers(0, max_size)),
        draw(st.integers(0, 2**32)),
        price=draw(st.sampled_from([1e-12, 1e-8, 1.0, 64_231.5, 1e6])),
        decimals=draw(st.sampled_from([None, 2, 3, 7])),
        flat=draw(st.sampled_from([0.0, 0.3, 0.95, 1.0])),
        unknown=draw(st.sampled_from([0.0, 0.05, 0.5])),
        spikes=draw(st.sampled_from([0.0, 0.02])),
        step_ms=draw(st.sampled_from([1_000, MINUTE, 30 * MINUTE, 24 * 60 * MINUTE])),
    )


def recorded(file: Path, most: int) -> Bars:
    """The first bars of a recorded file."""
    with gzip.open(file, "rt") as lines:
        rows = np.loadtxt(lines, delimiter=",", skiprows=1, max_rows=most, usecols=range(6))
    unknown = np.full(len(rows), np.nan)
    columns = [np.ascontiguousarray(column) for column in rows[:, 1:].T]
    return Bars.from_columns(rows[:, 0].astype(np.int64), [*columns, unknown, unknown])
