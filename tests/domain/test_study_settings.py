"""A study as it is set up and saved, and the registry of what there is."""

from __future__ import annotations

import json

import numpy as np
import pytest

from desktop.domain.errors import BadInput
from desktop.domain.market import Market
from desktop.domain.studies.entry import StudyEntry
from desktop.domain.studies.registry import STUDIES
from desktop.domain.studies.series import StudySeries
from desktop.domain.studies.study import Study
from tests.helpers.study_bars import walk

each_study = pytest.mark.parametrize("entry", STUDIES, ids=lambda entry: entry.kind)


@each_study
def test_an_entry_fits_its_kernel(entry: StudyEntry) -> None:
    study = Study.of(entry.kind)
    series = StudySeries(study, Market.STOCKS)
    series.reset(walk(400))
    assert len(series.outputs) == len(entry.output_names)
    assert {output for plot in entry.plots for output in plot.outputs} <= set(range(len(series.outputs)))
    assert len({plot.name for plot in entry.plots}) == len(entry.plots)
    assert (entry.axis == "own") == (entry.place == "pane")
    if entry.fixed_range is not None:
        low, high = entry.fixed_range
        for column in series.outputs:
            known = column[~np.isnan(column)]
            assert len(known)
            assert low <= known.min()
            assert known.max() <= high


@each_study
def test_a_study_survives_being_saved(entry: StudyEntry) -> None:
    study = Study.of(entry.kind).with_colours({entry.plots[0].name: "#12aBfF"})
    assert Study.from_dict(json.loads(json.dumps(study.to_dict()))) == study
    assert Study.from_dict({"kind": entry.kind}) == Study.of(entry.kind)


def test_no_bars_no_values() -> None:
    bars = walk(5)
    for entry in STUDIES:
        series = StudySeries(Study.of(entry.kind), Market.STOCKS)
        series.reset(bars.take(0, 0))
        assert [len(column) for column in series.outputs] == [0] * len(entry.output_names)
        series.changed(bars, 0)
        assert [len(column) for column in series.outputs] == [5] * len(entry.output_names)
        series.changed(bars.take(0, 0), 0)
        assert len(series) == 0


@pytest.mark.parametrize(
    ("saved", "sentence"),
    [
        (None, "A saved study does not say which study it is."),
        ({"params": {}}, "A saved study does not say which study it is."),
        ({"kind": "zigzag"}, "There is no study called “zigzag”."),
        ({"kind": "sma", "params": [20]}, "The saved study “sma” cannot be read."),
        ({"kind": "sma", "params": {"length": 20}}, "Simple moving average has no setting “length”."),
        ({"kind": "sma", "params": {"period": 0}}, "Length of Simple moving average cannot be 0."),
        ({"kind": "sma", "params": {"period": 2.5}}, "Length of Simple moving average must be a whole number."),
        ({"kind": "sma", "params": {"period": "20"}}, "Length of Simple moving average must be a number."),
        ({"kind": "sma", "params": {"period": True}}, "Length of Simple moving average must be a number."),
        ({"kind": "sma", "params": {"period": float("nan")}}, "Length of Simple moving average must be a number."),
        ({"kind": "sma", "params": {"source": "vwap"}}, "Source of Simple moving average cannot be “vwap”."),
        ({"kind": "vwap", "params": {"anchor": 3}}, "Anchor of Volume-weighted average price cannot be “3”."),
        ({"kind": "sma", "colours": {"average": "red"}}, "“red” is not a colour."),
        ({"kind": "sma", "colours": {"line": "#000000"}}, "Simple moving average draws nothing called “line”."),
    ],
)
def test_what_cannot_be_used_is_told_in_a_sentence(saved: object, sentence: str) -> None:
    with pytest.raises(BadInput) as raised:
        Study.from_dict(saved)
    assert raised.value.sentence == sentence


@pytest.mark.parametrize(
    ("study", "label"),
    [
        (Study.of("ema", period=50), "EMA 50"),
        (Study.of("sma", source="hl2"), "SMA 20 hl2"),
        (Study.of("macd"), "MACD 12 26 9"),
        (Study.of("bollinger"), "BB 20 2"),
        (Study.of("vwap"), "VWAP session"),
        (Study.of("obv"), "OBV"),
    ],
)
def test_the_legend_says_what_differs(study: Study, label: str) -> None:
    assert study.label == label


def test_other_parameters_keep_the_colours() -> None:
    study = Study.of("sma").with_colours({"average": "#00ff00"}).with_params(period=50)
    assert dict(study.params) == {"period": 50, "source": "close"}
    assert dict(study.colours) == {"average": "#00ff00"}


def test_the_cloud_lies_ahead_and_the_lagging_line_behind() -> None:
    study = Study.of("ichimoku", displacement=30)
    assert {plot.name: study.shift_of(plot) for plot in study.entry.plots} == {
        "cloud": 29,
        "conversion": 0,
        "base": 0,
        "lagging": -29,
    }
