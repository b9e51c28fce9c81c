"""Colours: readable on their backgrounds, resolved from the setting, fonts with equal digits."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication

from desktop.domain.settings import Theme
from desktop.ui import theme


@pytest.mark.parametrize("tokens", [theme.DARK, theme.LIGHT], ids=lambda tokens: tokens.name)
def test_text_is_readable_on_everything_it_stands_on(tokens: theme.Tokens) -> None:
    for ground in (tokens.chart, tokens.panel, tokens.raised):
        assert theme.contrast(tokens.text, ground) >= 4.5
    for text, ground in (
        (tokens.secondary, tokens.chart),
        (tokens.crosshair_text, tokens.crosshair_box),
        (tokens.up_text, tokens.up),
        (tokens.down_text, tokens.down),
        (tokens.neutral_text, tokens.neutral),
        (tokens.accent_text, tokens.accent),
        (tokens.warning_text, tokens.warning),
        (tokens.warning, tokens.chart),
        (tokens.up, tokens.chart),
        (tokens.down, tokens.chart),
    ):
        assert theme.contrast(text, ground) >= 4.5, (text, ground)


def test_contrast_knows_its_ends() -> None:
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert theme.contrast("#123456", "#123456") == pytest.approx(1)
    assert theme.blend("#FFFFFF", "#000000", 0.5) == "#808080"


def test_the_setting_wins_and_system_follows_the_desktop() -> None:
    assert theme.resolve(Theme.SYSTEM, True) is theme.DARK
    assert theme.resolve(Theme.SYSTEM, False) is theme.LIGHT
    assert theme.resolve(Theme.DARK, False) is theme.DARK
    assert theme.resolve(Theme.LIGHT, True) is theme.LIGHT


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
