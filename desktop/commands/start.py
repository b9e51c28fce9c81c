"""The first thing a start of the window does: take the data folder, or hand over to the window that has it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from typing import Final

import msgspec

from desktop.commands.checks import checked_ticker
from desktop.commands.environment import folders_of
from desktop.commands.parser import option
from desktop.data import settings_file
from desktop.data.folder_lock import FolderLock, read_owner
from desktop.data.folders import Folders
from desktop.data.local_channel import Output
from desktop.data.local_client import SILENT_S, Ending, ask, hung
from desktop.domain.errors import BadInput
from desktop.domain.timeframe import Timeframe

OPEN: Final = "open"
_LOOK_S = 0.05
# Runs with these end by themselves or leave something behind: no window that somebody works with can do it for them.
_OWN_RUN: Final = {
    "screenshot": "--screenshot",
    "until_live": "--until-live",
    "window_seconds": "--seconds",
    "replay": "--replay",
    "record": "--record",
}


def take_folder(arguments: argparse.Namespace) -> FolderLock | None:
    """The lock of the data folder; None when another window has it and took the wishes over. Raises MarketError."""
    folders = folders_of(arguments)
    return FolderLock.try_take(folders.application.lock) or asyncio.run(_hand_over(arguments, folders))


async def _hand_over(arguments: argparse.Namespace, folders: Folders) -> FolderLock | None:
    from desktop.commands.work.window import OpenRequest

    if (name := next((name for key, name in _OWN_RUN.items() if option(arguments, key)), None)) is not None:
        raise BadInput(
            f"Candelabra is open on this data folder, and {name} needs a start of its own.",
            next_step="Close it first, or choose another folder with --data-dir.",
        )
    claim = folders.application
    request = OpenRequest(
        None if arguments.ticker is None else checked_ticker(arguments.ticker),
        None if arguments.window_timeframe is None else str(Timeframe.parse(arguments.window_timeframe)),
        await _demo_seed(arguments, folders),
        None if option(arguments, "rest_base") is None else str(option(arguments, "rest_base")).rstrip("/"),
        os.environ.get("XDG_ACTIVATION_TOKEN"),
    )
    deadline_s = time.monotonic() + SILENT_S
    while time.monotonic() < deadline_s:
        owner = await asyncio.to_thread(read_owner, claim.lock)
        if owner is not None and await ask(owner, OPEN, msgspec.to_builtins(request), _ignore) is Ending.DONE:
            print("Candelabra is open already; its window is in front now.")
            sys.stdout.flush()
            return None
        await asyncio.sleep(_LOOK_S)
        if (lock := await asyncio.to_thread(FolderLock.try_take, claim.lock)) is not None:
            return lock  # the other one was about to end
    raise hung(await asyncio.to_thread(read_owner, claim.lock))


async def _demo_seed(arguments: argparse.Namespace, folders: Folders) -> int | None:
    if not option(arguments, "demo"):
        return None
    settings, _sentences = await asyncio.to_thread(settings_file.load, folders.settings)
    return int(str(option(arguments, "seed", settings.demo_seed)))


async def _ignore(_output: Output) -> None:
    """Opening says nothing."""
