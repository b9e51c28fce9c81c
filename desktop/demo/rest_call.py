"""One REST call as the endpoints see it, and the vendor's ways to say no."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from desktop.demo.plan import Plan
from desktop.demo.source import CatalogRow, MarketSource
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, new_york_midnight_ms

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_OPERATORS: Final = ("gte", "gt", "lte", "lt")
_FIRST_DAY: Final = dt.date(1970, 1, 1)
_LAST_DAY: Final = dt.date(2199, 12, 31)
_FAR_MS: Final = 1 << 52
UPGRADE: Final = "Please upgrade your plan at https://massive.com/pricing"


class Refusal(Exception):
    """The vendor's answer to a call it does not serve: HTTP status, word and sentence."""

    def __init__(self, http_status: int, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.http_status = http_status
        self.word = word
        self.sentence = sentence

    def body(self, request_id: str) -> dict[str, str]:
        """The JSON body; the sentence stands in `error` for errors, in `message` otherwise, as the vendor has it."""
        field = "error" if self.word == "ERROR" else "message"
        return {"status": self.word, "request_id": request_id, field: self.sentence}


def bad_parameter(sentence: str) -> Refusal:
    return Refusal(400, "ERROR", sentence)


def not_found(sentence: str) -> Refusal:
    return Refusal(404, "NOT_FOUND", sentence)


def not_entitled() -> Refusal:
    return Refusal(403, "NOT_AUTHORIZED", f"You are not entitled to this data. {UPGRADE}")


def timeframe_not_in_plan() -> Refusal:
    return Refusal(403, "NOT_AUTHORIZED", f"Your plan doesn't include this data timeframe. {UPGRADE}")


@dataclass(frozen=True, slots=True)
class Catalog:
    """The source's tickers by name and market."""

    rows: tuple[CatalogRow, ...]
    by_ticker: dict[str, CatalogRow]

    @classmethod
    def of(cls, rows: Sequence[CatalogRow]) -> Catalog:
        return cls(tuple(rows), {row.ticker: row for row in rows})

    def of_market(self, market: Market) -> list[CatalogRow]:
        return [row for row in self.rows if row.market is market and row.is_active]

    def find(self, ticker: str) -> CatalogRow | None:
        """The row of a ticker; pairs may be written with a hyphen."""
        row = self.by_ticker.get(ticker)
        return self.by_ticker.get(ticker.replace("-", "")) if row is None and ticker[1:2] == ":" else row


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised call. `now_ms` is the market's time it is answered for."""

    source: MarketSource
    catalog: Catalog
    plan: Plan
    now_ms: int
    request_id: str
    base: str  # scheme, host and port the client called
    path: str
    params: dict[str, str]

    @property
    def status(self) -> str:
        return "DELAYED" if self.plan.delay_ms or self.plan.is_end_of_day else "OK"

    def text(self, name: str, default: str = "") -> str:
        return self.params.get(name) or default

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        """Raises Refusal when the parameter is no number or outside of [low, high]."""
        raw = self.params.get(name)
        if not raw:
            return default
        if not raw.lstrip("-").isdigit() or not low <= int(raw) <= high:
            raise bad_parameter(f"The parameter '{name}' must be an integer between {low} and {high}")
        return int(raw)

    def flag(self, name: str, default: bool) -> bool:
        raw = self.params.get(name, "").lower()
        if raw in ("true", "1"):
            return True
        if raw in ("false", "0"):
            return False
        if raw:
            raise bad_parameter(f"The parameter '{name}' must be true or false")
        return default

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        raw = self.params.get(name) or default
        if raw not in options:
            raise bad_parameter(f"The parameter '{name}' must be one of {', '.join(options)}")
        return raw

    def row(self, ticker: str, market: Market | None = None) -> CatalogRow:
        """Raises Refusal (404) for an unknown ticker, or one of another market than asked for."""
        row = self.catalog.find(ticker)
        if row is None or market not in (None, row.market):
            raise not_found("Ticker not found.")
        return row

    def time_range(self, name: str, market: Market, unit_per_ms: int = 1) -> tuple[int, int]:
        """What `name` and `name.gte` … `name.lt` leave of time, as [from_ms, to_ms).

        Numbers are ms times `unit_per_ms`; a date is its whole day in the market's zone.
        """
        low, high = 0, _FAR_MS
        if raw := self.params.get(name):
            first, last = moment(raw, market, unit_per_ms)
            low, high = first, last + 1
        for operator in _OPERATORS:
            if not (raw := self.params.get(f"{name}.{operator}")):
                continue
            first, last = moment(raw, market, unit_per_ms)
            match operator:
                case "gte":
                    low = max(low, first)
                case "gt":
                    low = max(low, last + 1)
                case "lte":
                    high = min(high, last + 1)
                case "lt":
                    high = min(high, first)
        return low, high

    def next_url(self, params: dict[str, str], path: str | None = None) -> str:
        """Address of the next page: the parameters in an opaque cursor, never the key."""
        cursor = base64.urlsafe_b64encode(urlencode(params).encode()).decode().rstrip("=")
        return f"{self.base}{quote(path or self.path, safe='/:.-')}?cursor={cursor}"


def read_cursor(cursor: str) -> dict[str, str]:
    """The parameters in a cursor. Raises Refusal when it is not one of ours."""
    try:
        decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode("ascii")
    except ValueError:
        raise bad_parameter("The parameter 'cursor' is invalid") from None
    return dict(parse_qsl(decoded, keep_blank_values=True))


def moment(raw: str, market: Market, unit_per_ms: int = 1) -> tuple[int, int]:
    """First and last ms that `raw` means: a date its whole day in the market's zone, a number just itself.

    Raises Refusal when it is neither.
    """
    if _DATE.fullmatch(raw):
        try:
            day = dt.date.fromisoformat(raw)
        except ValueError:
            raise bad_parameter(f"Could not parse the date '{raw}'") from None
        return day_span(day, market)
    if not raw.isdigit() or len(raw) > 19:
        raise bad_parameter(f"Could not parse the time '{raw}'. Use YYYY-MM-DD or a Unix timestamp")
    time_ms = int(raw) // unit_per_ms
    return time_ms, time_ms


def day_span(day: dt.date, market: Market) -> tuple[int, int]:
    """First and last ms of a day: New York's for stocks, UTC's else. Days before 1970 or far ahead count as those."""
    day = min(max(day, _FIRST_DAY), _LAST_DAY)
    if market is Market.STOCKS:
        return new_york_midnight_ms(day), new_york_midnight_ms(day + dt.timedelta(days=1)) - 1
    start_ms = (day - _FIRST_DAY).days * DAY_MS
    return start_ms, start_ms + DAY_MS - 1
