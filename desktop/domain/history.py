"""What was done and can be undone: one list of steps for everything that a person changes on a chart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_STEPS: Final = 100


@dataclass(frozen=True, slots=True)
class Step:
    """One change and how to take it back. scope: the ticker it belongs to; "" belongs to every ticker."""

    text: str
    undo: Callable[[], None]
    redo: Callable[[], None]
    scope: str = ""


class History:
    """The newest steps. Steps of other scopes are passed over: they change nothing that is looked at."""

    def __init__(self, most: int = MOST_STEPS) -> None:
        self._most = most
        self._done: list[Step] = []
        self._undone: list[Step] = []  # the next one to redo last

    def add(self, step: Step) -> None:
        """Something was done; what had been undone in its scope cannot be redone any more."""
        self._done.append(step)
        del self._done[: -self._most]
        self._undone = [held for held in self._undone if not _meet(held.scope, step.scope)]

    def next_undo(self, scope: str) -> Step | None:
        """What `undo` would take back."""
        return next((step for step in reversed(self._done) if _meet(step.scope, scope)), None)

    def next_redo(self, scope: str) -> Step | None:
        """What `redo` would do again."""
        return next((step for step in reversed(self._undone) if _meet(step.scope, scope)), None)

    def undo(self, scope: str) -> Step | None:
        """Takes back the newest step seen from `scope`; answers it, None when there is none."""
        step = self.next_undo(scope)
        if step is not None:
            _take(self._done, step)
            self._undone.append(step)
            step.undo()
        return step

    def redo(self, scope: str) -> Step | None:
        """Does again what was undone last; answers it, None when there is nothing."""
        step = self.next_redo(scope)
        if step is not None:
            _take(self._undone, step)
            self._done.append(step)
            step.redo()
        return step


def _meet(one: str, other: str) -> bool:
    return one == other or not one or not other


def _take(steps: list[Step], step: Step) -> None:
    """Removes exactly this one; equal steps stay."""
    del steps[next(index for index in reversed(range(len(steps))) if steps[index] is step)]
