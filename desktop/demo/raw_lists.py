"""Snapshots and the catalogue out of a recording: rows of several answers put together for another question."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from desktop.data.wire import decode_overview, decode_tickers
from desktop.demo.names import recorded_row
from desktop.demo.raw_bars import Asked
from desktop.demo.raw_files import RecordedCall
from desktop.demo.wire import encode, present
from desktop.domain.errors import BadResponse
from desktop.domain.market import Market, TickerInfo, is_plausible_ticker

_SNAPSHOTS: Final = re.compile(r"/v2/snapshot/locale/[a-z]+/markets/[a-z]+/tickers")
_CATALOGUE: Final = "/v3/reference/tickers"
_MOST: Final = 1000


class _Row(msgspec.Struct):
    ticker: str = ""


class _Snapshots(msgspec.Struct):
    tickers: list[msgspec.Raw] | None = None


class Lists:
    """Answers that consist of rows by ticker."""

    def __init__(self, calls: Sequence[RecordedCall]) -> None:
        self._calls = [call for call in calls if call.line.status == 200]
        self._rows: dict[str, TickerInfo] | None = None

    def compose(self, path: str, query: Mapping[str, str], now_ms: int) -> bytes | None:
        """The answer, or None when nothing in the recording is about this."""
        if _SNAPSHOTS.fullmatch(path):
            return self._snapshots(path, query.get("tickers", ""), now_ms)
        if path == _CATALOGUE:
            return self._catalogue(query)
        if path.startswith(f"{_CATALOGUE}/"):
            row = self._known().get(path.removeprefix(f"{_CATALOGUE}/"))
            return None if row is None else encode({"status": "OK", "request_id": "", "results": _fields(row)})
        return None

    def _snapshots(self, path: str, tickers: str, now_ms: int) -> bytes | None:
        """Of each ticker the latest row so far; before any, the first."""
        alike = [call for call in self._calls if unquote(call.line.path) == path]
        if not alike:
            return None
        later = [call for call in reversed(alike) if call.line.received_ms > now_ms]
        rows: dict[str, msgspec.Raw] = {}
        for call in (*later, *(call for call in alike if call.line.received_ms <= now_ms)):
            try:
                found = msgspec.json.decode(call.body(), type=_Snapshots).tickers or ()
                rows.update({msgspec.json.decode(row, type=_Row).ticker: row for row in found})
            except msgspec.MsgspecError:
                continue
        wanted = [name for name in tickers.split(",") if name in rows] if tickers else list(rows)
        return encode({"status": "OK", "request_id": "", "count": len(wanted), "tickers": [rows[n] for n in wanted]})

    def _catalogue(self, query: Mapping[str, str]) -> bytes:
        """Of the tickers in the recording those that match: the part of the catalogue that there is."""
        text, market, exact = (query.get(name, "") for name in ("search", "market", "ticker"))
        rows = [
            row
            for ticker, row in sorted(self._known().items())
            if (not text or text.casefold() in f"{ticker} {row.name}".casefold())
            and (not market or row.market.value == market)
            and (not exact or ticker == exact)
        ]
        return encode(
            {"status": "OK", "request_id": "", "count": len(rows), "results": [_fields(row) for row in rows[:_MOST]]}
        )

    def _known(self) -> dict[str, TickerInfo]:
        if self._rows is None:
            self._rows = self._read_rows()
        return self._rows

    def _read_rows(self) -> dict[str, TickerInfo]:
        rows: dict[str, TickerInfo] = {}
        for call in self._calls:
            path = unquote(call.line.path)
            asked = Asked.read(path, dict(call.line.query))
            if asked is not None and is_plausible_ticker(asked.series.ticker):
                rows.setdefault(asked.series.ticker, recorded_row(asked.series.ticker).info)
        for call in self._calls:
            path = unquote(call.line.path)
            try:
                if path == _CATALOGUE:
                    rows |= {row.ticker: row for row in decode_tickers(call.body()).rows}
                elif path.startswith(f"{_CATALOGUE}/"):
                    row = decode_overview(call.body())
                    rows[row.ticker] = row
            except BadResponse:
                continue
        return rows


def _fields(row: TickerInfo) -> dict[str, Any]:
    is_stock = row.market is Market.STOCKS
    return present(
        {
            "ticker": row.ticker,
            "name": row.name,
            "market": row.market.value,
            "locale": "us" if is_stock else "global",
            "active": row.is_active,
            "type": row.kind,
            "primary_exchange": row.exchange,
            "currency_symbol": "" if is_stock else row.currency,
            "currency_name": row.currency.lower(),
            "base_currency_symbol": row.base,
        }
    )
