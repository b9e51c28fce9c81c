"""One running application whose world is taken, whose window is called, whose feed becomes the delayed one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app import _Application
from desktop.assembly import Source
from desktop.commands.parser import build_parser
from desktop.commands.start import OPEN
from desktop.data import settings_file
from desktop.data.folder_lock import FolderLock, read_owner
from desktop.data.folders import Folders
from desktop.data.local_channel import Output
from desktop.data.local_client import Ending, ask
from desktop.domain.errors import BadInput
from desktop.domain.market import Market
from desktop.domain.settings import VENDOR_REST, VENDOR_SOCKET, VENDOR_SOCKET_DELAYED, Plan, Settings
from desktop.domain.world import VENDOR, World
from desktop.ui.main_window import MainWindow
from tests.helpers.feed_server import TEST_KEY, ServerProcess, feed_servers  # noqa: F401 (fixture)
from tests.services.live_desk import until

Person = Callable[[QApplication], Awaitable[None]]


async def window_shown(app: QApplication, other_than: MainWindow | None = None) -> MainWindow:
    """The window that is on screen, once there is another one than before."""

    def shown() -> list[MainWindow]:
        return [w for w in app.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible() and w is not other_than]

    await until(shown, "a window is shown")
    return shown()[0]


async def run_application(app: QApplication, folders: Folders, person: Person, *arguments: str) -> None:
    """Runs the application while `person` uses it; closes the window in the end."""
    parsed = build_parser().parse_args([*arguments, "--data-dir", str(folders.root)])
    lock = FolderLock.try_take(folders.application.lock)
    assert lock is not None
    application = _Application(app, parsed, folders, None, lock)
    settings, sentences = settings_file.load(folders.settings)
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(application.run(settings, sentences))
            await person(app)
            (await window_shown(app)).close()
            assert await running == 0
    finally:
        lock.release()


async def ignore(_output: Output) -> None:
    pass


def test_a_second_start_brings_the_window_to_the_front(
    qapp: QApplication,
    on_qt_loop: Callable[..., Any],
    feed_server: Callable[..., ServerProcess],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = feed_server("--seed", "8")
    monkeypatch.setenv("MASSIVE_API_KEY", server.key)
    folders = Folders.open(tmp_path / "data")

    async def person(app: QApplication) -> None:
        window = await window_shown(app)
        await until(lambda: read_owner(folders.application.lock) is not None, "it can be reached")
        owner = read_owner(folders.application.lock)
        assert owner is not None
        window.showMinimized()
        chart = window._services.chart
        assert await ask(owner, OPEN, {"ticker": "X:ETHUSD", "timeframe": "4h"}, ignore) is Ending.DONE
        assert not window.isMinimized()
        assert (chart.ticker, str(chart.timeframe)) == ("X:ETHUSD", "4h")
        assert await ask(owner, OPEN, {"timeframe": "7m", "demo_seed": 8}, ignore) is Ending.DONE
        assert (chart.ticker, str(chart.timeframe)) == ("X:ETHUSD", "7m")
        window.showMinimized()
        with pytest.raises(BadInput, match=r"another source \(DEMO\)"):
            await ask(owner, OPEN, {"ticker": "AAPL", "demo_seed": 9}, ignore)
        with pytest.raises(BadInput):
            await ask(owner, OPEN, {"timeframe": "soon"}, ignore)
        with pytest.raises(BadInput, match="does not understand"):
            await ask(owner, OPEN, {"ticker": 5}, ignore)
        assert not window.isMinimized()
        assert (chart.ticker, str(chart.timeframe)) == ("X:ETHUSD", "7m")

    addresses = ("--rest-base", server.rest, "--socket-base", server.socket)
    on_qt_loop(run_application(qapp, folders, person, *addresses), 60)


def test_a_world_that_is_not_given_up_is_read_until_it_is(
    qapp: QApplication,
    on_qt_loop: Callable[..., Any],
    feed_server: Callable[..., ServerProcess],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = feed_server("--seed", "8")
    monkeypatch.setenv("MASSIVE_API_KEY", server.key)
    folders = Folders.open(tmp_path / "data")
    taken = FolderLock.try_take(folders.claim(World("demo-8")).lock)
    assert taken is not None

    async def person(app: QApplication) -> None:
        window = await window_shown(app)
        (notice,) = [notice for notice in window._services.notices.open if notice.level == "error"]
        assert "has this data folder open and does not answer" in notice.text
        assert server.control("GET", "/stats")["clusters"]["crypto"]["total"] == 0
        taken.release()
        assert notice.action_id is not None
        window._services.connection.run_action(notice.action_id)
        window = await window_shown(app, window)
        await until(lambda: window._services.chart.status.live_events > 0, "its candles move")
        assert [notice for notice in window._services.notices.open if notice.level == "error"] == []

    addresses = ("--rest-base", server.rest, "--socket-base", server.socket)
    on_qt_loop(run_application(qapp, folders, person, *addresses), 60)


def test_the_delayed_feed_is_one_click_away_and_one_click_back(
    qapp: QApplication, on_qt_loop: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASSIVE_API_KEY", TEST_KEY)
    folders = Folders.open(tmp_path / "data")
    settings_file.save(folders.settings, Settings(has_chosen_start=True))

    def is_delayed(window: MainWindow) -> bool:
        live: Any = window._services.live
        return (live.delay_ms(Market.STOCKS) > 0, live.delay_ms(Market.CRYPTO) > 0) == (True, False)

    async def person(app: QApplication) -> None:
        window = await window_shown(app)
        assert not is_delayed(window)
        window._services.connection.run_action("use_delayed")
        window = await window_shown(app, window)
        assert is_delayed(window)
        assert window._services.preferences.settings.socket_base == VENDOR_SOCKET_DELAYED
        window.open_settings("Connection")
        assert window._settings_dialog is not None
        page = window._settings_dialog.connection_page
        assert page.preset.currentText() == "Massive (15 min delayed)"
        page.preset.setCurrentIndex(0)
        page.preset.activated.emit(0)
        page.apply_button.click()
        window = await window_shown(app, window)
        assert not is_delayed(window)

    # Offline: nothing may be asked of the vendor here. The address of the command line must give way too.
    on_qt_loop(run_application(qapp, folders, person, "--offline", "--socket-base", VENDOR_SOCKET), 60)
    assert settings_file.load(folders.settings)[0].socket_base == VENDOR_SOCKET


def test_only_stocks_have_a_delayed_host() -> None:
    delayed = Source(VENDOR_REST, VENDOR_SOCKET_DELAYED, None, VENDOR, plan=Plan.PAID)
    hosts = {market: delayed.socket_base_of(market.cluster) for market in Market}
    assert hosts == {
        Market.STOCKS: VENDOR_SOCKET_DELAYED,
        Market.CRYPTO: VENDOR_SOCKET,
        Market.FOREX: VENDOR_SOCKET,
    }
    assert delayed.delayed == {Market.STOCKS}
    live = Source(VENDOR_REST, VENDOR_SOCKET, None, VENDOR, plan=Plan.PAID)
    assert {live.socket_base_of(market.cluster) for market in Market} == {VENDOR_SOCKET}
    assert live.delayed == frozenset()
