"""Has the work of a command done where it may be done: by the owner of its world, or here as the owner.

One process at a time has a world's connections, limiter and cache. Whoever finds the world taken goes through its
owner; whoever finds it free takes it and serves the others meanwhile. When an owner goes, one of those who waited
takes over; what was stored is not fetched again. A window never goes through a command: it asks it to step down.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from typing import Any, Final

import msgspec

from desktop.assembly import DataLayer, Source, open_data_layer
from desktop.commands.environment import Environment, open_environment, say
from desktop.commands.printing import Printer
from desktop.commands.work.jobs import jobs_of
from desktop.commands.work.workplace import Workplace
from desktop.data.folder_lock import FolderLock, read_owner
from desktop.data.folders import Claim
from desktop.data.local_channel import Outlet
from desktop.data.local_client import SILENT_S, Ending, ask, hung
from desktop.domain.errors import BadInput, CacheError
from desktop.services.local_server import LocalServer
from desktop.services.ownership import STEP_DOWN
from desktop.services.tasks import Tasks

_log = logging.getLogger(__name__)
_LOOK_S: Final = 0.05
_AFTER_YOU_S: Final = 0.5  # for a window that opens, or opens its next session, to come first


async def carry_out(arguments: argparse.Namespace, job: str, request: msgspec.Struct, printer: Printer) -> None:
    """Does `job` and prints what it says. Raises the MarketError it ends in; cancelling stops the work."""
    asked = msgspec.to_builtins(request)
    absent_since_s: float | None = None
    async with open_environment(arguments) as environment:
        while True:
            claim = environment.folders.claim(await environment.world())
            lock = await asyncio.to_thread(FolderLock.try_take, claim.lock)
            if lock is not None:
                if await _do_here(environment, claim, lock, job, asked, printer):
                    return
                absent_since_s = None
                continue
            match await _have_done(environment, claim, job, asked, printer):
                case Ending.DONE:
                    return
                case Ending.LEFT:
                    say("The Candelabra that did this was closed; going on without it.")
                    printer.again()
                    absent_since_s = None
                    await asyncio.sleep(_AFTER_YOU_S)
                case Ending.ABSENT:  # it is about to listen, or about to end
                    absent_since_s = absent_since_s or time.monotonic()
                    if time.monotonic() - absent_since_s > SILENT_S:
                        raise hung(await asyncio.to_thread(read_owner, claim.lock))
                    await asyncio.sleep(_LOOK_S)


async def _have_done(
    environment: Environment, claim: Claim, job: str, asked: dict[str, Any], printer: Printer
) -> Ending:
    """Goes through the owner."""
    owner = await asyncio.to_thread(read_owner, claim.lock)
    if owner is None:
        return Ending.ABSENT
    if environment.record is not None:
        raise BadInput(
            "Another Candelabra works on this data folder and makes the calls, so there is nothing to record here.",
            next_step="Close it, or choose another folder with --data-dir.",
        )
    if not await environment.is_meant(owner):
        await environment.source()  # asks the server which world it serves; the next round takes that one
        return Ending.ABSENT
    if environment.is_replay:
        say("Another Candelabra replays this recording already; it is its time and speed that you see.")
    return await ask(owner, job, asked, printer.send)


async def _do_here(
    environment: Environment, claim: Claim, lock: FolderLock, job: str, asked: dict[str, Any], printer: Printer
) -> bool:
    """Does the work as the owner; False when it is to be tried again: the world is another one, or a window came."""
    try:
        source = await environment.source()
        if environment.folders.claim(source.world) != claim:
            return False
        async with open_data_layer(source, environment.folders, say, environment.record) as layer:
            if await _serve_and_work(layer, claim, lock, job, asked, printer):
                return True
    finally:
        await asyncio.to_thread(lock.release)
    printer.again()
    say("The window that opened does this from now on.")
    await asyncio.sleep(_AFTER_YOU_S)
    return False


async def _serve_and_work(
    layer: DataLayer, claim: Claim, lock: FolderLock, job: str, asked: dict[str, Any], printer: Printer
) -> bool:
    """True when the work is done, False when a window asked for the world first."""
    workplace = Workplace(layer)
    jobs = jobs_of(workplace)
    asked_to_go = asyncio.Event()

    async def step_down(_arguments: dict[str, Any], _outlet: Outlet) -> None:
        asked_to_go.set()

    # What others ask for needs a key and the network: an owner without them only says that it will be gone soon.
    serves = jobs if _can_serve(layer.source) else {}
    server = LocalServer(lock, claim.socket, {**serves, STEP_DOWN: step_down}, rest_base=layer.source.rest_base)
    tasks = Tasks(report=lambda _error: None)  # it is raised below
    try:
        if serves:
            try:
                await server.start()
            except CacheError as error:
                _log.warning("working alone: %s", error)
        work = tasks.start(jobs[job](asked, printer), name=f"job {job}")
        going = tasks.start(asked_to_go.wait(), name="step down")
        await asyncio.wait({work, going}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
            return True
        return False
    finally:
        await tasks.aclose()
        await server.aclose()
        await workplace.aclose()


def _can_serve(source: Source) -> bool:
    return source.key is not None and not source.is_offline
