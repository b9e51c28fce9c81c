"""Price scales: what stands where, and labels that are unique, ordered, apart and without exponents."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop.domain.look import ScaleKind
from desktop.domain.market import Market
from desktop.ui import formatting
from desktop.ui.chart.geometry import PriceScale
from desktop.ui.chart.scales import Scale, Writer, scale_labels

FONT = 15.0
kinds = st.sampled_from(list(ScaleKind))
prices = st.floats(1e-10, 1e9)


@given(kinds, prices, st.floats(1e-6, 1e6), st.floats(60, 2200), st.sampled_from(list(Market)))
@example(ScaleKind.LOG, 1e-10, 1e6, 700.0, Market.CRYPTO)
@example(ScaleKind.PERCENT, 1.5e-7, 1e-6, 700.0, Market.CRYPTO)
@example(ScaleKind.LOG, 3_000.0, 30.0, 700.0, Market.CRYPTO)
def test_labels_are_ordered_unlike_each_other_and_apart(
    kind: ScaleKind, low: float, share: float, height: float, market: Market
) -> None:
    high = low * (1 + share)
    scale = Scale(kind, reference=low * 1.3)
    bottom, top = scale.units(low), scale.units(high)
    labels, _writer = scale_labels(scale, bottom, top, height, FONT, formatting.price_style(low, market))
    texts = [label.text for label in labels]
    assert len(set(texts)) == len(texts)
    assert not any("e" in text.lower() for text in texts)
    rows = PriceScale(bottom, top, 0, 1, scale.is_log)
    places = [(rows.top - scale.units(label.price)) / (rows.top - rows.bottom) * height for label in labels]
    assert places == sorted(places, reverse=True)
    assert all(below - above >= 39.0 for below, above in pairwise(places))
    assert all(-1e-6 * height <= place <= height * (1 + 1e-6) for place in places)
    if height > 300:
        assert len(labels) >= 1


@pytest.mark.parametrize(
    ("kind", "reference", "price", "text"),
    [
        (ScaleKind.LINEAR, 100.0, 101.5, "101.50"),
        (ScaleKind.LOG, 100.0, 101.5, "101.50"),
        (ScaleKind.PERCENT, 100.0, 102.5, "+2.50 %"),
        (ScaleKind.PERCENT, 100.0, 97.5, "\u22122.50 %"),
        (ScaleKind.PERCENT, 100.0, 100.0, "0.00 %"),
        (ScaleKind.INDEXED, 50.0, 51.25, "102.50"),
        (ScaleKind.PERCENT, math.nan, 101.5, "\u2014"),
    ],
)
def test_prices_are_written_as_the_axis_does(kind: ScaleKind, reference: float, price: float, text: str) -> None:
    writer = Writer(Scale(kind, reference=reference), formatting.price_style(100.0, Market.STOCKS))
    assert writer.text(price) == text


@given(prices, st.floats(1e-4, 1e4), st.booleans(), st.booleans(), st.floats(0, 1))
def test_a_price_and_its_row_lead_to_each_other(
    low: float, share: float, is_log: bool, is_inverted: bool, at: float
) -> None:
    scale = Scale(ScaleKind.LOG if is_log else ScaleKind.LINEAR, is_inverted)
    bottom, top = scale.units(low), scale.units(low * (1 + share))
    rows = PriceScale(bottom, top, 10, 1000, is_log, is_inverted)
    price = scale.price(bottom + at * (top - bottom))
    row = rows.row(price)
    assert 10 <= row <= 1010
    assert rows.row(rows.price(row)) == row
    higher, lower = rows.row(low * (1 + share)), rows.row(low)
    assert (higher, lower) == ((1010, 10) if is_inverted else (10, 1010))


def test_prices_that_a_logarithm_does_not_have_lie_far_below() -> None:
    rows = PriceScale(0.0, 1.0, 0, 100, is_log=True).rows(np.array([0.0, -5.0, math.e]))
    assert rows.tolist() == [1_000_000, 1_000_000, 0]
