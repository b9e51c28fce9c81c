"""One world with a window on it: builds services and widgets over an open data layer (composition root)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from desktop.assembly import DataLayer
from desktop.data.user_store import UserStore
from desktop.domain.layout import Cell, Layout, Tab
from desktop.domain.timeframe import Timeframe
from desktop.services import memory
from desktop.services.audit import RangeAudit
from desktop.services.background import Background
from desktop.services.chart_data import ChartData
from desktop.services.clock_check import ClockCheck
from desktop.services.connection import Connection
from desktop.services.drawings import Drawings
from desktop.services.exports import Exports
from desktop.services.keys import Keys
from desktop.services.layout_keeper import LayoutKeeper
from desktop.services.live import LiveMarket
from desktop.services.notices import Notices
from desktop.services.plan_limits import PlanLimits
from desktop.services.preferences import Preferences
from desktop.services.search import TickerSearch
from desktop.services.tasks import Tasks
from desktop.services.watchlist import Watchlist
from desktop.services.watchlist_feed import WatchlistFeed
from desktop.services.workspace import Workspace
from desktop.ui.main_window import MainWindow
from desktop.ui.services_api import WindowServices


@dataclass(frozen=True, slots=True)
class Desk:
    """What outlives a session: made once by the application."""

    notices: Notices
    preferences: Preferences
    keys: Keys


@dataclass(frozen=True, slots=True)
class Session:
    """The parts of an open session that the application itself touches."""

    window: MainWindow
    workspace: Workspace[ChartData]
    live: LiveMarket
    watchlist: Watchlist

    @property
    def chart(self) -> ChartData:
        """The active one."""
        return self.workspace.active


async def open_session(
    stack: AsyncExitStack,
    layer: DataLayer,
    desk: Desk,
    on_action: Callable[[str], None],
    *,
    is_first_start: bool = False,
) -> Session:
    """Builds everything above the data layer; `stack` closes it in reverse. The window is not shown yet."""
    source = layer.source

    def on_file_event(sentence: str) -> None:
        desk.notices.post(sentence, "warning")

    user_store = await UserStore.open(layer.folder / "user.sqlite", source.world, on_event=on_file_event)
    stack.push_async_callback(user_store.aclose)
    watchlist = Watchlist(user_store, desk.notices)
    await watchlist.load()
    stack.push_async_callback(watchlist.aclose)
    background = Background()
    stack.push_async_callback(background.aclose)
    drawings = Drawings(user_store, desk.notices)
    await drawings.load()
    stack.push_async_callback(drawings.aclose)
    can_stream = source.key is not None and not source.is_offline
    live = LiveMarket(
        layer.make_feed if can_stream else None,
        layer.clock,
        layer.market_data,
        delayed=source.delayed,
    )
    stack.push_async_callback(live.aclose)
    stack.callback(WatchlistFeed(watchlist, live).close)
    search = TickerSearch(layer.market_data, lambda: watchlist.tickers, is_offline=not can_stream)
    stack.push_async_callback(search.aclose)
    actions: list[Callable[[str], None]] = [on_action]

    def run_action(action_id: str) -> None:
        for action in actions:
            action(action_id)

    connection = Connection(live, layer.limiter, run_action, is_keyless=source.key is None)
    workspace, closing = await _open_workspace(layer, live, watchlist, user_store, desk)
    stack.push_async_callback(closing.finish)
    keeper = LayoutKeeper(user_store, desk.notices, lambda: workspace.layout)
    stack.push_async_callback(keeper.aclose)
    workspace.changed.connect(keeper.mark)
    stack.push_async_callback(_close_all, workspace)

    def reload() -> None:
        for chart in workspace.charts:
            chart.reload()

    limits = PlanLimits(layer.market_data, live, desk.notices, reload)
    stack.push_async_callback(limits.aclose)

    def show_stored(ticker: str, from_ms: int, to_ms: int) -> None:
        for chart in workspace.charts:
            if ticker == chart.ticker:
                chart.show_stored(from_ms, to_ms)

    audit = RangeAudit(layer.market_data, show_stored)
    stack.push_async_callback(audit.aclose)
    exports = Exports(desk.notices)
    stack.push_async_callback(exports.aclose)
    services = WindowServices(
        notices=desk.notices,
        preferences=desk.preferences,
        keys=desk.keys,
        search=search,
        watchlist=watchlist,
        live=live,
        workspace=workspace,
        connection=connection,
        limits=limits,
        audit=audit,
        exports=exports,
        clock=layer.clock,
        drawings=drawings,
        background=background,
    )
    window = MainWindow(
        services,
        world_label=source.world.label,
        is_first_start=is_first_start,
        data_folder=str(layer.folder.parent.parent),
    )
    actions += [window.run_action, lambda action_id: reload() if action_id == "retry" else None]
    actions.append(lambda action_id: limits.check_again() if action_id == "check_again" else None)
    stack.callback(_dispose, window)
    if can_stream:
        check = ClockCheck(layer.market_data, layer.clock, desk.notices)
        stack.push_async_callback(check.aclose)
        check.start()
    memory.settle(collect=True)
    live.start()
    search.start()
    return Session(window, workspace, live, watchlist)


async def _open_workspace(
    layer: DataLayer, live: LiveMarket, watchlist: Watchlist, store: UserStore, desk: Desk
) -> tuple[Workspace[ChartData], Tasks]:
    """The charts of the last time, not loading yet; and the tasks that close charts."""
    source, settings, closing = layer.source, desk.preferences.settings, Tasks()

    def make() -> ChartData:
        is_limited = source.plan.calls_per_minute is not None
        return ChartData(layer.market_data, live, layer.clock, source=source.name, is_limited=is_limited)

    async def close(chart: ChartData) -> None:
        await chart.aclose()
        chart.deleteLater()

    layout = await LayoutKeeper.saved(store)
    if layout is None:  # of a file from before there were layouts, too
        layout = Layout((Tab((Cell(settings.ticker, Timeframe.parse(settings.timeframe)),)),))
    workspace = Workspace(
        make,
        lambda chart: closing.start(close(chart), name="close chart"),
        layout,
        suggest=lambda: watchlist.tickers,
    )
    return workspace, closing


async def _close_all(workspace: Workspace[ChartData]) -> None:
    for chart in workspace.charts:
        await chart.aclose()


def _dispose(window: MainWindow) -> None:
    window.save_layout()
    window.hide()
    window.deleteLater()
