"""What the synthetic market trades: assets, their pairs and stocks, and how lively each is. The same for every seed."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Final

from desktop.demo import market_names
from desktop.demo.market_hash import key_of
from desktop.demo.source import CatalogRow, Split
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS

EPOCH_DAY: Final = dt.date(1970, 1, 1)
FIRST_DATE: Final = dt.date(2013, 1, 1)
_COIN_COUNT: Final = 430
_STOCK_COUNT: Final = 500
_THIN_COUNT: Final = 60  # the last so many coins, and stocks, trade every few minutes to every few hours
_AVERAGE_LOTS: Final = 256


@dataclass(frozen=True, slots=True)
class Asset:
    """Something with a value in US dollars: a coin, a stock or a currency."""

    code: str
    name: str
    usd: float  # its value about which the synthetic one moves since 2025
    volatility: float  # deviation of a day's logarithmic change
    growth: float  # by how much the logarithm of its value rises from 2013 to 2025
    market: Market | None  # whose common movement it follows
    beta: float  # how much of its own volatility is the market's
    is_pegged: bool = False  # held near its value at all times


@dataclass(frozen=True)
class Listing:
    """One ticker and the constants its prices, volumes and trades are made of.

    `decimals` fix the tick (10^-decimals), `lot_exponent` the lot (2^lot_exponent). Prices and volumes are whole
    numbers of those at the scale after the last split.
    """

    row: CatalogRow
    base: Asset
    quote: Asset | None  # None: US dollars
    decimals: int
    lot_exponent: int
    average_lots: float  # of a trade
    rate: float  # trades (forex: quotes) of an average minute of the session
    first_day: int  # days since the epoch; there is no trade before
    end_day: int  # nor from this day on
    splits: tuple[Split, ...] = ()

    @property
    def ticker(self) -> str:
        return self.row.ticker

    @property
    def market(self) -> Market:
        return self.row.market

    @cached_property
    def tick_divisor(self) -> float:
        """Prices are ticks divided by this: a power of ten that floats hold exactly, so the quotient is exact too."""
        return float(10**self.decimals)

    @cached_property
    def lot(self) -> float:
        return math.ldexp(1.0, self.lot_exponent)

    def scale_at(self, day: int) -> int:
        """How many of today's shares one share of `day` (since the epoch) has become by the last split."""
        date = EPOCH_DAY + dt.timedelta(days=day)
        return math.prod(int(s.split_to) for s in self.splits if s.execution_date > date)


@lru_cache(maxsize=1)
def listings() -> tuple[Listing, ...]:
    """Every ticker, sorted by name."""
    return tuple(sorted((*_coins(), *_stocks(), *_currency_pairs()), key=lambda listing: listing.ticker))


def days_since_epoch(date: dt.date) -> int:
    """Days from 1970-01-01 to `date`."""
    return (date - EPOCH_DAY).days


def _coins() -> Iterator[Listing]:
    known = [line.split("|") for line in market_names.COINS.splitlines()]
    invented = market_names.invented_coins(_COIN_COUNT - len(known), frozenset(symbol for symbol, *_ in known))
    table = [(symbol, name, float(usd), int(year)) for symbol, name, usd, year in known]
    # Invented coins cost from 1e-8 up to 100 dollars.
    table += [
        (s, n, _rounded(10.0 ** (_draw("price", s) * 10 - 8)), 2014 + int(_draw("year", s) * 10)) for s, n in invented
    ]
    coins = {symbol: _coin(symbol, name, usd) for symbol, name, usd, _ in table}
    quotes = coins | {currency.code: currency for currency in _currencies()}
    for rank, (symbol, _, _, year) in enumerate(table):
        asset = coins[symbol]
        first = dt.date(year, 1, 1) + dt.timedelta(days=0 if year == 2013 else int(_draw("first", symbol) * 365))
        is_thin = rank >= _COIN_COUNT - _THIN_COUNT
        rate = 10.0 ** (_draw("thin", symbol) - 2.5) if is_thin else max(0.4, 90 / (1 + rank) ** 0.8)
        yield _pair(asset, None, rate, first)
        for code, count in market_names.QUOTED_IN.items():
            if rank < count and code != symbol and symbol not in market_names.PEGGED:
                share = 0.5 if code == "USDT" else 0.2
                yield _pair(asset, quotes[code], rate * share, max(first, dt.date(2015, 6, 1)))


def _coin(symbol: str, name: str, usd: float) -> Asset:
    if symbol in market_names.PEGGED:
        return Asset(symbol, name, usd, 0.0004, 0.0, None, 0.0, is_pegged=True)
    if symbol in ("BTC", "WBTC", "ETH"):
        return Asset(symbol, name, usd, 0.028, 8.0, Market.CRYPTO, 0.8)
    if symbol == "PAXG":
        return Asset(symbol, name, usd, 0.009, 0.5, None, 0.0)
    return Asset(
        symbol, name, usd, 0.035 + 0.035 * _draw("vol", symbol), 3 * _draw("growth", symbol), Market.CRYPTO, 0.6
    )


def _pair(base: Asset, quote: Asset | None, rate: float, first: dt.date) -> Listing:
    currency, currency_name = ("USD", "United States dollar") if quote is None else (quote.code, quote.name)
    last = market_names.LAST_DAYS.get(base.code)
    end_day = 1 << 40 if last is None else days_since_epoch(dt.date.fromisoformat(last)) + 1
    row = CatalogRow(
        ticker=f"X:{base.code}{currency}",
        name=f"{base.name} - {currency_name}",
        market=Market.CRYPTO,
        base=base.code,
        base_name=base.name,
        currency=currency,
        currency_name=currency_name,
        is_active=last is None,
        delisted_ms=None if last is None else end_day * DAY_MS,
    )
    notional_usd = 200 + 40 * min(rate, 60)
    price = base.usd / (1.0 if quote is None else quote.usd)
    return Listing(
        row=row,
        base=base,
        quote=quote,
        decimals=max(2, 5 - Decimal(price).adjusted()),
        lot_exponent=math.frexp(notional_usd / base.usd / _AVERAGE_LOTS)[1] - 1,
        average_lots=_AVERAGE_LOTS,
        rate=_rounded(rate),
        first_day=days_since_epoch(first),
        end_day=end_day,
    )


def _stocks() -> Iterator[Listing]:
    known = [line.split("|") for line in market_names.STOCKS.splitlines()]
    invented = market_names.invented_firms(_STOCK_COUNT - len(known), frozenset(symbol for symbol, *_ in known))
    table = [(symbol, name, float(usd), kind, mic, splits) for symbol, name, usd, kind, mic, splits in known]
    table += [
        (s, n, _rounded(10.0 ** (0.3 + _draw("price", s) * 2.2)), "CS", "XNAS" if key_of("mic", s) % 2 else "XNYS", "")
        for s, n in invented
    ]
    for rank, (symbol, name, usd, kind, mic, splits) in enumerate(table):
        is_thin = rank >= _STOCK_COUNT - _THIN_COUNT
        rate = 10.0 ** (_draw("thin", symbol) - 2.2) if is_thin else max(0.8, 110 / (1 + rank) ** 0.75)
        yield _stock(symbol, name, usd, kind, mic, _read_splits(splits), rate)


def _stock(symbol: str, name: str, usd: float, kind: str, mic: str, splits: tuple[Split, ...], rate: float) -> Listing:
    is_fund = kind == "ETF"
    volatility = 0.009 if is_fund else 0.012 + 0.018 * _draw("vol", symbol)
    listed = dt.date.fromisoformat(market_names.LISTED.get(symbol, "2013-01-01"))
    lots_per_share = math.prod(int(split.split_to) for split in splits)
    row = CatalogRow(
        ticker=symbol,
        name=name,
        market=Market.STOCKS,
        kind=kind,
        exchange=mic,
        currency="usd",
        cik=f"{key_of('cik', symbol) % 2_000_000:010d}",
        list_date=listed,
        market_cap=None if is_fund else float(round(usd * (1e7 + 4e7 * rate))),
        total_employees=None if is_fund else 50 + int(_draw("staff", symbol) * 1500 * (1 + rate)),
    )
    return Listing(
        row=row,
        base=Asset(symbol, name, usd, volatility, 2.2 * _draw("growth", symbol), Market.STOCKS, 0.6),
        quote=None,
        decimals=4 if splits or usd < 10 else 2,
        lot_exponent=lots_per_share.bit_length() - 1,
        average_lots=max(1.0, 9000 / usd / lots_per_share),
        rate=_rounded(rate),
        first_day=days_since_epoch(listed),
        end_day=1 << 40,
        splits=splits,
    )


def _currencies() -> list[Asset]:
    table = [line.split("|") for line in market_names.CURRENCIES.splitlines()]
    return [Asset(code, name, float(usd), float(vol), 0.0, None, 0.0, code == "HKD") for code, name, usd, vol in table]


def _currency_pairs() -> Iterator[Listing]:
    assets: dict[str, Asset | None] = {currency.code: currency for currency in _currencies()}
    dollar = Asset("USD", "United States dollar", 1.0, 0.0, 0.0, None, 0.0)
    for rank, pair in enumerate(market_names.CURRENCY_PAIRS.split()):
        base, quote = assets.get(pair[:3]) or dollar, assets.get(pair[3:])
        row = CatalogRow(
            ticker=f"C:{pair}",
            name=f"{base.name} - {quote.name if quote else dollar.name}",
            market=Market.FOREX,
            base=base.code,
            base_name=base.name,
            currency=pair[3:],
            currency_name=quote.name if quote else dollar.name,
        )
        yield Listing(
            row=row,
            base=base,
            quote=quote,
            decimals=3 if base.usd / (quote.usd if quote else 1.0) >= 15 else 5,
            lot_exponent=0,
            average_lots=1.0,
            rate=_rounded(max(6.0, 70 / (1 + rank) ** 0.5)),
            first_day=days_since_epoch(FIRST_DATE),
            end_day=1 << 40,
        )


def _read_splits(text: str) -> tuple[Split, ...]:
    answer = []
    for part in filter(None, text.split(",")):
        date, ratio = part.split(":")
        split_from, split_to = ratio.split("-")
        answer.append(Split(dt.date.fromisoformat(date), float(split_from), float(split_to)))
    return tuple(answer)


def _draw(*names: object) -> float:
    """A number in [0, 1) that stands for `names`."""
    return float(Fraction(key_of(*names) >> 11, 1 << 53))


def _rounded(value: float) -> float:
    """Three digits: what remains of a power is the same on every machine."""
    return float(f"{value:.3g}")
