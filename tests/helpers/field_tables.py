"""The vendor's field tables as a validator: which keys an answer must and may have, of which kind.

A table maps a key to a check; keys that start with "?" are optional. What a table does not name is an error, and so is
a null.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], str | None]
Table = dict[str, Any]


def _is(*types: type) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, bool) and bool not in types:
            return "a bool"
        return None if isinstance(value, types) else f"{value!r}"

    return check


def _between(low: float, high: float) -> Check:
    def check(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value < high:
            return f"{value!r} is not in [{low:g}, {high:g})"
        return None

    return check


def _one_of(*options: str) -> Check:
    return lambda value: None if value in options else f"{value!r} is none of {options}"


def _matching(pattern: str) -> Check:
    return lambda value: None if isinstance(value, str) and re.fullmatch(pattern, value) else f"{value!r}"


text, flag, number, integer = _is(str), _is(bool), _is(int, float), _is(int)
ms, ns = _between(1e11, 1e14), _between(1e17, 1e19)  # the magnitude check of section 2.1
status = _one_of("OK", "DELAYED")
date = _matching(r"\d{4}-\d\d-\d\d")
utc = _matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
request_id = _matching(r"[0-9a-f]{32}")
ticker = _matching(r"(X:|C:)?[A-Za-z0-9.]{1,20}")


def local_time(value: Any) -> str | None:
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return f"{value!r}"
    return None if moment.tzinfo is not None else "no zone"


def listed(table: Any) -> list[Any]:
    return [table]


ENVELOPE: Table = {"status": status, "request_id": request_id, "?next_url": text}
BAR: Table = {"t": ms, "o": number, "h": number, "l": number, "c": number, "v": number, "?vw": number, "?n": integer}
AGGREGATES: Table = {
    **ENVELOPE,
    "ticker": ticker,
    "adjusted": flag,
    "queryCount": integer,
    "resultsCount": integer,
    "?count": integer,
    "?results": listed(BAR),
}
PREVIOUS: Table = {**AGGREGATES, "?results": listed({**BAR, "T": ticker})}
GROUPED: Table = {key: check for key, check in PREVIOUS.items() if key != "ticker"}
TICKER: Table = {
    "ticker": ticker,
    "name": text,
    "market": _one_of("stocks", "crypto", "fx"),
    "locale": _one_of("us", "global"),
    "?active": flag,
    "?currency_symbol": text,
    "?currency_name": text,
    "?base_currency_symbol": text,
    "?base_currency_name": text,
    "?type": text,
    "?primary_exchange": text,
    "?cik": text,
    "?last_updated_utc": utc,
    "?delisted_utc": utc,
}
TICKERS: Table = {**ENVELOPE, "count": integer, "?results": listed(TICKER)}
OVERVIEW: Table = {
    **ENVELOPE,
    "results": {
        **TICKER,
        "active": flag,
        "currency_name": text,
        "?description": text,
        "?homepage_url": text,
        "?list_date": date,
        "?market_cap": number,
        "?total_employees": integer,
        "?sic_code": text,
        "?sic_description": text,
        "?ticker_root": text,
        "?round_lot": integer,
    },
}
OVERVIEW["results"].pop("?active")
OVERVIEW["results"].pop("?currency_name")
TYPES: Table = {
    **ENVELOPE,
    "?count": integer,
    "results": listed({"asset_class": text, "code": text, "description": text, "locale": text}),
}
EXCHANGES: Table = {
    **ENVELOPE,
    "?count": integer,
    "results": listed(
        {
            "id": integer,
            "name": text,
            "type": _one_of("exchange", "TRF", "SIP"),
            "asset_class": text,
            "locale": text,
            "?acronym": text,
            "?mic": text,
            "?operating_mic": text,
            "?participant_id": text,
            "?url": text,
        }
    ),
}
STATUS_WORD = _one_of("open", "closed", "extended-hours")
STATUS_NOW: Table = {
    "market": STATUS_WORD,
    "earlyHours": flag,
    "afterHours": flag,
    "serverTime": local_time,
    "exchanges": {"nyse": STATUS_WORD, "nasdaq": STATUS_WORD, "otc": STATUS_WORD},
    "currencies": {"fx": STATUS_WORD, "crypto": STATUS_WORD},
}
STATUS_UPCOMING = listed(
    {
        "date": date,
        "exchange": text,
        "name": text,
        "status": _one_of("closed", "early-close"),
        "?open": utc,
        "?close": utc,
    }
)


def _snapshot(unit: Check, *, last_trade: Table | None, last_quote: Table | None, extra: Table) -> Table:
    values: Table = {"o": number, "h": number, "l": number, "c": number, "v": number, **extra}
    minute: Table = {**values, "t": ms, "?n": integer, "?av": number}
    row: Table = {
        "ticker": ticker,
        "todaysChange": number,
        "todaysChangePerc": number,
        "updated": unit,
        "?day": values,
        "?prevDay": values,
        "?min": minute,
    }
    if last_trade is not None:
        row["?lastTrade"] = last_trade
    if last_quote is not None:
        row["?lastQuote"] = last_quote
    return row


def _last_trade(unit: Check) -> Table:
    return {"c": listed(integer), "i": text, "p": number, "s": number, "t": unit, "x": integer, "?ds": text}


SNAPSHOT_ROWS: dict[str, Table] = {
    "crypto": _snapshot(ms, last_trade=_last_trade(ms), last_quote=None, extra={"?vw": number}),
    "forex": _snapshot(
        ms, last_trade=None, last_quote={"a": number, "b": number, "t": ms, "x": integer, "?i": integer}, extra={}
    ),
    "stocks": _snapshot(
        ns,
        last_trade=_last_trade(ns),
        last_quote={"P": number, "S": number, "p": number, "s": number, "t": ns},
        extra={"?vw": number},
    ),
}


def snapshots(market: str) -> Table:
    """Several: rows under `tickers`."""
    return {**ENVELOPE, "?count": integer, "tickers": listed(SNAPSHOT_ROWS[market])}


def snapshot(market: str) -> Table:
    """One: the row under `ticker`."""
    return {**ENVELOPE, "ticker": SNAPSHOT_ROWS[market]}


UNIFIED: Table = {
    **ENVELOPE,
    "results": listed(
        {
            "ticker": ticker,
            "?error": text,
            "?message": text,
            "?type": _one_of("stocks", "crypto", "fx"),
            "?name": text,
            "?market_status": _one_of("open", "closed", "early_trading", "late_trading"),
            "?timeframe": _one_of("DELAYED", "REAL-TIME"),
            "?last_updated": ns,
            "?session": {
                "open": number,
                "high": number,
                "low": number,
                "close": number,
                "previous_close": number,
                "change": number,
                "change_percent": number,
                "volume": number,
                "price": number,
            },
            "?last_trade": {
                "price": number,
                "size": number,
                "exchange": integer,
                "id": text,
                "conditions": listed(integer),
                "participant_timestamp": ns,
                "last_updated": ns,
                "timeframe": text,
            },
            "?last_quote": {
                "bid": number,
                "ask": number,
                "?bid_size": number,
                "?ask_size": number,
                "last_updated": ns,
                "timeframe": text,
            },
            "?last_minute": {
                "open": number,
                "high": number,
                "low": number,
                "close": number,
                "volume": number,
                "?vwap": number,
                "?transactions": integer,
            },
        }
    ),
}
LAST_CRYPTO: Table = {
    "status": _one_of("success"),
    "request_id": request_id,
    "symbol": _matching(r"[A-Z0-9]+-[A-Z]+"),
    "last": {"price": number, "size": number, "exchange": integer, "timestamp": ms, "?conditions": listed(integer)},
}
LAST_FOREX: Table = {
    "status": _one_of("success"),
    "request_id": request_id,
    "symbol": _matching(r"[A-Z]+/[A-Z]+"),
    "last": {"ask": number, "bid": number, "exchange": integer, "timestamp": ms},
}
LAST_STOCK: Table = {
    **ENVELOPE,
    "results": {
        "T": ticker,
        "p": number,
        "s": number,
        "i": text,
        "x": integer,
        "t": ns,
        "y": ns,
        "q": integer,
        "z": integer,
        "?c": listed(integer),
        "?ds": text,
    },
}
CRYPTO_TRADES: Table = {
    **ENVELOPE,
    "?results": listed(
        {
            "price": number,
            "size": number,
            "exchange": integer,
            "participant_timestamp": ns,
            "?received_timestamp": ns,
            "id": text,
            "?conditions": listed(integer),
        }
    ),
}
STOCK_TRADES: Table = {
    **ENVELOPE,
    "?results": listed(
        {
            "price": number,
            "size": number,
            "exchange": integer,
            "participant_timestamp": ns,
            "sip_timestamp": ns,
            "sequence_number": integer,
            "tape": integer,
            "id": text,
            "?conditions": listed(integer),
        }
    ),
}
FOREX_QUOTES: Table = {
    **ENVELOPE,
    "?results": listed(
        {
            "ask_price": number,
            "bid_price": number,
            "ask_exchange": integer,
            "bid_exchange": integer,
            "participant_timestamp": ns,
        }
    ),
}
STOCK_QUOTES: Table = {
    **ENVELOPE,
    "?results": listed(
        {
            "ask_price": number,
            "bid_price": number,
            "?ask_size": number,
            "?bid_size": number,
            "participant_timestamp": ns,
            "sip_timestamp": ns,
            "sequence_number": integer,
            "tape": integer,
        }
    ),
}


def _indicator(value: Table) -> Table:
    return {
        **ENVELOPE,
        "results": {
            "underlying": {"url": text, "?aggregates": listed(BAR)},
            "?values": listed({"timestamp": ms, "value": number, **value}),
        },
    }


INDICATOR = _indicator({})
MACD = _indicator({"signal": number, "histogram": number})
SPLITS: Table = {
    **ENVELOPE,
    "?results": listed(
        {
            "execution_date": date,
            "split_from": number,
            "split_to": number,
            "ticker": ticker,
            "id": text,
            "?adjustment_type": _one_of("forward_split", "reverse_split", "stock_dividend"),
            "?historical_adjustment_factor": number,
        }
    ),
}
ERROR: Table = {"status": _one_of("ERROR", "NOT_AUTHORIZED", "NOT_FOUND"), "request_id": request_id}
ERROR |= {"?error": text, "?message": text}


def complaints(value: Any, table: Any, where: str = "$") -> list[str]:
    """What in `value` is not as the table says; empty when all is well."""
    if callable(table):
        complaint = table(value)
        return [] if complaint is None else [f"{where}: {complaint}"]
    if isinstance(table, list):
        if not isinstance(value, list):
            return [f"{where}: no array"]
        return [line for index, item in enumerate(value) for line in complaints(item, table[0], f"{where}[{index}]")]
    if not isinstance(value, dict):
        return [f"{where}: no object"]
    found = []
    for key, rule in table.items():
        name = key.removeprefix("?")
        if name in value:
            found += complaints(value[name], rule, f"{where}.{name}")
        elif not key.startswith("?"):
            found.append(f"{where}: lacks {name}")
    known = {key.removeprefix("?") for key in table}
    return found + [f"{where}: unknown {name}" for name in value if name not in known]
