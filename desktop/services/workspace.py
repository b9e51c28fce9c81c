"""The open charts: tabs, the grid of each, which chart is the active one, and links between charts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QObject, Signal

from desktop.domain.errors import BadInput
from desktop.domain.layout import MOST_TABS, Cell, Grid, Layout, Link, LinkOptions, Tab, tidy_name
from desktop.domain.look import Look
from desktop.domain.timeframe import Timeframe


class Chart(Protocol):
    """A series that can be another one, as `ChartData` is."""

    ticker: str
    timeframe: Timeframe

    @property
    def reset(self) -> Any:
        """The series is another one, or begins anew."""

    def show(self, ticker: str, timeframe: Timeframe) -> None: ...


C = TypeVar("C", bound=Chart)


@dataclass(eq=False, slots=True)
class _Open(Generic[C]):
    """A chart and what it shows, or is to show once it is started."""

    chart: C
    cell: Cell


@dataclass(eq=False, slots=True)
class OpenTab(Generic[C]):
    """A page of charts. To be read by others, changed by the workspace alone."""

    name: str
    grid: Grid
    held: list[_Open[C]] = field(default_factory=list)
    active: int = 0

    @property
    def charts(self) -> tuple[C, ...]:
        """In reading order."""
        return tuple(each.chart for each in self.held)

    @property
    def title(self) -> str:
        """Its name, or what its active chart shows."""
        cell = self.held[self.active].cell
        more = f" +{len(self.held) - 1}" if len(self.held) > 1 else ""
        return self.name or f"{cell.ticker} {cell.timeframe}{more}"


class Workspace(QObject, Generic[C]):
    """Opens and closes charts. There is always a tab, and always one active chart."""

    changed = Signal()  # anything of the layout
    active_changed = Signal()  # another chart is the active one

    def __init__(
        self,
        make: Callable[[], C],
        dispose: Callable[[C], object],
        layout: Layout,
        *,
        suggest: Callable[[], Sequence[str]] = tuple,
        parent: QObject | None = None,
    ) -> None:
        """make, dispose: a chart's beginning and end. suggest: tickers for charts that are added."""
        super().__init__(parent)
        self._make = make
        self._dispose = dispose
        self._suggest = suggest
        self._is_started = False
        self._options = dict(layout.links)
        self._tabs = [self._open_tab(tab) for tab in layout.tabs]
        self._tab = self._tabs[layout.active]

    # --- what there is -------------------------------------------------------------------------------------

    @property
    def tabs(self) -> tuple[OpenTab[C], ...]:
        return tuple(self._tabs)

    @property
    def tab(self) -> OpenTab[C]:
        """The one in front."""
        return self._tab

    @property
    def active(self) -> C:
        """The chart that search, intervals and every action mean."""
        return self._tab.held[self._tab.active].chart

    @property
    def charts(self) -> tuple[C, ...]:
        """Those of all tabs."""
        return tuple(each.chart for each in self._all())

    @property
    def layout(self) -> Layout:
        """Everything as data."""
        tabs = (Tab(tuple(each.cell for each in tab.held), tab.grid, tab.active, tab.name) for tab in self._tabs)
        return Layout(tuple(tabs), self._tabs.index(self._tab), dict(self._options))

    def start(self) -> None:
        """Every chart loads and follows its series, those in front first."""
        self._is_started = True
        shown = sorted(self._all(), key=lambda each: (each.chart is not self.active, each not in self._tab.held))
        for each in shown:
            self._show(each)

    # --- tabs ----------------------------------------------------------------------------------------------

    def activate(self, chart: C) -> None:
        """This chart is the one that actions mean; its tab comes to the front."""
        before = self.active
        for tab in self._tabs:
            if chart in tab.charts:
                self._tab, tab.active = tab, tab.charts.index(chart)
        self._announce(before)

    def add_tab(self, ticker: str = "") -> None:
        """A tab with one chart, of the active one's series or of another ticker; nothing happens with too many."""
        if len(self._tabs) >= MOST_TABS:
            return
        before, cell = self.active, self._tab.held[self._tab.active].cell
        self._tab = self._open_tab(Tab((replace(cell, ticker=ticker or cell.ticker, link=None),)))
        self._tabs.append(self._tab)
        self._announce(before)

    def close_tab(self, tab: OpenTab[C]) -> None:
        """Closes its charts; the last tab stays."""
        if len(self._tabs) == 1 or tab not in self._tabs:
            return
        before, place = self.active, self._tabs.index(tab)
        self._tabs.remove(tab)
        if tab is self._tab:
            self._tab = self._tabs[min(place, len(self._tabs) - 1)]
        self._announce(before)
        self._close(tab.held)

    def rename_tab(self, tab: OpenTab[C], name: str) -> None:
        """Another name; an empty one says what is shown."""
        tab.name = tidy_name(name)
        self.changed.emit()

    def move_tab(self, tab: OpenTab[C], index: int) -> None:
        """To another place in the row."""
        self._tabs.remove(tab)
        self._tabs.insert(index, tab)
        self.changed.emit()

    def set_grid(self, grid: Grid) -> None:
        """Another grid for the tab in front: new charts take the next suggested tickers, the last ones close."""
        tab, before = self._tab, self.active
        if grid is tab.grid:
            return
        active = tab.held[tab.active]
        kept = tab.held[: grid.size]
        if active not in kept:
            kept[-1] = active
        gone = [each for each in tab.held if each not in kept]
        tab.grid, tab.held, tab.active = grid, kept, kept.index(active)
        while len(tab.held) < grid.size:
            tab.held.append(self._open(Cell(self._next_ticker(), active.cell.timeframe)))
        self._announce(before)
        self._close(gone)

    # --- looks ---------------------------------------------------------------------------------------------

    def look_of(self, chart: C) -> Look:
        """How a chart is to be drawn."""
        return self._of(chart).cell.look

    def set_look(self, chart: C, look: Look) -> None:
        """A chart is drawn in another way now."""
        each = self._of(chart)
        if look != each.cell.look:
            each.cell = replace(each.cell, look=look)
            self.changed.emit()

    # --- links ---------------------------------------------------------------------------------------------

    def link_of(self, chart: C) -> Link | None:
        """The group a chart is in."""
        return self._of(chart).cell.link

    def linked(self, chart: C) -> tuple[C, ...]:
        """The others of its group."""
        return tuple(each.chart for each in self._linked(self._of(chart)))

    def set_link(self, chart: C, link: Link | None) -> None:
        """Puts a chart into a group, whose ticker it takes, or into none."""
        each = self._of(chart)
        each.cell = replace(each.cell, link=link)
        self._join(each)
        self.changed.emit()

    def options(self, link: Link) -> LinkOptions:
        """What the charts of a group share."""
        return self._options.get(link, LinkOptions())

    def set_options(self, link: Link, options: LinkOptions) -> None:
        """What the charts of a group share from now on; the active one leads when it is one of them."""
        self._options[link] = options
        group = [each for each in self._all() if each.cell.link is link]
        if group:
            leader = next((each for each in group if each.chart is self.active), group[0])
            self._lead(leader)
        self.changed.emit()

    # --- inner ---------------------------------------------------------------------------------------------

    def _all(self) -> list[_Open[C]]:
        return [each for tab in self._tabs for each in tab.held]

    def _of(self, chart: C) -> _Open[C]:
        return next(each for each in self._all() if each.chart is chart)

    def _linked(self, one: _Open[C]) -> list[_Open[C]]:
        link = one.cell.link
        return [each for each in self._all() if link is not None and each.cell.link is link and each is not one]

    def _open_tab(self, tab: Tab) -> OpenTab[C]:
        return OpenTab(tab.name, tab.grid, [self._open(cell) for cell in tab.cells], tab.active)

    def _open(self, cell: Cell) -> _Open[C]:
        each = _Open(self._make(), cell)
        each.chart.reset.connect(lambda: self._on_series(each))
        if self._is_started:
            self._show(each)
        return each

    def _close(self, gone: Sequence[_Open[C]]) -> None:
        for each in gone:
            self._dispose(each.chart)

    def _show(self, each: _Open[C]) -> None:
        if not each.chart.ticker:
            each.chart.show(each.cell.ticker, each.cell.timeframe)

    def _next_ticker(self) -> str:
        shown = {each.cell.ticker for each in self._tab.held}
        fresh = (ticker for ticker in self._suggest() if ticker not in shown)
        return next(fresh, self._tab.held[self._tab.active].cell.ticker)

    def _on_series(self, each: _Open[C]) -> None:
        """A chart shows something else: so do those it is linked with."""
        try:
            cell = replace(each.cell, ticker=each.chart.ticker, timeframe=each.chart.timeframe)
        except BadInput:
            return  # none yet, or one that nobody has: not to be kept
        if cell != each.cell:
            each.cell = cell
            self._lead(each)
            self.changed.emit()

    def _join(self, each: _Open[C]) -> None:
        if group := self._linked(each):
            self._follow(each, group[0].cell)

    def _lead(self, each: _Open[C]) -> None:
        for other in self._linked(each):
            self._follow(other, each.cell)

    def _follow(self, each: _Open[C], cell: Cell) -> None:
        assert cell.link is not None
        timeframe = cell.timeframe if self.options(cell.link).interval else each.cell.timeframe
        if (cell.ticker, timeframe) == (each.cell.ticker, each.cell.timeframe):
            return
        if self._is_started:
            each.chart.show(cell.ticker, timeframe)
        else:
            each.cell = replace(each.cell, ticker=cell.ticker, timeframe=timeframe)

    def _announce(self, before: C) -> None:
        self.changed.emit()
        if self.active is not before:
            self.active_changed.emit()
