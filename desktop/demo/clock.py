"""The feed server's virtual clock: it may run faster, stand still, jump, and stops where a recording ends."""

from __future__ import annotations

import time
from collections.abc import Callable


def _nobody_listens() -> None:
    pass


class VirtualClock:
    """Market time in Unix ms, anchored on a monotonic clock.

    With `is_stepped` (replay as fast as possible) time does not flow: the socket pump moves it from event to event.
    """

    def __init__(
        self,
        start_ms: float,
        *,
        rate: float = 1.0,
        is_stepped: bool = False,
        end_ms: int | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._anchor_ms = float(start_ms)
        self._anchor_s = monotonic()
        self._rate = rate
        self._is_paused = False
        self.is_stepped = is_stepped
        self.end_ms = end_ms
        self.jumps = 0  # how often time was set anew: what lay between was never sent
        self.on_jump: Callable[[], None] = _nobody_listens  # called after each

    def exact_ms(self) -> float:
        """The time with its fraction."""
        passed_ms = (self._monotonic() - self._anchor_s) * 1000 * self.flow
        now_ms = self._anchor_ms + passed_ms
        return now_ms if self.end_ms is None else min(now_ms, float(self.end_ms))

    def now_ms(self) -> int:
        return int(self.exact_ms())

    @property
    def flow(self) -> float:
        """Market seconds per real second just now, before the end is looked at."""
        return 0.0 if self._is_paused or self.is_stepped else self._rate

    @property
    def breaks(self) -> int:
        """The same as `jumps`, for those who follow it."""
        return self.jumps

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    @property
    def rate(self) -> float:
        """The rate it was set to; 0 in fact while paused, stepped or ended."""
        return self._rate

    @property
    def has_ended(self) -> bool:
        return self.end_ms is not None and self.exact_ms() >= self.end_ms

    def set(self, *, now_ms: float | None = None, rate: float | None = None, paused: bool | None = None) -> None:
        """Changes what is given; a new `now_ms` is a jump. A rate of 0 is a pause."""
        here_ms = self.exact_ms()
        self._anchor_ms, self._anchor_s = here_ms if now_ms is None else float(now_ms), self._monotonic()
        if rate is not None:
            self._rate, self.is_stepped = rate, False
        if paused is not None:
            self._is_paused = paused
        if now_ms is not None:
            self.jumps += 1
            self.on_jump()

    def step(self) -> None:
        """From now on time moves by `advance` alone."""
        self._anchor_ms, self._anchor_s = self.exact_ms(), self._monotonic()
        self.is_stepped = True

    def advance(self, by_ms: float) -> None:
        """Lets time pass at once: unlike a jump, everything that lies between happens."""
        self._anchor_ms, self._anchor_s = self.exact_ms() + by_ms, self._monotonic()

    def advance_to(self, time_ms: float) -> None:
        """Lets time pass until `time_ms`; never goes back."""
        self.advance(max(0.0, time_ms - self.exact_ms()))

    def state(self) -> dict[str, object]:
        """What the control endpoint `/clock` shows. `rate` is the speed in fact, `speed` the one that was set."""
        ended = self.has_ended
        return {
            "now_ms": self.exact_ms(),
            "rate": 0.0 if ended else self.flow,
            "paused": self._is_paused,
            "ended": ended,
            "speed": "max" if self.is_stepped else self._rate,
            "end_ms": self.end_ms,
            "jumps": self.jumps,
        }
