"""How a cell of the ticker table is drawn: flash, freshness dot, text; and the dot for others."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.domain.freshness import Freshness
from desktop.ui.theme import Tokens, blend
from desktop.ui.ticker_model import FLASH_ROLE, FRESHNESS_ROLE
from desktop.ui.ticker_row import Column

CELL_MARGIN_PX = 8
DOT_PX = 7
DOT_SPACE_PX = DOT_PX + 6  # the dot and the gap to its text
FLASH_SHARE = 0.24  # of the direction's colour in the flash
_MARK_PX = 2  # width of the bar beside the current row


def paint_dot(painter: QPainter, centre: QPointF, freshness: Freshness, tokens: Tokens) -> None:
    """A state by shape and colour: full live, half delayed, crossed stale, ring cached, barred ring no trades."""
    colour = QColor(
        {
            Freshness.LIVE: tokens.good,
            Freshness.DELAYED: tokens.warning,
            Freshness.STALE: tokens.warning,
        }.get(freshness, tokens.secondary)
    )
    box = QRectF(centre.x() - DOT_PX / 2, centre.y() - DOT_PX / 2, DOT_PX, DOT_PX)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour, 1.3))
    if freshness is Freshness.LIVE:
        painter.setBrush(colour)
    painter.drawEllipse(box)
    if freshness is Freshness.DELAYED:
        painter.setBrush(colour)
        painter.drawPie(box, 90 * 16, 180 * 16)
    elif freshness is Freshness.STALE:
        painter.drawLine(box.bottomLeft(), box.topRight())
    elif freshness is Freshness.NO_TRADES:
        painter.drawLine(QPointF(box.left(), centre.y()), QPointF(box.right(), centre.y()))
    painter.restore()


class TickerDelegate(QStyledItemDelegate):
    """Keeps up and down colours on selected rows, flashes the price, puts the dot before the age."""

    def __init__(self, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tokens = tokens

    def set_tokens(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        view, column = option.widget, index.column()
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        self._paint_ground(painter, option.rect, index, is_selected)
        if column == Column.SYMBOL and is_selected and view is not None and view.hasFocus():
            painter.fillRect(
                QRect(option.rect.topLeft(), option.rect.bottomLeft()).adjusted(0, 0, _MARK_PX - 1, 0),
                QColor(self._tokens.accent),
            )
        colour = index.data(Qt.ItemDataRole.ForegroundRole)
        painter.setPen(colour if isinstance(colour, QColor) else QColor(self._tokens.text))
        painter.setFont(index.data(Qt.ItemDataRole.FontRole))
        box = option.rect.adjusted(CELL_MARGIN_PX, 0, -CELL_MARGIN_PX, 0)
        metrics = QFontMetrics(painter.font())
        text = str(index.data(Qt.ItemDataRole.DisplayRole))
        room = box.width() - (DOT_SPACE_PX if column == Column.AGE else 0)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0, room))
        painter.drawText(box, index.data(Qt.ItemDataRole.TextAlignmentRole), shown)
        if column == Column.AGE:
            width = metrics.horizontalAdvance(shown)
            centre = QPointF(box.right() + 1 - width - DOT_SPACE_PX + DOT_PX / 2, option.rect.center().y() + 0.5)
            paint_dot(painter, centre, Freshness(index.data(FRESHNESS_ROLE)), self._tokens)
        painter.restore()

    def _paint_ground(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex, is_selected: bool
    ) -> None:
        tokens = self._tokens
        ground = blend(tokens.accent, tokens.chart, 0.18) if is_selected else tokens.chart
        flash = index.data(FLASH_ROLE) if index.column() == Column.LAST else 0
        if flash:
            ground = blend(tokens.up if flash > 0 else tokens.down, ground, FLASH_SHARE)
        painter.fillRect(rect, QColor(ground))
