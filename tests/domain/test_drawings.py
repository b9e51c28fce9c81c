"""Drawings keep their anchors bit for bit, and a text from anywhere becomes drawings or one sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.drawing_json import as_record, dump, from_record, load
from desktop.domain.drawings import Anchor, Drawing, Kind, Style, rounded, tick_of
from desktop.domain.errors import BadInput
from tests.domain.drawing_strategies import drawings, prices

TREND = Drawing(Kind.TREND, (Anchor(0, 1.5), Anchor(60_000, 2.5)), id="a")


@given(st.lists(drawings(), max_size=5, unique_by=lambda drawing: drawing.id))
def test_json_gives_back_equal_drawings(held: list[Drawing]) -> None:
    again = load(dump(held, "X:BTCUSD"))
    assert again == tuple(held)
    assert [[anchor.price.hex() for anchor in each.anchors] for each in again] == [
        [anchor.price.hex() for anchor in each.anchors] for each in held
    ]


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(drawings(), st.data())
def test_a_record_with_one_wrong_entry_is_a_drawing_or_one_sentence(drawing: Drawing, data: st.DataObject) -> None:
    record = as_record(drawing)
    place: Any = data.draw(st.sampled_from([record, record["style"], record["anchors"], record["anchors"][0]]))
    key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    place[key] = data.draw(junk)
    try:
        found: Drawing | BadInput = from_record(record)
    except BadInput as error:
        found = error
    assert isinstance(found, Drawing) or str(found).endswith(".")


@given(st.text(max_size=50) | junk.map(json.dumps))
def test_any_other_text_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadInput, match=r"\.$"):
        load(text)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "circle"}, "no drawing of the kind “circle”"),
        ({"anchors": [[0, 1.0]]}, "“Trend line” has 2 anchors"),
        ({"anchors": [[0, 1.0], [0.5, 1.0]]}, "whole number of milliseconds"),
        ({"anchors": [[0, 1.0], [10**17, 1.0]]}, "outside of the times"),
        ({"anchors": [[0, 1.0], [0, 1e16]]}, "outside of the prices"),
        ({"anchors": [[0, 1.0], [0, float("nan")]]}, "where a number should be"),
        ({"text": "x" * 501}, "at most 500 characters"),
        ({"text": "\ud800"}, "where a text should be"),
        ({"is_locked": 1}, "true or false"),
        ({"style": {"colour": "red", "width": 1, "dash": "solid"}}, "no colour"),
        ({"style": {"colour": "#ffffff", "width": 99, "dash": "solid"}}, "between 0.5 and 10"),
        ({"style": {"colour": "#ffffff", "width": 1, "dash": "wavy"}}, "no line of the kind"),
        ({"id": ""}, "proper id"),
        ({"more": 1}, "unknown entry “more”"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        from_record(as_record(TREND) | changes)


def test_files_of_other_kinds_are_refused() -> None:
    good = json.loads(dump([TREND]))
    for wrong, sentence in (
        (good | {"version": 2}, "newer version"),
        (good | {"format": "x"}, "no file with drawings"),
        (good | {"drawings": good["drawings"] * 2}, "the same id"),
        (good | {"extra": 1}, "unknown entry"),
        ([good], "no file with drawings"),
    ):
        with pytest.raises(BadInput, match=sentence):
            load(json.dumps(wrong))
    with pytest.raises(BadInput, match="too large"):
        load(" " * (9 << 20))
    with pytest.raises(BadInput, match="no file"):
        load("[" * 100_000)


def test_nudging_is_exact_in_decimal_digits() -> None:
    drawing = Drawing(Kind.HORIZONTAL, (Anchor(5, 0.1),))
    for _ in range(2):
        drawing = drawing.nudged(1, 0.1)
    assert drawing.anchors == (Anchor(5, 0.3),)
    assert drawing.nudged(-3, tick_of(1)).anchors == (Anchor(5, 0.0),)
    assert tick_of(8) == 1e-8


@given(drawings(), st.integers(-50, 50))
def test_nudging_there_and_back_leaves_everything_as_it_was(drawing: Drawing, ticks: int) -> None:
    there = drawing.nudged(ticks, 0.25)
    assert [anchor.time_ms for anchor in there.anchors] == [anchor.time_ms for anchor in drawing.anchors]
    back = there.nudged(-ticks, 0.25)
    for one, other in zip(back.anchors, drawing.anchors, strict=True):
        assert one.price == pytest.approx(other.price, abs=1e-7)


@given(drawings(), st.integers(0, 2), st.integers(-10, 10), prices)
def test_moving_one_anchor_leaves_the_others_bit_for_bit(
    drawing: Drawing, index: int, time_ms: int, price: float
) -> None:
    index %= len(drawing.anchors)
    after = drawing.with_anchor(index, Anchor(time_ms, price))
    assert after.anchors[index] == (time_ms, price)
    assert after.anchors[:index] + after.anchors[index + 1 :] == drawing.anchors[:index] + drawing.anchors[index + 1 :]


def test_a_clone_is_its_own() -> None:
    locked = Drawing(Kind.TEXT, (Anchor(1, 2.0),), Style("#123456"), "hello", is_locked=True)
    clone = locked.clone()
    assert clone.id != locked.id
    assert not clone.is_locked
    assert (clone.anchors, clone.style, clone.text) == (locked.anchors, locked.style, locked.text)


def test_prices_are_rounded_as_they_are_written() -> None:
    assert rounded(64_231.504999, 2) == 64_231.5
    assert rounded(1e-8, 2) == 0.0
    assert rounded(float("inf"), 2) == float("inf")
