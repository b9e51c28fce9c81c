"""Domain to the vendor's JSON: the one-letter keys and units of the answers and socket events."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct

from desktop.demo.source import Quotes, Trades
from desktop.domain.bars import Bar, Bars, Floats
from desktop.domain.market import Market

NS_PER_MS: Final = 1_000_000
_ROWS_PER_CHUNK: Final = 4_000  # one chunk encodes in about 2 ms: the interpreter changes threads in between
_RECEIVED_AFTER_MS: Final = 25  # of an exchange's event at the vendor
FOREX_EXCHANGE: Final = 48
_STOCK_TAPE: Final = 3
_LOT: Final = 100
_ENCODER: Final = msgspec.json.Encoder()


class AggregateRow(Struct, omit_defaults=True, gc=False):
    """One bar of an aggregates answer; what the source does not know is left out."""

    o: float
    h: float
    l: float  # noqa: E741 (the vendor's key)
    c: float
    t: int
    v: float | None = None
    vw: float | None = None
    n: int | None = None
    T: str | None = None


def aggregate_rows(bars: Bars, tickers: Iterable[str] | None = None) -> list[AggregateRow]:
    """The rows of `bars`; `tickers` gives one for each (grouped daily)."""
    columns = (
        *(column.tolist() for column in (bars.open, bars.high, bars.low, bars.close)),
        bars.start_ms.tolist(),
        _known(bars.volume),
        _known(bars.vwap),
        _known_counts(bars.trades),
    )
    rows: list[AggregateRow] = []
    for at in range(0, len(bars), _ROWS_PER_CHUNK):
        rows += map(AggregateRow, *(column[at : at + _ROWS_PER_CHUNK] for column in columns))
    if tickers is not None:
        for row, ticker in zip(rows, tickers, strict=True):
            row.T = ticker
    return rows


def _known(column: Floats) -> list[float | None]:
    values: list[float | None] = column.tolist()
    if np.isnan(column).any():
        return [None if value is None or math.isnan(value) else value for value in values]
    return values


def _known_counts(column: Floats) -> list[int | None]:
    if np.isnan(column).any():
        return [None if math.isnan(value) else int(value) for value in column.tolist()]
    counts: list[int | None] = column.astype(np.int64).tolist()
    return counts


def encode(payload: object) -> bytes:
    """JSON of a small payload."""
    return _ENCODER.encode(payload)


def encode_with_rows(head: Mapping[str, object], rows: list[Any]) -> bytes:
    """JSON of `head` with `results`: `rows`, in pieces so that other threads get their turn."""
    start = _ENCODER.encode(head)[:-1]
    if not rows:
        return start + b"}"
    chunks = (rows[at : at + _ROWS_PER_CHUNK] for at in range(0, len(rows), _ROWS_PER_CHUNK))
    body = b",".join(_ENCODER.encode(chunk)[1:-1] for chunk in chunks)
    return b"".join((start, b',"results":[', body, b"]}"))


def number(value: float) -> float | None:
    """None for NaN, which JSON does not have."""
    return None if math.isnan(value) else value


def present(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None and value != ""}


def bar_fields(bar: Bar, market: Market) -> dict[str, object]:
    """`day`, `prevDay` and `min` of snapshots without time and count."""
    fields: dict[str, object] = {"o": bar.open, "h": bar.high, "l": bar.low, "c": bar.close, "v": number(bar.volume)}
    if market is not Market.FOREX:
        fields["vw"] = number(bar.vwap)
    return present(fields)


def trade_events(market: Market, symbol: str, trades: Trades) -> Iterator[bytes]:
    """`XT` or `T` events, encoded one by one as they are asked for."""
    columns = zip(
        trades.time_ms.tolist(),
        trades.price.tolist(),
        trades.size.tolist(),
        trades.exchange.tolist(),
        trades.condition.tolist(),
        trades.id.tolist(),
        strict=True,
    )
    if market is Market.CRYPTO:
        for time_ms, price, size, exchange, condition, trade_id in columns:
            yield _ENCODER.encode(
                {
                    "ev": "XT",
                    "pair": symbol,
                    "p": price,
                    "t": time_ms,
                    "s": size,
                    "c": [condition],
                    "i": str(trade_id),
                    "x": exchange,
                    "r": time_ms + _RECEIVED_AFTER_MS,
                }
            )
        return
    for time_ms, price, size, exchange, condition, trade_id in columns:
        yield _ENCODER.encode(
            {
                "ev": "T",
                "sym": symbol,
                "i": str(trade_id),
                "x": exchange,
                "p": price,
                "s": size,
                "c": [condition] if condition else [],
                "t": time_ms,
                "q": trade_id,
                "z": _STOCK_TAPE,
            }
        )


def quote_events(market: Market, symbol: str, quotes: Quotes) -> Iterator[bytes]:
    """`XQ`, `C` or `Q` events, encoded one by one as they are asked for."""
    columns = zip(
        quotes.time_ms.tolist(),
        quotes.bid.tolist(),
        _known(quotes.bid_size),
        quotes.ask.tolist(),
        _known(quotes.ask_size),
        strict=True,
    )
    for time_ms, bid, bid_size, ask, ask_size in columns:
        match market:
            case Market.CRYPTO:
                fields = {"ev": "XQ", "pair": symbol, "bp": bid, "bs": bid_size, "ap": ask, "as": ask_size}
                fields |= {"t": time_ms, "x": 1, "r": time_ms + _RECEIVED_AFTER_MS}
            case Market.FOREX:
                fields = {"ev": "C", "p": symbol, "x": FOREX_EXCHANGE, "a": ask, "b": bid, "t": time_ms}
            case Market.STOCKS:
                fields = {"ev": "Q", "sym": symbol, "bx": 4, "bp": bid, "bs": bid_size, "ax": 7, "ap": ask}
                fields |= {"as": ask_size, "c": 0, "i": [], "t": time_ms, "q": time_ms, "z": _STOCK_TAPE}
        yield _ENCODER.encode(present(fields))


def bar_event(channel: str, symbol: str, bar: Bar, length_ms: int, day: Bar | None = None) -> bytes:
    """`XA XAS`, `CA CAS` or `AM A`; `day` adds the stock bar's running day values."""
    fields: dict[str, object] = {"ev": channel, "sym" if channel in ("A", "AM") else "pair": symbol}
    fields |= {"o": bar.open, "c": bar.close, "h": bar.high, "l": bar.low, "v": number(bar.volume)}
    fields |= {"s": bar.start_ms, "e": bar.start_ms + length_ms}
    if channel not in ("CA", "CAS"):
        fields["vw"] = number(bar.vwap)
        if bar.trades > 0 and bar.volume >= 0:
            fields["z"] = bar.volume / bar.trades
    if day is not None:
        fields |= {"av": number(day.volume), "op": day.open, "a": number(day.vwap)}
    return _ENCODER.encode(present(fields))


def frame(events: Iterable[bytes]) -> bytes:
    """One socket message: an array of events."""
    return b"[" + b",".join(events) + b"]"


def status_event(status: str, message: str) -> bytes:
    return _ENCODER.encode({"ev": "status", "status": status, "message": message})


def round_lots(size: float) -> float:
    """A stock quote's size as REST gives it: in lots of 100 shares."""
    return max(1.0, size // _LOT)
