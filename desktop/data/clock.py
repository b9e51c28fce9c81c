"""The market's clock: wall time by default; for demo and replay the feed server's, with its offset and rate."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import httpx
import msgspec

from desktop.domain.errors import BadResponse, Offline

_STEP_S: Final = 1.0  # network time slews smaller differences away
_HEARSAY_MS: Final = 60_000
_UNSEEN_S: Final = 10.0  # longer than anything keeps the event loop from looking


class MarketClock(Protocol):
    """What time it is on the market, Unix ms UTC. Never used for time-outs, back-off or call limits."""

    def now_ms(self) -> int: ...

    @property
    def rate(self) -> float:
        """Market seconds that pass in a real second; 0 while stopped."""
        ...

    @property
    def breaks(self) -> int:
        """How often time did not pass as it should: the machine slept, a clock was set, a market jumped.

        Whoever sees another number than before cannot know what happened meanwhile and has to ask again.
        """
        ...


def elapsed_s() -> float:
    """Seconds since some moment, with those the machine slept; nobody can set this clock."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC_RAW"):  # Linux; macOS, where it counts sleep too
        if (clock := getattr(time, name, None)) is not None:
            return time.clock_gettime(clock)
    return time.monotonic()


class WallClock:
    """This machine's clock, corrected by the vendor's `serverTime`.

    It runs on a clock that cannot be set. When somebody sets the wall clock (or it is corrected over the network) that
    is a break; its word counts only until the vendor's is known. Not being looked at for long is a break too: the
    machine slept, or the program was stopped.
    """

    rate = 1.0

    def __init__(self, wall: Callable[[], float] = time.time, elapsed: Callable[[], float] = elapsed_s) -> None:
        self._wall = wall
        self._elapsed = elapsed
        self._seen_s = elapsed()
        self._offset_s = wall() - self._seen_s  # of the wall clock
        self._base_s = self._offset_s  # of market time
        self._is_learnt = False
        self.breaks = 0

    @property
    def skew_ms(self) -> int:
        """How far market time is ahead of this machine's clock; 0 when not worth a correction."""
        return round((self._base_s - self._offset_s) * 1000)

    def now_ms(self) -> int:
        now_s = self._elapsed()
        offset_s = self._wall() - now_s
        if abs(offset_s - self._offset_s) > _STEP_S:
            self.breaks += 1
            self._offset_s = offset_s
            if not self._is_learnt:
                self._base_s = offset_s
        elif now_s - self._seen_s > _UNSEEN_S:
            self.breaks += 1
        self._seen_s = now_s
        return int((now_s + self._base_s) * 1000)

    def heard(self, server_time_ms: int) -> None:
        """A server said the time by the way, up to a minute late: only a clock that is further off is corrected."""
        if abs(server_time_ms - self.now_ms()) > _HEARSAY_MS:
            self.learn(server_time_ms)

    def learn(self, server_time_ms: int, *, tolerance_ms: int = 2000) -> None:
        """Takes over a server time received just now; small differences are network delay and leave the clock alone."""
        now_s = self._elapsed()
        self._offset_s = self._wall() - now_s
        base_s = server_time_ms / 1000 - now_s
        if abs(base_s - self._offset_s) * 1000 <= tolerance_ms:
            base_s = self._offset_s
        if abs(base_s - self._base_s) * 1000 > tolerance_ms:
            self.breaks += 1
        self._base_s = base_s
        self._is_learnt = True


class _ClockState(msgspec.Struct):
    now_ms: float
    rate: float
    paused: bool = False
    ended: bool = False
    jumps: int = 0


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
        self._jumps: int | None = None
        self.has_ended = False
        self.breaks = 0

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
        if self._jumps not in (None, state.jumps):
            self.breaks += 1
        self._jumps = state.jumps
