"""Many rectangles of one colour in one call, straight from a numpy array."""

from __future__ import annotations

from typing import Final, cast

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QBrush, QColor, QPainter

Rects = NDArray[np.int32]  # (n, 4): x1, y1, x2, y2, inclusive, device pixels

NO_RECTS: Final[Rects] = np.empty((0, 4), np.int32)
NO_RECTS.setflags(write=False)


def fill_rects(painter: QPainter, rects: Rects, colour: str, *, is_dotted: bool = False) -> None:
    """Fills the rectangles without outline, or every other pixel of them. The transform has to be whole pixels."""
    if not len(rects):
        return
    held = np.ascontiguousarray(rects, np.int32)  # kept alive over the call: Qt reads this very memory
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(QColor(colour), Qt.BrushStyle.Dense4Pattern) if is_dotted else QColor(colour))
    first = cast(QRect, shiboken6.wrapInstance(held.ctypes.data, QRect))
    painter.drawRects(first, len(held))


def stack_rects(x1: NDArray[np.int64], y1: NDArray[np.int64], x2: NDArray[np.int64], y2: NDArray[np.int64]) -> Rects:
    """Columns (n,) as rectangles (n, 4)."""
    rects: Rects = np.empty((len(x1), 4), np.int32)
    rects[:, 0], rects[:, 1], rects[:, 2], rects[:, 3] = x1, y1, x2, y2
    return rects
