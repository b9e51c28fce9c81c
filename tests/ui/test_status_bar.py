"""The line at the bottom: connection, freshness, calls, lag, source."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from desktop.domain.freshness import Freshness, Origin, Seen
from desktop.domain.usage import Usage
from desktop.ui.elided_label import ElidedLabel
from desktop.ui.status_bar import StatusBar
from desktop.ui.theme import DARK, LIGHT
from tests.ui.chart_source import START_MS
from tests.ui.window_services import Parts, Summary, make_parts


@pytest.fixture
def parts() -> Parts:
    return make_parts()


def make_bar(qtbot: QtBot, parts: Parts, world_label: str = "") -> StatusBar:
    bar = StatusBar(parts.services, DARK, world_label)
    qtbot.addWidget(bar)
    bar.resize(1024, 26)
    bar.show()
    return bar


def said(bar: StatusBar, name: str) -> str:
    label = next(label for label in bar.findChildren(QLabel) if label.accessibleName() == name)
    return label.text() if label.isVisible() else ""


def button(bar: StatusBar) -> QPushButton:
    found = bar.findChild(QPushButton)
    assert isinstance(found, QPushButton)
    return found


def test_a_good_connection_is_one_word(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    assert said(bar, "Connection") == "Connected"
    assert not button(bar).isVisible()


def test_a_wrong_connection_says_why_and_offers_one_action(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    parts.connection.say(Summary("Not connected", "error", "The key was refused.", "Enter key…", "enter_key"))
    assert said(bar, "Connection") == "Not connected: The key was refused."
    qtbot.mouseClick(button(bar), Qt.MouseButton.LeftButton)
    assert parts.connection.actions == ["enter_key"]
    parts.connection.say(Summary())
    assert not button(bar).isVisible()


def test_what_the_sentence_says_already_is_not_said_twice(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    parts.connection.say(Summary("No live feed", "warning", "This plan has no live feed."))
    assert said(bar, "Connection") == "This plan has no live feed."


def test_a_detail_of_a_good_connection_waits_in_the_tooltip(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    parts.connection.say(Summary("Connected", "good", "3 unreadable messages were skipped."))
    label = next(label for label in bar.findChildren(QLabel) if label.accessibleName() == "Connection")
    assert label.text() == "Connected"
    assert label.toolTip() == "3 unreadable messages were skipped."


def test_the_freshness_of_the_chart_ages(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    parts.chart.say(freshness=Freshness.LIVE, last_event_ms=START_MS + 17_700)
    assert said(bar, "Freshness of the chart") == "X:BTCUSD LIVE 0.3 s"
    parts.clock.time_ms += 42_000
    parts.chart.say(freshness=Freshness.STALE)
    assert said(bar, "Freshness of the chart") == "X:BTCUSD STALE 00:42"


@pytest.mark.parametrize(
    ("usage", "text"),
    [
        (Usage(last_minute=3, limit_per_minute=5, in_window=3), "3/5 calls this minute"),
        (Usage(last_minute=12), "12 calls in the last minute"),
        (Usage(last_minute=1, waiting=2), "1 call in the last minute · 2 waiting"),
        (Usage(limit_per_minute=5, in_window=4, next_return_s=38), "4 of 5 calls used; next free in 38 s"),
        (
            Usage(limit_per_minute=5, in_window=5, waiting=2, next_free_s=11.5),
            "All 5 calls used; next free in 12 s, 2 waiting",
        ),
        (
            Usage(limit_per_minute=5, in_window=5, pause_s=11.6),
            "The server asked for a pause; calls go on in 12 s",
        ),
    ],
)
def test_calls_used(qtbot: QtBot, parts: Parts, usage: Usage, text: str) -> None:
    parts.connection.usage = usage
    assert said(make_bar(qtbot, parts), "API calls used") == text


def test_the_plan_nearly_used_up_is_coloured(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    assert DARK.warning not in bar.meter.label.styleSheet()
    assert bar.meter.bar.filled == 3
    parts.connection.usage = Usage(in_window=4, limit_per_minute=5)
    bar.refresh()
    assert DARK.warning in bar.meter.label.styleSheet()
    assert bar.meter.bar.filled == 4


def test_the_meter_is_full_with_the_last_call_and_not_before(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    for used, filled in ((0, 0), (1, 1), (40, 4), (91, 10), (100, 10)):
        parts.connection.usage = Usage(in_window=used, limit_per_minute=100)
        bar.refresh()
        assert bar.meter.bar.filled == filled
    parts.connection.usage = Usage(in_window=3)
    bar.refresh()
    assert not bar.meter.bar.isVisible()


def test_everything_that_is_counted_stands_in_the_tooltip(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    parts.connection.usage = Usage(
        2, 40, 1_200, waiting=1, limit_per_minute=5, next_free_s=7.6, in_window=5, rechecks_last_day=30
    )
    bar.refresh()
    assert bar.meter.label.toolTip().splitlines() == [
        "Calls in the last minute: 2",
        "in the last hour: 40",
        "in the last day: 1,200",
        "of these to check settled bars again: 30",
        "Waiting: 1",
        "The plan allows 5 a minute.",
        "The next call can start in 8 s.",
    ]
    assert bar.meter.label.accessibleDescription() == bar.meter.label.toolTip()


def test_the_count_is_looked_at_without_any_signal(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    parts.connection.usage = Usage(in_window=2, limit_per_minute=5)
    qtbot.waitUntil(lambda: said(bar, "API calls used") == "2/5 calls this minute")


def test_a_chart_from_the_cache_says_its_age_and_where_it_comes_from(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    seen = Seen(Origin.CACHE, START_MS, START_MS + 250, START_MS)
    parts.clock.time_ms = START_MS + 3 * 3_600_000
    parts.chart.say(freshness=Freshness.CACHED, last_event_ms=START_MS - 9, fetched_ms=START_MS, seen=seen)
    assert said(bar, "Freshness of the chart") == "X:BTCUSD CACHED, 3 h old"
    label = next(label for label in bar.findChildren(QLabel) if label.accessibleName() == "Freshness of the chart")
    assert label.toolTip().splitlines() == [
        "CACHED: from the cache, not current",
        "Source: Massive, cache",
        "Event time: Tue 03 Mar '26 14:00:00.0 UTC",
        "Received: Tue 03 Mar '26 14:00:00.2 UTC",
    ]


def test_lag_is_said_only_while_there_is_one(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    assert said(bar, "Lag") == ""
    parts.connection.lag_sentence = "Data arrive 3.2 s late"
    bar.refresh()
    assert said(bar, "Lag") == "Data arrive 3.2 s late"


@pytest.mark.parametrize("label", ["DEMO", "REPLAY"])
def test_another_world_than_the_vendors_is_named(qtbot: QtBot, parts: Parts, label: str) -> None:
    assert said(make_bar(qtbot, parts, label), "Source of the data") == label


def test_the_vendors_world_has_no_label(qtbot: QtBot, parts: Parts) -> None:
    assert said(make_bar(qtbot, parts), "Source of the data") == ""


def test_a_long_sentence_gives_way_and_stands_in_the_tooltip(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts, "REPLAY")
    parts.connection.say(Summary("Reconnecting", "warning", "no answer, " * 40, "Reconnect", "retry"))
    label = next(label for label in bar.findChildren(ElidedLabel) if label.accessibleName() == "Connection")
    qtbot.waitUntil(lambda: label.is_elided)
    assert bar.minimumSizeHint().width() < 720
    assert label.toolTip() == "no answer, " * 40
    assert button(bar).geometry().right() <= button(bar).parentWidget().width()
    assert said(bar, "API calls used") == "3/5 calls this minute"


def test_state_is_a_shape_too_not_colour_alone(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts)
    pictures = set()
    for level in ("good", "busy", "error", "off"):
        parts.connection.say(Summary("Same", level))
        image = bar._dot.grab().toImage()
        ground = image.pixelColor(0, 0)
        pictures.add(
            tuple(image.pixelColor(x, y) != ground for y in range(image.height()) for x in range(image.width()))
        )
    assert len(pictures) >= 3


def test_another_theme_changes_the_colours(qtbot: QtBot, parts: Parts) -> None:
    bar = make_bar(qtbot, parts, "DEMO")
    world = next(label for label in bar.findChildren(QLabel) if label.text() == "DEMO")
    bar.set_tokens(LIGHT)
    assert LIGHT.warning in world.styleSheet()
