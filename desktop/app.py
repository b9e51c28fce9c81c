"""The window's composition root: builds every object in order, runs the loop, unwinds in reverse.

One session is one world (vendor, demo, replay). Choosing another source closes the session and opens the next, so
that nothing of one world can reach the files or the screen of another.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any, Final

os.environ["QT_API"] = "pyside6"  # with another Qt installed, qasync and pyqtgraph would pick that one
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QMainWindow

from desktop import platform_check
from desktop.assembly import Source, open_data_layer
from desktop.commands.environment import (
    first_recorded,
    folders_of,
    say,
    server_arguments,
    source_of,
    source_of_server,
)
from desktop.commands.parser import option
from desktop.commands.record import recording_order
from desktop.commands.start import OPEN
from desktop.commands.work.jobs import jobs_of
from desktop.commands.work.window import OpenRequest, check_source
from desktop.commands.work.workplace import Workplace
from desktop.data import settings_file
from desktop.data.api_key import ApiKeys
from desktop.data.folder_lock import FolderLock, read_owner
from desktop.data.folders import Claim, Folders
from desktop.data.local_channel import Outlet, as_request
from desktop.data.local_client import hung
from desktop.data.log_setup import Bug, CrashFile, Logging, install_hooks
from desktop.data.redaction import Redactor
from desktop.demo.launch import FeedServer, start_feed_server
from desktop.domain.addresses import delayed_base
from desktop.domain.errors import CacheError
from desktop.domain.settings import Settings, Theme
from desktop.domain.timeframe import Timeframe
from desktop.services.keys import Keys
from desktop.services.local_server import Job, LocalServer
from desktop.services.notices import Notices
from desktop.services.ownership import take_over
from desktop.services.preferences import Preferences
from desktop.services.tasks import Tasks
from desktop.session import Desk, Session, open_session
from desktop.shots import Shots, parse_size
from desktop.ui.chart.accessible import make_charts_accessible

_TAKE_OVER_S: Final = 5.0  # for a command at work to step down
_TAKEN: Final = "world taken"


def run(arguments: Namespace, lock: FolderLock) -> int:
    """Opens the window and runs until it is closed; the answer is the exit code. Raises MarketError before it opens.

    lock: that of the data folder; released in the end.
    """
    if (sentence := platform_check.choose_platform()) is not None:
        say(sentence)
    folders = folders_of(arguments)
    settings, sentences = settings_file.load(folders.settings)
    # The feed server of --demo and --replay starts while Qt is still loading.
    asked = server_arguments(arguments, settings)
    server = start_feed_server(asked) if asked is not None else None
    try:
        from qasync import QEventLoop

        app = QApplication([sys.argv[0]])
        app.setApplicationName("candelabra")
        app.setDesktopFileName("candelabra")
        make_charts_accessible()
        app.setQuitOnLastWindowClosed(False)  # the main coroutine ends the application
        with asyncio.Runner(loop_factory=lambda: QEventLoop(app)) as runner:
            return runner.run(_Application(app, arguments, folders, server, lock).run(settings, sentences))
    finally:
        lock.release()
        if server is not None:
            server.close()


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which source the next session opens."""

    is_demo: bool = False
    is_first_start: bool = False
    is_second_look: bool = False  # at a server that did not say which world it serves when it was first asked


class _Application:
    """What outlives a session: settings, keys, notices, logs, and the feed server of a demo or replay."""

    def __init__(
        self,
        app: QApplication,
        arguments: Namespace,
        folders: Folders,
        server: FeedServer | None,
        lock: FolderLock,
    ) -> None:
        self._app = app
        self._arguments = arguments
        self._record = recording_order(arguments)
        self._folders = folders
        self._server = server
        self._lock = lock
        self._opened: tuple[Session, Source] | None = None
        self._is_open = asyncio.Event()  # not between two sessions
        self._notices = Notices()
        self._redactor = Redactor()
        self._api_keys = ApiKeys()
        self._shots = Shots(arguments)
        self._next: asyncio.Future[_Choice | None] | None = None

    async def run(self, settings: Settings, sentences: list[str]) -> int:
        """Sessions one after the other until none is wanted."""
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            level = logging.DEBUG if option(self._arguments, "verbose") else logging.INFO
            stack.callback(Logging(self._folders.logs, self._redactor, level=level).close)
            crash = CrashFile(self._folders.logs)
            stack.callback(crash.close)
            if crash.previous is not None:
                self._notices.post(f"Candelabra crashed the last time. The report is in {crash.previous}.", "warning")
            hooks = install_hooks(lambda bug: _on_loop(loop, self._report_bug, bug), self._redactor)
            stack.callback(hooks.remove)
            loop.set_exception_handler(hooks.on_loop_error)
            for number in (signal.SIGINT, signal.SIGTERM):
                with contextlib.suppress(NotImplementedError):
                    loop.add_signal_handler(number, self._choose, None)
            preferences = Preferences(self._folders.settings, settings, self._notices)
            stack.push_async_callback(preferences.aclose)
            if (theme := self._arguments.theme) is not None:
                preferences.override(theme=Theme(theme))
            keys = Keys(self._api_keys, await self._api_keys.load(), self._redactor.add)
            stack.push_async_callback(keys.aclose)
            for sentence in sentences:
                self._notices.post(sentence, "warning")
            desk = Desk(self._notices, preferences, keys)
            await self._serve(stack, self._lock, self._folders.application, {OPEN: self._on_second_start})
            choice: _Choice | None = self._first_choice(desk)
            while choice is not None:
                choice = await self._session(choice, desk)
            return self._shots.exit_code

    def _first_choice(self, desk: Desk) -> _Choice:
        settings = desk.preferences.settings
        if self._server is not None:
            return _Choice(is_demo=True)
        if desk.keys.has_key or option(self._arguments, "rest_base") is not None:
            return _Choice()
        if settings.has_chosen_start:
            return _Choice(is_demo=settings.starts_in_demo)
        return _Choice(is_first_start=True)

    def _choose(self, choice: _Choice | None) -> None:
        """Ends the session; the next one opens what was chosen, None ends the application."""
        if self._next is not None and not self._next.done():
            self._next.set_result(choice)

    async def _source(self, choice: _Choice, desk: Desk) -> Source:
        if choice.is_demo:
            if self._server is None:
                self._server = start_feed_server(["--seed", str(desk.preferences.settings.demo_seed)])
            return await source_of_server(self._server)
        in_use = await self._api_keys.load()
        return await source_of(self._arguments, desk.preferences.settings, self._folders, in_use.key)

    async def _session(self, choice: _Choice, desk: Desk) -> _Choice | None:
        """One world from opening to closing; answers what comes next."""
        self._next = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as stack:
            source = await self._source(choice, desk)
            claim = self._folders.claim(source.world)
            lock = await take_over(claim, patience_s=_TAKE_OVER_S)
            if lock is None:
                # Two that ask the vendor would throw each other out and use up the plan's calls: this one only reads.
                source = replace(source, is_offline=True)
                sentence = str(hung(await asyncio.to_thread(read_owner, claim.lock)))
                self._notices.post(sentence, "error", key=_TAKEN, action="Retry", action_id=_TAKEN)
            else:
                stack.push_async_callback(asyncio.to_thread, lock.release)
                self._notices.clear(_TAKEN)
            layer = await stack.enter_async_context(
                open_data_layer(source, self._folders, self._on_file_event, self._record)
            )

            def on_action(action_id: str) -> None:
                if action_id == "use_delayed":
                    desk.preferences.update(socket_base=delayed_base(source.socket_base))
                    self._use_set_addresses()
                    self._choose(_Choice())
                elif action_id == _TAKEN:
                    self._choose(choice)

            session = await open_session(stack, layer, desk, on_action, is_first_start=choice.is_first_start)
            if layer.rest is not None and source.world.label == "CUSTOM" and not choice.is_second_look:
                layer.rest.on_other_world = lambda _world: self._choose(_Choice(is_second_look=True))
            self._connect(stack, session, desk, source)
            self._show(session, choice, desk)
            if lock is not None:
                jobs = jobs_of(Workplace(layer, session.live))
                await self._serve(stack, lock, claim, jobs, source.rest_base)
            self._opened = session, source
            self._is_open.set()
            tasks = Tasks()
            stack.push_async_callback(tasks.aclose)
            run = tasks.start(self._shots.run(session.window, session.chart, session.live), name="run")
            run.add_done_callback(lambda _task: self._choose(None))
            answer = await self._next
            self._is_open.clear()
            session.window.hide()
            return answer

    async def _serve(
        self, stack: AsyncExitStack, lock: FolderLock, claim: Claim, jobs: Mapping[str, Job], rest_base: str = ""
    ) -> None:
        """Does jobs for others on this machine until the stack is closed."""
        server = LocalServer(lock, claim.socket, jobs, rest_base=rest_base)
        stack.push_async_callback(server.aclose)
        try:
            await server.start()
        except CacheError as error:
            self._notices.post(f"{error} Commands beside this window will not work.", "warning", key="local channel")

    async def _on_second_start(self, arguments: dict[str, Any], _outlet: Outlet) -> None:
        """Opens here what a second start on the same data folder was asked to open. Raises BadInput."""
        request = as_request(arguments, OpenRequest)
        timeframe = None if request.timeframe is None else Timeframe.parse(request.timeframe)
        await self._is_open.wait()
        assert self._opened is not None
        session, source = self._opened
        if request.activation_token is not None:
            os.environ["XDG_ACTIVATION_TOKEN"] = request.activation_token  # Qt takes it from there, once
        _bring_to_front(session.window)
        check_source(request, source)
        if session.chart.ticker and (request.ticker or timeframe):
            session.chart.show(request.ticker or session.chart.ticker, timeframe or session.chart.timeframe)

    def _use_set_addresses(self) -> None:
        """From now on the settings' addresses hold, not those of the command line."""
        for name in ("rest_base", "socket_base"):
            vars(self._arguments).pop(name, None)

    def _show(self, session: Session, choice: _Choice, desk: Desk) -> None:
        if self._arguments.size is not None:
            session.window.resize(*parse_size(self._arguments.size))
        session.window.show()
        if choice.is_first_start:
            return
        chart, layout = session.workspace.active, session.workspace.layout
        shown = layout.tabs[layout.active]
        cell = shown.cells[shown.active]
        ticker, timeframe = cell.ticker, str(cell.timeframe)
        if (replay := option(self._arguments, "replay")) is not None:
            assert isinstance(replay, list)
            ticker, timeframe = first_recorded(replay)
        ticker = self._arguments.ticker or ticker
        chart.show(ticker, Timeframe.parse(self._arguments.window_timeframe or timeframe))
        session.workspace.start()

    def _connect(self, stack: AsyncExitStack, session: Session, desk: Desk, source: Source) -> None:
        window, workspace, preferences = session.window, session.workspace, desk.preferences
        plan, is_demo = preferences.settings.plan, source.world.label == "DEMO"

        def explore_demo() -> None:
            preferences.update(has_chosen_start=True, starts_in_demo=True)
            self._choose(_Choice(is_demo=True))

        def use_vendor() -> None:
            if desk.keys.has_key:
                preferences.update(has_chosen_start=True, starts_in_demo=False)
                self._choose(_Choice())

        def use_plan(settings: Settings) -> None:
            if settings.plan is not plan and not source.world.label:
                self._choose(_Choice())

        def remember_chart() -> None:
            chart = workspace.active
            if chart.ticker and option(self._arguments, "replay") is None:
                preferences.update(ticker=chart.ticker, timeframe=str(chart.timeframe))

        def change_world() -> None:
            self._use_set_addresses()
            self._choose(_Choice(is_demo=is_demo and not desk.keys.has_key))

        window.close_requested.connect(lambda: self._choose(None))
        window.demo_requested.connect(explore_demo)
        # Without a key there is nothing of the vendor's to change to: the demo goes on, opened anew.
        window.world_change_requested.connect(change_world)
        workspace.changed.connect(remember_chart)
        for connection in (desk.keys.changed.connect(use_vendor), preferences.changed.connect(use_plan)):
            stack.callback(QObject.disconnect, connection)  # a closed session hears no more

    def _on_file_event(self, sentence: str) -> None:
        self._notices.post(sentence, "warning")

    def _report_bug(self, bug: Bug) -> None:
        if bug.details:
            logging.getLogger(__name__).error("%s\n%s", bug.title, bug.details)
        self._notices.post(
            f"Something went wrong inside Candelabra: {bug.title}. The details are in {self._folders.logs}.",
            "error",
            key="bug",
        )


def _bring_to_front(window: QMainWindow) -> None:
    window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


def _on_loop(loop: asyncio.AbstractEventLoop, report: Callable[[Bug], None], bug: Bug) -> None:
    """Bugs are found on any thread, also while the loop is already gone."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(report, bug)
