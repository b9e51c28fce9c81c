"""Identical work that is asked for twice at once is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class SharedCalls:
    """Whoever asks first does the work; the others wait for its outcome.

    When the one who works is cancelled, one of those who wait takes over: nobody is cancelled by another.
    """

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Future[Any]] = {}

    async def run(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `work`, or that of the same `key` already under way."""
        while (running := self._running.get(key)) is not None:
            await asyncio.wait([running])
            if not running.cancelled():
                outcome: T = running.result()
                return outcome
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._running[key] = future
        try:
            answer = await work()
        except asyncio.CancelledError:
            future.cancel()
            raise
        except BaseException as error:
            future.set_exception(error)
            future.exception()  # seen: nobody may be waiting
            raise
        else:
            future.set_result(answer)
            return answer
        finally:
            del self._running[key]
