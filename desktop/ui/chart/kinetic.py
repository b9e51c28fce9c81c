"""How a picture glides on after it was thrown: speeds of the last moves, then an exponential slowing down.

Pure numbers: logical pixels and milliseconds. Rule and limits are those of lightweight-charts' kinetic scroll.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LEAST_SPEED: Final = 0.2  # px/ms; slower throws do not glide
MOST_SPEED: Final = 7.0
DAMPING: Final = 0.997  # of the speed, a millisecond
_LEAST_MOVE: Final = 15.0  # px between two samples
_MOST_REST: Final = 50.0  # ms between the last sample and the release
_STOPS_AT: Final = 1.0  # px before the end


@dataclass(frozen=True, slots=True)
class Glide:
    """A throw: its speed at the start, px/ms with a sign."""

    speed: float

    @property
    def duration_ms(self) -> float:
        """Until less than a pixel is left to go."""
        return max(0.0, math.log(-_STOPS_AT * math.log(DAMPING) / abs(self.speed)) / math.log(DAMPING))

    def distance(self, passed_ms: float) -> float:
        """How far it has gone after so long."""
        passed_ms = min(max(0.0, passed_ms), self.duration_ms)
        return self.speed * (math.pow(DAMPING, passed_ms) - 1) / math.log(DAMPING)


class Throw:
    """Watches a drag to tell how fast it was going when it was let go."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque(maxlen=4)  # time, place; oldest first

    def add(self, x: float, at_ms: float) -> None:
        """The hand is here now. Moves of under 15 px make no sample of their own."""
        if self._samples:
            last_ms, last_x = self._samples[-1]
            if last_ms == at_ms:
                self._samples[-1] = (at_ms, x)
                return
            if abs(x - last_x) < _LEAST_MOVE:
                return
        self._samples.append((at_ms, x))

    def release(self, at_ms: float) -> Glide | None:
        """The throw, or None when the hand was slow or had stopped. Long moves weigh more than short ones."""
        if len(self._samples) < 2 or at_ms - self._samples[-1][0] > _MOST_REST:
            return None
        moves = [(x - x0, _held((x - x0) / (at - at0))) for (at0, x0), (at, x) in pairwise(self._samples)]
        moves.reverse()
        forwards = moves[0][0] > 0
        same = []
        for move in moves:
            if (move[0] > 0) != forwards:
                break
            same.append(move)
        total = sum(distance for distance, _speed in same)
        speed = sum(distance / total * speed for distance, speed in same)
        return Glide(speed) if abs(speed) >= LEAST_SPEED else None


def _held(speed: float) -> float:
    return math.copysign(min(abs(speed), MOST_SPEED), speed)
