"""The workspace: whatever is done to it, its layout stands, linked charts agree, and every chart is closed once."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from PySide6.QtCore import QObject, Signal

from desktop.domain.layout import MOST_TABS, Cell, Grid, Layout, Link, LinkOptions, Tab
from desktop.domain.layout_json import dump, load
from desktop.domain.timeframe import ONE_MINUTE, Timeframe
from desktop.services.workspace import Workspace

TICKERS = ("X:BTCUSD", "X:ETHUSD", "AAPL", "C:EURUSD")
FRAMES = tuple(map(Timeframe.parse, ("1m", "1h", "1D")))
OPTIONS = st.builds(LinkOptions, st.booleans(), st.booleans(), st.booleans())


class Series(QObject):
    """A series without bars."""

    reset = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.ticker, self.timeframe = "", ONE_MINUTE

    def show(self, ticker: str, timeframe: Timeframe) -> None:
        self.ticker, self.timeframe = ticker, timeframe
        self.reset.emit()


class Desk:
    """A workspace, and the charts it made and gave back."""

    def __init__(self, layout: Layout) -> None:
        self.made: list[Series] = []
        self.gone: list[Series] = []
        self.workspace = Workspace(self._make, self.gone.append, layout, suggest=lambda: TICKERS)

    def _make(self) -> Series:
        self.made.append(Series())
        return self.made[-1]


def one_chart(ticker: str = "X:BTCUSD", link: Link | None = None) -> Layout:
    return Layout((Tab((Cell(ticker, ONE_MINUTE, link),)),))


class Use(RuleBasedStateMachine):
    """Somebody uses the workspace."""

    @initialize(is_started=st.booleans())
    def begin(self, is_started: bool) -> None:
        self.desk = Desk(one_chart())
        self.active_heard: list[Series] = []
        workspace = self.workspace = self.desk.workspace
        workspace.active_changed.connect(lambda: self.active_heard.append(workspace.active))
        if is_started:
            workspace.start()

    @rule(ticker=st.sampled_from(("", *TICKERS)))
    def add_tab(self, ticker: str) -> None:
        self.workspace.add_tab(ticker)

    @rule(data=st.data())
    def close_tab(self, data: st.DataObject) -> None:
        self.workspace.close_tab(data.draw(st.sampled_from(self.workspace.tabs)))

    @rule(data=st.data(), index=st.integers(0, MOST_TABS))
    def move_tab(self, data: st.DataObject, index: int) -> None:
        before = self.workspace.active
        self.workspace.move_tab(data.draw(st.sampled_from(self.workspace.tabs)), index)
        assert self.workspace.active is before

    @rule(name=st.text(max_size=60))
    def rename(self, name: str) -> None:
        self.workspace.rename_tab(self.workspace.tab, name)

    @rule(grid=st.sampled_from(Grid))
    def set_grid(self, grid: Grid) -> None:
        before = self.workspace.active
        self.workspace.set_grid(grid)
        assert self.workspace.tab.grid is grid
        assert self.workspace.active is before

    @rule(data=st.data())
    def activate(self, data: st.DataObject) -> None:
        chart = data.draw(st.sampled_from(self.workspace.charts))
        self.workspace.activate(chart)
        assert self.workspace.active is chart

    @rule(data=st.data(), ticker=st.sampled_from(TICKERS), timeframe=st.sampled_from(FRAMES))
    def show(self, data: st.DataObject, ticker: str, timeframe: Timeframe) -> None:
        chart = data.draw(st.sampled_from(self.workspace.charts))
        self.workspace.start()
        chart.show(ticker, timeframe)
        assert (chart.ticker, chart.timeframe) == (ticker, timeframe)

    @rule(data=st.data(), link=st.none() | st.sampled_from([Link.BLUE, Link.RED]))
    def set_link(self, data: st.DataObject, link: Link | None) -> None:
        self.workspace.set_link(data.draw(st.sampled_from(self.workspace.charts)), link)

    @rule(link=st.sampled_from([Link.BLUE, Link.RED]), options=OPTIONS)
    def set_options(self, link: Link, options: LinkOptions) -> None:
        self.workspace.set_options(link, options)
        assert self.workspace.options(link) == options

    @invariant()
    def the_layout_stands(self) -> None:
        layout, workspace = self.workspace.layout, self.workspace
        assert load(dump(layout)) == layout
        cells = [cell for tab in layout.tabs for cell in tab.cells]
        shown = [(cell.ticker, cell.timeframe) for cell in cells]
        for chart, wanted in zip(workspace.charts, shown, strict=True):
            assert not chart.ticker or (chart.ticker, chart.timeframe) == wanted

    @invariant()
    def linked_charts_agree(self) -> None:
        groups: dict[Link, list[Cell]] = {}
        for cell in (cell for tab in self.workspace.layout.tabs for cell in tab.cells):
            if cell.link is not None:
                groups.setdefault(cell.link, []).append(cell)
        for link, cells in groups.items():
            assert len({cell.ticker for cell in cells}) == 1
            if self.workspace.options(link).interval:
                assert len({cell.timeframe for cell in cells}) == 1

    @invariant()
    def every_chart_is_open_or_was_closed_once(self) -> None:
        assert set(self.desk.made) == {*self.workspace.charts, *self.desk.gone}
        assert len(self.desk.made) == len(self.workspace.charts) + len(self.desk.gone)

    @invariant()
    def the_active_chart_was_announced(self) -> None:
        if self.active_heard:
            assert self.active_heard[-1] is self.workspace.active
        assert all(one is not other for one, other in zip(self.active_heard, self.active_heard[1:], strict=False))


TestUse = Use.TestCase
TestUse.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_a_layout_opens_as_it_was_with_those_in_front_first() -> None:
    cells = (Cell("AAPL", FRAMES[1]), Cell("X:ETHUSD", FRAMES[2], Link.TEAL))
    layout = Layout(
        (Tab((Cell("C:EURUSD", ONE_MINUTE),)), Tab(cells, Grid.ROWS, 1, "Mine")), 1, {Link.TEAL: LinkOptions(True)}
    )
    desk = Desk(layout)
    order: list[str] = []
    for chart in desk.made:
        chart.reset.connect(lambda chart=chart: order.append(chart.ticker))
    assert desk.workspace.layout == layout
    desk.workspace.start()
    assert order == ["X:ETHUSD", "AAPL", "C:EURUSD"]
    assert desk.workspace.layout == layout


def test_new_charts_take_tickers_that_are_not_there_yet() -> None:
    desk = Desk(one_chart("AAPL"))
    desk.workspace.start()
    desk.workspace.set_grid(Grid.SIX)
    assert [chart.ticker for chart in desk.workspace.charts] == [
        "AAPL",
        "X:BTCUSD",
        "X:ETHUSD",
        "C:EURUSD",
        "AAPL",
        "AAPL",
    ]


def test_a_linked_chart_changes_all_of_its_colour_alone() -> None:
    desk = Desk(one_chart())
    workspace = desk.workspace
    workspace.start()
    workspace.set_grid(Grid.FOUR)
    one, two, three, four = workspace.charts
    for chart in (one, two, three):
        workspace.set_link(chart, Link.GREEN)
    two.show("AAPL", FRAMES[1])
    assert [chart.ticker for chart in workspace.charts] == ["AAPL", "AAPL", "AAPL", four.ticker]
    assert four.ticker == "C:EURUSD"
    assert one.timeframe == three.timeframe == ONE_MINUTE
    workspace.activate(two)
    workspace.set_options(Link.GREEN, LinkOptions(interval=True))
    assert one.timeframe == three.timeframe == FRAMES[1]
    workspace.set_link(two, None)
    two.show("X:BTCUSD", ONE_MINUTE)
    assert (one.ticker, three.ticker) == ("AAPL", "AAPL")
    assert workspace.linked(two) == ()
    assert workspace.linked(one) == (three,)


def test_a_ticker_that_nobody_has_is_not_kept() -> None:
    desk = Desk(one_chart())
    desk.workspace.start()
    desk.workspace.active.show("X" * 500, ONE_MINUTE)
    assert desk.workspace.layout == one_chart()
