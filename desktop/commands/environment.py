"""What every command does first: find the folder, the world, and for work of its own the key and the source."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from desktop.assembly import Source, identify, known_world
from desktop.commands.parser import option
from desktop.commands.record import recording_order
from desktop.data import settings_file
from desktop.data.api_key import ApiKeys
from desktop.data.folder_lock import Owner
from desktop.data.folders import Folders
from desktop.data.log_setup import log_to_stderr
from desktop.data.redaction import Redactor
from desktop.demo.launch import FeedServer, start_feed_server, world_of
from desktop.demo.raw_bars import first_view
from desktop.domain.addresses import REST_SCHEMES, SOCKET_SCHEMES, checked_base
from desktop.domain.errors import BadInput
from desktop.domain.settings import Plan, Settings
from desktop.domain.world import VENDOR, World, demo_world


def say(sentence: str) -> None:
    """One line for a person, on stderr."""
    print(sentence, file=sys.stderr, flush=True)


def folders_of(arguments: argparse.Namespace) -> Folders:
    """The folder everything is written to. Raises CacheError when it cannot be."""
    chosen = option(arguments, "data_dir")
    return Folders.open(chosen if isinstance(chosen, Path) else None)


def server_arguments(arguments: argparse.Namespace, settings: Settings) -> list[str] | None:
    """Arguments of the feed server that `--demo` or `--replay` ask for; None when neither does."""
    replay = option(arguments, "replay")
    if isinstance(replay, list):
        missing = [path for path in replay if not path.exists()]
        if missing:
            raise BadInput(f"There is no file {missing[0]}.")
        asked = ["--recording", *(str(path) for path in replay)]
        if (start := option(arguments, "replay_from")) is not None:
            asked += ["--from", str(start)]
        if (speed := option(arguments, "speed")) is not None:
            asked += ["--speed", str(speed)]
        return asked
    if option(arguments, "demo"):
        return ["--seed", str(option(arguments, "seed", settings.demo_seed))]
    return None


def first_recorded(paths: list[Path]) -> tuple[str, str]:
    """Ticker and timeframe of the first recording: what a session opened with, a file's by its name.

    `X_BTCUSD_1m.csv.gz` -> X:BTCUSD, 1m.
    """
    if (view := first_view(paths[0])) is not None:
        return view[0], str(view[1])
    parts = paths[0].name.split(".", 1)[0].split("_")
    prefix = f"{parts.pop(0)}:" if parts[0] in ("X", "C") and len(parts) > 1 else ""
    resolution = next((part for part in parts[1:] if part in ("1s", "1m", "5m", "1h", "1d")), "1m")
    return prefix + parts[0], {"1s": "1m", "1d": "1D"}.get(resolution, resolution)


async def source_of_server(server: FeedServer) -> Source:
    """The source a feed server of ours offers."""
    ready = await server.endpoints()
    return Source(ready.rest, ready.socket, ready.key, world_of(ready), ready.control, Plan.PAID)


async def source_of(arguments: argparse.Namespace, settings: Settings, folders: Folders, key: str | None) -> Source:
    """The source that options and settings name, its world found out."""
    source = await identify(_addressed(arguments, settings, key), folders)
    if source.is_offline and option(arguments, "rest_base") is None and source.world not in folders.worlds():
        source = _only_world(source, folders)
    return _with_plan(source, arguments)


def _addressed(arguments: argparse.Namespace, settings: Settings, key: str | None) -> Source:
    """The source that options and settings name; its world is not known yet."""
    rest_base = checked_base(str(option(arguments, "rest_base", settings.rest_base)), schemes=REST_SCHEMES)
    socket_base = checked_base(str(option(arguments, "socket_base", settings.socket_base)), schemes=SOCKET_SCHEMES)
    clock = option(arguments, "clock")
    control = checked_base(str(clock), schemes=REST_SCHEMES) if clock is not None else None
    is_offline = bool(option(arguments, "offline", False))
    return Source(rest_base, socket_base, key, VENDOR, control, settings.plan, is_offline=is_offline)


def _only_world(source: Source, folders: Folders) -> Source:
    """Offline and nothing of the vendor's here: the one world the folder holds, said aloud."""
    worlds = folders.worlds()
    if len(worlds) != 1:
        return source
    say(f"The cache holds the world “{worlds[0].id}” only; it is used.")
    return replace(source, world=worlds[0])


def _with_plan(source: Source, arguments: argparse.Namespace) -> Source:
    if (plan := option(arguments, "plan")) is not None:
        return replace(source, plan=Plan(str(plan)))
    # Our own feed server names its world and counts for itself; there is no vendor to spare.
    return replace(source, plan=Plan.PAID) if source.world.label in ("DEMO", "REPLAY") else source


async def _key_in_use(redactor: Redactor) -> str | None:
    """The key, kept out of the log; where there is none, why an unusable one was passed over."""
    in_use = await ApiKeys().load()
    if in_use.key is not None:
        redactor.add(in_use.key)
    elif in_use.sentence is not None:
        say(in_use.sentence)
    return in_use.key


class Environment:
    """What a command finds out before its work begins; each thing when it is needed and once.

    The key and a feed server of its own (--demo, --replay) are for those who work alone: whoever has the work done
    by the window needs neither.
    """

    def __init__(self, arguments: argparse.Namespace, folders: Folders, settings: Settings, redactor: Redactor) -> None:
        self.folders = folders
        self.record = recording_order(arguments)
        self._arguments = arguments
        self._settings = settings
        self._redactor = redactor
        self._server_arguments = server_arguments(arguments, settings)
        self._server: FeedServer | None = None
        self._source: Source | None = None

    async def world(self) -> World:
        """The world the arguments mean, as far as it is known without asking a server."""
        if self._source is not None:
            return self._source.world
        if self.is_replay:
            return (await self.source()).world
        if self._server_arguments is not None:
            return demo_world(int(str(option(self._arguments, "seed", self._settings.demo_seed))))
        source = _addressed(self._arguments, self._settings, None)
        if source.is_offline:
            return (await self.source()).world  # asks nobody
        return await known_world(source, self.folders)

    async def is_meant(self, owner: Owner) -> bool:
        """Whether the owner of `world` asks the server the arguments name: an address may serve another world now."""
        if self._source is not None or self._server_arguments is not None:
            return True
        source = _addressed(self._arguments, self._settings, None)
        return owner.rest_base == source.rest_base or await self.world() == VENDOR

    @property
    def is_replay(self) -> bool:
        """Whether a recording is to be replayed, at a time and a speed of its own."""
        return option(self._arguments, "replay") is not None

    async def source(self) -> Source:
        """The source with its key, its world found out. Raises MarketError."""
        if self._source is None:
            if self._server_arguments is not None:
                self._server = self._server or start_feed_server(self._server_arguments)
                self._source = await source_of_server(self._server)
            else:
                key = None if option(self._arguments, "offline") else await _key_in_use(self._redactor)
                self._source = await source_of(self._arguments, self._settings, self.folders, key)
        return self._source

    async def aclose(self) -> None:
        """Ends the feed server."""
        if self._server is not None:
            await asyncio.to_thread(self._server.close)


@asynccontextmanager
async def open_environment(arguments: argparse.Namespace) -> AsyncIterator[Environment]:
    """Reads the folder and the settings that the arguments name."""
    redactor = Redactor()
    log_to_stderr(redactor, is_verbose=bool(option(arguments, "verbose")))
    folders = folders_of(arguments)
    settings, sentences = await asyncio.to_thread(settings_file.load, folders.settings)
    for sentence in sentences:
        say(sentence)
    environment = Environment(arguments, folders, settings, redactor)
    try:
        yield environment
    finally:
        await environment.aclose()
