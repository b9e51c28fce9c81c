"""What the window needs of the services, as protocols; the classes in `desktop/services` fulfil them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from PySide6.QtCore import SignalInstance

from desktop.domain.bars import BarSeries
from desktop.domain.freshness import Freshness, Seen
from desktop.domain.layout import Grid, Link, LinkOptions
from desktop.domain.look import Look
from desktop.domain.market import TickerInfo
from desktop.domain.settings import Settings
from desktop.domain.timeframe import Timeframe
from desktop.domain.usage import Usage, UsageWarning
from desktop.services.audit import AuditState
from desktop.services.exports import ExportProgress
from desktop.services.notices import Level, Notice
from desktop.services.workspace import OpenTab
from desktop.ui.chart.drawing_desk import DrawingsApi
from desktop.ui.chart.source import ChartSource, Clock


class NoticesApi(Protocol):
    """Events worth a line: `posted(Notice)`, `cleared(key)`."""

    @property
    def posted(self) -> SignalInstance: ...
    @property
    def cleared(self) -> SignalInstance: ...
    @property
    def open(self) -> tuple[Notice, ...]: ...
    def post(
        self,
        text: str,
        level: Level = "info",
        *,
        key: str | None = None,
        action: str | None = None,
        action_id: str | None = None,
    ) -> None: ...
    def clear(self, key: str) -> None: ...


class PreferencesApi(Protocol):
    """The settings: `changed(Settings)`."""

    @property
    def changed(self) -> SignalInstance: ...
    @property
    def settings(self) -> Settings: ...
    def update(self, **changes: Any) -> None: ...


class KeysApi(Protocol):
    """Where the key comes from, never what it is: `changed()`, `saved(worked, sentence)`."""

    @property
    def changed(self) -> SignalInstance: ...
    @property
    def saved(self) -> SignalInstance: ...
    @property
    def source(self) -> enum.Enum: ...
    @property
    def sentence(self) -> str | None:
        """What went wrong on the way to the key, if anything."""

    @property
    def has_key(self) -> bool: ...
    @property
    def keyring_name(self) -> str | None: ...
    @property
    def is_busy(self) -> bool: ...
    def use(self, text: str, *, remember: bool) -> None:
        """Raises BadInput at once."""

    def forget(self) -> None: ...


class SearchApi(Protocol):
    """The ticker search: `results(query, list[TickerInfo])`, `state(sentence)`."""

    @property
    def results(self) -> SignalInstance: ...
    @property
    def state(self) -> SignalInstance: ...
    @property
    def sentence(self) -> str: ...
    def set_query(self, text: str) -> None: ...
    def recent(self) -> list[TickerInfo]: ...
    def remember(self, ticker: str) -> None: ...
    def info(self, ticker: str) -> TickerInfo | None: ...


class WatchlistApi(Protocol):
    """The tickers a person watches: `changed()`."""

    @property
    def changed(self) -> SignalInstance: ...
    @property
    def tickers(self) -> tuple[str, ...]: ...
    def add(self, ticker: str) -> None: ...
    def insert(self, ticker: str, index: int) -> None: ...
    def remove(self, ticker: str) -> None: ...
    def move(self, ticker: str, index: int) -> None: ...


class QuoteApi(Protocol):
    """The newest values of one ticker; None where nothing is known."""

    @property
    def last(self) -> float | None: ...
    @property
    def last_ms(self) -> int | None: ...
    @property
    def previous(self) -> float | None: ...
    @property
    def prev_close(self) -> float | None: ...
    @property
    def change(self) -> float | None: ...
    @property
    def change_pct(self) -> float | None: ...
    @property
    def day_volume(self) -> float | None: ...
    @property
    def bid(self) -> float | None: ...
    @property
    def ask(self) -> float | None: ...
    @property
    def freshness(self) -> Freshness: ...
    @property
    def seen(self) -> Seen | None:
        """Origin and times of the price."""


class LiveApi(Protocol):
    """The board of newest values."""

    @property
    def board(self) -> Mapping[str, QuoteApi]: ...
    def take_changed(self) -> set[str]:
        """Tickers whose values changed since the last call; one caller only."""


class ChartDataApi(ChartSource, Protocol):
    """The series on the chart, and how to show another one."""

    def show(self, ticker: str, timeframe: Timeframe) -> None: ...


class WorkspaceApi(Protocol):
    """The open charts: `changed()` for anything of the layout, `active_changed()` for another active chart."""

    @property
    def changed(self) -> SignalInstance: ...
    @property
    def active_changed(self) -> SignalInstance: ...
    @property
    def tabs(self) -> Sequence[OpenTab[Any]]: ...
    @property
    def tab(self) -> OpenTab[Any]: ...
    @property
    def active(self) -> ChartDataApi: ...
    @property
    def charts(self) -> Sequence[ChartDataApi]: ...
    def activate(self, chart: Any) -> None: ...
    def add_tab(self, ticker: str = "") -> None: ...
    def close_tab(self, tab: OpenTab[Any]) -> None: ...
    def rename_tab(self, tab: OpenTab[Any], name: str) -> None: ...
    def move_tab(self, tab: OpenTab[Any], index: int) -> None: ...
    def set_grid(self, grid: Grid) -> None: ...
    def look_of(self, chart: Any) -> Look: ...
    def set_look(self, chart: Any, look: Look) -> None: ...
    def link_of(self, chart: Any) -> Link | None: ...
    def linked(self, chart: Any) -> Sequence[ChartDataApi]: ...
    def set_link(self, chart: Any, link: Link | None) -> None: ...
    def options(self, link: Link) -> LinkOptions: ...
    def set_options(self, link: Link, options: LinkOptions) -> None: ...


class ExportsApi(Protocol):
    """Files a person asked for, written in the background: `changed()`; what came of each is a notice."""

    @property
    def changed(self) -> SignalInstance: ...
    @property
    def progress(self) -> ExportProgress | None: ...
    def save_bars(self, series: BarSeries, from_ms: int, to_ms: int, path: Path) -> None:
        """As CSV, those whose start lies in [from_ms, to_ms)."""

    def save_bytes(self, make: Callable[[], bytes], path: Path) -> None:
        """What `make` gives; it is called in a thread. Nothing means that it could not be made."""

    def cancel(self) -> None: ...


class ConnectionSummaryApi(Protocol):
    """One word, one sentence, one action; `level` is "good", "busy", "warning", "error" or "off"."""

    @property
    def text(self) -> str: ...
    @property
    def level(self) -> str: ...
    @property
    def sentence(self) -> str | None: ...
    @property
    def action(self) -> str | None: ...
    @property
    def action_id(self) -> str | None: ...


class ConnectionApi(Protocol):
    """The connection and the calls used: `changed()`."""

    @property
    def changed(self) -> SignalInstance: ...
    @property
    def summary(self) -> ConnectionSummaryApi: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def usage_warning(self) -> UsageWarning: ...
    @property
    def lag_sentence(self) -> str | None: ...
    def run_action(self, action_id: str) -> None: ...


class PlanLimitsApi(Protocol):
    """What is known of the plan's edges."""

    def check_again(self) -> None:
        """Asks anew for everything the plan did not allow."""


class AuditApi(Protocol):
    """Comparing a range with the vendor: `changed()`."""

    @property
    def changed(self) -> SignalInstance: ...
    @property
    def state(self) -> AuditState: ...
    def offer(self, ticker: str, timeframe: Timeframe, from_ms: int, to_ms: int) -> None: ...
    def start(self) -> None: ...
    def cancel(self) -> None: ...


class BackgroundApi(Protocol):
    """Long computations beside the GUI."""

    def run(self, work: Callable[[], Any], done: Callable[[Any], None]) -> None:
        """`done` gets what `work()` gave, later."""


@dataclass(frozen=True, slots=True)
class WindowServices:
    """Everything the main window binds to; owned and closed by whoever built it."""

    notices: NoticesApi
    preferences: PreferencesApi
    keys: KeysApi
    search: SearchApi
    watchlist: WatchlistApi
    live: LiveApi
    workspace: WorkspaceApi
    connection: ConnectionApi
    limits: PlanLimitsApi
    audit: AuditApi
    exports: ExportsApi
    clock: Clock
    drawings: DrawingsApi
    background: BackgroundApi | None = None  # None: everything is computed in place

    @property
    def chart(self) -> ChartDataApi:
        """The active one."""
        return self.workspace.active
