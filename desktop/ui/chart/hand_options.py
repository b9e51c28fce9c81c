"""Habits of the hand that differ from person to person."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QApplication, QStyle

from desktop.ui.chart.magnet import Magnet


@dataclass(frozen=True, slots=True)
class HandOptions:
    """What the mouse does where tools differ."""

    wheel_scrolls: bool = False  # else it zooms; Ctrl and the wheel always zoom
    anchors_last: bool = False  # the wheel zooms at the last bar, else at the cursor
    has_box_zoom: bool = False  # Ctrl and a drag
    magnet: Magnet = Magnet.OFF
    has_motion: bool = False  # throws glide, jumps are animated


def wants_motion() -> bool:
    """Whether the desktop has animations switched on."""
    return QApplication.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) > 0
