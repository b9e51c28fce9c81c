"""Every study against TA-Lib or its written-out definition: whole, bar by bar, and with older bars put in front."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.bars import Bars, BarSeries
from desktop.domain.market import Market
from desktop.domain.studies.entry import Parameter, StudyEntry
from desktop.domain.studies.registry import STUDIES
from desktop.domain.studies.series import StudySeries, compute
from desktop.domain.studies.study import Study
from tests.helpers.study_bars import any_bars, recorded, walk
from tests.helpers.study_reference import assert_equal, expected

each_study = pytest.mark.parametrize("entry", STUDIES, ids=lambda entry: entry.kind)
markets = st.sampled_from(list(Market))


def any_value(parameter: Parameter) -> st.SearchStrategy[object]:
    if parameter.choices:
        return st.sampled_from(parameter.choices)
    if parameter.kind == "int":
        return st.integers(int(parameter.minimum), 40)
    return st.floats(parameter.minimum, parameter.maximum)


def any_study(entry: StudyEntry) -> st.SearchStrategy[Study]:
    values = st.fixed_dictionaries({parameter.name: any_value(parameter) for parameter in entry.parameters})
    return values.map(lambda chosen: Study.of(entry.kind, **chosen))


def with_last_changed(bars: Bars, index: int, factor: float) -> Bars:
    """The same bars, the one at `index` as it was while it formed."""
    columns = [column.copy() for column in bars.values()]
    for column in columns[:5]:
        column[index] *= factor
    columns[1][index] = max(column[index] for column in columns[:4])
    columns[2][index] = min(column[index] for column in columns[:4])
    return Bars(bars.start_ms, *columns)


@each_study
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whole_series(entry: StudyEntry, data: st.DataObject) -> None:
    study, bars, market = data.draw(any_study(entry)), data.draw(any_bars()), data.draw(markets)
    series = StudySeries(study, market)
    series.reset(bars)
    assert_equal(study, bars, series.outputs, expected(study, bars, market), "whole")


@each_study
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_follows_its_bars(entry: StudyEntry, data: st.DataObject) -> None:
    """Ticks, new bars one or many at a time, late corrections, bars taken out at the end, older bars in front."""
    study, bars, market = data.draw(any_study(entry)), data.draw(any_bars()), data.draw(markets)
    begin = data.draw(st.integers(0, len(bars)))
    end = data.draw(st.integers(begin, len(bars)))
    series = StudySeries(study, market)
    series.reset(bars.take(begin, end))
    while begin > 0 or end < len(bars):
        match data.draw(st.sampled_from(["append", "append", "tick", "correct", "remove", "prepend"])):
            case "append" if end < len(bars):
                added = min(data.draw(st.sampled_from([1, 1, 1, 2, 70])), len(bars) - end)
                end += added
                series.changed(bars.take(begin, end), end - begin - added)
            case "tick" if end > begin:
                forming = with_last_changed(bars.take(begin, end), end - begin - 1, data.draw(st.floats(0.9, 1.1)))
                series.changed(forming, end - begin - 1)
                assert_equal(study, forming, series.outputs, expected(study, forming, market), "forming")
                series.changed(bars.take(begin, end), end - begin - 1)
            case "correct" if end > begin:
                index = data.draw(st.integers(max(0, end - begin - 9), end - begin - 1))
                corrected = with_last_changed(bars.take(begin, end), index, 1.01)
                series.changed(corrected, index)
                assert_equal(study, corrected, series.outputs, expected(study, corrected, market), "corrected")
                series.changed(bars.take(begin, end), index)
            case "remove" if end - begin > 3:
                end -= data.draw(st.integers(1, 3))
                series.changed(bars.take(begin, end), end - begin)
            case "prepend" if begin > 0:
                added = data.draw(st.integers(1, begin))
                begin -= added
                series.prepended(bars.take(begin, end), added)
                now = bars.take(begin, end)
                assert_equal(study, now, series.outputs, expected(study, now, market), "prepended")
            case _:
                end = min(end + 1, len(bars))
                series.changed(bars.take(begin, end), max(0, end - begin - 1))
        assert len(series) == end - begin
    assert_equal(study, bars, series.outputs, expected(study, bars, market), "in the end")


@each_study
@pytest.mark.parametrize("flat", [0.0, 0.9, 1.0])
def test_from_the_first_bar_on(entry: StudyEntry, flat: float) -> None:
    """Through the bars that a study needs before it says anything."""
    bars = walk(150, decimals=7, flat=flat, price=64_231.5)
    study = Study.of(entry.kind)
    series = StudySeries(study, Market.CRYPTO)
    want = expected(study, bars, Market.CRYPTO)
    for count in range(1, len(bars) + 1):
        series.changed(bars.take(0, count), count - 1)
        known = tuple(column[:count] for column in want)
        assert_equal(study, bars.take(0, count), series.outputs, known, f"{count} bars")


@each_study
def test_many_bars_one_at_a_time(entry: StudyEntry) -> None:
    """Longer than what is set aside at first, and than what the parabolic SAR holds."""
    bars = walk(3000, decimals=4, flat=0.1)
    study = Study.of(entry.kind)
    series = StudySeries(study, Market.STOCKS)
    series.reset(bars.take(0, 400))
    for count in range(401, len(bars) + 1):
        series.changed(bars.take(0, count), count - 2)
    assert_equal(study, bars, series.outputs, expected(study, bars, Market.STOCKS), "bar by bar")
    for index in (700, 2200, 1):
        corrected = with_last_changed(bars, index, 1.02)
        series.changed(corrected, index)
        assert_equal(study, corrected, series.outputs, expected(study, corrected, Market.STOCKS), f"bar {index}")
        series.changed(bars, index)


@each_study
def test_what_a_worker_computed_is_adopted(entry: StudyEntry) -> None:
    bars = walk(600)
    study = Study.of(entry.kind)
    series = StudySeries(study, Market.CRYPTO)
    series.adopt(compute(study, bars.take(0, 500), Market.CRYPTO))
    series.changed(bars.take(0, 590), 589)  # what came in meanwhile is made up for
    series.changed(bars, 590)
    assert_equal(study, bars, series.outputs, expected(study, bars, Market.CRYPTO), "adopted")


@each_study
def test_values_stay_with_their_bars_while_a_worker_computes(entry: StudyEntry) -> None:
    bars = walk(700)
    study = Study.of(entry.kind)
    series = StudySeries(study, Market.CRYPTO)
    series.reset(bars.take(200, 500))
    before = tuple(column.copy() for column in series.outputs)
    series.shifted(200)
    assert all(np.isnan(column[:200]).all() for column in series.outputs)
    assert_equal(study, bars, tuple(column[200:] for column in series.outputs), before, "shifted")
    held = BarSeries(bars.take(0, 500))
    computed = compute(study, held.bars, Market.CRYPTO)
    for count in range(501, len(bars) + 1):
        series.changed(bars.take(0, count), count - 2)
    assert all(len(column) == 700 and np.isfinite(column[500:]).all() for column in series.outputs)
    series.adopt(computed)
    series.changed(bars, 499)
    assert_equal(study, bars, series.outputs, expected(study, bars, Market.CRYPTO), "adopted")


def test_cci_is_ta_libs_to_the_last_bit() -> None:
    """Where one tick moves a price that stands still, the order of its sums shows in the ninth digit."""
    bars = walk(300, price=64_231.5, decimals=7, flat=0.9)
    series = StudySeries(Study.of("cci"), Market.CRYPTO)
    for count in range(1, len(bars) + 1):
        series.changed(bars.take(0, count), count - 1)
    assert np.array_equal(series.outputs[0], talib.CCI(bars.high, bars.low, bars.close, 20), equal_nan=True)


@each_study
def test_follows_a_bar_series(entry: StudyEntry) -> None:
    """With the changes as the store of a chart tells them."""
    bars = walk(300, unknown=0.1)
    study = Study.of(entry.kind)
    held = BarSeries(bars.take(150, 200))
    series = StudySeries(study, Market.FOREX)
    series.reset(held.bars)
    for part in (bars.take(190, 260), bars.take(40, 150), bars.take(260, 261), bars.take(0, 300)):
        change = held.merge(part)
        if change.prepended:
            series.prepended(held.bars, change.prepended)
        series.changed(held.bars, change.first_index)
    assert_equal(study, bars, series.outputs, expected(study, bars, Market.FOREX), "merged")


@pytest.mark.parametrize("seed", range(5))
def test_own_sums_equal_ta_lib_on_ordinary_bars(seed: int) -> None:
    """Those that are not computed by TA-Lib although it has them."""
    bars = walk(2000, seed, price=3000.0)
    upper, middle, lower = talib.BBANDS(bars.close, 20, 2.0, 2.0)
    cases = {
        "bollinger": (middle, upper, lower),
        "volume_ma": (talib.SMA(bars.volume, 20),),
        "mfi": (talib.MFI(bars.high, bars.low, bars.close, bars.volume, 14),),
    }
    for kind, want in cases.items():
        study = Study.of(kind)
        series = StudySeries(study, Market.STOCKS)
        series.reset(bars)
        assert_equal(study, bars, series.outputs, want, "TA-Lib")


@each_study
@pytest.mark.parametrize(
    ("name", "market"), [("X_BTCUSD_1m", Market.CRYPTO), ("AAPL_1d", Market.STOCKS), ("C_EURUSD_1h", Market.FOREX)]
)
def test_recorded_bars(shared_data: Path, entry: StudyEntry, name: str, market: Market) -> None:
    bars = recorded(shared_data / f"{name}.csv.gz", 4000)
    study = Study.of(entry.kind)
    want = expected(study, bars, market)
    series = StudySeries(study, market)
    series.reset(bars)
    assert_equal(study, bars, series.outputs, want, "whole")
    series.reset(bars.take(1000, 3000))
    for count in range(3001, len(bars) + 1):
        series.changed(bars.take(1000, count), count - 1000 - 2)
    series.prepended(bars, 1000)
    assert_equal(study, bars, series.outputs, want, "prepended")
    series.reset(bars.take(0, 3000))
    for count in range(3001, len(bars) + 1):
        series.changed(bars.take(0, count), count - 2)
    assert_equal(study, bars, series.outputs, want, "bar by bar")


def test_a_gap_of_volume_passes() -> None:
    bars = walk(200)
    bars.volume[50:55] = np.nan
    for kind, period in (("volume_ma", 20), ("mfi", 14)):
        series = StudySeries(Study.of(kind, period=period), Market.CRYPTO)
        series.reset(bars)
        (values,) = series.outputs
        unknown = np.flatnonzero(np.isnan(values)).tolist()
        assert unknown == [*range(period - (kind == "volume_ma")), *range(50, 54 + period)]


def test_bands_close_where_the_price_stands_still() -> None:
    """Right after a fall to a thousandth."""
    bars = walk(100)
    for column in bars.values()[:4]:
        column[:50] = 100.0
        column[50:] = 0.1
    series = StudySeries(Study.of("bollinger"), Market.CRYPTO)
    series.reset(bars)
    for column in series.outputs:
        np.testing.assert_allclose(column[69:], 0.1, rtol=1e-9)
