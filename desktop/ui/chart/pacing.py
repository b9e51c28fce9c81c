"""When a chart is painted: with the next frame, however much went out of date before it."""

from __future__ import annotations

import math
import time
from typing import Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from desktop.ui.chart.model import Dirty

FRAME_MS: Final = 16


class Pacer(QObject):
    """Gathers what is out of date and says `due` at most once a frame; at once after a pause."""

    due = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.dirty = Dirty.ALL
        self._painted_at = 0.0  # monotonic seconds
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.due)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is out of date and no frame is to come."""
        return self.dirty is Dirty.NOTHING and not self._timer.isActive()

    def add(self, dirty: Dirty) -> None:
        """So much is out of date."""
        self.dirty = max(self.dirty, dirty)
        if not self._timer.isActive():
            passed_ms = (time.monotonic() - self._painted_at) * 1000
            self._timer.start(max(0, math.ceil(FRAME_MS - passed_ms)))

    def take(self) -> Dirty:
        """What is out of date; it is taken to be painted now, and a frame to come is one frame away."""
        dirty, self.dirty = self.dirty, Dirty.NOTHING
        if dirty is not Dirty.NOTHING:
            self._painted_at = time.monotonic()
            if self._timer.isActive():
                self._timer.start(FRAME_MS)
        return dirty

    def hurry(self) -> None:
        """The frame is due now."""
        self._timer.stop()
        self.due.emit()
