"""Layouts of charts: kept whole over JSON, strict with everything else."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.errors import BadInput
from desktop.domain.layout import Cell, Grid, Layout, Link, LinkOptions, Tab, tidy_name
from desktop.domain.layout_json import dump, load
from desktop.domain.look import ChartKind, Look, ScaleKind, StudyLook
from desktop.domain.studies.study import Study
from desktop.domain.timeframe import Span, Timeframe

TICKERS = st.from_regex(r"[A-Z]{1,5}|X:[A-Z]{3,9}USD", fullmatch=True)
TIMEFRAMES = st.builds(Timeframe, st.integers(1, 12), st.sampled_from([Span.MINUTE, Span.HOUR, Span.DAY]))
LOOKS = st.builds(
    Look,
    st.sampled_from(ChartKind),
    st.sampled_from(ScaleKind),
    st.booleans(),
    st.sampled_from([(), (StudyLook(Study.of("ema", period=50)), StudyLook(Study.of("rsi"), True, 0.2))]),
)
CELLS = st.builds(Cell, TICKERS, TIMEFRAMES, st.none() | st.sampled_from(Link), LOOKS)
OPTIONS = st.builds(LinkOptions, st.booleans(), st.booleans(), st.booleans())


@st.composite
def tabs(draw: st.DrawFn) -> Tab:
    grid = draw(st.sampled_from(Grid))
    cells = draw(st.lists(CELLS, min_size=grid.size, max_size=grid.size))
    return Tab(tuple(cells), grid, draw(st.integers(0, grid.size - 1)), tidy_name(draw(st.text(max_size=60))))


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    held = draw(st.lists(tabs(), min_size=1, max_size=5))
    links = draw(st.dictionaries(st.sampled_from(Link), OPTIONS))
    return Layout(tuple(held), draw(st.integers(0, len(held) - 1)), links)


@given(layouts())
def test_a_layout_comes_back_equal(layout: Layout) -> None:
    assert load(dump(layout)) == layout


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """A written layout with one value exchanged somewhere."""
    held = json.loads(dump(draw(layouts())))
    spot = held
    while True:
        keys = list(spot) if isinstance(spot, dict) else list(range(len(spot)))
        key = draw(st.sampled_from(keys))
        if isinstance(spot[key], (dict, list)) and spot[key] and draw(st.booleans()):
            spot = spot[key]
            continue
        spot[key] = draw(JSON)
        return json.dumps(held)


@given(spoilt() | st.text(max_size=40) | JSON.map(json.dumps))
def test_anything_else_is_refused_or_read(text: str) -> None:
    with contextlib.suppress(BadInput):
        layout = load(text)
        assert load(dump(layout)) == layout


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ('"version": 1', '"version": 2', "newer version"),
        ('"grid": "1"', '"grid": "7"', "unknown grid"),
        ('"grid": "1"', '"grid": "4"', "1 charts in a grid of 4"),
        ('"ticker": "AAPL"', '"ticker": ""', "no ticker"),
        ('"link": "blue"', '"link": "pink"', "unknown link"),
        ('"timeframe": "1m"', '"timeframe": "1x"', "1x"),
        ('"active": 0, "tabs"', '"active": 1, "tabs"', "no tab"),
        ('"active": 0, "cells"', '"active": -1, "cells"', "no chart"),
        ('"name": ""', '"title": ""', "not written as it should be"),
        ('"links": {}', '"links": []', "links"),
    ],
)
def test_what_is_wrong_is_said(before: str, after: str, sentence: str) -> None:
    text = dump(Layout((Tab((Cell("AAPL", Timeframe.parse("1m"), Link.BLUE),)),)))
    assert before in text
    with pytest.raises(BadInput, match=sentence):
        load(text.replace(before, after))


@pytest.mark.parametrize("grid", list(Grid))
def test_a_grid_is_covered_once(grid: Grid) -> None:
    taken = [
        (row + down, column + right)
        for row, column, rows, columns in grid.places
        for down in range(rows)
        for right in range(columns)
    ]
    rows, columns = (max(place) + 1 for place in zip(*taken, strict=True))
    assert len(taken) == len(set(taken)) == rows * columns
