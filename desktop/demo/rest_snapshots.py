"""Snapshots: v2 of all, one and several tickers, gainers and losers, and v3 unified."""

from __future__ import annotations

from typing import Any, Final

from desktop.demo.latest import TickerState, state_of
from desktop.demo.rest_call import Call, bad_parameter, not_found
from desktop.demo.rest_status import market_word
from desktop.demo.wire import FOREX_EXCHANGE, NS_PER_MS, bar_fields, encode, number, present, round_lots
from desktop.domain.market import Market

_MARKETS: Final = {"crypto": Market.CRYPTO, "forex": Market.FOREX, "stocks": Market.STOCKS}
_MOVERS: Final = 20
_STOCK_MOVERS_MIN_VOLUME: Final = 10_000
_LARGEST: Final = 250


def _market(locale: str, name: str) -> Market:
    market = _MARKETS.get(name)
    if market is None or (locale == "us") != (market is Market.STOCKS):
        raise not_found("Market not found.")
    return market


def all_or_several(call: Call, locale: str, market_name: str) -> bytes:
    """`/v2/snapshot/locale/{locale}/markets/{market}/tickers?tickers=A,B`; all without the list."""
    market = _market(locale, market_name)
    rows = call.catalog.of_market(market)
    if wanted := {ticker for ticker in call.text("tickers").split(",") if ticker}:
        rows = [row for row in rows if row.ticker in wanted]
    states = [state_of(call.source, row, call.now_ms) for row in rows]
    fields = [_fields_v2(state) for state in states if state.price is not None]
    return encode({"status": call.status, "request_id": call.request_id, "count": len(fields), "tickers": fields})


def one(call: Call, locale: str, market_name: str, ticker: str) -> bytes:
    """`…/tickers/{ticker}`: key `ticker` instead of `tickers`."""
    row = call.row(ticker, _market(locale, market_name))
    state = state_of(call.source, row, call.now_ms)
    if state.price is None:
        raise not_found("Ticker not found.")
    return encode({"status": call.status, "request_id": call.request_id, "ticker": _fields_v2(state)})


def movers(call: Call, locale: str, market_name: str, direction: str) -> bytes:
    """`…/gainers` and `…/losers`: the 20 with the largest change in percent."""
    market = _market(locale, market_name)
    states = [state_of(call.source, row, call.now_ms) for row in call.catalog.of_market(market)]
    moved = [(state.change_pct, state) for state in states if state.change_pct is not None and state.day is not None]
    if market is Market.STOCKS:
        moved = [(pct, state) for pct, state in moved if state.day and state.day.volume >= _STOCK_MOVERS_MIN_VOLUME]
    moved.sort(key=lambda pair: (pair[0], pair[1].row.ticker), reverse=direction == "gainers")
    fields = [_fields_v2(state) for _, state in moved[:_MOVERS]]
    return encode({"status": call.status, "request_id": call.request_id, "tickers": fields})


def _fields_v2(state: TickerState) -> dict[str, Any]:
    market = state.row.market
    fields: dict[str, Any] = {
        "ticker": state.row.ticker,
        "todaysChange": state.change if state.change is not None else 0,
        "todaysChangePerc": state.change_pct if state.change_pct is not None else 0,
        "updated": state.updated_ms * (NS_PER_MS if market is Market.STOCKS else 1),
    }
    if state.day is not None:
        fields["day"] = bar_fields(state.day, market)
    if state.previous is not None:
        fields["prevDay"] = bar_fields(state.previous, market)
    if (minute := state.minute) is not None:
        fields["min"] = {**bar_fields(minute, market), "t": minute.start_ms}
        if minute.trades >= 0:
            fields["min"]["n"] = int(minute.trades)
        if market is Market.STOCKS and state.day is not None:
            fields["min"]["av"] = number(state.day.volume)
    if (trade := state.trade) is not None:
        fields["lastTrade"] = {
            "c": [int(trade.condition[0])] if market is Market.CRYPTO or trade.condition[0] else [],
            "i": str(int(trade.id[0])),
            "p": float(trade.price[0]),
            "s": float(trade.size[0]),
            "t": int(trade.time_ms[0]) * (NS_PER_MS if market is Market.STOCKS else 1),
            "x": int(trade.exchange[0]),
        }
    if (quote := state.quote) is not None:
        time_ms, bid, ask = int(quote.time_ms[0]), float(quote.bid[0]), float(quote.ask[0])
        if market is Market.FOREX:
            fields["lastQuote"] = {"a": ask, "b": bid, "t": time_ms, "x": FOREX_EXCHANGE}
        elif market is Market.STOCKS:
            lots = [round_lots(float(size[0])) for size in (quote.ask_size, quote.bid_size)]
            fields["lastQuote"] = {"P": ask, "S": lots[0], "p": bid, "s": lots[1], "t": time_ms * NS_PER_MS}
    return fields


def unified(call: Call) -> bytes:
    """`/v3/snapshot?ticker.any_of=A,B`: markets mixed; unknown tickers as error rows."""
    limit = call.integer("limit", 10, 1, _LARGEST)
    wanted = [ticker for ticker in call.text("ticker.any_of", call.text("ticker")).split(",") if ticker]
    if len(wanted) > _LARGEST:
        raise bad_parameter(f"The parameter 'ticker.any_of' must have at most {_LARGEST} tickers")
    kind = call.text("type")
    names = sorted(set(wanted)) or [
        row.ticker
        for row in call.catalog.rows
        if row.is_active
        and (not kind or row.market.value == kind)
        and row.ticker >= call.text("ticker.gte")
        and (not (high := call.text("ticker.lt")) or row.ticker < high)
        and (not (high := call.text("ticker.lte")) or row.ticker <= high)
        and (not (low := call.text("ticker.gt")) or row.ticker > low)
    ]
    names.sort(reverse=call.choice("order", ("asc", "desc"), "asc") == "desc")
    begin = call.integer("skip", 0, 0, 10**9)
    rows = [_fields_v3(call, name) for name in names[begin : begin + limit]]
    body: dict[str, object] = {"request_id": call.request_id, "status": "OK", "results": rows}
    if begin + limit < len(names):
        body["next_url"] = call.next_url({**call.params, "skip": str(begin + limit)})
    return encode(body)


def _fields_v3(call: Call, ticker: str) -> dict[str, Any]:
    row = call.catalog.find(ticker)
    if row is None:
        return {"ticker": ticker, "error": "NOT_FOUND", "message": "Ticker not found."}
    state = state_of(call.source, row, call.now_ms)
    timeframe = "DELAYED" if call.plan.delay_ms else "REAL-TIME"
    fields: dict[str, Any] = {
        "ticker": row.ticker,
        "type": row.market.value,
        "name": row.name,
        "market_status": market_word(call, row.market.value),
        "timeframe": timeframe,
        "last_updated": state.updated_ms * NS_PER_MS,
    }
    if (session := _session(state)) is not None:
        fields["session"] = session
    if (trade := state.trade) is not None:
        time_ns = int(trade.time_ms[0]) * NS_PER_MS
        fields["last_trade"] = {
            "conditions": [int(trade.condition[0])],
            "exchange": int(trade.exchange[0]),
            "id": str(int(trade.id[0])),
            "price": float(trade.price[0]),
            "size": float(trade.size[0]),
            "participant_timestamp": time_ns,
            "last_updated": time_ns,
            "timeframe": timeframe,
        }
    if (quote := state.quote) is not None:
        values = {"bid": float(quote.bid[0]), "ask": float(quote.ask[0])}
        sizes = {"bid_size": number(float(quote.bid_size[0])), "ask_size": number(float(quote.ask_size[0]))}
        fields["last_quote"] = present(
            {**values, **sizes, "last_updated": int(quote.time_ms[0]) * NS_PER_MS, "timeframe": timeframe}
        )
    if (minute := state.minute) is not None:
        fields["last_minute"] = present(
            {
                "open": minute.open,
                "high": minute.high,
                "low": minute.low,
                "close": minute.close,
                "volume": number(minute.volume),
                "vwap": number(minute.vwap),
                "transactions": int(minute.trades) if minute.trades >= 0 else None,
            }
        )
    return fields


def _session(state: TickerState) -> dict[str, Any] | None:
    """Prices of the running day; before its first trade those of the day before."""
    day = state.day or state.previous
    if day is None:
        return None
    previous_close = state.previous.close if state.previous is not None else day.open
    change = state.change if state.change is not None else 0.0
    return present(
        {
            "open": day.open,
            "high": day.high,
            "low": day.low,
            "close": day.close,
            "previous_close": previous_close,
            "change": change,
            "change_percent": change / previous_close * 100,
            "volume": number(day.volume),
            "price": state.price,
        }
    )
