"""Studies of long series, computed beside the GUI: whatever happens meanwhile, the values come out right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.domain.bars import Bars
from desktop.domain.market import Market
from desktop.domain.studies.series import StudySeries
from desktop.domain.studies.study import Study
from desktop.ui.chart.study_values import AT_ONCE, StudyValues
from tests.ui.chart_source import walk

WHOLE = walk(AT_ONCE + 5_000)
STEPS = st.lists(st.sampled_from(["append", "tick", "prepend", "deliver", "correct"]), max_size=12)


class Later:
    """Work that is done when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], Callable[[Any], None]]] = []

    def run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        self.waiting.append((work, done))

    def deliver(self) -> None:
        work, done = self.waiting.pop(0)
        done(work())


def expected(study: Study, bars: Bars) -> tuple[np.ndarray, ...]:
    series = StudySeries(study, Market.CRYPTO)
    series.reset(bars)
    return series.outputs


@pytest.mark.parametrize("kind", ["ema", "bollinger", "obv", "macd"])
@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_whatever_happens_meanwhile(kind: str, steps: list[str]) -> None:
    study, later, ready = Study.of(kind), Later(), []
    begin, end = 2_000, AT_ONCE + 4_000
    columns = [column.copy() for column in WHOLE.values()]

    def held() -> Bars:
        return Bars(WHOLE.start_ms[begin:end], *(column[begin:end] for column in columns))

    values = StudyValues(study, Market.CRYPTO, later.run, lambda: ready.append(True))
    values.reset(held())
    for step in steps:
        match step:
            case "append":
                end += 1
                values.changed(held(), end - begin - 2)
            case "tick":
                columns[3][end - 1] *= 1.001
                values.changed(held(), end - begin - 1)
            case "correct":
                columns[3][begin + 5_000] *= 1.01
                values.changed(held(), 5_000)
            case "prepend":
                begin -= 100
                values.prepended(held(), 100)
            case "deliver" if later.waiting:
                later.deliver()
        count = end - begin
        assert len(values.at(0, np.arange(count - 50, count))) == 50  # always something to draw
    while later.waiting:
        later.deliver()
    assert not values.is_pending
    assert ready
    for found, wanted in zip(values.outputs, expected(study, held()), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_values_of_before_stay_with_their_bars_while_older_ones_are_computed() -> None:
    study, later = Study.of("sma"), Later()
    values = StudyValues(study, Market.CRYPTO, later.run, lambda: None)
    values.reset(WHOLE.take(1_000, len(WHOLE)))
    assert np.isnan(values.at(0, np.array([500]))).all()
    later.deliver()
    before = values.at(0, np.array([20_000, 20_001]))
    values.prepended(WHOLE, 1_000)
    assert values.is_pending
    np.testing.assert_array_equal(values.at(0, np.array([21_000, 21_001])), before)
    assert np.isnan(values.at(0, np.array([999])))[0]
    later.deliver()
    np.testing.assert_allclose(values.at(0, np.array([21_000, 21_001])), before, rtol=1e-9)


def test_few_bars_are_computed_in_place() -> None:
    later = Later()
    values = StudyValues(Study.of("sma"), Market.CRYPTO, later.run, lambda: None)
    values.reset(WHOLE.take(0, 1_000))
    assert not later.waiting
    assert np.isfinite(values.at(0, np.array([999])))[0]
