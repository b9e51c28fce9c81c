"""Prices, volumes and times as text."""

from __future__ import annotations

import datetime as dt
import math
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.market import Market
from desktop.ui import formatting


@pytest.mark.parametrize(
    ("price", "market", "currency", "text"),
    [
        (64231.5, Market.CRYPTO, "USD", "64,231.50"),
        (3412.77, Market.CRYPTO, "USD", "3,412.77"),
        (17.421, Market.CRYPTO, "USD", "17.4210"),
        (0.61234, Market.CRYPTO, "USD", "0.61234"),
        (0.004231, Market.CRYPTO, "USD", "0.0042310"),
        (0.000001234, Market.CRYPTO, "USD", "0.0₅1234"),
        (1.0e-8, Market.CRYPTO, "USD", "0.0₇1000"),
        (1e6, Market.CRYPTO, "USD", "1,000,000.00"),
        (1.08342, Market.FOREX, "USD", "1.08342"),
        (151.2345, Market.FOREX, "JPY", "151.235"),
        (187.22, Market.STOCKS, "USD", "187.22"),
        (0.4567, Market.STOCKS, "USD", "0.4567"),
        (0.1 + 0.2, Market.CRYPTO, "USD", "0.30000"),
        (2.675, Market.STOCKS, "USD", "2.68"),
    ],
)
def test_prices_are_written_as_the_design_says(price: float, market: Market, currency: str, text: str) -> None:
    assert formatting.price_style(price, market, currency).text(price) == text


@given(st.floats(1e-10, 1e9))
def test_a_price_never_has_an_exponent_and_reads_back_within_its_precision(price: float) -> None:
    style = formatting.price_style(price, Market.CRYPTO)
    text = style.text(price)
    assert "e" not in text.lower()
    if "₀" <= text[3:4] <= "₉":
        zeros, digits = "", text[3:]
        while digits[0] in "₀₁₂₃₄₅₆₇₈₉":
            zeros, digits = zeros + str("₀₁₂₃₄₅₆₇₈₉".index(digits[0])), digits[1:]
        text = "0." + "0" * int(zeros) + digits
    assert float(text.replace(",", "")) == pytest.approx(price, rel=6e-4, abs=10**-style.decimals)


def test_the_precision_comes_from_the_median_so_one_odd_close_does_not_change_it() -> None:
    closes = np.full(200, 0.9)
    closes[-1] = 1.1
    assert formatting.style_of_closes(closes, Market.CRYPTO).decimals == 5


def test_unknown_values_are_a_dash() -> None:
    style = formatting.PriceStyle()
    assert {style.text(None), style.text(math.nan), formatting.volume(math.nan), formatting.percent(None)} == {"—"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.03451, "0.0345"),
        (0.99961, "1.00"),
        (9.996, "10.0"),
        (812.4, "812"),
        (999.4, "999"),
        (999.5, "1.00 K"),
        (812400, "812 K"),
        (999499, "999 K"),
        (999500, "1.00 M"),
        (3210000000000.0, "3.21 T"),
    ],
)
def test_volumes_have_three_digits_and_rise_to_the_next_unit(value: float, text: str) -> None:
    assert formatting.volume(value) == text


def test_changes_carry_a_sign_that_is_not_a_hyphen() -> None:
    style = formatting.PriceStyle(2)
    assert style.change(131.5) == "+131.50"
    assert style.change(-0.5) == "\u22120.50"
    assert style.change(0.001) == "0.00"
    assert formatting.percent(-0.21) == "\u22120.21 %"
    assert [formatting.arrow(x) for x in (1.0, -1.0, 0.0)] == ["▲", "▼", ""]


@pytest.mark.parametrize(
    ("left_ms", "text"),
    [(0, "00:00"), (-5, "00:00"), (59_001, "01:00"), (3_661_000, "1:01:01"), (187_200_000, "2 d 04 h")],
)
def test_countdown(left_ms: int, text: str) -> None:
    assert formatting.countdown(left_ms) == text


def test_times_are_written_on_the_clock_of_the_zone() -> None:
    summer = int(dt.datetime(2026, 7, 6, 12, 3, tzinfo=dt.UTC).timestamp() * 1000)
    berlin = ZoneInfo("Europe/Berlin")
    assert formatting.bar_time(summer, has_time=True) == "Mon 06 Jul '26 12:03"
    assert formatting.bar_time(summer, has_time=True, zone=berlin) == "Mon 06 Jul '26 14:03"
    assert formatting.bar_time(summer, has_time=False) == "Mon 06 Jul '26"
    assert formatting.zone_name(summer, berlin) == "UTC+2"
    assert formatting.zone_name(summer) == "UTC"


@pytest.mark.parametrize(
    ("passed", "text"), [(None, "—"), (320, "0.3 s"), (42_900, "42 s"), (200_000, "3 m"), (9e7, "1 d")]
)
def test_age(passed: int | None, text: str) -> None:
    assert formatting.age(None if passed is None else int(passed)) == text
