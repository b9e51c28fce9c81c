"""What the list under the search box holds and how its rows are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop.domain.market import Market, TickerInfo
from desktop.ui.formatting import percent, price_style
from desktop.ui.services_api import LiveApi
from desktop.ui.theme import Tokens, blend, number_font, text_font
from desktop.ui.ticker_paint import DOT_SPACE_PX, paint_dot
from desktop.ui.ticker_row import currency_of, ticker_code

AT_MOST: Final = 50
ROW_PX: Final = 30
NOTHING_FOUND: Final = "No such symbol"
INFO_ROLE: Final = int(Qt.ItemDataRole.UserRole) + 1  # TickerInfo, None in the row that says nothing was found
_FONT_PX: Final = 13
_CHIP_FONT_PX: Final = 10
_MARGIN_PX: Final = 10
_CODE_PX: Final = 104
_CHIP_PX: Final = 50
_PRICE_PX: Final = 96
_CHANGE_PX: Final = 78
_GAP_PX: Final = 8
_ROOT: Final = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex
_CHIPS: Final = {Market.CRYPTO: "Crypto", Market.STOCKS: "Stock", Market.FOREX: "Forex"}


class SearchRows(QAbstractListModel):
    """At most 50 tickers, or one disabled row that says why there are none."""

    def __init__(self, live: LiveApi, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._rows: list[TickerInfo] = []
        self._reason: str | None = None

    @property
    def tickers(self) -> tuple[str, ...]:
        return tuple(row.ticker for row in self._rows)

    def put(self, rows: Sequence[TickerInfo], reason: str | None) -> None:
        """Shows other rows; without any, `reason` as a disabled row (None: no row at all)."""
        self.beginResetModel()
        self._rows = list(rows[:AT_MOST])
        self._reason = None if self._rows else reason
        self.endResetModel()

    def rowCount(self, parent: _Index = _ROOT) -> int:
        if parent.isValid():
            return 0
        return len(self._rows) or int(self._reason is not None)

    def flags(self, index: _Index) -> Qt.ItemFlag:
        if not index.isValid() or not self._rows:
            return Qt.ItemFlag.NoItemFlags
        usual = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return usual | Qt.ItemFlag.ItemNeverHasChildren

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= self.rowCount():
            return None
        info = self._rows[index.row()] if self._rows else None
        if role == INFO_ROLE:
            return info
        if role == Qt.ItemDataRole.DisplayRole or role == Qt.ItemDataRole.EditRole:
            return self._reason if info is None else ticker_code(info.ticker, info)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._reason if info is None else f"{info.name}\n{info.ticker}".strip()
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._reason if info is None else self._spoken(info)
        return None

    def _spoken(self, info: TickerInfo) -> str:
        price, change, _up = price_texts(info, self._live)
        words = (ticker_code(info.ticker, info), info.name, _CHIPS[info.market], price, change)
        return ", ".join(word for word in words if word)


def price_texts(info: TickerInfo, live: LiveApi) -> tuple[str, str, float]:
    """Last price, change in percent and its sign; empty texts when the board does not have the ticker."""
    quote = live.board.get(info.ticker)
    if quote is None or quote.last is None:
        return "", "", 0.0
    sample = quote.last if quote.prev_close is None else quote.prev_close
    style = price_style(sample, info.market, currency_of(info.ticker, info))
    share = quote.change_pct
    return style.text(quote.last), "" if share is None else percent(share), share or 0.0


class SearchRowDelegate(QStyledItemDelegate):
    """Code, name, market chip, price, change, freshness dot."""

    def __init__(self, live: LiveApi, tokens: Tokens, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._live = live
        self._tokens = tokens
        self._name_font, self._price_font = text_font(_FONT_PX), number_font(_FONT_PX)
        self._chip_font = text_font(_CHIP_FONT_PX)
        self._code_font = text_font(_FONT_PX)
        self._code_font.setWeight(QFont.Weight.Bold)

    def set_tokens(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(200, ROW_PX)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        tokens, state = self._tokens, option.state
        ground = tokens.raised
        if state & QStyle.StateFlag.State_Selected:
            ground = blend(tokens.accent, tokens.raised, 0.22)
        elif state & QStyle.StateFlag.State_MouseOver and state & QStyle.StateFlag.State_Enabled:
            ground = tokens.hover
        painter.save()
        painter.fillRect(option.rect, QColor(ground))
        info = index.data(INFO_ROLE)
        box = option.rect.adjusted(_MARGIN_PX, 0, -_MARGIN_PX, 0)
        if isinstance(info, TickerInfo):
            self._paint_row(painter, box, info)
        else:
            self._text(painter, box, str(index.data()), self._name_font, tokens.secondary)
        painter.restore()

    def _paint_row(self, painter: QPainter, box: QRect, info: TickerInfo) -> None:
        tokens = self._tokens
        price, change, sign = price_texts(info, self._live)
        code = ticker_code(info.ticker, info)
        code_px = max(_CODE_PX - _GAP_PX, min(QFontMetrics(self._code_font).horizontalAdvance(code), box.width() // 2))
        rest = QRect(box)
        self._text(painter, _cut_left(rest, code_px + _GAP_PX), code, self._code_font, tokens.text)
        quote = self._live.board.get(info.ticker)
        if price and quote is not None:
            dot = _cut_right(rest, DOT_SPACE_PX)
            paint_dot(painter, QPointF(dot.right() - 2.5, dot.center().y() + 0.5), quote.freshness, tokens)
            colour = tokens.up_ink if sign > 0 else tokens.down_ink if sign < 0 else tokens.secondary
            right = Qt.AlignmentFlag.AlignRight
            self._text(painter, _cut_right(rest, _CHANGE_PX), change, self._price_font, colour, right)
            self._text(painter, _cut_right(rest, _PRICE_PX), price, self._price_font, tokens.text, right)
        self._chip(painter, _cut_right(rest, _CHIP_PX), _CHIPS[info.market])
        self._text(painter, rest.adjusted(0, 0, -_GAP_PX, 0), info.name, self._name_font, tokens.secondary)

    def _chip(self, painter: QPainter, box: QRect, text: str) -> None:
        tokens = self._tokens
        chip = QRect(box.left(), box.center().y() - 7, box.width() - 2, 16)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(tokens.line))
        painter.setBrush(QColor(tokens.panel))
        painter.drawRoundedRect(chip, 4, 4)
        self._text(painter, chip, text, self._chip_font, tokens.secondary, Qt.AlignmentFlag.AlignHCenter)

    def _text(
        self,
        painter: QPainter,
        box: QRect,
        text: str,
        font: QFont,
        colour: str,
        side: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        shown = QFontMetrics(font).elidedText(text, Qt.TextElideMode.ElideRight, max(0, box.width()))
        painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, shown)


def _cut_left(rest: QRect, width: int) -> QRect:
    """Takes `width` off the left side of `rest`."""
    cut = QRect(rest.left(), rest.top(), width, rest.height())
    rest.setLeft(rest.left() + width)
    return cut


def _cut_right(rest: QRect, width: int) -> QRect:
    """Takes `width` off the right side of `rest`."""
    cut = QRect(rest.right() + 1 - width, rest.top(), width, rest.height())
    rest.setRight(rest.right() - width)
    return cut
