"""The values of one study along one growing series of bars."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from desktop.domain.bars import Bars, Floats
from desktop.domain.market import Market
from desktop.domain.studies.study import Study


def compute(study: Study, bars: Bars, market: Market) -> Sequence[Floats]:
    """All columns of `study` over `bars`, for `StudySeries.adopt`. Pure: may run in a worker thread.

    The bars must not change meanwhile: hand over a copy of a view that lives on.
    """
    return study.entry.kernel(study.parameters, market).whole(bars)


class StudySeries:
    """Values of `study` that follow a series of bars; every method gets all bars as they are now.

    A call after each change keeps `outputs` right: `changed` for ticks and appended bars, at a cost that does not grow
    with the history; `prepended` and `reset` compute everything anew. To do that in a worker, run `compute` there
    and pass what it gives to `adopt`; `shifted` keeps the values in their place meanwhile.
    """

    def __init__(self, study: Study, market: Market) -> None:
        self.study = study
        self._kernel = study.entry.kernel(study.parameters, market)
        self._count = 0
        self._columns = np.empty((self._kernel.width, 0))

    def __len__(self) -> int:
        return self._count

    @property
    def outputs(self) -> tuple[Floats, ...]:
        """One column for each of the entry's `output_names`, aligned with the bars, NaN where unknown.

        Views that stay right until the next change.
        """
        return tuple(self._columns[: len(self.study.entry.output_names), : self._count])

    def reset(self, bars: Bars) -> None:
        """Other bars than before."""
        self.adopt(self._kernel.whole(bars))

    def prepended(self, bars: Bars, count: int) -> None:
        """`count` older bars came in front: what recurs begins further back, so all values may differ."""
        if count:
            self.reset(bars)

    def changed(self, bars: Bars, first_index: int) -> None:
        """Bars from `first_index` on changed, came in or went; those before are as they were at the last call."""
        first = min(first_index, self._count)
        if first <= 0:
            self.reset(bars)
            return
        self._make_room(len(bars))
        self._count = len(bars)
        if first < self._count:
            self._kernel.tail(bars, first, self._columns[:, : self._count])

    def shifted(self, count: int) -> None:
        """`count` older bars came in front and a worker is computing: known values move along, NaN in front of them.

        `changed` goes on from there until `adopt` brings the values of the whole.
        """
        grown = np.empty((self._kernel.width, _capacity(self._count + count)))
        grown[:, :count] = np.nan
        grown[:, count : count + self._count] = self._columns[:, : self._count]
        self._columns = grown
        self._count += count

    def adopt(self, columns: Sequence[Floats]) -> None:
        """Takes what `compute` gave. Then call `changed` with the least first index of all changes since it began.

        A result from before bars came in front, or from other bars, must not be adopted.
        """
        self._count = len(columns[0])
        self._columns = np.empty((self._kernel.width, _capacity(self._count)))
        for row, column in zip(self._columns, columns, strict=True):
            row[: self._count] = column

    def _make_room(self, count: int) -> None:
        if count <= self._columns.shape[1]:
            return
        grown = np.empty((self._kernel.width, _capacity(count)))
        grown[:, : self._count] = self._columns[:, : self._count]
        self._columns = grown


def _capacity(count: int) -> int:
    return max(1024, count + count // 2)
