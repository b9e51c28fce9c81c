"""Many charts over a real feed: nine of them live, a layout that comes back, and nothing left of what was closed."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject
from shiboken6 import isValid

from desktop.domain.layout import Grid, Link, LinkOptions
from desktop.domain.timeframe import Timeframe
from desktop.services.chart_data import ChartData
from desktop.ui.chart.chart_widget import ChartWidget
from tests.helpers.feed_server import ServerProcess, start_server
from tests.helpers.window_desk import WindowDesk, window_desk
from tests.services.live_desk import until

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
Run = Callable[..., Any]
_MOST_GROWN = 50  # objects: the window makes some when it first needs them, 200 charts would keep more
_MOST_GROWN_BYTES = 40 << 20  # 200 charts that stay would be several times as much


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    server = start_server(["--seed", "7"])
    yield server
    server.close()


def test_nine_charts_are_live_and_come_back(on_qt_loop: Run, server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            workspace = desk.session.workspace
            workspace.start()
            workspace.set_grid(Grid.NINE)
            charts = workspace.charts
            assert len({chart.ticker for chart in charts}) == 9
            coins = [chart for chart in charts if chart.ticker.startswith("X:")]
            assert len(coins) == 7
            await until(lambda: all(chart.is_live for chart in coins), "every coin is live", 60)
            await until(lambda: all(chart.status.live_events for chart in coins), "every coin's candle moves", 60)
            panes = desk.session.window.workspace_view.panes
            await until(lambda: all("LIVE" in pane.chart.legend_text for pane in panes[:7]), "all of them say it", 30)
            workspace.set_link(charts[1], Link.TEAL)
            workspace.set_options(Link.TEAL, LinkOptions(range=True))
            charts[2].show("X:ETHUSD", Timeframe.parse("4h"))
            workspace.rename_tab(workspace.tab, "Coins")
            workspace.add_tab("AAPL")
            before = workspace.layout
        async with window_desk(server, tmp_path) as desk:
            assert desk.session.workspace.layout == before
            assert desk.session.chart.ticker == "", "nothing is asked before the start"
            desk.session.workspace.start()
            assert (desk.session.chart.ticker, str(desk.session.workspace.charts[2].timeframe)) == ("AAPL", "4h")
            hidden = desk.session.workspace.charts[0]
            await until(lambda: hidden.status.live_events, "the tab behind is live too", 60)
            pane = desk.session.window.workspace_view.charts[0]
            assert pane.frame is None, "and paints nothing"

    on_qt_loop(scenario(), 150)


class Count:
    """What is alive in this process."""

    def __init__(self, desk: WindowDesk) -> None:
        in_window = desk.session.window.findChildren(QObject)
        self.in_window = len(in_window)
        gc.collect()
        objects = [each for each in gc.get_objects() if isinstance(each, QObject)]
        self.kinds = Counter(type(each).__name__ for each in objects if isValid(each))
        self.charts = sum(isinstance(each, ChartData) for each in objects)
        self.widgets = sum(isinstance(each, ChartWidget) for each in objects)
        self.tasks = len(asyncio.all_tasks())
        entries = [each for cluster in desk.session.live._clusters.values() for each in cluster.entries.values()]
        self.subscriptions = len(entries), sum(len(each.listeners) for each in entries)
        ctypes.CDLL(None).malloc_trim(0)  # what the allocator merely keeps for later is no growth
        with open("/proc/self/statm", encoding="ascii") as file:
            self.bytes = int(file.read().split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="memory in use is read as Linux tells it")
def test_opening_and_closing_200_charts_leaves_nothing(on_qt_loop: Run, server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            workspace, view = desk.session.workspace, desk.session.window.workspace_view
            workspace.start()

            async def round_trip() -> None:
                workspace.set_grid(Grid.NINE)
                charts, widgets = workspace.charts, view.charts
                await until(lambda: all(len(chart.series) for chart in charts), "every chart has bars", 60)
                workspace.set_link(charts[3], Link.RED)
                workspace.set_grid(Grid.ONE)
                gone = [one for one in (*charts, *widgets) if one not in (*workspace.charts, *view.charts)]
                assert len(gone) == 16
                await until(lambda: not any(map(isValid, gone)), "the charts are closed", 60)

            async def rested() -> Count:
                await until(lambda: workspace.active.is_live, "the last chart is live", 60)
                await until(lambda: not any("close" in task.get_name() for task in asyncio.all_tasks()), "no task", 60)
                return Count(desk)

            for _ in range(4):
                await round_trip()
            before = await rested()
            for _ in range(25):
                await round_trip()
            after = await rested()
            assert max(after.charts, after.widgets) <= 1  # the first one is no concern of the collector's
            assert after.subscriptions == before.subscriptions
            assert after.in_window < before.in_window + _MOST_GROWN
            assert after.tasks <= before.tasks + 3, "of the data layer, which come and go"
            grown = {kind: count - before.kinds[kind] for kind, count in after.kinds.items()}
            assert sum(after.kinds.values()) < sum(before.kinds.values()) + _MOST_GROWN, grown
            assert after.bytes - before.bytes < _MOST_GROWN_BYTES

    on_qt_loop(scenario(), 240)
