"""A chart's look as JSON: there and back, and whatever a damaged file holds instead."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.look import LEAST_SHARE, MOST_SHARE, ChartKind, Look, ScaleKind, StudyLook
from desktop.domain.studies.registry import STUDIES
from desktop.domain.studies.study import Study

studies = st.builds(
    StudyLook,
    st.sampled_from([entry.kind for entry in STUDIES]).map(Study.of),
    st.booleans(),
    st.integers(500, 6000).map(lambda share: share / 10_000),
)
looks = st.builds(
    Look,
    st.sampled_from(list(ChartKind)),
    st.sampled_from(list(ScaleKind)),
    st.booleans(),
    st.lists(studies, max_size=6).map(tuple),
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(looks)
def test_a_look_comes_back_as_it_was(look: Look) -> None:
    assert Look.from_dict(json.loads(json.dumps(look.to_dict()))) == look


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("kind", "scale", "is_inverted", "studies"), anything)))
def test_what_cannot_be_read_is_as_usual(saved: dict[str, Any]) -> None:
    look = Look.from_dict(saved)
    assert look.kind in ChartKind
    assert look.scale in ScaleKind
    assert all(LEAST_SHARE <= one.share <= MOST_SHARE for one in look.studies)


@pytest.mark.parametrize("saved", [None, 5, "text", [], {"studies": [{"kind": "unheard of"}, 5, None]}])
def test_no_look_is_the_usual_one(saved: object) -> None:
    assert Look.from_dict(saved) == Look()
