"""Everything a window binds to, holding plain values: the data are made up, the objects and signals are real."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.domain.bars import BarSeries
from desktop.domain.errors import BadInput
from desktop.domain.freshness import Freshness, Origin, Seen
from desktop.domain.layout import Cell, Layout, Tab
from desktop.domain.market import TickerInfo, market_of
from desktop.domain.settings import Settings
from desktop.domain.timeframe import Timeframe
from desktop.domain.usage import Usage, UsageWarning, warning_of
from desktop.services.audit import AuditOffer, AuditState
from desktop.services.exports import ExportProgress
from desktop.services.notices import Notices
from desktop.services.workspace import Workspace
from desktop.ui.services_api import WindowServices
from tests.ui.chart_source import START_MS, FixedClock, SeriesSource, walk
from tests.ui.held_drawings import HeldDrawings

NAMES = {
    "X:BTCUSD": ("Bitcoin – US Dollar", "BTC"),
    "X:ETHUSD": ("Ethereum – US Dollar", "ETH"),
    "X:SOLUSD": ("Solana – US Dollar", "SOL"),
    "X:PEPEUSD": ("Pepe – US Dollar", "PEPE"),
    "AAPL": ("Apple Inc.", ""),
    "C:EURUSD": ("Euro – US Dollar", "EUR"),
}


def info_of(ticker: str) -> TickerInfo:
    """A catalogue row for a ticker of NAMES."""
    name, base = NAMES.get(ticker, ("", ""))
    return TickerInfo(ticker, name, market_of(ticker), base=base, currency="USD")


class KeySource(enum.StrEnum):
    """The names of `services.keys.KeySource`."""

    TYPED = "typed"
    ENV_MASSIVE = "MASSIVE_API_KEY"
    ENV_POLYGON = "POLYGON_API_KEY"
    KEYRING = "keyring"
    NONE = "none"


class HeldPreferences(QObject):
    """Settings that are kept in memory."""

    changed = Signal(object)

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings = settings or Settings()

    def update(self, **changes: Any) -> None:
        settings = replace(self.settings, **changes)
        if settings != self.settings:
            self.settings = settings
            self.changed.emit(settings)


class HeldKeys(QObject):
    """A key that is kept in memory; too short a one is refused."""

    changed = Signal()
    saved = Signal(bool, str)

    def __init__(self) -> None:
        super().__init__()
        self.source: enum.Enum = KeySource.NONE
        self.keyring_name: str | None = "Secret Service"
        self.sentence: str | None = None
        self.is_busy = False
        self.used: list[tuple[str, bool]] = []

    @property
    def has_key(self) -> bool:
        return self.source is not KeySource.NONE

    def use(self, text: str, *, remember: bool) -> None:
        if len(text) < 16:
            raise BadInput("That does not look like an API key.")
        self.used.append((text, remember))
        self.source = KeySource.KEYRING if remember else KeySource.TYPED
        self.saved.emit(True, "The key is saved in the keyring." if remember else "The key is in use for this run.")
        self.changed.emit()

    def forget(self) -> None:
        self.source = KeySource.NONE
        self.saved.emit(True, "The key was removed.")
        self.changed.emit()


class HeldSearch(QObject):
    """Finds tickers of NAMES that hold the query."""

    results = Signal(str, list)
    state = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.sentence = ""
        self.remembered: list[str] = []

    def set_query(self, text: str) -> None:
        hits = [info_of(ticker) for ticker in NAMES if text.casefold() in f"{ticker} {NAMES[ticker][0]}".casefold()]
        self.results.emit(text, hits)

    def recent(self) -> list[TickerInfo]:
        return [info_of(ticker) for ticker in NAMES]

    def remember(self, ticker: str) -> None:
        self.remembered.append(ticker)

    def info(self, ticker: str) -> TickerInfo | None:
        return info_of(ticker) if ticker in NAMES else None


class HeldWatchlist(QObject):
    """An ordered list in memory."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tickers = tuple(NAMES)

    def add(self, ticker: str) -> None:
        self.insert(ticker, len(self.tickers))

    def insert(self, ticker: str, index: int) -> None:
        rest = [held for held in self.tickers if held != ticker]
        self.tickers = (*rest[:index], ticker, *rest[index:])
        self.changed.emit()

    def remove(self, ticker: str) -> None:
        self.tickers = tuple(held for held in self.tickers if held != ticker)
        self.changed.emit()

    def move(self, ticker: str, index: int) -> None:
        self.insert(ticker, index)


@dataclass(slots=True)
class Quote:
    """The newest values of one ticker."""

    last: float | None = None
    last_ms: int | None = None
    previous: float | None = None
    prev_close: float | None = None
    day_volume: float | None = None
    bid: float | None = None
    ask: float | None = None
    freshness: Freshness = Freshness.LIVE

    @property
    def seen(self) -> Seen | None:
        return None if self.last_ms is None else Seen(Origin.STREAM, self.last_ms, self.last_ms + 120, self.last_ms)

    @property
    def change(self) -> float | None:
        return None if self.last is None or self.prev_close is None else self.last - self.prev_close

    @property
    def change_pct(self) -> float | None:
        return None if self.change is None or not self.prev_close else self.change / self.prev_close * 100


def _quote(last: float, prev_close: float, volume: float, freshness: Freshness = Freshness.LIVE) -> Quote:
    return Quote(last, START_MS + 17_600, last, prev_close, volume, last * 0.9999, last * 1.0001, freshness)


class HeldBoard:
    """Newest values that a test sets."""

    def __init__(self) -> None:
        self.board: dict[str, Quote] = {
            "X:BTCUSD": _quote(64_231.5, 63_410.2, 18_422.0),
            "X:ETHUSD": _quote(3_412.77, 3_448.1, 212_000.0),
            "X:SOLUSD": _quote(172.31, 168.02, 3_900_000.0),
            "X:PEPEUSD": _quote(0.00000123, 0.0000012, 9.1e12),
            "AAPL": _quote(187.22, 186.4, 48_300_000.0, Freshness.NO_TRADES),
            "C:EURUSD": _quote(1.08342, 1.0851, 120_000.0, Freshness.STALE),
        }
        self.changed_tickers: set[str] = set(self.board)

    def take_changed(self) -> set[str]:
        changed, self.changed_tickers = self.changed_tickers, set()
        return changed


@dataclass(frozen=True, slots=True)
class Summary:
    """What the connection says."""

    text: str = "Connected"
    level: str = "good"
    sentence: str | None = None
    action: str | None = None
    action_id: str | None = None


class HeldConnection(QObject):
    """A connection that says what a test wants."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.summary = Summary()
        self.usage = Usage(last_minute=3, last_hour=40, last_day=120, limit_per_minute=5, in_window=3)
        self.lag_sentence: str | None = None
        self.actions: list[str] = []

    @property
    def usage_warning(self) -> UsageWarning:
        return warning_of(self.usage)

    def say(self, summary: Summary) -> None:
        self.summary = summary
        self.changed.emit()

    def run_action(self, action_id: str) -> None:
        self.actions.append(action_id)


class HeldLimits(QObject):
    """Counts how often the plan was to be checked again."""

    def __init__(self) -> None:
        super().__init__()
        self.checks = 0

    def check_again(self) -> None:
        self.checks += 1


class HeldAudit(QObject):
    """An audit whose state a test sets."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.state = AuditState()

    def say(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self.changed.emit()

    def offer(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int) -> None:
        self.say(phase="offered", offer=AuditOffer(ticker, timeframe.base, from_ms, to_ms, 7, 5))

    def start(self) -> None:
        self.say(phase="running")

    def cancel(self) -> None:
        self.say(phase="cancelled")


class HeldExports(QObject):
    """Keeps what would be written."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.progress: ExportProgress | None = None
        self.bars: list[tuple[BarSeries, int, int, Path]] = []
        self.files: dict[Path, bytes] = {}
        self.cancelled = 0

    def save_bars(self, series: BarSeries, from_ms: int, to_ms: int, path: Path) -> None:
        self.bars.append((series, from_ms, to_ms, path))

    def save_bytes(self, make: Callable[[], bytes], path: Path) -> None:
        self.files[path] = make()

    def cancel(self) -> None:
        self.cancelled += 1

    def say(self, progress: ExportProgress | None) -> None:
        self.progress = progress
        self.changed.emit()


class ShownSeries(SeriesSource):
    """A chart's source that shows a made-up series for any ticker; without bars none until it is told."""

    def __init__(self, count: int = 400) -> None:
        if count:
            super().__init__(walk(count), name=NAMES["X:BTCUSD"][0])
        else:
            super().__init__(ticker="")
        self.say(freshness=Freshness.LIVE, last_event_ms=START_MS + 17_700)

    def show(self, ticker: str, timeframe: Timeframe) -> None:  # type: ignore[override]
        super().show(walk(400, step_ms=timeframe.typical_ms), ticker, timeframe)


@dataclass(frozen=True, slots=True)
class Parts:
    """The services by their real types, for a test to act on."""

    notices: Notices
    preferences: HeldPreferences
    keys: HeldKeys
    search: HeldSearch
    watchlist: HeldWatchlist
    live: HeldBoard
    chart: ShownSeries
    workspace: Workspace[ShownSeries]
    connection: HeldConnection
    limits: HeldLimits
    audit: HeldAudit
    exports: HeldExports
    clock: FixedClock
    drawings: HeldDrawings

    @property
    def services(self) -> WindowServices:
        """The same as the window takes them."""
        return WindowServices(
            self.notices,
            self.preferences,
            self.keys,
            self.search,
            self.watchlist,
            self.live,
            self.workspace,
            self.connection,
            self.limits,
            self.audit,
            self.exports,
            self.clock,
            self.drawings,
        )


def make_workspace(suggest: Callable[[], Sequence[str]] = tuple) -> Workspace[ShownSeries]:
    """One chart that shows its series already; further ones show theirs when they are opened."""
    first = [ShownSeries()]
    layout = Layout((Tab((Cell(first[0].ticker, first[0].timeframe),)),))
    workspace = Workspace(
        lambda: first.pop() if first else ShownSeries(count=0), ShownSeries.deleteLater, layout, suggest=suggest
    )
    workspace.start()
    return workspace


def make_parts(settings: Settings | None = None) -> Parts:
    """A window's services with a few tickers in them."""
    watchlist = HeldWatchlist()
    workspace = make_workspace(lambda: watchlist.tickers)
    return Parts(
        Notices(),
        HeldPreferences(settings),
        HeldKeys(),
        HeldSearch(),
        watchlist,
        HeldBoard(),
        workspace.active,
        workspace,
        HeldConnection(),
        HeldLimits(),
        HeldAudit(),
        HeldExports(),
        FixedClock(),
        HeldDrawings(),
    )
