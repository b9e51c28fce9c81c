"""The time axis of a chart: its zone, its closed hours, its lines and shades, the settings behind them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bar, Bars, Ints
from desktop.domain.market import Market, market_of
from desktop.domain.sessions import in_regular_hours, is_open, session_kind
from desktop.domain.settings import ClosedTime, Settings
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, Timeframe
from desktop.domain.zones import zone_named, zone_names
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.empty_times import empty_lines
from desktop.ui.chart.regular_hours import RegularHours
from desktop.ui.chart.slots import IndexSlots, TimeSlots, slot_axis
from desktop.ui.chart.time_lines import MIN_PX, TimeMarks, time_marks
from desktop.ui.chart.time_options import TimeOptions
from desktop.ui.main_window import MainWindow
from desktop.ui.settings_time_page import TimePage
from desktop.ui.zone_picker import ZonePicker
from tests.ui.chart_source import FixedClock, SeriesSource
from tests.ui.window_services import HeldPreferences, make_parts

NEW_YORK = ZoneInfo("America/New_York")


def ms(*when: int, zone: dt.tzinfo = dt.UTC) -> int:
    return int(dt.datetime(*when, tzinfo=zone).timestamp() * 1000)  # type: ignore[misc,arg-type]


def bars_at(starts: Ints) -> Bars:
    """Bars with these starts around a price."""
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 0.001, len(starts))))
    return Bars(starts, closes, closes * 1.001, closes * 0.999, closes, *(np.ones(len(starts)) for _ in range(3)))


def traded(market: Market, from_ms: int, days: int, unit_ms: int) -> Ints:
    """Starts of the bars of a market from a time on, as far as it is open."""
    return np.array([at for at in range(from_ms, from_ms + days * DAY_MS, unit_ms) if is_open(market, at)], np.int64)


MARCH = ms(2026, 3, 2, 4, zone=NEW_YORK)  # a Monday; clocks change on the 8th


def shown(qtbot: QtBot, ticker: str, timeframe: str, days: int = 12) -> tuple[ChartWidget, SeriesSource]:
    parsed = Timeframe.parse(timeframe)
    assert parsed.fixed_ms is not None
    source = SeriesSource(bars_at(traded(market_of(ticker), MARCH, days, parsed.fixed_ms)), ticker, parsed)
    widget = ChartWidget(source, FixedClock(), theme.DARK)
    qtbot.addWidget(widget)
    widget.resize(1000, 500)
    with qtbot.waitExposed(widget):
        widget.show()
    settle(qtbot, widget)
    return widget, source


def settle(qtbot: QtBot, chart: ChartWidget) -> None:
    qtbot.waitUntil(lambda: chart.is_settled)


# --- zone ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("choice", "ticker", "name"),
    [
        ("UTC", "AAPL", "UTC"),
        ("exchange", "AAPL", "UTC−4"),
        ("exchange", "X:BTCUSD", "UTC"),
        ("Asia/Tokyo", "AAPL", "UTC+9"),
    ],
)
def test_the_axis_shows_the_clock_that_was_chosen(qtbot: QtBot, choice: str, ticker: str, name: str) -> None:
    chart, _ = shown(qtbot, ticker, "15m")
    chart.times.set(TimeOptions(zone=choice))
    settle(qtbot, chart)
    assert chart.frame is not None
    assert chart.frame.zone == name


def test_the_local_zone_is_the_machines(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    chart, _ = shown(qtbot, "X:BTCUSD", "15m")
    chart.times.set(TimeOptions(zone="local"))
    settle(qtbot, chart)
    assert chart.frame is not None
    assert chart.frame.zone == "UTC+5:45"


def test_bars_of_a_day_keep_the_dates_of_their_market() -> None:
    options = TimeOptions(zone="Pacific/Honolulu")
    assert options.zone_for(Market.CRYPTO, Timeframe.parse("1D")) is dt.UTC
    assert options.zone_for(Market.STOCKS, Timeframe.parse("1W")) == NEW_YORK
    assert options.zone_for(Market.STOCKS, Timeframe.parse("4h")) == ZoneInfo("Pacific/Honolulu")


def test_a_click_on_the_zone_asks_for_another(qtbot: QtBot) -> None:
    chart, _ = shown(qtbot, "X:BTCUSD", "15m")
    view = chart.view.viewport()
    with qtbot.waitSignal(chart.times.zone_clicked):
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(view.width() - 8, view.height() - 8))


def test_the_picker_finds_a_city_by_typing(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 600)
    with qtbot.waitExposed(window):
        window.show()
    picker = ZonePicker(theme.DARK, "Europe/Berlin", Market.STOCKS, MARCH, window)
    picker.pop_up(QPoint(500, 500))
    assert picker.rows.choices[picker.list.currentIndex().row()] == "Europe/Berlin"
    qtbot.keyClicks(picker.field, "new york")
    assert picker.rows.choices == ("America/New_York",)
    assert picker.rows.text("America/New_York") == "America/New York  ·  UTC−5"
    with qtbot.waitSignal(picker.chosen) as chosen:
        qtbot.keyClick(picker.field, Qt.Key.Key_Return)
    assert chosen.args == ["America/New_York"]


def test_the_picker_walks_by_arrows_and_finds_nothing_for_nonsense(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 600)
    with qtbot.waitExposed(window):
        window.show()
    picker = ZonePicker(theme.LIGHT, "UTC", Market.CRYPTO, MARCH, window)
    picker.pop_up(QPoint(500, 500))
    qtbot.keyClick(picker.field, Qt.Key.Key_Down)
    qtbot.keyClick(picker.field, Qt.Key.Key_Down)
    assert picker.rows.choices[picker.list.currentIndex().row()] == "exchange"
    qtbot.keyClicks(picker.field, "xyzzy")
    assert picker.rows.choices == ()
    with qtbot.assertNotEmitted(picker.chosen):
        qtbot.keyClick(picker.field, Qt.Key.Key_Return)


def test_every_name_that_is_offered_is_a_zone() -> None:
    assert len(zone_names()) > 300
    for name in zone_names():
        assert zone_named(name).utcoffset(dt.datetime(2026, 3, 1)) is not None  # noqa: DTZ001


# --- closed hours ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("market", "timeframe", "closed", "kind"),
    [
        (Market.CRYPTO, "1m", ClosedTime.MARKET, TimeSlots),
        (Market.CRYPTO, "1m", ClosedTime.CUT, IndexSlots),
        (Market.CRYPTO, "1M", ClosedTime.SHOWN, IndexSlots),
        (Market.STOCKS, "5m", ClosedTime.MARKET, IndexSlots),
        (Market.STOCKS, "5m", ClosedTime.SHOWN, TimeSlots),
        (Market.STOCKS, "4h", ClosedTime.SHOWN, IndexSlots),  # begins anew with each New York day
        (Market.STOCKS, "1D", ClosedTime.SHOWN, IndexSlots),
        (Market.FOREX, "4h", ClosedTime.SHOWN, TimeSlots),
        (Market.FOREX, "4h", ClosedTime.MARKET, IndexSlots),
    ],
)
def test_which_axis_bars_stand_on(market: Market, timeframe: str, closed: ClosedTime, kind: type) -> None:
    axis = slot_axis(market, Timeframe.parse(timeframe), np.array([MARCH], np.int64), closed)
    assert isinstance(axis, kind)


def test_showing_closed_time_keeps_the_time_at_the_right_edge(qtbot: QtBot) -> None:
    chart, source = shown(qtbot, "AAPL", "15m")
    chart.model.view.pan(3000)
    chart.paint_now()
    before = chart.model.axis.time_at(source.series.bars.start_ms, int(chart.model.view.right))
    chart.times.set(TimeOptions(closed_time=ClosedTime.SHOWN))
    settle(qtbot, chart)
    assert isinstance(chart.model.axis, TimeSlots)
    after = chart.model.axis.time_at(source.series.bars.start_ms, int(chart.model.view.right))
    assert abs(after - before) <= 15 * MINUTE_MS
    frame = chart.frame
    assert frame is not None
    assert empty_lines(frame) == ()  # a closed market is no hole
    chart.times.set(TimeOptions())
    settle(qtbot, chart)
    assert isinstance(chart.model.axis, IndexSlots)


# --- regular hours ---------------------------------------------------------------------------------------------


@given(st.integers(ms(2019, 1, 1), ms(2027, 1, 1)), st.sampled_from([1, 5, 15, 30]))
@settings(deadline=None, max_examples=60)
def test_regular_bars_are_those_of_the_regular_session(from_ms: int, minutes: int) -> None:
    unit = minutes * MINUTE_MS
    starts = np.arange(from_ms - from_ms % unit, from_ms + 4 * DAY_MS, unit, dtype=np.int64)
    expected = [session_kind(at) == "regular" for at in starts.tolist()]
    assert in_regular_hours(starts, unit).tolist() == expected


def test_an_hour_that_holds_the_open_is_regular() -> None:
    nine = ms(2026, 3, 3, 9, zone=NEW_YORK)
    starts = nine + HOUR_MS * np.arange(-1, 8, dtype=np.int64)
    assert in_regular_hours(starts, HOUR_MS).tolist() == [False, *[True] * 7, False]


class Listener:
    """Follows a source by its signals alone, as a chart does, and holds what it must show."""

    def __init__(self, source: RegularHours) -> None:
        self.source = source
        self.starts: list[int] = []
        self.resets = 0
        source.reset.connect(self._on_reset)
        source.prepended.connect(self._on_prepended)
        source.changed.connect(self._on_changed)
        self._on_reset()

    def _on_reset(self) -> None:
        self.resets += 1
        self.starts = self.source.series.bars.start_ms.tolist()

    def _on_prepended(self, count: int) -> None:
        self.starts = self.source.series.bars.start_ms[:count].tolist() + self.starts

    def _on_changed(self, first: int) -> None:
        self.starts[first:] = self.source.series.bars.start_ms[first:].tolist()


def test_regular_hours_follow_what_is_put_before_and_after() -> None:
    everything = bars_at(traded(Market.STOCKS, MARCH, 5, 5 * MINUTE_MS))
    source = SeriesSource(everything.take(300, 500), "AAPL", Timeframe.parse("5m"))
    regular = RegularHours(source)
    listener = Listener(regular)
    assert regular.series is source.series
    assert regular.set_on(True)
    resets = listener.resets
    source.merge(everything.take(100, 300))
    source.merge(everything.take(0, 100))
    for index in range(500, len(everything)):
        source.put(everything[index])
    last = everything[-1]
    source.put(Bar(last.start_ms, last.open, last.high + 1, last.low, last.close + 1, 5, 5, 5))
    keep = in_regular_hours(everything.start_ms, 5 * MINUTE_MS)
    assert regular.series.bars.start_ms.tolist() == everything.start_ms[keep].tolist() == listener.starts
    assert listener.resets == resets
    assert regular.status.bar_state == "settled"  # of the last regular bar; that of the evening still forms
    assert source.status.bar_state == "forming"
    assert regular.set_on(False)
    assert regular.series is source.series


def test_regular_hours_ask_on_when_nothing_of_what_came_is_regular() -> None:
    everything = bars_at(traded(Market.STOCKS, MARCH, 1, 5 * MINUTE_MS))
    source = SeriesSource(everything.take(66, 120), "AAPL", Timeframe.parse("5m"))
    regular = RegularHours(source)
    regular.set_on(True)
    source.merge(everything.take(0, 60))  # 04:00 to 09:00
    assert source.asked_for_older == 1
    assert len(regular.series) == 54


def test_only_stocks_below_a_day_have_hours_to_leave_out() -> None:
    for ticker, timeframe in (("X:BTCUSD", "5m"), ("C:EURUSD", "5m"), ("AAPL", "1D")):
        source = SeriesSource(bars_at(traded(Market.CRYPTO, MARCH, 1, HOUR_MS)), ticker, Timeframe.parse(timeframe))
        regular = RegularHours(source)
        assert not regular.set_on(True)
        assert regular.series is source.series


def test_a_chart_of_regular_hours_has_no_other_bars(qtbot: QtBot) -> None:
    chart, source = shown(qtbot, "AAPL", "15m")
    chart.times.set(TimeOptions(regular_hours_only=True))
    settle(qtbot, chart)
    starts = chart.model.bars.start_ms
    assert len(starts) == 26 * 10
    assert chart.model.view.last_slot - chart.model.view.first_slot + 1 == len(starts)
    assert chart.frame is not None
    assert chart.frame.shades == ()
    chart.times.set(TimeOptions())
    settle(qtbot, chart)
    assert len(chart.model.bars) == len(source.series)


# --- lines and shades ------------------------------------------------------------------------------------------


def marks_of(
    market: Market, timeframe: str, starts: Ints, spacing: float, options: TimeOptions | None = None
) -> tuple[TimeMarks, list[tuple[dt.datetime, str]]]:
    parsed, options = Timeframe.parse(timeframe), options or TimeOptions()
    axis = slot_axis(market, parsed, starts, options.closed_time)
    last = axis.slot_of(starts, len(starts) - 1)
    marks = time_marks(starts, axis, 0, last, spacing, market, parsed, options)
    zone = options.zone_for(market, parsed)
    return marks, [
        (dt.datetime.fromtimestamp(axis.time_at(starts, slot) / 1000, zone), kind) for slot, kind in marks.lines
    ]


def test_crypto_has_day_lines_at_midnight_and_week_lines_on_monday() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    starts = ms(2026, 3, 26, zone=berlin) + 15 * MINUTE_MS * np.arange(96 * 6 - 8, dtype=np.int64)
    _, said = marks_of(Market.CRYPTO, "15m", starts, 8.0, TimeOptions(zone="Europe/Berlin"))
    assert [(f"{when:%a %d %H:%M}", kind) for when, kind in said] == [
        ("Thu 26 00:00", "day"),
        ("Fri 27 00:00", "day"),
        ("Sat 28 00:00", "day"),
        ("Sun 29 00:00", "day"),
        ("Mon 30 00:00", "week"),  # 23 hours later
        ("Tue 31 00:00", "day"),
    ]


def test_stocks_have_a_break_at_each_session_and_shades_around_regular_hours() -> None:
    starts = traded(Market.STOCKS, MARCH, 12, 15 * MINUTE_MS)
    marks, said = marks_of(Market.STOCKS, "15m", starts, 8.0, TimeOptions(zone="exchange"))
    assert [f"{when:%a %H:%M} {kind}" for when, kind in said] == [
        "Mon 04:00 week",
        *(f"{day} 04:00 session" for day in ("Tue", "Wed", "Thu", "Fri")),
        "Mon 04:00 week",
        *(f"{day} 04:00 session" for day in ("Tue", "Wed", "Thu", "Fri")),
    ]
    shaded = {slot for begin, stop in marks.shades for slot in range(begin, stop)}
    expected = {slot for slot, at in enumerate(starts.tolist()) if session_kind(at) in ("pre", "post")}
    assert shaded == expected


def test_currencies_have_their_week_line_on_sunday_at_five_in_new_york() -> None:
    starts = traded(Market.FOREX, ms(2026, 3, 5), 6, 15 * MINUTE_MS)
    _, said = marks_of(Market.FOREX, "15m", starts, 8.0, TimeOptions(zone="exchange", has_session_breaks=False))
    assert ("Sun 08 17:00", "week") in [(f"{when:%a %d %H:%M}", kind) for when, kind in said]
    assert not any(when.weekday() == 5 for when, _ in said)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(Market),
    st.sampled_from(["1m", "15m", "1h", "4h"]),
    st.floats(0.02, 60),
    st.sampled_from(ClosedTime),
    st.sampled_from(["UTC", "exchange", "Asia/Kathmandu", "Pacific/Apia"]),
    st.booleans(),
)
def test_lines_are_apart_ordered_and_at_the_first_bar(
    market: Market, timeframe: str, spacing: float, closed: ClosedTime, zone: str, has_breaks: bool
) -> None:
    parsed = Timeframe.parse(timeframe)
    assert parsed.fixed_ms is not None
    days = 4 if parsed.fixed_ms < 15 * MINUTE_MS else 40
    starts = traded(market, MARCH, days, parsed.fixed_ms)
    options = TimeOptions(zone=zone, closed_time=closed, has_session_breaks=has_breaks)
    marks, _ = marks_of(market, timeframe, starts, spacing, options)
    slots = [slot for slot, _ in marks.lines]
    assert slots == sorted(set(slots))
    days_or_sessions = [slot for slot, kind in marks.lines if kind != "week"]
    if len(slots) > 3 and days_or_sessions:
        gaps = np.diff(slots) * spacing
        assert np.median(gaps) >= MIN_PX * 0.6  # a Sunday of currencies is short
    edges = [edge for shade in marks.shades for edge in shade]
    assert edges == sorted(edges)


def test_long_bars_and_a_series_without_bars_have_no_lines() -> None:
    starts = traded(Market.STOCKS, MARCH, 12, DAY_MS)
    assert marks_of(Market.STOCKS, "1D", starts, 8.0)[0] == TimeMarks()
    axis = IndexSlots(MINUTE_MS)
    none = np.empty(0, np.int64)
    assert time_marks(none, axis, 0, 9, 8.0, Market.STOCKS, Timeframe.parse("1m"), TimeOptions()) == TimeMarks()


def test_breaks_and_shades_are_on_the_picture(qtbot: QtBot) -> None:
    chart, _ = shown(qtbot, "AAPL", "30m")
    image = chart.picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()) & 0xFFFFFF
    frame = chart.frame
    assert frame is not None
    assert frame.shades
    assert any(kind == "session" for _, kind in frame.time_lines)
    assert (pixels[: frame.plot_height] == QColor(theme.DARK.shade).rgb() & 0xFFFFFF).sum() > 1000
    x = next(x for x, kind in frame.time_lines if kind == "session" and 0 <= x < frame.plot_width)
    column = pixels[: frame.plot_height, x] == QColor(theme.DARK.line).rgb() & 0xFFFFFF
    assert 0.15 < column.mean() < 0.45  # dashed, two pixels in six


# --- settings --------------------------------------------------------------------------------------------------


def test_the_page_of_the_settings_shows_and_sets(qtbot: QtBot) -> None:
    preferences = HeldPreferences(Settings(zone="Asia/Tokyo", has_day_lines=False))
    page = TimePage(preferences)
    qtbot.addWidget(page)
    assert page.zone.currentData() == "Asia/Tokyo"
    assert not page.switches["has_day_lines"].isChecked()
    page.switches["regular_hours_only"].click()
    page.closed.buttons[ClosedTime.SHOWN].click()
    page.zone.setCurrentIndex(page.zone.findData("exchange"))
    page.zone.activated.emit(page.zone.currentIndex())
    assert TimeOptions.of(preferences.settings) == TimeOptions("exchange", ClosedTime.SHOWN, True, True, False)


def test_the_zone_clicked_on_a_chart_is_that_of_all_and_is_kept(qtbot: QtBot) -> None:
    parts = make_parts()
    window = MainWindow(parts.services)
    qtbot.addWidget(window)
    with qtbot.waitExposed(window):
        window.show()
    settle(qtbot, window.chart)
    view = window.chart.view.viewport()
    qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(view.width() - 8, view.height() - 8))
    picker = window.findChild(ZonePicker)
    assert isinstance(picker, ZonePicker)
    assert picker.isVisible()
    qtbot.keyClicks(picker.field, "tokyo")
    qtbot.keyClick(picker.field, Qt.Key.Key_Return)
    settle(qtbot, window.chart)
    assert parts.services.preferences.settings.zone == "Asia/Tokyo"
    assert window.chart.frame is not None
    assert window.chart.frame.zone == "UTC+9"
    for action_id, field, value in (
        ("time.breaks", "has_session_breaks", False),
        ("time.day_lines", "has_day_lines", False),
        ("time.regular", "regular_hours_only", True),
        ("time.closed", "closed_time", ClosedTime.CUT),  # of a coin it was shown
        ("time.closed", "closed_time", ClosedTime.MARKET),
    ):
        window.commands.run(action_id)
        assert getattr(parts.services.preferences.settings, field) == value
        assert window.chart.times.options == TimeOptions.of(parts.services.preferences.settings)
