"""The vendor's REST bodies into domain types: the only place that knows its one-letter keys and wire units.

Every decoder takes the raw body and raises BadResponse for what is not the JSON it should be. Single bad rows are
left out; numbers may be integers, floats or in scientific notation; unknown fields are ignored.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import msgspec
import numpy as np

from desktop.domain.bars import Bar, Bars, Floats
from desktop.domain.errors import BadResponse
from desktop.domain.market import Market, MarketStatus, Snapshot, TickerInfo, Trade

T = TypeVar("T")
Json = Any

PIECE_BYTES: Final = 192 * 1024  # decoding one holds the interpreter lock for about 1 ms
_YIELD_S: Final = 50e-6  # a real sleep: after a mere release of the interpreter lock the same thread gets it again
_ROWS_BEGIN: Final = re.compile(rb'"results"\s*:\s*\[')
_ROWS_CUT: Final = re.compile(rb"\}\s*,\s*\{")
_NAN: Final = math.nan
_LAST_MS: Final = 253_402_300_800_000.0  # the year 10000
_MARKETS: Final = {"stocks": Market.STOCKS, "otc": Market.STOCKS, "crypto": Market.CRYPTO, "fx": Market.FOREX}


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One answer of a paged endpoint. `is_delayed`: the plan's data run behind."""

    rows: T
    next_url: str | None = None
    is_delayed: bool = False


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """What an error answer says; `text` is empty when it says nothing readable."""

    text: str = ""
    request_id: str | None = None
    is_json: bool = True


@dataclass(frozen=True, slots=True)
class Split:
    """A stock split: `to_shares` new for `from_shares` old, from the start of `execution_date` (New York)."""

    ticker: str
    execution_date: dt.date
    from_shares: float
    to_shares: float


class _BarRow(msgspec.Struct, gc=False):
    t: float
    o: float
    h: float
    l: float  # noqa: E741
    c: float
    v: float = _NAN
    vw: float = _NAN
    n: float = _NAN


class _Envelope(msgspec.Struct):
    status: str = ""
    next_url: str | None = None


_FIELDS: Final = ("t", "o", "h", "l", "c", "v", "vw", "n")
_columns_of: Final = attrgetter(*_FIELDS)
_row_decoder: Final = msgspec.json.Decoder(list[_BarRow])
_envelope_decoder: Final = msgspec.json.Decoder(_Envelope)


def decode_bars(body: bytes) -> Page[Bars]:
    """Aggregates (custom bars, previous day) as columns, sorted, of repeated starts the last one.

    Works in pieces so that other threads run in between. Bars without a finite price or a sane time are left out.
    """
    try:
        return _decode_bars_fast(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        document = _document(body)
        rows = [_lenient_row(row) for row in _list(document, "results")]
        table = np.array([row for row in rows if row is not None], np.float64).reshape(-1, len(_FIELDS))
        return _page(document, _bars_of(table))


def _decode_bars_fast(body: bytes) -> Page[Bars]:
    found = _ROWS_BEGIN.search(body)
    if found is None:
        envelope = _envelope_decoder.decode(body)
        return Page(Bars.empty(), envelope.next_url, envelope.status == "DELAYED")
    begin = found.end()
    end = body.find(b"]", begin)  # rows are flat: the first bracket closes them
    envelope = _envelope_decoder.decode(body[:begin] + body[max(end, begin) :])
    tables = []
    while begin < end:
        cut = _ROWS_CUT.search(body, min(begin + PIECE_BYTES, end), end)
        piece_end, following = (end, end) if cut is None else (cut.start() + 1, cut.end() - 1)
        rows = _row_decoder.decode(b"[" + body[begin:piece_end] + b"]")
        flat = chain.from_iterable(map(_columns_of, rows))
        tables.append(np.fromiter(flat, np.float64, len(rows) * len(_FIELDS)).reshape(-1, len(_FIELDS)))
        begin = following
        if begin < end:
            time.sleep(_YIELD_S)
    table = np.concatenate(tables) if tables else np.empty((0, len(_FIELDS)))
    return Page(_bars_of(table), envelope.next_url, envelope.status == "DELAYED")


def _bars_of(table: Floats) -> Bars:
    time_ms, prices = table[:, 0], table[:, 1:5]
    is_sound = (time_ms >= 0) & (time_ms < _LAST_MS) & np.isfinite(prices).all(axis=1)
    if not is_sound.all():
        table = table[is_sound]
    rest = table[:, 5:]
    rest[~np.isfinite(rest)] = _NAN
    columns = [np.ascontiguousarray(column) for column in table.T]
    return Bars.from_columns(columns[0].astype(np.int64), columns[1:])


def _lenient_row(row: Json) -> tuple[float, ...] | None:
    if not isinstance(row, dict):
        return None
    return tuple(_NAN if (number := _number(row.get(name))) is None else number for name in _FIELDS)


def decode_grouped(body: bytes) -> dict[str, Bar]:
    """A whole market's bars of one day by ticker; `start_ms` is the vendor's time inside that day."""
    answer = {}
    for row in _list(_document(body), "results"):
        values = _lenient_row(row)
        if values is None or not isinstance(row.get("T"), str) or not all(map(math.isfinite, values[:5])):
            continue
        answer[row["T"]] = Bar(int(values[0]), *values[1:])
    return answer


def decode_tickers(body: bytes) -> Page[list[TickerInfo]]:
    """A page of the reference catalogue; rows of markets this application does not know are left out."""
    document = _document(body)
    rows = [_ticker_info(row) for row in _list(document, "results")]
    return _page(document, [row for row in rows if row is not None])


def decode_overview(body: bytes) -> TickerInfo:
    """One ticker's reference data."""
    info = _ticker_info(_document(body).get("results"))
    if info is None:
        raise BadResponse("The server's answer names no ticker.")
    return info


def _ticker_info(row: Json) -> TickerInfo | None:
    if not isinstance(row, dict):
        return None
    ticker, market = row.get("ticker"), _MARKETS.get(str(row.get("market")))
    if not isinstance(ticker, str) or not ticker or market is None:
        return None
    currency = _text(row.get("currency_symbol")) or _text(row.get("currency_name"))
    return TickerInfo(
        ticker=ticker,
        name=_text(row.get("name")) or ticker,
        market=market,
        base=_text(row.get("base_currency_symbol")),
        currency=currency.upper(),
        is_active=row.get("active", True) is not False,
        kind=_text(row.get("type")),
        exchange=_text(row.get("primary_exchange")),
    )


def decode_snapshots(body: bytes) -> list[Snapshot]:
    """v2 snapshots of any market: all, several, one, gainers or losers."""
    document = _document(body)
    single = document.get("ticker")
    rows = [single] if isinstance(single, dict) else _list(document, "tickers")
    return [_snapshot(row) for row in rows if isinstance(row, dict) and isinstance(row.get("ticker"), str)]


def _snapshot(row: Mapping[str, Json]) -> Snapshot:
    day, previous, minute = _part(row, "day"), _part(row, "prevDay"), _part(row, "min")
    trade, quote = _part(row, "lastTrade"), _part(row, "lastQuote")
    # Forex quotes say a and b; stock quotes P and p.
    bid, ask = _price(quote, "b") or _price(quote, "p"), _price(quote, "a") or _price(quote, "P")
    last, last_ms = _price(trade, "p"), to_ms(trade.get("t"))
    if last is None and bid is not None and ask is not None and "b" in quote:
        last, last_ms = (bid + ask) / 2, to_ms(quote.get("t"))
    if last is None:
        last, last_ms = _price(minute, "c"), to_ms(minute.get("t"))
    if last is None:
        last, last_ms = _price(day, "c"), to_ms(row.get("updated"))
    return Snapshot(
        ticker=str(row["ticker"]),
        last=last,
        last_ms=last_ms,
        prev_close=_price(previous, "c"),
        change=_number(row.get("todaysChange")),
        change_pct=_number(row.get("todaysChangePerc")),
        day_open=_price(day, "o"),
        day_high=_price(day, "h"),
        day_low=_price(day, "l"),
        day_volume=_number(day.get("v")),
        bid=bid,
        ask=ask,
        updated_ms=to_ms(row.get("updated")),
    )


def decode_market_status(body: bytes) -> MarketStatus:
    """Which markets are open, and the server's clock."""
    document = _document(body)
    currencies = _part(document, "currencies")
    server_time = document.get("serverTime")
    try:
        moment = dt.datetime.fromisoformat(server_time) if isinstance(server_time, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadResponse("The server's market status has no readable time.")
    return MarketStatus(
        server_time_ms=round(moment.timestamp() * 1000),
        stocks=_text(document.get("market")) or "closed",
        crypto=_text(currencies.get("crypto")) or "open",
        forex=_text(currencies.get("fx")) or "closed",
    )


def decode_last_trade(body: bytes, ticker: str) -> Trade:
    """The last trade of a coin (`last`) or a stock (`results`)."""
    document = _document(body)
    coin, stock = _part(document, "last"), _part(document, "results")
    if coin:
        trade = _trade(ticker, coin, "price", "size", "timestamp", "conditions", "")
    else:
        trade = _trade(ticker, stock, "p", "s", "t", "c", "i", exchange="x")
    if trade is None:
        raise BadResponse("The server's answer holds no last trade.")
    return trade


def decode_trades(body: bytes, ticker: str) -> Page[list[Trade]]:
    """A page of tick history; the exchange's own time where it is sent, in ms."""
    document = _document(body)
    trades = []
    for row in _list(document, "results"):
        if not isinstance(row, dict):
            continue
        time_key = "participant_timestamp" if "participant_timestamp" in row else "sip_timestamp"
        trades.append(_trade(ticker, row, "price", "size", time_key, "conditions", "id"))
    return _page(document, [trade for trade in trades if trade is not None])


def _trade(
    ticker: str,
    row: Mapping[str, Json],
    price_key: str,
    size_key: str,
    time_key: str,
    conditions_key: str,
    id_key: str,
    *,
    exchange: str = "exchange",
) -> Trade | None:
    price, size, time_ms = _number(row.get(price_key)), _number(row.get(size_key)), to_ms(row.get(time_key))
    if price is None or size is None or time_ms is None:
        return None
    conditions = row.get(conditions_key)
    return Trade(
        ticker=ticker,
        price=price,
        size=size,
        time_ms=time_ms,
        exchange=int(_number(row.get(exchange)) or 0),
        id=str(row.get(id_key, "")),
        conditions=tuple(int(c) for c in conditions if isinstance(c, int)) if isinstance(conditions, list) else (),
    )


def decode_splits(body: bytes) -> Page[list[Split]]:
    """Stock splits, from either of the vendor's two endpoints."""
    document = _document(body)
    splits = []
    for row in _list(document, "results"):
        if not isinstance(row, dict):
            continue
        old, new = _number(row.get("split_from")), _number(row.get("split_to"))
        try:
            day = dt.date.fromisoformat(_text(row.get("execution_date")))
        except ValueError:
            continue
        if old and new:
            splits.append(Split(_text(row.get("ticker")), day, old, new))
    return _page(document, splits)


def decode_error(body: bytes, secret: str | None = None) -> ErrorBody:
    """What an error answer says, in `error` or `message`, without `secret`; never raises."""
    try:
        document = _document(body)
    except BadResponse:
        return ErrorBody(is_json=False)
    text = _text(document.get("error")) or _text(document.get("message"))
    if secret:
        text = text.replace(secret, "…")
    request_id = document.get("request_id")
    return ErrorBody(text[:300], None if request_id is None else str(request_id)[:80])


def to_ms(time: Json) -> int | None:
    """A vendor time of whatever unit (s, ms, µs, ns, told by its size) in ms; None when it is none."""
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time) or time <= 0:
        return None
    for limit, up, down in ((1e11, 1000, 1), (1e14, 1, 1), (1e17, 1, 1000)):
        if time < limit:
            return int(time * up) // down
    return int(time) // 1_000_000


def _document(body: bytes) -> dict[str, Json]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadResponse(_unreadable(body)) from error
    if not isinstance(document, dict):
        raise BadResponse("The server answered with something other than market data.")
    return document


def _unreadable(body: bytes) -> str:
    begin = body[:200].lstrip().lower()
    if not begin:
        return "The server sent an empty answer."
    if begin.startswith(b"<"):
        return "The server sent a web page instead of market data."
    if begin.startswith((b"{", b"[")):
        return "The server's answer was cut off or garbled."
    return "The server answered with something other than market data."


def _page(document: Mapping[str, Json], rows: T) -> Page[T]:
    next_url = document.get("next_url")
    return Page(rows, next_url if isinstance(next_url, str) and next_url else None, document.get("status") == "DELAYED")


def _list(document: Mapping[str, Json], name: str) -> Iterable[Json]:
    rows = document.get(name)
    return rows if isinstance(rows, list) else []


def _part(row: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def _number(value: Json) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):  # decimal strings occur beside numbers
        try:
            value = float(value)
        except ValueError:
            return None
    try:
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    except OverflowError:
        return None


def _price(row: Mapping[str, Json], name: str) -> float | None:
    """A price, or None: after the daily reset the vendor sends zeros for what it does not know."""
    return _number(row.get(name)) or None


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
