"""What moves a view by itself: a glide after a throw, and the way to another place. One step a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from desktop.ui.chart.kinetic import Glide
from desktop.ui.chart.viewport import Viewport

JUMP_MS: Final = 200.0
_FAR_SCREENS: Final = 2.0  # longer ways begin so near to their end


class Motion:
    """At most one movement of one view. Steps add to where the view stands, so that bars may come meanwhile."""

    def __init__(self, view: Viewport, now_ms: Callable[[], float]) -> None:
        """now_ms: a monotonic clock in milliseconds."""
        self._view = view
        self._now_ms = now_ms
        self._step: Callable[[float], bool] | None = None  # passed ms -> whether more is to come
        self._since_ms = 0.0

    @property
    def is_running(self) -> bool:
        return self._step is not None

    def glide(self, glide: Glide) -> None:
        """Scrolls on until it is slow, or the end of the series."""
        gone = 0.0

        def step(passed_ms: float) -> bool:
            nonlocal gone
            before, distance = self._view.right, glide.distance(passed_ms)
            self._view.pan(distance - gone)
            is_held = distance != gone and self._view.right == before
            gone = distance
            return passed_ms < glide.duration_ms and not is_held

        self._start(step)

    def jump(self, right: Callable[[], float], spacing: float) -> None:
        """Eases out to a spacing with the slot `right()` at the right edge."""
        view, done = self._view, 0.0
        nearest = _FAR_SCREENS * view.width / view.spacing
        view.right = max(right() - nearest, min(right() + nearest, view.right))

        def step(passed_ms: float) -> bool:
            nonlocal done
            if passed_ms >= JUMP_MS:
                view.spacing, view.right = spacing, right()
                return False
            now = 1 - (1 - passed_ms / JUMP_MS) ** 3
            share = (now - done) / (1 - done)  # of what is left of the way
            view.spacing *= (spacing / view.spacing) ** share
            view.right += (right() - view.right) * share
            done = now
            return True

        self._start(step)

    def advance(self) -> bool:
        """Moves the view to where it is now; False when nothing moves."""
        if self._step is None:
            return False
        if not self._step(self._now_ms() - self._since_ms):
            self._step = None
        return True

    def stop(self) -> None:
        """Stays where it is."""
        self._step = None

    def _start(self, step: Callable[[float], bool]) -> None:
        self._step, self._since_ms = step, self._now_ms()
