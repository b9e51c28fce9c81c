"""What every command does first: find the folder, the key and the source, then open the data layer."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from desktop.assembly import DataLayer, Source, identify, open_data_layer
from desktop.commands.parser import option
from desktop.data import settings_file
from desktop.data.api_key import ApiKeys
from desktop.data.folders import Folders
from desktop.data.log_setup import log_to_stderr
from desktop.data.redaction import Redactor
from desktop.demo.launch import FeedServer, start_feed_server, world_of
from desktop.domain.addresses import REST_SCHEMES, SOCKET_SCHEMES, checked_base
from desktop.domain.errors import BadInput
from desktop.domain.settings import Plan, Settings
from desktop.domain.world import VENDOR


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
    """Ticker and timeframe of the first recording, told by its name: `X_BTCUSD_1m.csv.gz` -> X:BTCUSD, 1m."""
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
    rest_base = checked_base(str(option(arguments, "rest_base", settings.rest_base)), schemes=REST_SCHEMES)
    socket_base = checked_base(str(option(arguments, "socket_base", settings.socket_base)), schemes=SOCKET_SCHEMES)
    is_offline = bool(option(arguments, "offline", False))
    clock = option(arguments, "clock")
    control = checked_base(str(clock), schemes=REST_SCHEMES) if clock is not None else None
    source = await identify(
        Source(rest_base, socket_base, key, VENDOR, control, settings.plan, is_offline=is_offline), folders
    )
    if is_offline and option(arguments, "rest_base") is None and source.world not in folders.worlds():
        source = _only_world(source, folders)
    return _with_plan(source, arguments)


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


@asynccontextmanager
async def open_environment(arguments: argparse.Namespace) -> AsyncIterator[DataLayer]:
    """The data layer the arguments ask for, with a feed server of its own for --demo and --replay."""
    redactor = Redactor()
    log_to_stderr(redactor, is_verbose=bool(option(arguments, "verbose")))
    folders = folders_of(arguments)
    settings, sentences = await asyncio.to_thread(settings_file.load, folders.settings)
    for sentence in sentences:
        say(sentence)
    asked = server_arguments(arguments, settings)
    server = start_feed_server(asked) if asked is not None else None
    try:
        if server is not None:
            source = await source_of_server(server)
        else:
            key = None if option(arguments, "offline") else await _key_in_use(redactor)
            source = await source_of(arguments, settings, folders, key)
        async with open_data_layer(source, folders, say) as layer:
            yield layer
    finally:
        if server is not None:
            await asyncio.to_thread(server.close)
