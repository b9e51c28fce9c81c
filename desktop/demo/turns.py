"""Turns at a shared thing: an urgent thread waits for the one call in progress, a patient one for all urgent ones."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class Turns:
    """A lock with two kinds of holders; of those who wait, the urgent come first. Not reentrant."""

    def __init__(self) -> None:
        self._held = threading.Lock()
        self._next = threading.Lock()  # held by the one who gets `_held` next
        self._patient = threading.Lock()  # lets one patient holder at a time compete for `_next`

    @contextlib.contextmanager
    def urgent(self) -> Iterator[None]:
        with self._next:
            self._held.acquire()
        try:
            yield
        finally:
            self._held.release()

    @contextlib.contextmanager
    def patient(self) -> Iterator[None]:
        with self._patient, self.urgent():
            yield
