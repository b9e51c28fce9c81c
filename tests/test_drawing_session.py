"""A drawing made in the real window is there again after a restart, on every interval of its ticker and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.domain.drawings import Kind
from tests.helpers.feed_server import ServerProcess, feed_servers  # noqa: F401 (fixture)
from tests.helpers.window_desk import WindowDesk, window_desk
from tests.services.live_desk import until

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
_LEFT, _PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


async def shown(desk: WindowDesk, ticker: str, timeframe: str) -> None:
    desk.show(ticker, timeframe)
    chart = desk.session.window.chart
    await until(
        lambda: chart.model.source.ticker == ticker and chart.model.last is not None and chart.is_settled,
        f"{ticker} {timeframe} is on the screen",
    )


def test_a_drawing_comes_back_after_a_restart(
    on_qt_loop: Callable[..., Any], feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", "7")

    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await shown(desk, "X:BTCUSD", "1m")
            window = desk.session.window
            window.commands.run("draw.trend")
            viewport = window.chart.view.viewport()
            QTest.mousePress(viewport, _LEFT, _PLAIN, QPoint(200, 300))
            QTest.mouseMove(viewport, QPoint(400, 200))
            QTest.mouseRelease(viewport, _LEFT, _PLAIN, QPoint(400, 200))
            (drawn,) = window.actions_of_chart.drawing.shown(window.chart)
            assert drawn.kind is Kind.TREND
        async with window_desk(server, tmp_path) as desk:
            window = desk.session.window
            for ticker, timeframe, expected in (
                ("X:BTCUSD", "1m", (drawn,)),
                ("X:BTCUSD", "1h", (drawn,)),
                ("X:ETHUSD", "1h", ()),
            ):
                await shown(desk, ticker, timeframe)
                assert window.actions_of_chart.drawing.shown(window.chart) == expected

    on_qt_loop(scenario(), 60)
