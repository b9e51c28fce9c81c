"""A market out of recorded CSV files: bars, trades and quotes as they are, nothing between them invented.

A file is `<ticker>_<resolution>.csv[.gz]` (`X_BTCUSD_1m`, `AAPL_1d`), `<ticker>_trades_<day>` or
`<ticker>_quotes_<day>`; the columns are those of shared/data/README.md. A bar file gives its own resolution and what
rolls up from it, a trade file (forex: a quote file) second bars and up. Where two files of a ticker give the same bar,
the one of the larger resolution wins, ticks last. A bar of a file appears when it is over, not before. An empty volume
stays unknown: the answers leave `v` out.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from desktop.demo.names import recorded_row
from desktop.demo.source import CatalogRow, Quotes, Split, Trades
from desktop.domain.aggregation import grouped, roll_up
from desktop.domain.bars import Bars, Floats, Ints
from desktop.domain.errors import BadInput
from desktop.domain.market import Market, market_of
from desktop.domain.timeframe import (
    HOUR_MS,
    ONE_MINUTE,
    ONE_SECOND,
    Span,
    Timeframe,
    bucket_end,
    bucket_start,
    bucket_starts,
)
from desktop.domain.world import World

_NAME = re.compile(
    r"(?:(?P<prefix>[XC])_)?(?P<code>[A-Za-z0-9.\-]{1,20})_(?:(?P<side>bid|ask)_)?"
    r"(?:(?P<count>\d{1,4})(?P<unit>[smhd])|(?P<kind>trades|quotes)(?:_\w+)?)\.csv(?:\.gz)?"
)
_UNITS = {"s": Span.SECOND, "m": Span.MINUTE, "h": Span.HOUR, "d": Span.DAY}
_EXCHANGE = 1
_LIVE_TAIL_MS = 48 * HOUR_MS  # of a recording of bars; the rest is history


@dataclass
class _Recorded:
    """What the files hold of one ticker."""

    market: Market
    files: dict[Timeframe, Bars] = field(default_factory=dict)  # as recorded, by resolution
    trades: Trades | None = None
    quotes: Quotes | None = None
    columns: dict[Timeframe, Bars] = field(default_factory=dict)  # every bar of a timeframe, when it is over

    @property
    def ticks(self) -> Bars | None:
        """One row per event that moves the price: trades, or bids of a currency pair. None when there are none."""
        if self.trades is not None:
            ones = np.ones(len(self.trades))
            price = self.trades.price
            return Bars(self.trades.time_ms, price, price, price, price, self.trades.size, price, ones)
        if self.market is Market.FOREX and self.quotes is not None:
            ones = np.ones(len(self.quotes))
            bid = self.quotes.bid
            return Bars(self.quotes.time_ms, bid, bid, bid, bid, ones, bid, ones)
        return None


class Recording:
    """Recorded files as a `MarketSource`."""

    def __init__(self, paths: Iterable[Path]) -> None:
        """Reads the files, and the recordings directly inside folders. Raises BadInput with a sentence."""
        files = _listed(paths)
        digest = hashlib.sha256()
        self._tickers: dict[str, _Recorded] = {}
        for path in files:
            ticker = self._read(path, digest.update)
            digest.update(ticker.encode())
        self.world = World(f"replay-{digest.hexdigest()[:8]}")
        self._rows = [recorded_row(ticker) for ticker in sorted(self._tickers)]
        self.first_ms, self.end_ms = self._extent()

    @property
    def default_start_ms(self) -> int:
        """Where a replay begins: one tenth into ticks, else 48 hours before the end; never before a first bar."""
        spans = [
            (int(ticks.start_ms[0]), int(ticks.start_ms[-1]))
            for recorded in self._tickers.values()
            if (ticks := recorded.ticks) is not None and len(ticks)
        ]
        if spans:
            first, last = max(spans, key=lambda span: span[1])
            return first + (last - first) // 10
        return max(self.end_ms - _LIVE_TAIL_MS, self.first_ms + (self.end_ms - self.first_ms) // 10)

    def tickers(self) -> Sequence[CatalogRow]:
        return self._rows

    def finest(self, ticker: str) -> Timeframe:
        recorded = self._tickers.get(ticker)
        if recorded is None or recorded.ticks is not None:
            return ONE_SECOND
        return min(recorded.files, key=lambda timeframe: timeframe.typical_ms, default=ONE_SECOND)

    def has_trades(self, ticker: str) -> bool:
        recorded = self._tickers.get(ticker)
        return recorded is not None and recorded.ticks is not None

    def splits(self, ticker: str) -> Sequence[Split]:
        return ()

    def trades(self, ticker: str, from_ms: int, to_ms: int) -> Trades:
        recorded = self._tickers.get(ticker)
        if recorded is None or recorded.trades is None:
            return Trades.empty()
        return recorded.trades.between(from_ms, to_ms)

    def quotes(self, ticker: str, from_ms: int, to_ms: int) -> Quotes:
        recorded = self._tickers.get(ticker)
        if recorded is None or recorded.quotes is None:
            return Quotes.empty()
        return recorded.quotes.between(from_ms, to_ms)

    def bars(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int, now_ms: int) -> Bars:
        recorded = self._tickers.get(ticker)
        if recorded is None:
            return Bars.empty()
        forming_ms = bucket_start(now_ms, timeframe, recorded.market)
        whole = self._columns(recorded, timeframe).between(from_ms, min(to_ms, forming_ms))
        if not from_ms <= forming_ms < to_ms:
            return whole
        return whole.merged(self._forming(recorded, timeframe, forming_ms, now_ms)) if forming_ms < now_ms else whole

    def _columns(self, recorded: _Recorded, timeframe: Timeframe) -> Bars:
        """Every bar of the timeframe that the files give, as if all were over."""
        if (known := recorded.columns.get(timeframe)) is not None:
            return known
        ticks = recorded.ticks
        columns = Bars.empty()
        if ticks is not None:
            columns = grouped(ticks, bucket_starts(ticks.start_ms, timeframe, recorded.market))
        for resolution in sorted(recorded.files, key=lambda item: item.typical_ms):
            if _builds(resolution, timeframe):  # the larger ones win: nearer to what the source said itself
                columns = columns.merged(_rolled(recorded.files[resolution], resolution, timeframe, recorded.market))
        recorded.columns[timeframe] = columns
        return columns

    def _forming(self, recorded: _Recorded, timeframe: Timeframe, start_ms: int, now_ms: int) -> Bars:
        """The bar that starts at `start_ms` out of smaller bars that are over and the ticks after them."""
        smaller = [file for file in recorded.files if file != timeframe and _builds(file, timeframe)]
        if smaller:
            finest = min(smaller, key=lambda item: item.typical_ms)
            within_ms = bucket_start(now_ms, finest, recorded.market)
            parts = self._columns(recorded, finest).between(start_ms, within_ms)
            parts = parts.merged(self._forming(recorded, finest, within_ms, now_ms))
        elif recorded.ticks is not None:
            begin, end = np.searchsorted(recorded.ticks.start_ms, [start_ms, now_ms])
            parts = recorded.ticks.take(int(begin), int(end))
        else:
            return Bars.empty()
        return grouped(parts, np.full(len(parts), start_ms, np.int64))

    def _read(self, path: Path, update: Callable[[bytes], object]) -> str:
        """Adds one file; the answer is its ticker."""
        match = _NAME.fullmatch(path.name)
        if match is None:
            raise BadInput(f"{path.name} is not named like a recording.", next_step="Try X_BTCUSD_1m.csv.gz.")
        content = _content(path)
        update(content)
        ticker = f"{match['prefix']}:{match['code']}" if match["prefix"] else match["code"]
        recorded = self._tickers.setdefault(ticker, _Recorded(market_of(ticker)))
        recorded.columns.clear()
        try:
            header, *lines = content.decode().splitlines()
            table = _Table(header, lines)
            if match["kind"] == "trades":
                recorded.trades = Trades.joined([recorded.trades or Trades.empty(), _trades(table)]).in_order()
            elif match["kind"] == "quotes":
                recorded.quotes = Quotes.joined([recorded.quotes or Quotes.empty(), _quotes(table)]).in_order()
            else:
                timeframe = Timeframe(int(match["count"]), _UNITS[match["unit"]])
                held = recorded.files.get(timeframe, Bars.empty())
                bars = _bars(table)
                # Ask prices only fill in where the bids of the same pair are not there.
                recorded.files[timeframe] = bars.merged(held) if match["side"] == "ask" else held.merged(bars)
        except (ValueError, KeyError, UnicodeDecodeError) as error:
            raise BadInput(f"{path.name} is not a recording: {_reason(error)}.") from error
        return ticker

    def _extent(self) -> tuple[int, int]:
        starts, ends = [], []
        for recorded in self._tickers.values():
            for timeframe, bars in recorded.files.items():
                if len(bars):
                    starts.append(int(bars.start_ms[0]))
                    ends.append(bucket_end(int(bars.start_ms[-1]), timeframe, recorded.market))
            for ticks in (recorded.trades, recorded.quotes):
                if ticks is not None and len(ticks):
                    starts.append(int(ticks.time_ms[0]))
                    ends.append(bucket_end(int(ticks.time_ms[-1]), ONE_MINUTE, recorded.market))
        if not starts:
            raise BadInput("The recording holds no rows.")
        return min(starts), max(ends)


class _Table:
    """The columns of a CSV file by name. Raises KeyError for a missing one, ValueError for what is no number."""

    def __init__(self, header: str, lines: Sequence[str]) -> None:
        names = header.split(",")
        cells = zip(*(line.split(",") for line in lines), strict=True) if lines else [()] * len(names)
        self._columns = dict(zip(names, cells, strict=True))

    def __contains__(self, name: str) -> bool:
        return name in self._columns

    def ints(self, name: str) -> Ints:
        return np.array([int(cell) for cell in self._columns[name]], np.int64)

    def floats(self, name: str) -> Floats:
        """NaN where the cell is empty."""
        return np.array([float(cell or "nan") for cell in self._columns[name]], np.float64)


def _bars(table: _Table) -> Bars:
    start_ms = table.ints("t")
    unknown = np.full(len(start_ms), math.nan)
    volume = table.floats("v") if "v" in table else unknown
    prices = [table.floats(name) for name in ("o", "h", "l", "c")]
    return Bars.from_columns(start_ms, [*prices, volume, unknown, unknown])


def _trades(table: _Table) -> Trades:
    time_ms = table.ints("t")
    count = len(time_ms)
    return Trades(
        time_ms,
        table.floats("p"),
        table.floats("s"),
        np.full(count, _EXCHANGE, np.int64),
        table.ints("c") if "c" in table else np.zeros(count, np.int64),
        table.ints("i") if "i" in table else np.arange(1, count + 1, dtype=np.int64),
    )


def _quotes(table: _Table) -> Quotes:
    return Quotes(table.ints("t"), table.floats("bp"), table.floats("bs"), table.floats("ap"), table.floats("as"))


def _builds(resolution: Timeframe, timeframe: Timeframe) -> bool:
    """Whether bars of `timeframe` are made of whole bars of `resolution`."""
    return timeframe.typical_ms % resolution.typical_ms == 0


def _rolled(bars: Bars, resolution: Timeframe, timeframe: Timeframe, market: Market) -> Bars:
    return bars if resolution == timeframe else roll_up(bars, timeframe, market)


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        return gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise BadInput(f"{path} cannot be read: {_reason(error)}.") from error


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"it has no column {error}"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _listed(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(file for file in path.iterdir() if _NAME.fullmatch(file.name)) if path.is_dir() else [path]
    if not files:
        raise BadInput("There is no recording to serve.")
    return files
