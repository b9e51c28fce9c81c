"""Roll-up against a slow, obvious reference."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.aggregation import bar_of_trades, roll_up
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import Market
from desktop.domain.timeframe import Timeframe, bucket_start, bucket_starts

price = st.floats(1e-8, 1e6, allow_nan=False)
size = st.floats(1e-9, 1e9, allow_nan=False)
minute_bars = st.lists(st.tuples(st.integers(0, 5000), price, price, size), max_size=60, unique_by=lambda row: row[0])


@given(minute_bars, st.sampled_from(["5m", "1h", "1D", "1W"]), st.sampled_from(list(Market)))
def test_equals_the_obvious_loop(rows: list[tuple[int, float, float, float]], text: str, market: Market) -> None:
    timeframe = Timeframe.parse(text)
    bars = Bars.from_rows(
        [
            Bar(1_700_000_000_000 // 60_000 * 60_000 + t * 60_000, o, max(o, c), min(o, c), c, v, o, 1.0)
            for t, o, c, v in rows
        ]
    )
    groups: dict[int, list[Bar]] = {}
    for index in range(len(bars)):
        groups.setdefault(bucket_start(int(bars.start_ms[index]), timeframe, market), []).append(bars[index])
    rolled = roll_up(bars, timeframe, market)
    assert rolled.start_ms.tolist() == sorted(groups)
    for bar in (rolled[i] for i in range(len(rolled))):
        group = groups[bar.start_ms]
        assert bar.open == group[0].open
        assert bar.close == group[-1].close
        assert bar.high == max(b.high for b in group)
        assert bar.low == min(b.low for b in group)
        assert bar.volume == math.fsum(b.volume for b in group)
        assert bar.trades == len(group)
        low, high = min(b.vwap for b in group), max(b.vwap for b in group)
        assert low * (1 - 1e-9) <= bar.vwap <= high * (1 + 1e-9)


@given(
    st.integers(0, 1 << 32),
    st.floats(0, 1),
    st.integers(1, 40),
    st.sampled_from(["7m", "1h", "5h", "1D", "3D", "1W", "1M"]),
    st.sampled_from(list(Market)),
)
def test_long_series_have_exact_sums_and_the_buckets_of_the_calendar(
    seed: int, share: float, spread: int, text: str, market: Market
) -> None:
    """Over a change of the clocks, with holes, unknown and zero volumes of very different sizes."""
    rng, timeframe = np.random.default_rng(seed), Timeframe.parse(text)
    start_ms = 1_710_000_000_000 + 60_000 * np.flatnonzero(rng.random(20_000) < share)
    count = len(start_ms)
    volume = np.round(rng.random(count) * 10.0 ** rng.integers(-spread, spread // 8 + 1, count), 12)
    volume[rng.random(count) < 0.001] = np.nan
    bars = Bars(start_ms, *rng.random((4, count)), volume, *rng.random((2, count)))
    rolled = roll_up(bars, timeframe, market)
    starts = bucket_starts(start_ms, timeframe, market)
    first = np.flatnonzero(np.append(True, starts[1:] != starts[:-1])) if count else np.empty(0, np.int64)
    assert rolled.start_ms.tolist() == starts[first].tolist()
    assert rolled.open.tolist() == bars.open[first].tolist()
    exact = [math.fsum(group) for group in np.split(volume, first[1:])] if count else []
    np.testing.assert_array_equal(rolled.volume, exact)


def test_volumes_too_large_to_add_are_infinite() -> None:
    bars = Bars.from_rows([Bar(0, 1, 1, 1, 1, 1.7e308, 1.0, 1.0), Bar(60_000, 1, 1, 1, 1, 1.7e308, 1.0, 1.0)])
    assert roll_up(bars, Timeframe.parse("5m"), Market.CRYPTO).volume.tolist() == [math.inf]


def test_an_unknown_part_makes_the_sum_unknown() -> None:
    bars = Bars.from_rows([Bar(0, 1, 1, 1, 1, 2.0, 1.0, 3.0), Bar(60_000, 1, 1, 1, 1)])
    rolled = roll_up(bars, Timeframe.parse("5m"), Market.CRYPTO)
    assert np.isnan(rolled.volume[0])
    assert np.isnan(rolled.trades[0])


def test_bar_of_trades() -> None:
    bar = bar_of_trades(60_000, [10.0, 12.0, 9.0, 11.0], [0.1, 0.2, 0.3, 0.4])
    assert (bar.open, bar.high, bar.low, bar.close, bar.trades) == (10.0, 12.0, 9.0, 11.0, 4.0)
    assert bar.volume == math.fsum([0.1, 0.2, 0.3, 0.4])
