"""The studies on one chart: which there are, in which order, and their values along the bars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from desktop.domain.bars import Bars
from desktop.domain.look import PANE_SHARE
from desktop.domain.market import Market
from desktop.domain.studies.study import Study
from desktop.ui.chart.study_values import Run, StudyValues

LEAST_PANE = 60.0  # logical pixels
LEAST_MAIN = 80.0
_MOST_PANES = 0.65  # of the plot's height, all together, by themselves


@dataclass(slots=True)
class PlacedStudy:
    """One study on a chart. share: of the plot's height, for a study with a pane."""

    id: int
    study: Study
    values: StudyValues
    is_hidden: bool = False
    share: float = PANE_SHARE

    @property
    def has_pane(self) -> bool:
        return self.study.entry.place == "pane"


class ChartStudies:
    """Keeps studies in step with a series of bars; the owner tells what changed."""

    def __init__(self) -> None:
        self.run: Run | None = None  # where long series are computed; None: in place
        self.on_ready: Callable[[], None] = lambda: None
        self.items: list[PlacedStudy] = []
        self._numbers = count(1)
        self._bars = Bars.empty()
        self._market = Market.CRYPTO

    @property
    def panes(self) -> list[PlacedStudy]:
        """The studies with a pane of their own, from top to bottom."""
        return [placed for placed in self.items if placed.has_pane and not placed.is_hidden]

    @property
    def overlays(self) -> list[PlacedStudy]:
        """The studies drawn over prices or volume."""
        return [placed for placed in self.items if not placed.has_pane and not placed.is_hidden]

    def find(self, id_: int) -> PlacedStudy | None:
        return next((placed for placed in self.items if placed.id == id_), None)

    # --- what a person does --------------------------------------------------------------------------------

    def add(self, study: Study) -> PlacedStudy:
        """Puts one more below the others."""
        placed = PlacedStudy(next(self._numbers), study, self._values(study))
        self.items.append(placed)
        return placed

    def replace(self, id_: int, study: Study) -> None:
        """The same study with other parameters or colours."""
        placed = self.find(id_)
        if placed is not None:
            is_same = placed.study.params == study.params
            placed.study = study
            if not is_same:
                placed.values = self._values(study)

    def remove(self, id_: int) -> None:
        self.items = [placed for placed in self.items if placed.id != id_]

    def move(self, id_: int, steps: int) -> None:
        """Up (negative) or down among the panes."""
        panes = [placed for placed in self.items if placed.has_pane]
        at = next((index for index, placed in enumerate(panes) if placed.id == id_), None)
        if at is None:
            return
        panes.insert(max(0, at + steps), panes.pop(at))
        self.items = [placed for placed in self.items if not placed.has_pane] + panes

    def heights(self, height: float) -> list[float]:
        """Logical heights of the main pane and of each pane below it; together `height`."""
        panes = self.panes
        wanted = [max(LEAST_PANE, placed.share * height) for placed in panes]
        room = max(0.0, height - LEAST_MAIN)
        if all(placed.share == PANE_SHARE for placed in panes):  # nobody drew a border: prices keep a third
            room = min(room, max(_MOST_PANES * height, LEAST_PANE * len(panes)))
        total = sum(wanted)
        if total > room:
            wanted = [one * room / total for one in wanted]
        below = [float(int(one)) for one in wanted]
        return [height - sum(below), *below]

    # --- what the series does ------------------------------------------------------------------------------

    def reset(self, bars: Bars, market: Market) -> None:
        """Another series."""
        self._bars = bars
        if market is not self._market:
            self._market = market
            for placed in self.items:
                placed.values = self._values(placed.study)
            return
        for placed in self.items:
            placed.values.reset(bars)

    def prepended(self, bars: Bars, number: int) -> None:
        self._bars = bars
        for placed in self.items:
            placed.values.prepended(bars, number)

    def changed(self, bars: Bars, first_index: int) -> None:
        self._bars = bars
        for placed in self.items:
            placed.values.changed(bars, first_index)

    def _values(self, study: Study) -> StudyValues:
        values = StudyValues(study, self._market, self.run, lambda: self.on_ready())
        values.reset(self._bars)
        return values
