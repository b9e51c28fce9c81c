"""Colours: readable on their backgrounds, resolved from the setting, fonts with equal digits."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication

from desktop.domain.settings import Colours, Theme
from desktop.ui import theme
from tests.helpers.colour_vision import VISIONS, difference

ALL = (
    theme.DARK,
    theme.LIGHT,
    theme.SAFE_DARK,
    theme.SAFE_LIGHT,
    theme.HIGH_CONTRAST,
    theme.EAST_ASIA_DARK,
    theme.EAST_ASIA_LIGHT,
)
each_appearance = pytest.mark.parametrize("tokens", ALL, ids=lambda tokens: tokens.name)


@each_appearance
def test_text_is_readable_on_everything_it_stands_on(tokens: theme.Tokens) -> None:
    for ground in (tokens.chart, tokens.panel, tokens.raised, tokens.hover):
        assert theme.contrast(tokens.text, ground) >= 4.5
    for text, ground in (
        (tokens.secondary, tokens.chart),
        (tokens.secondary, tokens.panel),
        (tokens.crosshair_text, tokens.crosshair_box),
        (tokens.up_text, tokens.up),
        (tokens.down_text, tokens.down),
        (tokens.neutral_text, tokens.neutral),
        (tokens.accent_text, tokens.accent),
        (tokens.warning_text, tokens.warning),
        (tokens.warning, tokens.chart),
        (tokens.error, tokens.panel),
        (tokens.good, tokens.panel),
        (tokens.up_ink, tokens.chart),
        (tokens.down_ink, tokens.chart),
    ):
        assert theme.contrast(text, ground) >= 4.5, (text, ground)


@each_appearance
def test_lines_that_carry_meaning_stand_out(tokens: theme.Tokens) -> None:
    for colour in (tokens.up, tokens.down, tokens.neutral, tokens.crosshair, tokens.accent, tokens.warning):
        assert theme.contrast(colour, tokens.chart) >= 3, colour


def test_high_contrast_is_high() -> None:
    tokens = theme.HIGH_CONTRAST
    for colour in (
        tokens.text,
        tokens.secondary,
        tokens.line,
        tokens.up,
        tokens.down,
        tokens.neutral,
        tokens.crosshair,
    ):
        assert theme.contrast(colour, tokens.chart) >= 7, colour
    for colour in (tokens.accent, tokens.warning, tokens.error, tokens.good):
        assert theme.contrast(colour, tokens.panel) >= 7, colour
    assert theme.contrast(tokens.grid, tokens.chart) >= 3


@pytest.mark.parametrize(
    ("tokens", "contrasts", "differences"),
    [
        (theme.DARK, (6.0, 5.1), (103, 26, 48, 121)),
        (theme.LIGHT, (5.3, 5.6), (101, 26, 49, 112)),
        (theme.SAFE_DARK, (7.8, 8.0), (113, 101, 111, 87)),
        (theme.SAFE_LIGHT, (5.2, 3.9), (115, 92, 108, 102)),
        (theme.HIGH_CONTRAST, (21.0, 10.2), (83, 78, 78, 58)),
        (theme.EAST_ASIA_DARK, (5.1, 6.0), (103, 26, 48, 121)),
        (theme.EAST_ASIA_LIGHT, (5.6, 5.3), (101, 26, 49, 112)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_up_and_down_are_as_strong_and_as_different_as_designed(
    tokens: theme.Tokens, contrasts: tuple[float, ...], differences: tuple[int, ...]
) -> None:
    found = [theme.contrast(colour, tokens.chart) for colour in (tokens.up, tokens.down)]
    assert found == [pytest.approx(value, abs=0.06) for value in contrasts]
    seen = [difference(tokens.up, tokens.down, vision) for vision in VISIONS]
    assert seen == [pytest.approx(value, abs=0.6) for value in differences]


@pytest.mark.parametrize(
    "tokens", [theme.SAFE_DARK, theme.SAFE_LIGHT, theme.HIGH_CONTRAST], ids=lambda tokens: tokens.name
)
def test_safe_colours_are_told_apart_with_every_vision_and_by_shape(tokens: theme.Tokens) -> None:
    assert min(difference(tokens.up, tokens.down, vision) for vision in VISIONS) >= 50
    assert min(difference(tokens.up_ink, tokens.down_ink, vision) for vision in VISIONS) >= 50
    assert tokens.hollow_up


def test_red_is_up_in_east_asia() -> None:
    for classic, east in ((theme.DARK, theme.EAST_ASIA_DARK), (theme.LIGHT, theme.EAST_ASIA_LIGHT)):
        assert (east.up, east.up_ink, east.up_text) == (classic.down, classic.down_ink, classic.down_text)
        assert (east.down, east.down_ink, east.down_text) == (classic.up, classic.up_ink, classic.up_text)


def test_contrast_knows_its_ends() -> None:
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert theme.contrast("#123456", "#123456") == pytest.approx(1)
    assert theme.blend("#FFFFFF", "#000000", 0.5) == "#808080"


def test_the_setting_wins_and_system_follows_the_desktop() -> None:
    assert theme.resolve(Theme.SYSTEM, True) is theme.DARK
    assert theme.resolve(Theme.SYSTEM, False) is theme.LIGHT
    assert theme.resolve(Theme.DARK, False) is theme.DARK
    assert theme.resolve(Theme.LIGHT, True) is theme.LIGHT
    assert theme.resolve(Theme.SYSTEM, True, Colours.SAFE) is theme.SAFE_DARK
    assert theme.resolve(Theme.LIGHT, True, Colours.SAFE) is theme.SAFE_LIGHT
    assert theme.resolve(Theme.DARK, False, Colours.EAST_ASIA) is theme.EAST_ASIA_DARK
    assert theme.resolve(Theme.SYSTEM, False, Colours.EAST_ASIA) is theme.EAST_ASIA_LIGHT
    assert theme.resolve(Theme.LIGHT, False, Colours.HIGH_CONTRAST) is theme.HIGH_CONTRAST


def test_palette_and_style_sheet_are_taken_by_qt(qapp: QApplication) -> None:
    before, sheet = qapp.palette(), qapp.styleSheet()
    try:
        qapp.setPalette(theme.palette(theme.DARK))
        qapp.setStyleSheet(theme.style_sheet(theme.DARK))
        assert qapp.palette().color(QPalette.ColorRole.Window).name() == theme.DARK.panel.lower()
    finally:
        qapp.setStyleSheet(sheet)
        qapp.setPalette(before)


def test_digits_of_the_number_font_are_equally_wide(qapp: QApplication) -> None:
    metrics = QFontMetricsF(theme.number_font(12))
    assert len({round(metrics.horizontalAdvance(digit * 4), 2) for digit in "0123456789"}) == 1
