"""How a study's values are computed: over the whole series, and over its end from what is known before."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from desktop.domain.bars import Bars, Floats

_MOST_STEPS: Final = 2000  # beyond, the whole series is sooner done


class Kernel(Protocol):
    """Computes columns of n values for n bars, NaN where unknown: the outputs, and behind them what it carries.

    The prices of bars are known; volume and vwap may be NaN.
    """

    width: int  # how many columns there are

    def whole(self, bars: Bars) -> Sequence[Floats]:
        """All values. Pure, for any thread."""

    def tail(self, bars: Bars, first: int, columns: Floats) -> None:
        """Writes `columns[:, first:]`; shape (width, len(bars)), right before `first`, which is above zero.

        The cost depends on the bars behind `first` and on the parameters, not on the bars before.
        """


class Windowed:
    """A study whose value at a bar depends on that bar and the `lookback` bars before it alone.

    `align`: the computation counts its bars modulo this number, and its rounding depends on where it began.
    """

    def __init__(
        self, width: int, lookback: int, compute: Callable[[Bars], Sequence[Floats]], *, align: int = 1
    ) -> None:
        self.width = width
        self._lookback = lookback
        self._compute = compute
        self._align = align

    def whole(self, bars: Bars) -> Sequence[Floats]:
        return self._compute(bars)

    def tail(self, bars: Bars, first: int, columns: Floats) -> None:
        begin = max(0, first - self._lookback)
        begin -= begin % self._align
        for column, values in zip(columns, self._compute(bars.take(begin, len(bars))), strict=True):
            column[first:] = values[first - begin :]


class Carried(ABC):
    """A recursive or cumulative study: the columns at one bar hold all that the next bar needs.

    `warm_up`: the first index whose values follow from the columns before it.
    """

    width: int

    def __init__(self, warm_up: int) -> None:
        self._warm_up = warm_up

    @abstractmethod
    def whole(self, bars: Bars) -> Sequence[Floats]: ...

    @abstractmethod
    def steps(self, bars: Bars, first: int, columns: Floats) -> None:
        """Writes `columns[:, first:]` bar by bar from those before."""

    def tail(self, bars: Bars, first: int, columns: Floats) -> None:
        if first < self._warm_up or len(bars) - first > _MOST_STEPS:
            for column, values in zip(columns, self.whole(bars), strict=True):
                column[:] = values
        else:
            self.steps(bars, first, columns)
