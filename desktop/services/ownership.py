"""Taking a world over from whoever has it, so that one process at a time has its connections and its cache."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from desktop.data.folder_lock import FolderLock, read_owner
from desktop.data.folders import Claim
from desktop.data.local_channel import Output
from desktop.data.local_client import ask
from desktop.domain.errors import MarketError

STEP_DOWN: Final = "step_down"
_LOOK_S = 0.03
_ASK_S = 2.0


async def take_over(claim: Claim, *, patience_s: float) -> FolderLock | None:
    """The lock, as soon as its owner steps down, as commands do when a window asks; None when it is not given up.

    Raises CacheError when there can be no lock.
    """
    deadline_s = time.monotonic() + patience_s
    while True:
        lock = await asyncio.to_thread(FolderLock.try_take, claim.lock)
        if lock is not None:
            return lock
        if time.monotonic() >= deadline_s:
            return None
        owner = await asyncio.to_thread(read_owner, claim.lock)
        if owner is not None:
            with suppress(MarketError):  # hung or of another version: it may still end
                await ask(owner, STEP_DOWN, {}, _ignore, silent_s=_ASK_S)
        await asyncio.sleep(_LOOK_S)


async def _ignore(_output: Output) -> None:
    """Stepping down says nothing."""
