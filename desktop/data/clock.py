"""The market's clock: wall time by default; for demo and replay the feed server's, with its offset and rate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import httpx
import msgspec

from desktop.domain.errors import BadResponse, Offline


class MarketClock(Protocol):
    """What time it is on the market, Unix ms UTC. Never used for time-outs, back-off or call limits."""

    def now_ms(self) -> int: ...

    @property
    def rate(self) -> float:
        """Market seconds that pass in a real second; 0 while stopped."""
        ...


class WallClock:
    """This machine's clock, corrected by the skew learnt from the vendor's `serverTime`."""

    rate = 1.0

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self.skew_ms = 0

    def now_ms(self) -> int:
        return int(self._wall() * 1000) + self.skew_ms

    def learn(self, server_time_ms: int, *, tolerance_ms: int = 2000) -> None:
        """Takes over a server time received just now; small differences are network delay and leave the clock alone."""
        skew_ms = server_time_ms - int(self._wall() * 1000)
        self.skew_ms = skew_ms if abs(skew_ms) > tolerance_ms else 0


class _ClockState(msgspec.Struct):
    now_ms: float
    rate: float
    paused: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class _Anchor:
    market_ms: float
    monotonic_s: float
    rate: float


class FollowedClock:
    """The feed server's virtual clock, extrapolated from the last answer of its control endpoint."""

    def __init__(self, control_url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.control_url = control_url.rstrip("/")
        self._monotonic = monotonic
        self._anchor = _Anchor(time.time() * 1000, monotonic(), 1.0)
        self.has_ended = False

    @property
    def rate(self) -> float:
        return self._anchor.rate

    def now_ms(self) -> int:
        anchor = self._anchor
        return int(anchor.market_ms + (self._monotonic() - anchor.monotonic_s) * 1000 * anchor.rate)

    async def sync(self, client: httpx.AsyncClient) -> None:
        """Asks the server once. Raises Offline or BadResponse."""
        asked_s = self._monotonic()
        try:
            response = await client.get(f"{self.control_url}/clock")
            state = msgspec.json.decode(response.raise_for_status().content, type=_ClockState)
        except httpx.RequestError as error:
            raise Offline("The feed server's clock cannot be reached.") from error
        except (httpx.HTTPStatusError, msgspec.MsgspecError) as error:
            raise BadResponse("The feed server's clock gave an unreadable answer.") from error
        middle_s = (asked_s + self._monotonic()) / 2
        rate = 0.0 if state.paused or state.ended else state.rate
        self._anchor = _Anchor(state.now_ms, middle_s, rate)
        self.has_ended = state.ended
