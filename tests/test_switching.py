"""One running application: first start, the demo market, then a key for another source, then the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QApplication

from desktop.app import _Application
from desktop.commands.parser import build_parser
from desktop.data import settings_file
from desktop.data.folder_lock import FolderLock
from desktop.data.folders import Folders
from desktop.domain.settings import Settings
from desktop.ui.main_window import MainWindow
from tests.helpers.feed_server import ServerProcess, feed_servers  # noqa: F401 (fixture)
from tests.services.live_desk import until


def window_of(app: QApplication, other_than: MainWindow | None = None) -> MainWindow | None:
    shown = [w for w in app.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible() and w is not other_than]
    return shown[0] if shown else None


def test_from_the_first_start_to_the_demo_to_a_key(
    qapp: QApplication,
    on_qt_loop: Callable[..., Any],
    feed_server: Callable[..., ServerProcess],
    tmp_path: Path,
) -> None:
    other = feed_server("--seed", "8")
    folders = Folders.open(tmp_path / "data")
    settings = Settings(rest_base=other.rest, socket_base=other.socket)
    settings_file.save(folders.settings, settings)
    arguments = build_parser().parse_args(["--data-dir", str(folders.root)])

    async def person(running: asyncio.Task[int]) -> None:
        await until(lambda: window_of(qapp) is not None or running.done(), "the first window is shown")
        first = window_of(qapp)
        assert first is not None
        assert first._first_start is not None
        first._first_start.demo_button.click()
        await until(lambda: window_of(qapp, first) is not None, "the demo is opened")
        demo = window_of(qapp, first)
        assert demo is not None
        await until(lambda: demo._services.chart.status.live_events > 0, "its candles move")
        assert "DEMO" in demo.windowTitle()
        demo.open_settings("API key")
        page = demo._settings_dialog.key_page  # type: ignore[union-attr]
        page.field.setText(other.key)
        page.use_button.click()
        await until(lambda: window_of(qapp, demo) is not None, "the other source is opened")
        last = window_of(qapp, demo)
        assert last is not None
        await until(lambda: last._services.chart.status.live_events > 0, "its candles move too")
        assert {"demo-7", "demo-8"} <= {path.name for path in (folders.root / "worlds").iterdir()}
        last.close()

    async def scenario() -> None:
        lock = FolderLock.try_take(folders.application.lock)
        assert lock is not None
        application = _Application(qapp, arguments, folders, None, lock)
        try:
            async with asyncio.TaskGroup() as group:
                running = group.create_task(application.run(settings, []))
                await person(running)
                assert await running == 0
        finally:
            lock.release()
            if application._server is not None:
                application._server.close()

    on_qt_loop(scenario(), 60)
