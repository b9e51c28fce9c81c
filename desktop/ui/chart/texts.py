"""What is dear to ask Qt for about short texts, kept: their widths, and pictures of labels."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, TypeVar, cast

from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPixmap

_MOST: Final = 1024  # texts; then all are forgotten
T = TypeVar("T")
_ROOM: Final = 2  # device pixels beside a text for what its letters hang over


class Texts:
    """For a few fonts that live as long as this object. Device pixels."""

    def __init__(self) -> None:
        self._metrics: dict[int, tuple[QFont, QFontMetrics]] = {}  # by id of the font, which is held
        self._widths: dict[tuple[int, str], int] = {}
        self._pictures: dict[tuple[int, str, str, str], QPixmap] = {}
        self._made: dict[Hashable, object] = {}

    def metrics(self, font: QFont) -> QFontMetrics:
        known = self._metrics.get(id(font))
        if known is None:
            known = self._metrics[id(font)] = (font, QFontMetrics(font))
        return known[1]

    def width(self, font: QFont, text: str) -> int:
        """How far a text reaches."""
        wide = self._widths.get((id(font), text))
        if wide is None:
            wide = self.metrics(font).horizontalAdvance(text)
            if len(self._widths) >= _MOST:
                self._widths.clear()
            self._widths[id(font), text] = wide
        return wide

    def kept(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` made of the key when it was last asked for."""
        if key not in self._made:
            if len(self._made) >= _MOST:
                self._made.clear()
            self._made[key] = make()
        return cast(T, self._made[key])

    def draw(self, painter: QPainter, left: int, top: int, font: QFont, text: str, ink: str, ground: str) -> None:
        """A label with its opaque ground, from its upper left corner. Four times as fast as drawText."""
        key = (id(font), text, ink, ground)
        picture = self._pictures.get(key)
        if picture is None:
            if len(self._pictures) >= _MOST:
                self._pictures.clear()
            picture = self._pictures[key] = self._picture(font, text, ink, ground)
        painter.drawPixmap(left - _ROOM, top, picture)

    def _picture(self, font: QFont, text: str, ink: str, ground: str) -> QPixmap:
        metrics = self.metrics(font)
        picture = QPixmap(self.width(font, text) + 2 * _ROOM, metrics.height())
        picture.fill(QColor(ground))
        painter = QPainter(picture)
        painter.setFont(font)
        painter.setPen(QColor(ink))
        painter.drawText(_ROOM, metrics.ascent(), text)
        painter.end()
        return picture
