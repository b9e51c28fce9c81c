"""Reference data: the ticker catalogue with search, filters and paging, types, exchanges, conditions, splits."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from desktop.demo.plan import utc_date
from desktop.demo.rest_call import Call
from desktop.demo.source import CatalogRow
from desktop.demo.wire import encode, encode_with_rows, present
from desktop.domain.market import Market

_SORTS: Final = (
    "ticker", "name", "market", "locale", "primary_exchange", "type", "currency_symbol", "currency_name",
    "base_currency_symbol", "base_currency_name", "cik", "composite_figi", "share_class_figi", "last_updated_utc",
    "delisted_utc",
)  # fmt: skip
_MARKETS: Final = ("stocks", "crypto", "fx", "otc", "indices")
_TYPES: Final = {
    "CS": "Common Stock", "PFD": "Preferred Stock", "WARRANT": "Warrant", "RIGHT": "Rights", "UNIT": "Unit",
    "ADRC": "American Depository Receipt Common", "ETF": "Exchange Traded Fund", "ETN": "Exchange Traded Note",
    "FUND": "Fund", "SP": "Structured Product",
}  # fmt: skip
_EXCHANGES: Final = (
    ("crypto", "global", 1, "Coinbase", "exchange", "", ""),
    ("crypto", "global", 2, "Bitfinex", "exchange", "", ""),
    ("crypto", "global", 6, "Bitstamp", "exchange", "", ""),
    ("crypto", "global", 10, "Binance", "exchange", "", ""),
    ("crypto", "global", 23, "Kraken", "exchange", "", ""),
    ("fx", "global", 48, "Currency Banks 1", "exchange", "", ""),
    ("stocks", "us", 1, "NYSE American, LLC", "exchange", "XASE", "A"),
    ("stocks", "us", 4, "FINRA Trade Reporting Facility", "TRF", "FINR", "D"),
    ("stocks", "us", 7, "Cboe EDGX", "exchange", "EDGX", "K"),
    ("stocks", "us", 10, "New York Stock Exchange", "exchange", "XNYS", "N"),
    ("stocks", "us", 11, "NYSE Arca, Inc.", "exchange", "ARCX", "P"),
    ("stocks", "us", 12, "Nasdaq", "exchange", "XNAS", "T"),
    ("stocks", "us", 19, "Cboe BZX", "exchange", "BATS", "Z"),
)
_CONDITIONS: Final = ((0, "Regular Trade"), (1, "Sell Side"), (2, "Buy Side"))


def tickers(call: Call) -> bytes:
    """`/v3/reference/tickers`"""
    limit = call.integer("limit", 100, 1, 1000)
    sort = call.choice("sort", _SORTS, "ticker")
    is_descending = call.choice("order", ("asc", "desc"), "asc") == "desc"
    if market := call.text("market"):
        call.choice("market", _MARKETS, market)
    is_active = call.flag("active", True)
    updated = _updated(call)
    rows = [_fields(row, updated) for row in call.catalog.rows if row.is_active == is_active and _matches(call, row)]
    rows.sort(key=lambda row: (str(row.get(sort, "")), row["ticker"]), reverse=is_descending)
    begin = call.integer("skip", 0, 0, 10**9)
    page = rows[begin : begin + limit]
    head: dict[str, object] = {"status": "OK", "request_id": call.request_id, "count": len(page)}
    if begin + limit < len(rows):
        head["next_url"] = call.next_url({**call.params, "skip": str(begin + limit)})
    return encode_with_rows(head, page)


def _matches(call: Call, row: CatalogRow) -> bool:
    params = call.params
    ticker = row.ticker
    if (exact := params.get("ticker")) and ticker != exact:
        return False
    if (any_of := params.get("ticker.any_of")) and ticker not in any_of.split(","):
        return False
    if (low := params.get("ticker.gte")) and ticker < low:
        return False
    if (low := params.get("ticker.gt")) and ticker <= low:
        return False
    if (high := params.get("ticker.lte")) and ticker > high:
        return False
    if (high := params.get("ticker.lt")) and ticker >= high:
        return False
    if (market := params.get("market")) and row.market.value != market:
        return False
    for name, value in (("type", row.kind), ("exchange", row.exchange), ("cik", row.cik)):
        if (wanted := params.get(name)) and value != wanted:
            return False
    text = params.get("search", "").casefold()
    return not text or text in ticker.casefold() or text in row.name.casefold()


def _updated(call: Call) -> str:
    return f"{utc_date(call.now_ms).isoformat()}T00:00:00Z"


def _fields(row: CatalogRow, updated: str) -> dict[str, Any]:
    is_stock = row.market is Market.STOCKS
    fields = {
        "ticker": row.ticker,
        "name": row.name,
        "market": row.market.value,
        "locale": "us" if is_stock else "global",
        "primary_exchange": row.exchange,
        "type": row.kind,
        "active": row.is_active,
        "currency_symbol": "" if is_stock else row.currency,
        "currency_name": row.currency.lower() if is_stock else row.currency_name,
        "base_currency_symbol": row.base,
        "base_currency_name": row.base_name,
        "cik": row.cik,
        "last_updated_utc": updated,
        "delisted_utc": None if row.delisted_ms is None else f"{utc_date(row.delisted_ms).isoformat()}T00:00:00Z",
    }
    return present(fields)


def overview(call: Call, ticker: str) -> bytes:
    """`/v3/reference/tickers/{ticker}`"""
    row = call.row(ticker)
    fields = _fields(row, _updated(call))
    fields |= present(
        {
            "description": row.description,
            "homepage_url": row.homepage_url,
            "list_date": None if row.list_date is None else row.list_date.isoformat(),
            "market_cap": row.market_cap,
            "total_employees": row.total_employees,
            "sic_code": row.sic_code,
            "sic_description": row.sic_description,
            "ticker_root": row.ticker if row.market is Market.STOCKS else None,
            "round_lot": 100 if row.market is Market.STOCKS else None,
        }
    )
    return encode({"status": "OK", "request_id": call.request_id, "results": fields})


def ticker_types(call: Call) -> bytes:
    """`/v3/reference/tickers/types`"""
    rows = [
        {"asset_class": "stocks", "code": code, "description": description, "locale": "us"}
        for code, description in _TYPES.items()
        if call.text("asset_class", "stocks") == "stocks" and call.text("locale", "us") == "us"
    ]
    return encode_with_rows({"status": "OK", "request_id": call.request_id, "count": len(rows)}, rows)


def exchanges(call: Call) -> bytes:
    """`/v3/reference/exchanges`"""
    rows = []
    for asset_class, locale, number, name, kind, mic, participant in _EXCHANGES:
        if call.text("asset_class", asset_class) != asset_class or call.text("locale", locale) != locale:
            continue
        fields = {"id": number, "name": name, "type": kind, "asset_class": asset_class, "locale": locale}
        rows.append(present({**fields, "mic": mic, "operating_mic": mic, "participant_id": participant}))
    return encode_with_rows({"status": "OK", "request_id": call.request_id, "count": len(rows)}, rows)


def conditions(call: Call) -> bytes:
    """`/v3/reference/conditions`; only those of crypto trades."""
    limit = call.integer("limit", 10, 1, 1000)
    rows = [
        {"id": number, "name": name, "asset_class": "crypto", "type": "sale_condition", "data_types": ["trade"]}
        for number, name in _CONDITIONS
        if call.text("asset_class", "crypto") == "crypto"
    ]
    return encode_with_rows({"status": "OK", "request_id": call.request_id, "count": len(rows)}, rows[:limit])


def splits(call: Call) -> bytes:
    """`/v3/reference/splits` and `/stocks/v1/splits`, newest first."""
    is_new = call.path.startswith("/stocks/")
    limit = call.integer("limit", 100 if is_new else 10, 1, 5000 if is_new else 1000)
    wanted = {ticker for name in ("ticker", "ticker.any_of") for ticker in call.text(name).split(",") if ticker}
    rows = []
    for row in call.catalog.of_market(Market.STOCKS):
        if wanted and row.ticker not in wanted:
            continue
        factor = 1.0
        for split in reversed(call.source.splits(row.ticker)):
            date = split.execution_date.isoformat()
            factor *= split.split_from / split.split_to
            if split.execution_date > utc_date(call.now_ms) or not _in_dates(call, date):
                continue
            fields: dict[str, Any] = {
                "execution_date": date,
                "id": "E" + hashlib.sha256(f"{row.ticker} {date}".encode()).hexdigest(),
                "split_from": split.split_from,
                "split_to": split.split_to,
                "ticker": row.ticker,
            }
            if is_new:
                fields["adjustment_type"] = "forward_split" if split.split_to > split.split_from else "reverse_split"
                fields["historical_adjustment_factor"] = round(factor, 6)
            rows.append(fields)
    rows.sort(key=lambda fields: (fields["execution_date"], fields["ticker"]), reverse=True)
    begin = call.integer("skip", 0, 0, 10**9)
    head: dict[str, object] = {"status": "OK", "request_id": call.request_id}
    if begin + limit < len(rows):
        head["next_url"] = call.next_url({**call.params, "skip": str(begin + limit)})
    return encode_with_rows(head, rows[begin : begin + limit])


def _in_dates(call: Call, date: str) -> bool:
    name = "execution_date"
    return (
        (not (exact := call.text(name)) or date == exact)
        and date >= call.text(f"{name}.gte")
        and (not (low := call.text(f"{name}.gt")) or date > low)
        and (not (high := call.text(f"{name}.lte")) or date <= high)
        and (not (high := call.text(f"{name}.lt")) or date < high)
    )
