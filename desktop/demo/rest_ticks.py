"""Ticks: last trade and quote, and the v3 history of trades and quotes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, TypeVar

from desktop.demo.latest import last_quote, last_trade
from desktop.demo.rest_call import Call, not_found
from desktop.demo.source import CatalogRow, Quotes, Trades
from desktop.demo.wire import FOREX_EXCHANGE, NS_PER_MS, encode, encode_with_rows, number, present, round_lots
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, MINUTE_MS

_LARGEST: Final = 50_000
_STOCK_TAPE: Final = 3
_FIRST_SPAN_MS: Final = 10 * MINUTE_MS
_RECEIVED_AFTER_NS: Final = 25 * NS_PER_MS


Ticks = TypeVar("Ticks", Trades, Quotes)
Reader = Callable[[int, int], Ticks]


def last_crypto_trade(call: Call, base: str, currency: str) -> bytes:
    """`/v1/last/crypto/{from}/{to}`"""
    row = call.row(f"X:{base}{currency}", Market.CRYPTO)
    trade = last_trade(call.source, row, call.now_ms)
    if trade is None:
        raise not_found("No trades found.")
    last = {
        "conditions": [int(trade.condition[0])],
        "exchange": int(trade.exchange[0]),
        "price": float(trade.price[0]),
        "size": float(trade.size[0]),
        "timestamp": int(trade.time_ms[0]),
    }
    body = {"status": "success", "symbol": f"{base}-{currency}", "request_id": call.request_id, "last": last}
    return encode(body)


def last_forex_quote(call: Call, base: str, currency: str) -> bytes:
    """`/v1/last_quote/currencies/{from}/{to}`"""
    row = call.row(f"C:{base}{currency}", Market.FOREX)
    quote = last_quote(call.source, row, call.now_ms)
    if quote is None:
        raise not_found("No quotes found.")
    last = {
        "ask": float(quote.ask[0]),
        "bid": float(quote.bid[0]),
        "exchange": FOREX_EXCHANGE,
        "timestamp": int(quote.time_ms[0]),
    }
    body = {"status": "success", "symbol": f"{base}/{currency}", "request_id": call.request_id, "last": last}
    return encode(body)


def last_stock_trade(call: Call, ticker: str) -> bytes:
    """`/v2/last/trade/{ticker}`"""
    row = call.row(ticker, Market.STOCKS)
    trade = last_trade(call.source, row, call.now_ms)
    if trade is None:
        raise not_found("No trades found.")
    time_ns = int(trade.time_ms[0]) * NS_PER_MS
    size = float(trade.size[0])
    last = {
        "T": ticker,
        "c": [int(trade.condition[0])] if trade.condition[0] else [],
        "ds": str(size),
        "i": str(int(trade.id[0])),
        "p": float(trade.price[0]),
        "q": int(trade.id[0]),
        "s": size,
        "t": time_ns,
        "x": int(trade.exchange[0]),
        "y": time_ns,
        "z": _STOCK_TAPE,
    }
    return encode({"request_id": call.request_id, "status": call.status, "results": last})


def trades(call: Call, ticker: str) -> bytes:
    """`/v3/trades/{ticker}`; pairs with a hyphen or without."""
    row = call.row(ticker)
    if row.market is Market.FOREX:
        raise not_found("No trades found.")
    return _page(call, row, functools.partial(call.source.trades, row.ticker))


def quotes(call: Call, ticker: str) -> bytes:
    """`/v3/quotes/{ticker}` of stocks and currencies."""
    row = call.row(ticker)
    if row.market is Market.CRYPTO:
        raise not_found("No quotes found.")
    return _page(call, row, functools.partial(call.source.quotes, row.ticker))


def _page(call: Call, row: CatalogRow, read: Reader[Ticks]) -> bytes:
    """One page of ticks. The next one begins at the last time of this one, after the ticks of that time it had."""
    limit = call.integer("limit", 1000, 1, _LARGEST)
    is_descending = call.choice("order", ("asc", "desc"), "desc") == "desc"
    low, high = call.time_range("timestamp", row.market, NS_PER_MS)
    low, high = max(low, call.source.first_ms - DAY_MS), min(high, call.now_ms)
    skip = call.integer("skip", 0, 0, 10**9)
    found = _collected(read, low, high, limit + skip + 1, is_descending)
    rows = _rows(row.market, found)
    if is_descending:
        rows.reverse()
    page = rows[skip : skip + limit]
    head: dict[str, object] = {"status": call.status, "request_id": call.request_id}
    if len(rows) > skip + limit:
        times = found.time_ms[::-1] if is_descending else found.time_ms
        last_ms = int(times[skip + limit - 1])
        same = int((times[: skip + limit] == last_ms).sum())
        params = {name: value for name, value in call.params.items() if not name.startswith("timestamp")}
        bounds = {"timestamp.gte": low, "timestamp.lte": last_ms} if is_descending else {"timestamp.gte": last_ms}
        if not is_descending:
            bounds["timestamp.lt"] = high
        params |= {name: str(value * NS_PER_MS) for name, value in bounds.items()}
        head["next_url"] = call.next_url({**params, "skip": str(same)})
    return encode_with_rows(head, page)


def _collected(read: Reader[Ticks], low: int, high: int, count: int, is_descending: bool) -> Ticks:
    """At least `count` ticks from one side of the range when it has them, in time order."""
    span_ms = _FIRST_SPAN_MS
    found = read(low, low)
    while low < high:
        span_ms = min(span_ms, high - low)
        found = read(high - span_ms, high) if is_descending else read(low, low + span_ms)
        if len(found) >= count or span_ms == high - low:
            break
        span_ms *= 8
    return found.take(max(0, len(found) - count), len(found)) if is_descending else found.take(0, count)


def _rows(market: Market, found: Trades | Quotes) -> list[dict[str, Any]]:
    if isinstance(found, Trades):
        return [_trade_row(market, found, index) for index in range(len(found))]
    return [_quote_row(market, found, index) for index in range(len(found))]


def _trade_row(market: Market, found: Trades, index: int) -> dict[str, Any]:
    time_ns = int(found.time_ms[index]) * NS_PER_MS
    condition = int(found.condition[index])
    fields: dict[str, Any] = {
        "conditions": [condition] if market is Market.CRYPTO or condition else [],
        "exchange": int(found.exchange[index]),
        "id": str(int(found.id[index])),
        "participant_timestamp": time_ns,
        "price": float(found.price[index]),
        "size": float(found.size[index]),
    }
    if market is Market.CRYPTO:
        fields["received_timestamp"] = time_ns + _RECEIVED_AFTER_NS
    else:
        fields |= {"sip_timestamp": time_ns, "sequence_number": int(found.id[index]), "tape": _STOCK_TAPE}
    return fields


def _quote_row(market: Market, found: Quotes, index: int) -> dict[str, Any]:
    time_ns = int(found.time_ms[index]) * NS_PER_MS
    fields: dict[str, Any] = {"ask_price": float(found.ask[index]), "bid_price": float(found.bid[index])}
    fields["participant_timestamp"] = time_ns
    if market is Market.FOREX:
        return {**fields, "ask_exchange": FOREX_EXCHANGE, "bid_exchange": FOREX_EXCHANGE}
    for name, sizes in (("ask_size", found.ask_size), ("bid_size", found.bid_size)):
        size = number(float(sizes[index]))
        fields[name] = None if size is None else round_lots(size)
    fields |= {"sip_timestamp": time_ns, "sequence_number": time_ns // NS_PER_MS, "tape": _STOCK_TAPE}
    return present(fields)
