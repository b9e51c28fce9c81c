"""The real session, window and all, over a feed server in another process; and what a person reads on it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QLabel, QPushButton

from desktop.assembly import DataLayer, Source, identify, open_data_layer
from desktop.data.api_key import ApiKeys
from desktop.data.folders import Folders
from desktop.demo.market import SyntheticMarket
from desktop.domain.bars import Bars
from desktop.domain.coverage import Covered
from desktop.domain.settings import Plan, Settings, Theme
from desktop.domain.timeframe import MINUTE_MS, ONE_MINUTE
from desktop.domain.world import VENDOR, World
from desktop.services.keys import Keys
from desktop.services.notices import Notices
from desktop.services.preferences import Preferences
from desktop.session import Desk, Session, open_session
from tests.helpers.feed_server import ServerProcess
from tests.services.live_desk import until


@dataclass
class WindowDesk:
    """An open window and what it was built on."""

    session: Session
    layer: DataLayer
    notices: Notices
    actions: list[str]

    def show(self, ticker: str, timeframe: str = "1m") -> None:
        from desktop.domain.timeframe import Timeframe

        self.session.chart.show(ticker, Timeframe.parse(timeframe))

    @property
    def chart_text(self) -> str:
        """What stands on the chart: its message without bars, the legend with them."""
        chart = self.session.window.chart
        chart.paint_now()
        if len(self.session.chart.series):
            return chart.legend_text
        return chart.accessibleDescription()

    @property
    def status_text(self) -> str:
        return self._label("Connection")

    @property
    def calls_text(self) -> str:
        return self._label("API calls used")

    @property
    def action_button(self) -> QPushButton:
        """The button beside the connection's sentence."""
        button = self.session.window.status.findChild(QPushButton)
        assert isinstance(button, QPushButton)
        assert button.isVisible()
        return button

    @property
    def notice_texts(self) -> list[str]:
        return [notice.text for notice in self.notices.open]

    def _label(self, name: str) -> str:
        labels = self.session.window.status.findChildren(QLabel)
        return next(label.text() for label in labels if label.accessibleName() == name)

    async def live(self, ticker: str) -> None:
        """Shows a ticker and waits until its candle moves and nothing is said to be wrong."""
        chart = self.session.chart
        self.show(ticker)
        await until(
            lambda: chart.ticker == ticker and chart.status.live_events and chart.is_live,
            f"{ticker} is live; the chart says {chart.status}",
        )
        assert chart.status.sentence is None
        # The other clusters come back in their own time.
        await until(lambda: self.status_text == "Connected", f"every cluster is connected, not {self.status_text}")


@asynccontextmanager
async def window_desk(
    server: ServerProcess,
    folder: Path,
    *,
    key: str | None = "",
    rest: str | None = None,
    socket: str | None = None,
    world: World | None = None,
) -> AsyncIterator[WindowDesk]:
    """A window over `server` with everything below `folder`; `key` defaults to the right one, None is no key."""
    folders = Folders.open(folder)
    notices = Notices()
    actions: list[str] = []
    async with AsyncExitStack() as stack:
        preferences = Preferences(folders.settings, Settings(theme=Theme.DARK, plan=Plan.PAID), notices)
        stack.push_async_callback(preferences.aclose)
        api_keys = ApiKeys()
        keys = Keys(api_keys, await api_keys.load(), lambda _key: None)
        stack.push_async_callback(keys.aclose)
        source = Source(
            rest or server.rest, socket or server.socket, server.key if key == "" else key, VENDOR, None, Plan.PAID
        )
        source = await identify(source, folders) if world is None else replace_world(source, world, server)
        layer = await stack.enter_async_context(
            open_data_layer(source, folders, lambda sentence: notices.post(sentence, "warning"))
        )
        session = await open_session(stack, layer, Desk(notices, preferences, keys), actions.append)
        session.window.show()
        yield WindowDesk(session, layer, notices, actions)


def replace_world(source: Source, world: World, server: ServerProcess) -> Source:
    """The source under a world of the test's own choosing, its clock that of the server."""
    return Source(source.rest_base, source.socket_base, source.key, world, server.control_url, source.plan)


def cache_file(folder: Path, world: str) -> Path:
    return folder / "worlds" / world / "cache.sqlite"


def assert_sound(folder: Path, world: str) -> None:
    """The cache of a closed session passes SQLite's full check."""
    with contextlib.closing(sqlite3.connect(cache_file(folder, world))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def stored(layer: DataLayer, ticker: str) -> tuple[Bars, list[Covered]]:
    """Minute bars the cache holds, and what it claims to have whole."""
    to_ms = layer.clock.now_ms() + MINUTE_MS
    bars = await layer.store.bars(ticker, ONE_MINUTE, True, 0, to_ms)
    return bars, await layer.store.covered(ticker, ONE_MINUTE, True, 0, to_ms)


async def assert_equals_market(layer: DataLayer, ticker: str, seed: int, *, least: int = 100) -> None:
    """Every closed minute the cache claims to have is the market's own, and none is missing or invented."""
    market = SyntheticMarket(seed)
    bars, covered = await stored(layer, ticker)
    now_ms = layer.clock.now_ms()
    closed_ms = now_ms - now_ms % MINUTE_MS - MINUTE_MS
    count = 0
    for part in covered:
        to_ms = min(part.end_ms, closed_ms)
        held = bars.between(part.start_ms, to_ms)
        real = market.bars(ticker, ONE_MINUTE, part.start_ms, to_ms, now_ms)
        assert held.start_ms.tolist() == real.start_ms.tolist(), f"{ticker} in {part}"
        for ours, theirs in zip(held.values(), real.values(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        count += len(held)
    assert count >= least, f"{ticker}: only {count} bars in the cache"
