"""What a person does with the studies of one chart: add, set up, hide, move, remove; saved as plain data."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from desktop.domain.look import StudyLook, held_share
from desktop.domain.studies.study import Study
from desktop.ui.chart.studies import ChartStudies, PlacedStudy


class StudyBoard(QObject):
    """Changes the studies of a chart and says `changed` after each."""

    changed = Signal()

    def __init__(self, studies: ChartStudies, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._studies = studies

    @property
    def items(self) -> tuple[PlacedStudy, ...]:
        """All studies in their order, hidden ones too."""
        return tuple(self._studies.items)

    def add(self, study: Study) -> int:
        """Puts one more on the chart; answers its id."""
        placed = self._studies.add(study)
        self.changed.emit()
        return placed.id

    def replace(self, id_: int, study: Study) -> None:
        """Other parameters or colours."""
        self._studies.replace(id_, study)
        self.changed.emit()

    def remove(self, id_: int) -> None:
        self._studies.remove(id_)
        self.changed.emit()

    def set_hidden(self, id_: int, is_hidden: bool) -> None:
        placed = self._studies.find(id_)
        if placed is not None:
            placed.is_hidden = is_hidden
            self.changed.emit()

    def move(self, id_: int, steps: int) -> None:
        """Up (negative) or down among the panes."""
        self._studies.move(id_, steps)
        self.changed.emit()

    def set_share(self, id_: int, share: float) -> None:
        """How much of the plot's height a pane takes."""
        placed = self._studies.find(id_)
        if placed is not None:
            placed.share = held_share(share)
            self.changed.emit()

    @property
    def looks(self) -> tuple[StudyLook, ...]:
        """All studies as they are saved."""
        return tuple(StudyLook(placed.study, placed.is_hidden, placed.share) for placed in self._studies.items)

    def restore(self, looks: Sequence[StudyLook]) -> None:
        """Replaces all studies by these."""
        if tuple(looks) == self.looks:
            return
        self._studies.items.clear()
        for look in looks:
            placed = self._studies.add(look.study)
            placed.is_hidden, placed.share = look.is_hidden, look.share
        self.changed.emit()
