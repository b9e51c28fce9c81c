"""What a person does with the studies of one chart: add, set up, hide, move, remove; saved as plain data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from desktop.domain.history import History, Step
from desktop.domain.look import StudyLook, held_share
from desktop.domain.studies.study import Study
from desktop.ui.chart.studies import ChartStudies, PlacedStudy


class StudyBoard(QObject):
    """Changes the studies of a chart and says `changed` after each; with a history, each can be undone."""

    changed = Signal()

    def __init__(self, studies: ChartStudies, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studies = studies
        self.history: History | None = None

    @property
    def items(self) -> tuple[PlacedStudy, ...]:
        """All studies in their order, hidden ones too."""
        return tuple(self._studies.items)

    @property
    def looks(self) -> tuple[StudyLook, ...]:
        """All studies as they are saved."""
        return tuple(StudyLook(placed.study, placed.is_hidden, placed.share) for placed in self._studies.items)

    def add(self, study: Study) -> int:
        """Puts one more on the chart; answers its id."""
        before = self.looks
        placed = self._studies.add(study)
        self._say(f"Add {study.entry.label}", before)
        return placed.id

    def replace(self, id_: int, study: Study) -> None:
        """Other parameters or colours."""
        before = self.looks
        self._studies.replace(id_, study)
        self._say(f"Change {study.entry.label}", before)

    def remove(self, id_: int) -> None:
        before = self.looks
        self._studies.remove(id_)
        self._say("Remove study", before)

    def set_hidden(self, id_: int, is_hidden: bool) -> None:
        placed, before = self._studies.find(id_), self.looks
        if placed is not None:
            placed.is_hidden = is_hidden
            self._say("Hide study" if is_hidden else "Show study", before)

    def move(self, id_: int, steps: int) -> None:
        """Up (negative) or down among the panes."""
        before = self.looks
        self._studies.move(id_, steps)
        self._say("Move pane", before)

    def set_share(self, id_: int, share: float) -> None:
        """How much of the plot's height a pane takes."""
        placed, before = self._studies.find(id_), self.looks
        if placed is not None:
            placed.share = held_share(share)
            self._say("Resize pane", before)

    def preview(self, id_: int, study: Study) -> None:
        """As `replace`, on the way to a change that `settle` makes one step of."""
        self._studies.replace(id_, study)
        self.changed.emit()

    def settle(self, text: str, before: Sequence[StudyLook]) -> None:
        """What was tried out since `before` stays, as one step."""
        self._say(text, tuple(before))

    def restore(self, looks: Sequence[StudyLook]) -> None:
        """Replaces all studies by these."""
        if not isValid(self) or tuple(looks) == self.looks:  # the chart of an old step may be closed
            return
        self._studies.items.clear()
        for look in looks:
            placed = self._studies.add(look.study)
            placed.is_hidden, placed.share = look.is_hidden, look.share
        self.changed.emit()

    def _say(self, text: str, before: tuple[StudyLook, ...]) -> None:
        after = self.looks
        if self.history is not None and after != before:
            self.history.add(Step(text, partial(self.restore, before), partial(self.restore, after)))
        self.changed.emit()
