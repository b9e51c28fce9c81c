"""Which charts are open: tabs of charts in a grid, what each shows, and which of them are linked. Pure data."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

from desktop.domain.errors import BadInput
from desktop.domain.look import Look
from desktop.domain.timeframe import Timeframe

MOST_TABS: Final = 20
LONGEST_NAME: Final = 40
LONGEST_TICKER: Final = 60

Place = tuple[int, int, int, int]
"""Row, column, rows and columns taken."""


class Grid(enum.StrEnum):
    """How the charts of a tab stand side by side."""

    ONE = "1"
    COLUMNS = "2-columns"
    ROWS = "2-rows"
    THREE = "3"
    FOUR = "4"
    SIX = "6"
    NINE = "9"

    @property
    def places(self) -> tuple[Place, ...]:
        """Where each chart stands, in reading order."""
        return _PLACES[self]

    @property
    def size(self) -> int:
        """How many charts it takes."""
        return len(_PLACES[self])


def _even(rows: int, columns: int) -> tuple[Place, ...]:
    return tuple((row, column, 1, 1) for row in range(rows) for column in range(columns))


_PLACES: Final[dict[Grid, tuple[Place, ...]]] = {
    Grid.ONE: _even(1, 1),
    Grid.COLUMNS: _even(1, 2),
    Grid.ROWS: _even(2, 1),
    Grid.THREE: ((0, 0, 2, 1), (0, 1, 1, 1), (1, 1, 1, 1)),
    Grid.FOUR: _even(2, 2),
    Grid.SIX: _even(2, 3),
    Grid.NINE: _even(3, 3),
}


class Link(enum.StrEnum):
    """A group of charts, named by its colour, that show the same ticker."""

    BLUE = "blue"
    ORANGE = "orange"
    GREEN = "green"
    RED = "red"
    PURPLE = "purple"
    TEAL = "teal"


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """What the charts of a group share besides the ticker."""

    interval: bool = False
    crosshair: bool = True
    range: bool = False  # the times in view


@dataclass(frozen=True, slots=True)
class Cell:
    """What one chart shows. Raises BadInput for what is no ticker."""

    ticker: str
    timeframe: Timeframe
    link: Link | None = None
    look: Look = field(default_factory=Look)

    def __post_init__(self) -> None:
        is_clean = self.ticker.isprintable() and self.ticker == self.ticker.strip()
        if not (0 < len(self.ticker) <= LONGEST_TICKER and is_clean):
            raise BadInput(f"“{self.ticker[:20]}” in a layout is no ticker.")


@dataclass(frozen=True, slots=True)
class Tab:
    """A page of charts; `name` is empty until somebody gives one. Raises BadInput where it contradicts itself."""

    cells: tuple[Cell, ...]
    grid: Grid = Grid.ONE
    active: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        if len(self.cells) != self.grid.size:
            raise BadInput(f"A tab of a layout has {len(self.cells)} charts in a grid of {self.grid.size}.")
        if not 0 <= self.active < len(self.cells):
            raise BadInput("A tab of a layout has no chart where its active one should be.")
        if self.name != tidy_name(self.name):
            raise BadInput("A tab of a layout has an unusable name.")


@dataclass(frozen=True, slots=True)
class Layout:
    """All tabs in their order, and the options of the groups that differ from the usual. Raises BadInput."""

    tabs: tuple[Tab, ...]
    active: int = 0
    links: dict[Link, LinkOptions] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 < len(self.tabs) <= MOST_TABS:
            raise BadInput(f"A layout has 1 to {MOST_TABS} tabs, not {len(self.tabs)}.")
        if not 0 <= self.active < len(self.tabs):
            raise BadInput("A layout has no tab where its active one should be.")


def tidy_name(text: str) -> str:
    """A tab's name as it is kept: one line, not too long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:LONGEST_NAME].strip()
