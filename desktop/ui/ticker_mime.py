"""Tickers as they are dragged from one part of the window to another."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QMimeData

TICKER_MIME: Final = "application/x-candelabra-ticker"


def ticker_mime(ticker: str) -> QMimeData:
    """What a drag of a ticker carries."""
    mime = QMimeData()
    mime.setData(TICKER_MIME, ticker.encode())
    return mime


def dragged_ticker(mime: QMimeData) -> str | None:
    """The ticker a drag carries; None when it carries something else."""
    if not mime.hasFormat(TICKER_MIME):
        return None
    return bytes(mime.data(TICKER_MIME).data()).decode(errors="replace") or None
