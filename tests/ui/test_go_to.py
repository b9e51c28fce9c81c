"""Going to a date through bars that are not loaded yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from desktop.domain.timeframe import MINUTE_MS, ONE_MINUTE, Timeframe
from desktop.services.notices import Notices
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.go_to import GoTo
from tests.helpers.feed_server import ServerProcess, feed_servers  # noqa: F401 (fixture)
from tests.helpers.window_desk import window_desk
from tests.services.live_desk import until
from tests.ui.chart_source import START_MS, FixedClock, SeriesSource, walk

ALL = walk(3000)
BTC = "X:BTCUSD"
FIRST_MS, HELD_MS = int(ALL.start_ms[0]), int(ALL.start_ms[2600])


class OldSource(SeriesSource):
    """Gives 500 older bars a load, down to the first of all; one load at a time, as ChartData does."""

    def __init__(self) -> None:
        super().__init__(ALL.between(HELD_MS, START_MS + 1))
        self.fails_at = -1  # this load fails

    def want_older(self) -> None:
        if self.status.is_loading_older or self.status.is_oldest_reached:
            return
        super().want_older()
        self.say(is_loading_older=True)

    def load(self) -> None:
        """The load that is going on comes to its end."""
        assert self.status.is_loading_older
        if self.asked_for_older == self.fails_at:
            self.say(is_loading_older=False, sentence="No network.")
            return
        end_ms = int(self.series.bars.start_ms[0])
        self.merge(ALL.between(end_ms - 500 * MINUTE_MS, end_ms))
        self.say(is_loading_older=False, is_oldest_reached=self.series.bars.start_ms[0] == FIRST_MS)


@pytest.fixture
def source() -> OldSource:
    return OldSource()


@pytest.fixture
def chart(qtbot: QtBot, source: OldSource) -> ChartWidget:
    chart = ChartWidget(source, FixedClock(), theme.DARK)
    qtbot.addWidget(chart)
    chart.resize(800, 500)
    with qtbot.waitExposed(chart):
        chart.show()
    qtbot.waitUntil(lambda: chart.is_settled)
    return chart


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def go_to(chart: ChartWidget, notices: Notices) -> GoTo:
    return GoTo(lambda: chart, notices, chart)


def is_there(chart: ChartWidget, time_ms: int) -> bool:
    """The crosshair is at that time, in the middle but for a price axis that became wider or narrower."""
    model, view = chart.model, chart.model.view
    slot = chart.keys.focused_slot
    is_middle = abs((view.left + view.right) / 2 - slot) < 4
    return is_middle and model.axis.time_at(model.bars.start_ms, slot) == time_ms


def said(notices: Notices) -> list[str]:
    return [notice.text for notice in notices.open]


def test_a_time_that_is_loaded_is_shown_at_once(chart: ChartWidget, go_to: GoTo, notices: Notices) -> None:
    go_to.jump(START_MS - 200 * MINUTE_MS)
    assert is_there(chart, START_MS - 200 * MINUTE_MS)
    assert said(notices) == []


def test_the_way_back_is_loaded(
    qtbot: QtBot, source: OldSource, chart: ChartWidget, go_to: GoTo, notices: Notices
) -> None:
    target_ms = FIRST_MS + 700 * MINUTE_MS
    go_to.jump(target_ms)
    assert said(notices) == ["Loading older bars down to Sun 01 Mar '26 23:41 UTC…"]
    for _ in range(4):
        qtbot.waitUntil(lambda: source.status.is_loading_older)
        assert not is_there(chart, target_ms)
        source.load()
    qtbot.waitUntil(lambda: is_there(chart, target_ms))
    assert said(notices) == []


def test_before_the_first_bar_it_ends_at_the_first(
    qtbot: QtBot, source: OldSource, chart: ChartWidget, go_to: GoTo, notices: Notices
) -> None:
    go_to.jump(FIRST_MS - 700 * MINUTE_MS)
    for _ in range(6):
        qtbot.waitUntil(lambda: source.status.is_loading_older)
        source.load()
    qtbot.waitUntil(lambda: said(notices) == ["The bars begin at Sun 01 Mar '26 12:01 UTC."])
    assert chart.model.view.left <= chart.model.view.first_slot


def test_a_load_that_fails_ends_the_way_with_its_reason(
    qtbot: QtBot, source: OldSource, go_to: GoTo, notices: Notices
) -> None:
    source.fails_at = 2
    go_to.jump(FIRST_MS)
    for _ in range(2):
        qtbot.waitUntil(lambda: source.status.is_loading_older)
        source.load()
    qtbot.waitUntil(lambda: said(notices) == ["Bars are loaded down to Mon 02 Mar '26 23:01 UTC. No network."])


def test_too_far_for_the_timeframe_says_which_one_to_take(source: OldSource, go_to: GoTo, notices: Notices) -> None:
    go_to.jump(START_MS - 2 * 365 * 86_400_000)
    bars = (HELD_MS - START_MS) // MINUTE_MS + 2 * 365 * 1440
    assert said(notices) == [f"Sun 03 Mar '24 14:00 UTC is about {bars:,} bars of 1m away. Choose 1h or longer first."]
    assert source.asked_for_older == 0


def test_another_series_ends_the_way(
    qtbot: QtBot, source: OldSource, chart: ChartWidget, go_to: GoTo, notices: Notices
) -> None:
    go_to.jump(FIRST_MS)
    qtbot.waitUntil(lambda: source.status.is_loading_older)
    source.show(walk(300, price=10.0), "X:ETHUSD", Timeframe.parse("5m"))
    assert said(notices) == []
    assert go_to.stop() is False
    assert chart.model.view.is_last_in_view


def test_it_can_be_stopped(source: OldSource, go_to: GoTo, notices: Notices) -> None:
    go_to.jump(FIRST_MS)
    assert go_to.stop() is True
    assert said(notices) == []


def test_without_bars_it_says_so(qtbot: QtBot, notices: Notices) -> None:
    empty = ChartWidget(SeriesSource(None, "X:BTCUSD", ONE_MINUTE), FixedClock(), theme.DARK)
    qtbot.addWidget(empty)
    GoTo(lambda: empty, notices, empty).jump(FIRST_MS)
    assert said(notices) == ["There are no bars on the chart yet."]


# --- over a real server ----------------------------------------------------------------------------------------


def test_a_date_days_back_is_fetched_and_shown(
    on_qt_loop: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", "7")

    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
            window = desk.session.window
            target_ms = (desk.layer.clock.now_ms() // MINUTE_MS - 3 * 1440) * MINUTE_MS
            assert target_ms < window.chart.model.bars.start_ms[0]
            window.actions_of_chart.date_box.chosen.emit(target_ms)
            await until(lambda: is_there(window.chart, target_ms), "the chart is there")

    on_qt_loop(scenario(), 40)
