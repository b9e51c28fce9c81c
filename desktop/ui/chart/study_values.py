"""The values of one study along a chart's bars; those of a long series are computed beside the GUI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from desktop.domain.bars import Bars, Floats, Ints
from desktop.domain.market import Market
from desktop.domain.studies.series import StudySeries, compute
from desktop.domain.studies.study import Study

AT_ONCE: Final = 20_000  # bars; what takes a few milliseconds at most is computed in place

Run = Callable[[Callable[[], Any], Callable[[Any], None]], None]
"""Does work in a thread and hands its answer over in the GUI's, some time later."""


class StudyValues:
    """Follows a series as `StudySeries` does. While a long one is computed, the values of before are shown."""

    def __init__(self, study: Study, market: Market, run: Run | None, on_ready: Callable[[], None]) -> None:
        """run: None computes everything in place. on_ready: values that came later are there."""
        self.study = study
        self._market = market
        self._run = run
        self._on_ready = on_ready
        self._series = StudySeries(study, market)
        self._bars = Bars.empty()
        self._missing = 0  # bars in front that have no value yet
        self._turn = 0  # of the newest computation
        self._first_changed: int | None = None  # since it began; None: none is under way

    @property
    def outputs(self) -> tuple[Floats, ...]:
        """Values as `StudySeries` has them; behind the bars while `is_pending`."""
        return self._series.outputs

    @property
    def is_pending(self) -> bool:
        """Whether a computation is under way."""
        return self._first_changed is not None

    def at(self, output: int, index: Ints) -> Floats:
        """Values of an output at bars (n,); NaN where there is none yet."""
        column = self._series.outputs[output]
        place = index - self._missing
        known = (place >= 0) & (place < len(column))
        if known.all():
            return column[place]
        values = np.full(len(index), np.nan)
        values[known] = column[place[known]]
        return values

    def reset(self, bars: Bars) -> None:
        """Other bars than before."""
        if self._run is not None and len(bars) > AT_ONCE:
            self._series = StudySeries(self.study, self._market)
        self._missing = 0
        self._compute(bars)

    def prepended(self, bars: Bars, count: int) -> None:
        """`count` older bars came in front."""
        self._missing += count
        self._compute(bars)

    def changed(self, bars: Bars, first_index: int) -> None:
        """Bars from an index on are new or different."""
        self._bars = bars
        if self._first_changed is None:
            self._series.changed(bars, first_index)
        else:
            self._first_changed = min(self._first_changed, first_index)

    def _compute(self, bars: Bars) -> None:
        self._bars = bars
        self._turn += 1
        if self._run is None or len(bars) <= AT_ONCE:
            self._first_changed, self._missing = None, 0
            self._series.reset(bars)
            return
        turn = self._turn
        self._first_changed = len(bars) - 1  # the last bar may move while it is read
        self._run(lambda: compute(self.study, bars, self._market), lambda columns: self._take(turn, columns))

    def _take(self, turn: int, columns: Sequence[Floats]) -> None:
        if turn != self._turn or self._first_changed is None:
            return  # a newer computation is under way
        first, self._first_changed, self._missing = self._first_changed, None, 0
        self._series = StudySeries(self.study, self._market)
        self._series.adopt(columns)
        self._series.changed(self._bars, max(0, first - 1))
        self._on_ready()
