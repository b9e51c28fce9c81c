"""The live end of a series against bars computed from all trades at once."""

from __future__ import annotations

import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.aggregation import bar_of_trades, roll_up
from desktop.domain.bars import Bar, Bars
from desktop.domain.market import Market
from desktop.domain.tail import Tail, seed_start
from desktop.domain.timeframe import MINUTE_MS, Timeframe, bucket_start

DAY = 1_700_006_400_000  # a UTC midnight
trades_of_a_run = st.lists(
    st.tuples(st.integers(0, 20 * MINUTE_MS - 1), st.integers(1, 500), st.integers(1, 64)), min_size=1, max_size=60
)


def minutes_of(trades: list[tuple[int, int, int]]) -> Bars:
    groups: dict[int, list[tuple[int, int, int]]] = {}
    for trade in sorted(trades, key=lambda t: t[0]):
        groups.setdefault(trade[0] - trade[0] % MINUTE_MS, []).append(trade)
    return Bars.from_rows(
        [bar_of_trades(start, [float(p) for _, p, _ in g], [s / 4 for _, _, s in g]) for start, g in groups.items()]
    )


@settings(max_examples=150)
@given(trades_of_a_run, st.randoms(use_true_random=False), st.sampled_from(["1m", "5m", "1h", "1D"]))
def test_trades_in_any_order_and_repeated_make_the_bars_of_all_trades(
    offsets: list[tuple[int, int, int]], rng: random.Random, text: str
) -> None:
    timeframe = Timeframe.parse(text)
    unique = {offset: (DAY + offset, price, size) for offset, price, size in offsets}
    trades = list(unique.values())
    sent = [*enumerate(trades), *rng.sample(list(enumerate(trades)), k=len(trades) // 2)]
    rng.shuffle(sent)
    tail = Tail(timeframe, Market.CRYPTO)
    tail.seed(Bars.empty(), Bars.empty(), DAY, DAY)
    for number, (time_ms, price, size) in sent:
        tail.trade(float(price), size / 4, time_ms, (1, str(number)))
    expected = roll_up(minutes_of(trades), timeframe, Market.CRYPTO)
    got = tail.bars(DAY, DAY + 86_400_000)
    assert got.start_ms.tolist() == expected.start_ms.tolist()
    for name in ("open", "high", "low", "close", "volume", "trades"):
        assert getattr(got, name).tolist() == getattr(expected, name).tolist(), name


@given(trades_of_a_run, st.integers(1, 19), st.sampled_from(["1m", "5m", "1h"]))
def test_a_seed_from_rest_and_the_trades_after_it_equal_all_trades(
    offsets: list[tuple[int, int, int]], cut: int, text: str
) -> None:
    timeframe = Timeframe.parse(text)
    trades = sorted({offset: (DAY + offset, price, size) for offset, price, size in offsets}.values())
    now_ms = DAY + cut * MINUTE_MS + 30_000
    seeded_ms = seed_start(now_ms, timeframe, Market.CRYPTO)
    before = [trade for trade in trades if trade[0] < now_ms]
    older = roll_up(minutes_of(before), timeframe.base, Market.CRYPTO).between(0, seeded_ms)
    tail = Tail(timeframe, Market.CRYPTO)
    tail.seed(older, minutes_of(before), seeded_ms, now_ms)
    for time_ms, price, size in trades:
        if time_ms >= now_ms - 10_000:  # some were buffered before REST answered: they count once
            tail.trade(float(price), size / 4, time_ms)
    first_ms = bucket_start(seeded_ms, timeframe, Market.CRYPTO)
    expected = roll_up(minutes_of(trades), timeframe, Market.CRYPTO).between(first_ms, DAY * 2)
    got = tail.bars(first_ms, DAY * 2)
    assert got.start_ms.tolist() == expected.start_ms.tolist()
    for name in ("open", "high", "low", "close", "volume", "trades"):
        assert getattr(got, name).tolist() == getattr(expected, name).tolist(), name


def seeded(text: str = "1m") -> Tail:
    tail = Tail(Timeframe.parse(text), Market.CRYPTO)
    tail.seed(Bars.empty(), Bars.empty(), DAY, DAY)
    return tail


def test_the_feeds_own_minute_replaces_what_trades_built_and_a_resent_one_replaces_it_again() -> None:
    tail = seeded()
    tail.trade(10.0, 1.0, DAY + 5)
    assert tail.minute(Bar(DAY, 9.0, 12.0, 8.0, 11.0, 3.0, 10.0)) == DAY
    bar = tail.bar(DAY)
    assert bar is not None
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (9.0, 12.0, 8.0, 11.0, 3.0)
    assert tail.trade(99.0, 1.0, DAY + 50_000) is None  # late, the minute is final
    assert tail.minute(Bar(DAY, 9.0, 13.0, 8.0, 11.0, 4.0, 10.0)) == DAY
    corrected = tail.bar(DAY)
    assert corrected is not None
    assert corrected.high == 13.0


def test_second_bars_build_the_minute_where_there_are_no_trades() -> None:
    tail = seeded()
    assert tail.second(Bar(DAY, 10.0, 11.0, 10.0, 11.0, 2.0, 10.5)) == DAY
    assert tail.second(Bar(DAY + 1000, 11.0, 12.0, 9.0, 9.5, 1.0, 10.0)) == DAY
    assert tail.second(Bar(DAY + 1000, 11.0, 12.0, 9.0, 9.5, 1.0, 10.0)) is None  # repeated
    bar = tail.bar(DAY)
    assert bar is not None
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (10.0, 12.0, 9.0, 9.5, 3.0)


def test_corrections_of_bars_before_the_tail_are_named_once() -> None:
    tail = seeded()
    assert tail.minute(Bar(DAY - MINUTE_MS, 1, 1, 1, 1, 1, 1)) is None
    assert tail.take_outside() == {DAY - MINUTE_MS}
    assert tail.take_outside() == set()


def test_an_hour_without_trades_has_no_bar() -> None:
    assert seeded("1h").bar(DAY) is None


def test_finished_buckets_can_be_dropped_without_changing_the_bar_they_belong_to() -> None:
    tail = Tail(Timeframe.parse("4h"), Market.CRYPTO)
    tail.seed(Bars.empty(), Bars.empty(), DAY, DAY)
    for minute in range(0, 200, 7):
        tail.trade(100.0 + minute, 0.25, DAY + minute * MINUTE_MS)
    whole = tail.bar(DAY)
    tail.drop_before(DAY + 2 * 3_600_000)
    assert len(tail.minutes) < 29
    assert tail.bar(DAY) == whole
    assert whole is not None
    assert not math.isnan(whole.volume)
