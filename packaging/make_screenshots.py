"""Takes the pictures in docs/images: the application's own parts, off screen, over a demo market at a fixed time.

    make screenshots                        all of them
    make screenshots ARGS="search --out /tmp/pictures --size 1024x640"

Seed and market time are fixed, so that pictures differ only where the application does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from desktop.assembly import Source, open_data_layer
from desktop.commands.environment import source_of_server
from desktop.data.api_key import ApiKeys, KeyInUse, KeySource
from desktop.data.folders import Folders
from desktop.demo.launch import start_feed_server
from desktop.domain.freshness import Freshness
from desktop.domain.settings import DEFAULT_WATCHLIST, VENDOR_REST, VENDOR_SOCKET, Settings, Theme
from desktop.domain.timeframe import Timeframe
from desktop.domain.world import VENDOR
from desktop.services.keys import Keys
from desktop.services.notices import Notices
from desktop.services.preferences import Preferences
from desktop.session import Desk, Session, open_session
from desktop.ui.settings_dialog import SettingsDialog

ROOT = Path(__file__).resolve().parent.parent
SEED = "7"
START = "2026-11-18T15:42:20"  # a Wednesday, 10:42 in New York: every market is open
WEEKEND = "2026-11-22T15:42:20"
TICKER, TIMEFRAME = "X:BTCUSD", "15m"
PATIENCE_S = 30.0
LOOK_S = 0.02
MOVE_S = 12.0  # market time that passes before a picture


@dataclass(frozen=True, slots=True)
class Shot:
    """What the command line asks of every picture."""

    out: Path
    size: tuple[int, int]

    def save(self, name: str, picture: QPixmap) -> None:
        """Writes `name`.png, as small as PNG gets."""
        path = self.out / f"{name}.png"
        if not picture.save(str(path), "PNG", 0):
            raise SystemExit(f"The picture could not be written to {path}.")
        sys.stdout.write(f"{path} {picture.width()}x{picture.height()} {path.stat().st_size // 1024} kB\n")


class Server:
    """A demo market of its own whose time stands still until `pass_time`."""

    def __init__(self, start: str) -> None:
        self._process = start_feed_server(["--seed", SEED, "--start", start, "--speed", "0"])
        self._control = ""

    async def source(self) -> Source:
        """Where it listens."""
        source = await source_of_server(self._process)
        assert source.control is not None
        self._control = source.control
        return source

    async def pass_time(self, seconds: float) -> None:
        """Lets the market move in real time and then stand still."""
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.post(f"{self._control}/clock", json={"rate": 1.0, "paused": False})
            await asyncio.sleep(seconds)
            await client.post(f"{self._control}/clock", json={"paused": True})

    def close(self) -> None:
        """Ends the process; a second call does nothing."""
        if self._process.process.poll() is None:
            self._process.close()


@asynccontextmanager
async def serving(start: str = START) -> AsyncIterator[Server]:
    """A server that ends with the block."""
    server = Server(start)
    try:
        yield server
    finally:
        server.close()


@asynccontextmanager
async def opened(
    source: Source, size: tuple[int, int], theme: Theme = Theme.DARK, *, is_first_start: bool = False
) -> AsyncIterator[Session]:
    """A window over `source` with folders of its own."""
    async with AsyncExitStack() as stack:
        folders = Folders.open(Path(stack.enter_context(tempfile.TemporaryDirectory())) / "candelabra")
        notices = Notices()
        preferences = Preferences(folders.settings, Settings(theme=theme), notices)
        stack.push_async_callback(preferences.aclose)
        keys = Keys(ApiKeys(), KeyInUse(None, KeySource.NONE), lambda _secret: None)
        stack.push_async_callback(keys.aclose)
        layer = await stack.enter_async_context(open_data_layer(source, folders, lambda _sentence: None))
        desk = Desk(notices, preferences, keys)
        session = await open_session(stack, layer, desk, lambda _action: None, is_first_start=is_first_start)
        session.window.resize(*size)
        session.window.show()
        session.window.activateWindow()
        yield session


async def until(is_true: Callable[[], bool], what: str) -> None:
    """Waits for something on the screen to be true."""
    ends_s = time.monotonic() + PATIENCE_S
    while not is_true():
        if time.monotonic() > ends_s:
            raise SystemExit(f"No picture: waited {PATIENCE_S:.0f} s for {what}.")
        await asyncio.sleep(LOOK_S)


async def make_live(server: Server, session: Session, ticker: str = TICKER, timeframe: str = TIMEFRAME) -> None:
    """Shows a chart and lets the market move until it and the watchlist are full of prices."""
    session.chart.show(ticker, Timeframe.parse(timeframe))
    await until(lambda: session.chart.status.phase == "ready", "the candles")
    await until(lambda: session.window.status.isVisible(), "the status bar")
    await until(lambda: set(DEFAULT_WATCHLIST) <= set(session.live.board), "the watchlist")
    await server.pass_time(MOVE_S)
    await asyncio.sleep(1.2)  # flashes fade


def composed(window: QWidget, above: QWidget) -> QPixmap:
    """The window with a popup or dialog above it, where the screen would show it."""
    picture = window.grab()
    painter = QPainter(picture)
    place = above.mapToGlobal(QPoint(0, 0)) - window.mapToGlobal(QPoint(0, 0))
    for spread in range(10, 0, -1):  # a window manager's shadow
        painter.fillRect(above.rect().translated(place).adjusted(-spread, -spread, spread, spread), QColor(0, 0, 0, 9))
    painter.drawPixmap(place, above.grab())
    painter.end()
    return picture


async def main_dark(shot: Shot) -> None:
    """Also the large one."""
    async with serving() as server, opened(await server.source(), shot.size) as session:
        await make_live(server, session)
        shot.save("main-dark", session.window.grab())
        session.window.resize(2560, 1440)
        await asyncio.sleep(0.5)
        shot.save("main-dark-2560x1440", session.window.grab())


async def main_light(shot: Shot) -> None:
    async with serving() as server, opened(await server.source(), shot.size, Theme.LIGHT) as session:
        await make_live(server, session, "AAPL", "5m")
        shot.save("main-light", session.window.grab())


async def weekend(shot: Shot) -> None:
    """Not in the documentation: stocks and currencies at rest."""
    async with serving(WEEKEND) as server, opened(await server.source(), shot.size, Theme.LIGHT) as session:
        await make_live(server, session, "AAPL", "1h")
        shot.save("weekend", session.window.grab())


async def search(shot: Shot) -> None:
    async with serving() as server, opened(await server.source(), shot.size) as session:
        await make_live(server, session)
        box = session.window.search_box
        box.open_with("btc")
        await until(lambda: box.popup.isVisible() and len(box.rows.tickers) > 1, "the rows of the search")
        await asyncio.sleep(1.0)
        shot.save("search", composed(session.window, box.popup))


async def settings(shot: Shot) -> None:
    async with serving() as server, opened(await server.source(), shot.size) as session:
        await make_live(server, session)
        session.window.open_settings("API key")
        await asyncio.sleep(0.5)
        dialog = session.window.findChild(SettingsDialog)
        assert dialog is not None
        dialog.move(session.window.geometry().center() - dialog.rect().center())
        await asyncio.sleep(0.2)
        shot.save("settings", composed(session.window, dialog))


async def offline(shot: Shot) -> None:
    """The server goes away under a running window."""
    async with serving() as server, opened(await server.source(), shot.size) as session:
        await make_live(server, session)
        await asyncio.to_thread(server.close)
        is_stale = (Freshness.STALE, Freshness.CACHED)
        await until(lambda: session.chart.status.freshness in is_stale, "the chart to say that it is not live")
        await asyncio.sleep(2.0)
        shot.save("offline", session.window.grab())


async def error(shot: Shot) -> None:
    """A key that the server refuses."""
    async with serving() as server:
        source = replace(await server.source(), key="not-a-key-of-this-server")
        async with opened(source, shot.size) as session:
            session.chart.show(TICKER, Timeframe.parse(TIMEFRAME))
            await until(lambda: session.chart.status.phase == "failed", "the refusal")
            await asyncio.sleep(2.0)
            shot.save("error", session.window.grab())


async def first_start(shot: Shot) -> None:
    source = Source(VENDOR_REST, VENDOR_SOCKET, None, VENDOR, is_offline=True)
    async with opened(source, shot.size, is_first_start=True) as session:
        await asyncio.sleep(0.5)
        shot.save("first-start", session.window.grab())


SHOTS = {
    "main-dark": main_dark,
    "main-light": main_light,
    "search": search,
    "settings": settings,
    "offline": offline,
    "error": error,
    "first-start": first_start,
}
EXTRA = {"weekend": weekend}


async def take(names: list[str], shot: Shot) -> None:
    """The pictures named, one after the other."""
    shot.out.mkdir(parents=True, exist_ok=True)
    for name in names:
        await (SHOTS | EXTRA)[name](shot)


def main() -> None:
    """Reads the arguments and takes the pictures."""
    from qasync import QEventLoop

    parser = argparse.ArgumentParser(description="Takes the pictures in docs/images.")
    parser.add_argument("names", nargs="*", help=f"which: {', '.join((*SHOTS, *EXTRA))} (default: the first seven)")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images", metavar="DIR")
    parser.add_argument("--size", default="1280x800", metavar="WxH")
    arguments = parser.parse_args()
    for name in ("MASSIVE_API_KEY", "POLYGON_API_KEY"):  # the pictures show a machine without a key
        os.environ.pop(name, None)
    if unknown := set(arguments.names) - {*SHOTS, *EXTRA}:
        parser.error(f"there is no picture {', '.join(sorted(unknown))}")
    width, _, height = arguments.size.partition("x")
    app = QApplication(sys.argv[:1])
    app.setApplicationName("candelabra")
    app.setQuitOnLastWindowClosed(False)
    shot = Shot(arguments.out, (int(width), int(height)))
    with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
        runner.run(take(arguments.names or list(SHOTS), shot))


if __name__ == "__main__":
    main()
