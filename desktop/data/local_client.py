"""Asking the owner of a folder to do something, and listening until it is done."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from desktop import __version__
from desktop.data.folder_lock import Owner
from desktop.data.local_channel import (
    PROTOCOL,
    Accepted,
    Alive,
    Ask,
    Channel,
    Done,
    Failed,
    Leaving,
    Message,
    Output,
    connect,
)
from desktop.domain.errors import CacheError, MarketError

SILENT_S: Final = 15.0  # an owner at work says so every two seconds


class Ending(enum.Enum):
    """How asking ended."""

    DONE = enum.auto()
    LEFT = enum.auto()  # the owner was at work and is gone
    ABSENT = enum.auto()  # nobody took the work


async def ask(
    owner: Owner,
    job: str,
    arguments: dict[str, Any],
    take: Callable[[Output], Awaitable[None]],
    *,
    silent_s: float = SILENT_S,
) -> Ending:
    """Has the owner do `job` and hands what it says to `take`.

    Raises the MarketError the work ended in, and CacheError when the owner is silent for `silent_s` seconds.
    Cancelling stops the work in the owner.
    """
    try:
        channel = await connect(owner.address)
    except (OSError, ValueError):
        return Ending.ABSENT
    if_gone = Ending.ABSENT
    try:
        await channel.send(Ask(PROTOCOL, __version__, owner.token, job, arguments))
        while True:
            match await _next(channel, owner, silent_s):
                case Accepted() | Alive():
                    if_gone = Ending.LEFT
                case Done():
                    return Ending.DONE
                case None | Leaving() | Ask():
                    return if_gone
                case Failed(kind, sentence):
                    raise _error_class(kind)(sentence)
                case output:
                    await take(output)
    finally:
        await channel.aclose()


async def _next(channel: Channel, owner: Owner, silent_s: float) -> Message | None:
    try:
        async with asyncio.timeout(silent_s):
            return await channel.receive()
    except TimeoutError:
        raise hung(owner) from None


def hung(owner: Owner | None) -> CacheError:
    """The sentence for an owner that does not answer."""
    who = "Another Candelabra" if owner is None else f"Another Candelabra (process {owner.pid})"
    return CacheError(
        f"{who} has this data folder open and does not answer.",
        next_step="Close it or end that process, or choose another folder with --data-dir.",
    )


def _error_class(kind: str) -> type[MarketError]:
    return next((found for found in _kinds(MarketError) if found.__name__ == kind), MarketError)


def _kinds(kind: type[MarketError]) -> Iterator[type[MarketError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)
