"""The chart under the hand: real widgets, real events, and the picture they leave."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from desktop.domain.bars import Bar, Bars
from desktop.domain.freshness import Freshness
from desktop.domain.timeframe import Timeframe
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from desktop.ui.chart.painting import paint
from tests.ui.chart_source import START_MS, FixedClock, SeriesSource, walk

MINUTE = Timeframe.parse("1m")


@pytest.fixture
def source() -> SeriesSource:
    return SeriesSource(walk(2000), name="Bitcoin – US Dollar")


@pytest.fixture
def chart(qtbot: QtBot, source: SeriesSource) -> ChartWidget:
    return shown(qtbot, source)


def shown(qtbot: QtBot, source: SeriesSource, size: tuple[int, int] = (900, 560)) -> ChartWidget:
    widget = ChartWidget(source, FixedClock(), theme.DARK)
    qtbot.addWidget(widget)
    widget.resize(*size)
    with qtbot.waitExposed(widget):
        widget.show()
    settle(qtbot, widget)
    return widget


def settle(qtbot: QtBot, chart: ChartWidget) -> None:
    """Until nothing is left to paint."""
    qtbot.waitUntil(lambda: chart.is_settled)


def turn(
    chart: ChartWidget,
    at: QPoint,
    angle: int = 0,
    sideways: int = 0,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    viewport = chart.view.viewport()
    event = QWheelEvent(
        QPointF(at),
        QPointF(viewport.mapToGlobal(at)),
        QPoint(),
        QPoint(sideways, angle),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(viewport, event)


def drag(
    qtbot: QtBot,
    chart: ChartWidget,
    start: QPoint,
    end: QPoint,
    button: Qt.MouseButton = Qt.MouseButton.LeftButton,
    release: bool = True,
) -> None:
    viewport = chart.view.viewport()
    qtbot.mousePress(viewport, button, pos=start)
    qtbot.mouseMove(viewport, start + (end - start) / 2)
    qtbot.mouseMove(viewport, end)
    if release:
        qtbot.mouseRelease(viewport, button, pos=end)


def pixels(picture: QPixmap) -> np.ndarray:
    image = picture.toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy() & 0xFFFFFF


def painted(chart: ChartWidget) -> np.ndarray:
    """The plot of the cached picture."""
    frame = chart.frame
    assert frame is not None
    return pixels(chart.picture)[: frame.plot_height, : frame.plot_width]


def repainted(chart: ChartWidget) -> np.ndarray:
    """The same frame painted afresh."""
    frame = chart.frame
    assert frame is not None
    picture = QPixmap(frame.width, frame.height)
    painter = QPainter(picture)
    paint(painter, frame)
    painter.end()
    return pixels(picture)[: frame.plot_height, : frame.plot_width]


def rgb(colour: str) -> int:
    return QColor(colour).rgb() & 0xFFFFFF


def test_candles_volume_and_axes_are_on_the_screen(chart: ChartWidget) -> None:
    image = pixels(chart.grab())
    for colour in (theme.DARK.up, theme.DARK.down, theme.DARK.grid, theme.DARK.text):
        assert (image == rgb(colour)).sum() > 50, colour
    frame = chart.frame
    assert frame is not None
    assert len(frame.price_labels) > 5
    assert len(frame.time_labels) > 5
    assert chart.model.view.is_last_in_view


# --- wheel -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [120, -120, 30, -480])
def test_the_wheel_zooms_at_the_cursor(qtbot: QtBot, chart: ChartWidget, angle: int) -> None:
    view = chart.model.view
    view.pan(3000)
    slot, spacing = view.slot_at(300), view.spacing
    turn(chart, QPoint(300, 200), angle)
    assert (view.spacing > spacing) == (angle > 0)
    assert abs(view.x_of(slot) - 300) < 1
    settle(qtbot, chart)
    frame = chart.frame
    assert frame is not None
    assert abs(frame.grid.left_of(int(slot)) + (slot % 1) * frame.grid.spacing - 300) <= 1


def test_shift_and_sideways_wheels_scroll(chart: ChartWidget) -> None:
    view = chart.model.view
    right, spacing = view.right, view.spacing
    turn(chart, QPoint(300, 200), 100, modifiers=Qt.KeyboardModifier.ShiftModifier)
    assert view.spacing == spacing
    assert view.right == pytest.approx(right - 80 / spacing)
    turn(chart, QPoint(300, 200), 0, sideways=-100)
    assert view.right == pytest.approx(right)


def test_the_wheel_on_the_axes_scales_price_about_the_middle_and_time_about_the_right(chart: ChartWidget) -> None:
    view = chart.model.view
    middle, span, right = (view.top + view.bottom) / 2, view.top - view.bottom, view.right
    turn(chart, QPoint(880, 200), 120)
    assert not view.is_autoscaled
    assert view.top - view.bottom == pytest.approx(0.9 * span)
    assert (view.top + view.bottom) / 2 == pytest.approx(middle)
    turn(chart, QPoint(300, 555), 120)
    assert view.right == pytest.approx(right)
    assert view.spacing == pytest.approx(8.8)


# --- drags -----------------------------------------------------------------------------------------------------


def test_dragging_pans_in_time_once_it_is_a_drag(qtbot: QtBot, chart: ChartWidget) -> None:
    view = chart.model.view
    right = view.right
    drag(qtbot, chart, QPoint(300, 200), QPoint(302, 200))
    assert view.right == right
    drag(qtbot, chart, QPoint(300, 200), QPoint(380, 260))
    assert view.right == pytest.approx(right - 10)
    assert view.is_autoscaled


def test_with_autoscale_off_dragging_pans_in_price_too(qtbot: QtBot, chart: ChartWidget) -> None:
    view = chart.model.view
    chart.set_autoscale(False)
    bottom, top = view.bottom, view.top
    drag(qtbot, chart, QPoint(300, 200), QPoint(300, 250))
    shift = 50 / view.height * (top - bottom)
    assert (view.bottom, view.top) == pytest.approx((bottom + shift, top + shift))


def test_the_middle_button_pans_freely(qtbot: QtBot, chart: ChartWidget) -> None:
    bottom = chart.model.view.bottom
    drag(qtbot, chart, QPoint(300, 200), QPoint(300, 260), Qt.MouseButton.MiddleButton)
    assert not chart.model.view.is_autoscaled
    assert chart.model.view.bottom > bottom


def test_the_price_axis_stretches_and_a_double_click_restores(qtbot: QtBot, chart: ChartWidget) -> None:
    view = chart.model.view
    span = view.top - view.bottom
    with qtbot.waitSignal(chart.autoscale_changed) as told:
        drag(qtbot, chart, QPoint(880, 300), QPoint(880, 200))
    assert told.args == [False]
    assert view.top - view.bottom < span
    with qtbot.waitSignal(chart.autoscale_changed) as told:
        qtbot.mouseDClick(chart.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(880, 300))
    assert told.args == [True]
    settle(qtbot, chart)
    assert view.top - view.bottom == pytest.approx(span)


def test_the_time_axis_compresses_to_the_right_and_a_double_click_restores(qtbot: QtBot, chart: ChartWidget) -> None:
    view = chart.model.view
    right = view.right
    drag(qtbot, chart, QPoint(300, 555), QPoint(400, 555))
    assert view.spacing < 8
    assert view.right == pytest.approx(right)
    view.pan(2000)
    qtbot.mouseDClick(chart.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 555))
    assert view.spacing == 8
    assert view.right == view.last_slot + 1 + 5


def test_a_click_on_the_chart_gives_it_the_keyboard(qtbot: QtBot, chart: ChartWidget) -> None:
    chart.activateWindow()
    chart.clearFocus()
    window = chart.windowHandle()
    QTest.mouseClick(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(300, 200))
    qtbot.waitUntil(chart.hasFocus)


def test_a_drag_through_the_window_pans(qtbot: QtBot, chart: ChartWidget) -> None:
    view, window = chart.model.view, chart.windowHandle()
    right = view.right
    QTest.mousePress(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(300, 200))
    for x in (310, 340, 380):
        QTest.mouseMove(window, QPoint(x, 200))
    QTest.mouseRelease(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(380, 200))
    qtbot.waitUntil(lambda: not chart.view.is_dragging)
    assert view.right == pytest.approx(right - 10)


# --- the follow rule -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ticker", ["X:BTCUSD", "AAPL"])
@pytest.mark.parametrize("is_held", [False, True])
def test_older_bars_never_move_the_picture(qtbot: QtBot, ticker: str, is_held: bool) -> None:
    bars = walk(3000)
    source = SeriesSource(bars.take(1000, 3000), ticker=ticker)
    chart = shown(qtbot, source)
    drag(qtbot, chart, QPoint(300, 200), QPoint(380, 260), release=not is_held)
    settle(qtbot, chart)
    before, right = painted(chart), chart.model.view.right
    source.merge(bars.take(0, 1000))
    settle(qtbot, chart)
    assert chart.model.view.right == right
    assert chart.model.view.first_slot == -1000
    assert (painted(chart) == before).all()


def next_bar(source: SeriesSource, factor: float = 1.001) -> Bar:
    last = source.series.bars[-1]
    close = last.close * factor
    return Bar(last.start_ms + 60_000, last.close, max(last.close, close), min(last.close, close), close, 100.0)


def test_a_new_bar_keeps_the_right_margin_when_the_last_one_is_in_view(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    source.put(next_bar(source))
    settle(qtbot, chart)
    assert chart.model.view.right == chart.model.view.last_slot + 1 + 5
    assert not chart.findChild(QToolButton, "latest").isVisible()


def test_a_new_bar_out_of_view_moves_nothing_and_is_counted(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    chart.model.view.pan(3000)
    settle(qtbot, chart)
    right = chart.model.view.right
    for _ in range(3):
        source.put(next_bar(source))
    button = chart.findChild(QToolButton, "latest")
    qtbot.waitUntil(button.isVisible)
    settle(qtbot, chart)
    assert chart.model.view.right == right
    assert button.text() == "→ latest  +3"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not button.isVisible())
    assert chart.model.view.is_last_in_view
    assert chart.model.new_bars == 0


def test_another_timeframe_stays_with_the_newest_bar_and_another_ticker_goes_to_it(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    view = chart.model.view
    source.show(walk(500, step_ms=300_000), "X:BTCUSD", Timeframe.parse("5m"))
    assert view.right == view.last_slot + 1 + 5
    turn(chart, QPoint(300, 200), 120)
    view.pan(3000)
    spacing = view.spacing
    source.show(walk(900, price=3000), "X:ETHUSD", MINUTE)
    settle(qtbot, chart)
    assert view.right == view.last_slot + 1 + 5
    assert view.spacing == spacing


def test_older_bars_are_asked_for_near_the_left_edge_only(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    assert source.asked_for_older == 0
    view = chart.model.view
    view.pan((view.left - view.width / view.spacing - 5) * view.spacing)
    chart.set_autoscale(True)
    settle(qtbot, chart)
    assert source.asked_for_older == 0
    view.pan(10 * view.spacing)
    chart.set_autoscale(True)
    qtbot.waitUntil(lambda: source.asked_for_older == 1)


def test_a_source_that_fails_at_once_is_asked_once_a_move(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    chart.model.view.show_first()
    chart.set_autoscale(True)
    qtbot.waitUntil(lambda: source.asked_for_older == 1)
    for round_ in range(3):
        source.say(is_loading_older=True)
        source.say(is_loading_older=False, sentence=f"Offline, {round_}.")
        settle(qtbot, chart)
    assert source.asked_for_older == 1


# --- ticks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [0.05, 0.7, 1.6, 2.2, 3.0, 8.0, 40.0])
def test_a_tick_leaves_the_same_picture_as_painting_everything(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource, spacing: float
) -> None:
    view = chart.model.view
    view.set_spacing(spacing, view.width)
    chart.show_latest()
    settle(qtbot, chart)
    last = source.series.bars[-1]
    before = painted(chart)
    for share in (0.25, 0.9, 0.5):
        close = last.low + (last.high - last.low) * share
        volume = last.volume * (0.5 + share)
        source.put(Bar(last.start_ms, last.open, last.high, last.low, close, volume))
        settle(qtbot, chart)
        assert (painted(chart) == repainted(chart)).all()
    if spacing >= 2.5:
        assert (painted(chart) != before).any()


def test_a_tick_beyond_the_scale_moves_it(qtbot: QtBot, chart: ChartWidget, source: SeriesSource) -> None:
    top, last = chart.model.view.top, source.series.bars[-1]
    source.put(Bar(last.start_ms, last.open, top * 1.01, last.low, top * 1.01, last.volume))
    settle(qtbot, chart)
    assert chart.model.view.top > top * 1.01
    assert (painted(chart) == repainted(chart)).all()


def test_any_number_of_ticks_is_one_frame(qtbot: QtBot, chart: ChartWidget, source: SeriesSource) -> None:
    frames: list[int] = []
    chart.frame_painted.connect(lambda: frames.append(1))
    last = source.series.bars[-1]
    for index in range(500):
        source.put(Bar(last.start_ms, last.open, last.high, last.low, last.low + index * 1e-3, last.volume))
    settle(qtbot, chart)
    assert len(frames) == 1


# --- crosshair, legend, words ----------------------------------------------------------------------------------


def test_the_crosshair_snaps_to_the_bar_under_it_and_the_legend_shows_it(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    qtbot.mouseMove(chart.view.viewport(), QPoint(300, 200))
    settle(qtbot, chart)
    cross, frame = chart.crosshair, chart.frame
    assert cross is not None
    assert frame is not None
    assert abs(cross.x - 300) <= frame.grid.spacing / 2 + 1
    slot = frame.grid.slot_at(cross.x)
    assert cross.x == frame.grid.centre_of(slot)
    bar = source.series.bars[slot]
    assert chart.model.style.text(bar.open) in chart.legend_text
    assert cross.time.endswith("UTC")
    qtbot.mouseMove(chart.view.viewport(), QPoint(880, 200))
    settle(qtbot, chart)
    assert chart.crosshair is None
    assert chart.model.style.text(source.series.bars[-1].open) in chart.legend_text


def test_the_legend_says_where_the_data_come_from_and_how_fresh_they_are(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    source.say(freshness=Freshness.LIVE, last_event_ms=START_MS + 17_700, source="DEMO", bar_state="forming")
    settle(qtbot, chart)
    assert "X:BTCUSD · Bitcoin – US Dollar · 1m · DEMO" in chart.legend_text
    assert "LIVE 0.3 s" in chart.legend_text
    assert "bar forming" in chart.legend_text
    source.say(freshness=Freshness.STALE, last_event_ms=START_MS - 24_000, sentence="No connection.", note="No trades.")
    settle(qtbot, chart)
    assert "STALE 00:42" in chart.legend_text
    assert "⚠ No connection." in chart.legend_text
    assert "No trades." in chart.legend_text


def test_missing_ranges_are_hatched(qtbot: QtBot, chart: ChartWidget, source: SeriesSource) -> None:
    before = painted(chart)
    source.say(missing=((START_MS - 40 * 60_000, START_MS - 20 * 60_000),))
    settle(qtbot, chart)
    frame = chart.frame
    assert frame is not None
    ((first, last),) = frame.bands
    assert last - first + 1 == 20 * 8
    changed = (painted(chart) != before).any(axis=0)
    assert changed[first : last + 1].all()
    assert not changed[:first].any()
    assert not changed[last + 1 :].any()


@pytest.mark.parametrize(
    ("ticker", "phase", "sentence", "words"),
    [
        ("", "empty", None, "No chart yet"),
        ("X:BTCUSD", "loading", None, "Loading X:BTCUSD"),
        ("X:NOPE", "failed", "Massive knows no such ticker.", "Massive knows no such ticker."),
        ("X:BTCUSD", "ready", None, "No bars for X:BTCUSD at 1m"),
        ("X:BTCUSD", "empty", None, "No bars for X:BTCUSD at 1m"),
    ],
)
def test_without_bars_one_sentence_says_why(
    qtbot: QtBot, ticker: str, phase: str, sentence: str | None, words: str
) -> None:
    source = SeriesSource(None, ticker=ticker)
    source.say(phase=phase, sentence=sentence)
    chart = shown(qtbot, source)
    assert words in chart.accessibleDescription()
    image = pixels(chart.grab())
    middle = image[200:360, 100:800]
    assert (middle != rgb(theme.DARK.chart)).sum() > 200


def test_a_series_that_arrives_later_is_shown(qtbot: QtBot) -> None:
    source = SeriesSource(None)
    chart = shown(qtbot, source)
    source.show(walk(100), "X:BTCUSD", MINUTE)
    settle(qtbot, chart)
    assert chart.frame is not None
    assert len(chart.frame.columns) >= 90
    assert chart.accessibleName() == "Chart of X:BTCUSD, 1m"


# --- keyboard --------------------------------------------------------------------------------------------------


def test_keys_move_and_zoom(qtbot: QtBot, chart: ChartWidget) -> None:
    view = chart.model.view
    right, screen = view.right, view.width / view.spacing
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert view.right == pytest.approx(right - 1)
    qtbot.keyClick(chart, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert view.right == pytest.approx(right + 9)
    qtbot.keyClick(chart, Qt.Key.Key_PageUp)
    assert view.right == pytest.approx(right + 9 - screen)
    qtbot.keyClick(chart, Qt.Key.Key_PageDown)
    qtbot.keyClick(chart, Qt.Key.Key_Plus)
    assert view.spacing == pytest.approx(8.8)
    qtbot.keyClick(chart, Qt.Key.Key_Minus)
    assert view.spacing == pytest.approx(7.92)
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert view.left == pytest.approx(0)
    qtbot.keyClick(chart, Qt.Key.Key_End)
    assert view.right == view.last_slot + 1 + 5
    chart.set_autoscale(False)
    qtbot.keyClick(chart, Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    assert view.spacing == 8
    assert view.is_autoscaled


def test_arrows_move_a_visible_crosshair_and_speak_its_bar(
    qtbot: QtBot, chart: ChartWidget, source: SeriesSource
) -> None:
    qtbot.mouseMove(chart.view.viewport(), QPoint(300, 200))
    settle(qtbot, chart)
    frame, cross = chart.frame, chart.crosshair
    assert frame is not None
    assert cross is not None
    slot = frame.grid.slot_at(cross.x)
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    settle(qtbot, chart)
    assert chart.crosshair is not None
    assert chart.crosshair.x == frame.grid.centre_of(slot + 1)
    close = chart.model.style.text(source.series.bars[slot + 1].close)
    assert f"close {close}" in chart.accessibleDescription()
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    settle(qtbot, chart)
    assert chart.crosshair is None


def test_letters_and_digits_are_handed_on(qtbot: QtBot, chart: ChartWidget) -> None:
    typed: list[str] = []
    wanted: list[str] = []
    chart.text_typed.connect(typed.append)
    chart.action_wanted.connect(wanted.append)
    qtbot.keyClicks(chart, "b1,")
    assert (typed, wanted) == (["b", "1"], ["interval.open"])


# --- extremes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("price", [1e-8, 1e-4, 1.0, 1e6])
def test_prices_of_any_size_fill_the_plot_and_are_labelled(qtbot: QtBot, price: float) -> None:
    chart = shown(qtbot, SeriesSource(walk(300, price=price)))
    frame = chart.frame
    assert frame is not None
    texts = [label.text for label in frame.price_labels]
    assert len(texts) >= 5
    assert len(set(texts)) == len(texts)
    rows = [label.at for label in frame.price_labels]
    assert rows == sorted(set(rows), reverse=True)
    up_or_down = np.isin(painted(chart), [rgb(theme.DARK.up), rgb(theme.DARK.down)])
    filled = np.flatnonzero(up_or_down.any(axis=1))
    assert filled[0] == pytest.approx(0.2 * frame.plot_height, abs=0.03 * frame.plot_height)
    assert filled[-1] == pytest.approx(0.7 * frame.plot_height, abs=0.03 * frame.plot_height)


def test_a_flat_and_a_single_bar_are_shown(qtbot: QtBot) -> None:
    for rows in ([Bar(START_MS, 5, 5, 5, 5, 0.0)], [Bar(START_MS + i * 60_000, 5, 5, 5, 5) for i in range(3)]):
        chart = shown(qtbot, SeriesSource(Bars.from_rows(rows)))
        assert (painted(chart) == rgb(theme.DARK.neutral)).any()


def test_a_hole_in_a_coin_is_seen_and_in_a_stock_is_not(qtbot: QtBot) -> None:
    bars = walk(200)
    keep = np.ones(200, bool)
    keep[150:180] = False
    holed = Bars(bars.start_ms[keep], *(column[keep] for column in bars.values()))
    coin, stock = shown(qtbot, SeriesSource(holed)), shown(qtbot, SeriesSource(holed, ticker="AAPL"))
    assert coin.model.view.last_slot == 199
    assert stock.model.view.last_slot == 169
    assert coin.frame is not None
    hole = slice(coin.frame.grid.left_of(150), coin.frame.grid.left_of(180))
    assert not np.isin(painted(coin)[:, hole], [rgb(theme.DARK.up), rgb(theme.DARK.down)]).any()


def test_another_appearance_repaints_all(qtbot: QtBot, chart: ChartWidget) -> None:
    chart.set_tokens(theme.LIGHT)
    settle(qtbot, chart)
    assert (painted(chart) == rgb(theme.LIGHT.chart)).mean() > 0.5
