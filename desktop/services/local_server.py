"""What others on this machine may have done by the owner of a folder: jobs by name, over the local channel."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from desktop import __version__
from desktop.data.folder_lock import FolderLock, Owner
from desktop.data.local_channel import (
    PROTOCOL,
    Accepted,
    Alive,
    Ask,
    Channel,
    Done,
    Failed,
    Leaving,
    Outlet,
    listen,
    new_token,
)
from desktop.domain.errors import BadInput, CacheError, MarketError
from desktop.services.tasks import Tasks

Job = Callable[[dict[str, Any], Outlet], Coroutine[Any, Any, None]]
_ASK_WITHIN_S = 5.0
_ALIVE_EVERY_S = 2.0


class LocalServer:
    """Serves while its process holds `lock`. A job ends with its client, or with `aclose`."""

    def __init__(self, lock: FolderLock, socket: Path, jobs: Mapping[str, Job], *, rest_base: str = "") -> None:
        self._lock = lock
        self._socket = socket
        self._jobs = jobs
        self._rest_base = rest_base
        self._token = new_token()
        self._tasks = Tasks()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listens, and says where. Raises CacheError when that is impossible."""
        try:
            self._server, address = await listen(self._socket, self._on_client)
        except OSError as error:
            raise CacheError(f"The local channel {self._socket} cannot be opened ({error.strerror}).") from error
        owner = Owner(os.getpid(), address, self._token, self._rest_base)
        await asyncio.to_thread(self._lock.publish, owner)

    async def aclose(self) -> None:
        """Tells whoever waits that the owner leaves, and ends their jobs."""
        if self._server is not None:
            self._server.close()
        await self._tasks.aclose()

    def _on_client(self, channel: Channel) -> None:
        self._tasks.start(self._serve(channel), name="local client")

    async def _serve(self, channel: Channel) -> None:
        try:
            try:
                async with asyncio.timeout(_ASK_WITHIN_S):
                    ask = await channel.receive()
            except TimeoutError:
                return
            if not isinstance(ask, Ask) or not secrets.compare_digest(ask.token, self._token):
                return
            if (refusal := self._refusal(ask)) is not None:
                await channel.send(refusal)
                return
            await channel.send(Accepted())
            await self._work(ask, channel)
        except asyncio.CancelledError:
            channel.post(Leaving())
            raise
        finally:
            await channel.aclose()

    def _refusal(self, ask: Ask) -> Failed | None:
        if ask.protocol != PROTOCOL:
            return Failed(
                CacheError.__name__,
                f"Candelabra {__version__} has this data folder open, and this is {ask.version}: they do not speak the "
                "same language. Close the other one first.",
            )
        if ask.job not in self._jobs:
            return Failed(BadInput.__name__, f"The running Candelabra cannot do “{ask.job}”.")
        return None

    async def _work(self, ask: Ask, channel: Channel) -> None:
        """Runs the job until it ends or its client is gone; says every two seconds that it is still at work."""
        tasks = Tasks()
        try:
            work = tasks.start(self._outcome(ask, channel), name=f"job {ask.job}")
            gone = tasks.start(channel.receive(), name="local client's end")
            while not work.done() and not gone.done() and not channel.is_overrun:
                await asyncio.wait({work, gone}, timeout=_ALIVE_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
                if not channel.unread_bytes:
                    channel.post(Alive())
            if channel.is_overrun:
                await tasks.aclose()
                await channel.send(Failed(MarketError.__name__, "The output was not read fast enough and was cut."))
            elif work.done():
                await channel.send(_answer(work))
        finally:
            await tasks.aclose()

    async def _outcome(self, ask: Ask, channel: Channel) -> Done | Failed:
        try:
            await self._jobs[ask.job](ask.arguments, channel)
        except MarketError as error:
            return Failed(type(error).__name__, str(error))
        return Done()


def _answer(work: asyncio.Task[Done | Failed]) -> Done | Failed:
    if work.cancelled() or work.exception() is not None:  # a bug; the task's owner reports it
        return Failed(
            MarketError.__name__, "Something went wrong inside the running Candelabra; its log has the details."
        )
    return work.result()
