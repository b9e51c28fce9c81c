"""Roll-up against a slow, obvious reference."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.aggregation import bar_of_trades, roll_up
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import Market
from desktop.domain.timeframe import Timeframe, bucket_start

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


def test_an_unknown_part_makes_the_sum_unknown() -> None:
    bars = Bars.from_rows([Bar(0, 1, 1, 1, 1, 2.0, 1.0, 3.0), Bar(60_000, 1, 1, 1, 1)])
    rolled = roll_up(bars, Timeframe.parse("5m"), Market.CRYPTO)
    assert np.isnan(rolled.volume[0])
    assert np.isnan(rolled.trades[0])


def test_bar_of_trades() -> None:
    bar = bar_of_trades(60_000, [10.0, 12.0, 9.0, 11.0], [0.1, 0.2, 0.3, 0.4])
    assert (bar.open, bar.high, bar.low, bar.close, bar.trades) == (10.0, 12.0, 9.0, 11.0, 4.0)
    assert bar.volume == math.fsum([0.1, 0.2, 0.3, 0.4])
