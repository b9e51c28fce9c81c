"""Whatever the world does to it, the application says one clear sentence in the right place, goes on, and stores
nothing that is not the market's: the real window and the real commands over a feed server in another process."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QWidget

from desktop.commands.times import parse_time
from desktop.demo.market import SyntheticMarket
from desktop.domain.bar_text import number
from desktop.domain.bars import VALUE_COLUMNS
from desktop.domain.timeframe import ONE_MINUTE
from tests.helpers.feed_server import PROJECT, ServerProcess, feed_servers, start_server  # noqa: F401 (fixture)
from tests.helpers.window_desk import (
    WindowDesk,
    assert_equals_market,
    assert_sound,
    cache_file,
    stored,
    window_desk,
)
from tests.services.live_desk import until

Run = Callable[..., Any]
SEED = 7
WORLD = f"demo-{SEED}"
BTC, ETH = "X:BTCUSD", "X:ETHUSD"
WEB_PAGE = (
    "The server sent a web page instead of market data. It may be down, or a proxy or sign-in page is in between."
)


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ServerProcess]:
    server = start_server(["--seed", str(SEED)])
    yield server
    server.close()


@pytest.fixture
def server(shared_server: ServerProcess) -> Iterator[ServerProcess]:
    """The feed server without any fault."""
    yield shared_server
    shared_server.control("DELETE", "/faults")
    shared_server.control("POST", "/plan", {"name": "paid"})


async def control(server: ServerProcess, method: str, path: str, body: object | None = None) -> Any:
    return await asyncio.to_thread(server.control, method, path, body)


async def says(desk: WindowDesk, text: str) -> None:
    """Waits until the chart says it has failed, and that this is all it says."""
    await until(lambda: desk.session.chart.status.phase == "failed", "the chart says that it has failed")
    assert desk.chart_text == f"{desk.session.chart.ticker} cannot be shown {text}"
    assert desk.notice_texts == [], "the chart says it; a second voice would be noise"


# --- the window, REST ----------------------------------------------------------------------------------------------

REST_FAULTS: dict[str, tuple[dict[str, object], str]] = {
    "a web page": ({"kind": "html", "status": 200}, WEB_PAGE),
    "an error page": (
        {"kind": "html"},
        "The server sent a web page instead of market data (status 502). "
        "It may be down, or a proxy or sign-in page is in between.",
    ),
    "truncated JSON": ({"kind": "truncated"}, "The server's answer was cut off or garbled."),
    "garbage": ({"kind": "garbage"}, "The server's answer was cut off or garbled."),
    "a cut": ({"kind": "drop", "after_bytes": 300}, "The connection to the server was cut. Check the network."),
    "an error": (
        {"kind": "server_error"},
        "The server has a problem of its own (status 503). Try again later.",
    ),
    "not in the plan": (
        {"kind": "not_entitled"},
        "The plan does not include this data. A larger plan has it: massive.com/pricing.",
    ),
    "429 that stays": (
        {"kind": "too_many_requests", "retry_after_s": 0},
        "The plan's calls are used up, and waiting did not help. Another program may use the same key.",
    ),
}


@pytest.mark.parametrize("name", REST_FAULTS)
def test_a_broken_answer_is_one_sentence_on_the_chart(
    on_qt_loop: Run, server: ServerProcess, tmp_path: Path, name: str
) -> None:
    fault, sentence = REST_FAULTS[name]

    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await control(server, "POST", "/faults", {**fault, "path": f"aggs.*{BTC}"})
            desk.show(BTC)
            await says(desk, sentence)
            assert desk.status_text == "Connected", "the live connection is none the worse"
            assert not (await stored(desk.layer, BTC))[1], "a failed answer claims nothing"
            if name == "not in the plan":  # remembered for all tickers, to spare calls
                await desk.layer.market_data.forget_limits()
            await desk.live(ETH)
            await control(server, "DELETE", "/faults")
            await desk.live(BTC)
            for ticker in (BTC, ETH):
                await assert_equals_market(desk.layer, ticker, SEED)
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 40)


def test_a_failed_chart_comes_back_by_itself(on_qt_loop: Run, server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await control(server, "POST", "/faults", {"kind": "truncated", "path": "aggs"})
            desk.show(BTC)
            await until(lambda: desk.session.chart.status.phase == "failed", "the chart has failed")
            await control(server, "DELETE", "/faults")
            await until(lambda: desk.session.chart.status.live_events, "the chart tries again and is live")
            assert desk.session.chart.status.sentence is None
            await assert_equals_market(desk.layer, BTC, SEED)

    on_qt_loop(scenario(), 40)


def test_an_unknown_ticker_is_named(on_qt_loop: Run, server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            for ticker in ("X:NOPEUSD", "ZZZZZ"):
                desk.show(ticker)
                await says(desk, f"There is no ticker “{ticker}”. Search by name or code, for example bitcoin.")
                assert not len((await stored(desk.layer, ticker))[0])
            await desk.live(BTC)
            await assert_equals_market(desk.layer, BTC, SEED)
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 40)


@pytest.mark.parametrize("retry_after_s", [2, None])
def test_a_rate_limit_is_counted_down_and_waited_out(
    on_qt_loop: Run, server: ServerProcess, tmp_path: Path, retry_after_s: int | None
) -> None:
    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            fault = {"kind": "too_many_requests", "retry_after_s": retry_after_s, "count": 1, "path": f"aggs.*{BTC}"}
            await control(server, "POST", "/faults", fault)
            desk.show(BTC)
            await until(lambda: desk.calls_text.startswith("The server asked for a pause"), "the calls are paused")
            assert desk.session.chart.status.phase == "loading", "a pause is no failure"
            assert desk.notice_texts == []
            if retry_after_s is not None:
                await until(lambda: desk.session.chart.status.live_events, "the pause ends and the chart is live")
                assert desk.session.chart.status.sentence is None

    on_qt_loop(scenario(), 40)


# --- the window, key and plan --------------------------------------------------------------------------------------


def test_a_wrong_key_is_said_once_and_asks_for_another(on_qt_loop: Run, server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with window_desk(server, tmp_path, key="wrong-key-000000") as desk:
            desk.show(BTC)
            await says(desk, "The server does not accept this API key. Check it in Settings.")
            await until(lambda: "refuses" in desk.status_text, "the live data refuse the key")
            assert desk.status_text == "Not connected: The server refuses the API key."
            assert not [text for text in _texts(desk.session.window) if "wrong-key-000000" in text]
            before = await control(server, "GET", "/stats")
            await asyncio.sleep(1)  # in which a loop would have struck again
            after = await control(server, "GET", "/stats")
            assert after["clusters"]["crypto"]["total"] == before["clusters"]["crypto"]["total"], "no reconnect loop"
            assert after["requests_total"] == before["requests_total"], "a refused key is not sent again and again"
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
            await assert_equals_market(desk.layer, BTC, SEED)
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 40)


def test_a_key_without_the_socket_still_shows_bars(on_qt_loop: Run, server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        await control(server, "POST", "/plan", {"has_socket": False})
        async with window_desk(server, tmp_path) as desk:
            desk.show(BTC)
            await until(lambda: len(desk.session.chart.series) > 100, "the bars are shown")
            await until(lambda: "plan" in desk.status_text, "the status bar says why nothing moves")
            assert desk.status_text == "This plan has no live feed: refreshed every minute."
            assert desk.session.chart.status.sentence is None, "the bars are right, so the chart complains of nothing"
            await control(server, "POST", "/plan", {"has_socket": True})
            desk.action_button.click()
            await desk.live(ETH)
            await assert_equals_market(desk.layer, BTC, SEED)
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 40)


# --- the window, the socket ----------------------------------------------------------------------------------------


def test_garbage_frames_are_skipped_and_counted(on_qt_loop: Run, server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
            before = desk.session.chart.status.live_events
            await control(server, "POST", "/faults", {"kind": "socket_malformed"})
            await control(server, "POST", "/faults", {"kind": "socket_unknown"})
            await until(lambda: desk.session.chart.status.live_events > before + 5, "the candle moves on")
            await until(
                lambda: any("unreadable messages were skipped" in text for text in _texts(desk.session.window.status)),
                "the status bar counts what was skipped",
            )
            assert desk.status_text == "Connected"
            assert desk.notice_texts == []
            await assert_equals_market(desk.layer, BTC, SEED)
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 60)


def _texts(widget: QWidget) -> list[str]:
    """Everything a widget and what is in it say: titles, labels, fields, tool tips, names for a screen reader."""
    said: list[str] = []
    for part in (widget, *widget.findChildren(QWidget)):
        said += [part.windowTitle(), part.toolTip(), part.accessibleName(), part.accessibleDescription()]
        if isinstance(part, QLabel | QLineEdit | QAbstractButton):
            said.append(part.text())
    return said


def _ports(server: ServerProcess) -> tuple[str, ...]:
    """Options that start a server where another one was."""
    rest, socket, control_ = (address.rsplit(":", 1)[1] for address in (server.rest, server.socket, server.control_url))
    return "--port", rest, "--socket-port", socket, "--control-port", control_


def test_a_server_that_refuses_connections(
    on_qt_loop: Run, feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = feed_server("--seed", SEED)

    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
            await asyncio.to_thread(server.close)
            await until(lambda: desk.status_text.startswith("Reconnecting: "), "the loss is in the status bar")
            assert len(desk.session.chart.series) > 100, "what was shown stays"
            desk.show(ETH)
            await says(desk, "The server refuses connections. Check the address and the network.")
            await until(
                lambda: desk.status_text == "Reconnecting: The live data server cannot be reached.", "why it reconnects"
            )
            await asyncio.to_thread(feed_server, "--seed", SEED, *_ports(server))
            await desk.live(ETH)
            for ticker in (BTC, ETH):
                await assert_equals_market(desk.layer, ticker, SEED)
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 60)


# --- damaged files -------------------------------------------------------------------------------------------------


def _overwrite_pages(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(2, size // 4096, 2):
            file.seek(page * 4096)
            file.write(os.urandom(4096))


def _overwrite_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"<html>502 Bad Gateway</html>" * 4)


def _cut(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


DAMAGE = {"pages": _overwrite_pages, "header": _overwrite_header, "length": _cut}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_cache_is_set_aside_and_built_anew(
    on_qt_loop: Run, server: ServerProcess, tmp_path: Path, what: str
) -> None:
    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
        path = cache_file(tmp_path, WORLD)
        DAMAGE[what](path)
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
            (aside,) = (file for file in path.parent.glob("cache.sqlite.corrupt-*") if file.name.endswith("Z"))
            assert desk.notice_texts == [
                f"The cache was damaged; it was set aside as {aside.name} and is being built anew."
            ]
            await assert_equals_market(desk.layer, BTC, SEED)
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 60)


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_user_file_is_restored_from_its_newest_backup(
    on_qt_loop: Run, server: ServerProcess, tmp_path: Path, what: str
) -> None:
    async def scenario() -> None:
        for tickers in (["X:SOLUSD"], ["X:SOLUSD", "AAPL", "X:LTCUSD"]):
            async with window_desk(server, tmp_path) as desk:
                for ticker in desk.session.watchlist.tickers:
                    desk.session.watchlist.remove(ticker)
                for ticker in tickers:
                    desk.session.watchlist.add(ticker)
        path = cache_file(tmp_path, WORLD).with_name("user.sqlite")
        DAMAGE[what](path)
        async with window_desk(server, tmp_path) as desk:
            assert desk.session.watchlist.tickers == ("X:SOLUSD", "AAPL", "X:LTCUSD")
            (notice,) = desk.notice_texts
            assert notice.startswith(
                "The file with your watchlists, drawings and layouts was damaged; the backup of 20"
            )
            assert "was restored and the damaged file kept as user.sqlite.corrupt-" in notice
            await desk.live(BTC)

    on_qt_loop(scenario(), 60)


# --- worlds --------------------------------------------------------------------------------------------------------


def test_no_demo_bar_reaches_the_next_source(
    on_qt_loop: Run, server: ServerProcess, feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    other = feed_server("--seed", "8")

    async def scenario() -> None:
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
            assert "DEMO" in desk.chart_text
            demo, _ = await stored(desk.layer, BTC)
        async with window_desk(other, tmp_path) as desk:
            assert not len((await stored(desk.layer, BTC))[0])
            seen: list[float] = []
            chart = desk.session.chart
            chart.reset.connect(lambda: seen.extend(chart.series.bars.close.tolist()))
            chart.changed.connect(lambda _first: seen.extend(chart.series.bars.close.tolist()))
            await desk.live(BTC)
            assert seen
            assert not set(seen) & set(demo.close.tolist()), "a bar of the demo was on the screen"
            await assert_equals_market(desk.layer, BTC, 8)
        async with window_desk(server, tmp_path) as desk:
            await desk.live(BTC)
            await assert_equals_market(desk.layer, BTC, SEED)
        assert {folder.name for folder in (tmp_path / "worlds").iterdir()} == {WORLD, "demo-8"}
        for world in (WORLD, "demo-8"):
            assert_sound(tmp_path, world)

    on_qt_loop(scenario(), 60)


def test_another_seed_on_the_same_port_is_refused_and_not_stored(
    on_qt_loop: Run, feed_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    first = feed_server("--seed", "11")

    async def scenario() -> None:
        async with window_desk(first, tmp_path) as desk:
            await desk.live(BTC)
            await asyncio.to_thread(first.close)
            await until(lambda: desk.status_text.startswith("Reconnecting: "), "the first server is gone")
            second = await asyncio.to_thread(feed_server, "--seed", "12", *_ports(first))
            desk.show(ETH)
            await says(
                desk,
                "The server's data are of a demo market (demo-12), not of a demo market (demo-11): nothing was stored. "
                "Check the address in Settings.",
            )
            bars, covered = await stored(desk.layer, ETH)
            assert not len(bars)
            assert not covered
            await assert_equals_market(desk.layer, BTC, 11)
        async with window_desk(second, tmp_path) as desk:
            await desk.live(BTC)
            await assert_equals_market(desk.layer, BTC, 12)
        assert_sound(tmp_path, "demo-11")
        assert_sound(tmp_path, "demo-12")

    on_qt_loop(scenario(), 60)


# --- closing -------------------------------------------------------------------------------------------------------

CLOSE_LIMIT_S = 1.0


@asynccontextmanager
async def closing_in_time(server: ServerProcess, folder: Path) -> AsyncIterator[WindowDesk]:
    """A window whose closing is given a second; what is left then is cancelled, and the test fails."""
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(window_desk(server, folder))
        yield desk
        async with asyncio.timeout(CLOSE_LIMIT_S):
            await stack.aclose()


@pytest.mark.parametrize("fault", [{"kind": "slow", "bytes_per_s": 50}, {"kind": "stall"}, {"kind": "server_error"}])
def test_closing_while_a_chart_loads(
    on_qt_loop: Run, server: ServerProcess, tmp_path: Path, fault: dict[str, object]
) -> None:
    async def scenario() -> None:
        async with closing_in_time(server, tmp_path) as desk:
            await control(server, "POST", "/faults", {**fault, "path": "aggs"})
            desk.show(BTC)
            await until(lambda: desk.status_text == "Connected", "the chart is loading")
            assert desk.session.chart.status.phase == "loading"
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 40)


@pytest.mark.parametrize("kind", ["socket_refuse", "socket_stall"])
def test_closing_while_the_feed_reconnects(on_qt_loop: Run, server: ServerProcess, tmp_path: Path, kind: str) -> None:
    async def scenario() -> None:
        async with closing_in_time(server, tmp_path) as desk:
            await desk.live(BTC)
            await control(server, "POST", "/faults", {"kind": kind})
            if kind == "socket_refuse":
                await control(server, "POST", "/faults", {"kind": "socket_drop"})
                await until(lambda: desk.status_text.startswith("Reconnecting: "), "the feed reconnects")
        assert_sound(tmp_path, WORLD)

    on_qt_loop(scenario(), 40)


# --- the command line ----------------------------------------------------------------------------------------------

FROM, TO = "2026-11-20T00:00", "2026-11-20T06:00"


def command(
    folder: Path, server: ServerProcess, *arguments: str, key: str | None = ""
) -> subprocess.CompletedProcess[str]:
    """Runs `candelabra …` against `server` with everything below `folder`; `key` as in `window_desk`."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}
    environment["CANDELABRA_NO_KEYRING"] = "1"
    if key is not None:
        environment["MASSIVE_API_KEY"] = key or server.key
    bases = ["--rest-base", server.rest, "--socket-base", server.socket, "--data-dir", str(folder)]
    return subprocess.run(
        [sys.executable, "-m", "desktop", *arguments, *bases],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def bars(ticker: str = BTC, *more: str) -> tuple[str, ...]:
    return ("bars", ticker, "--timeframe", "1m", "--from", FROM, "--to", TO, *more)


def watch(ticker: str = BTC) -> tuple[str, ...]:
    return ("watch", ticker, "--timeframe", "1m", "--seconds", "20")


@dataclasses.dataclass(frozen=True)
class Case:
    """One thing that goes wrong on the command line."""

    arguments: tuple[str, ...]
    exit_code: int
    said: str
    fault: dict[str, object] | None = None
    key: str | None = ""
    plan: dict[str, object] | None = None


COMMAND_CASES = {
    "unknown ticker": Case(bars("X:NOPEUSD"), 6, "There is no ticker “X:NOPEUSD”. "),
    "no ticker": Case(bars("not a ticker"), 2, "“not a ticker” is not a ticker. "),
    "no time": Case((*bars()[:5], "yesterday", "--to", TO), 2, "“yesterday” is not a time. "),
    "wrong key": Case(bars(), 4, "The server does not accept this API key. ", key="wrong-key-000000"),
    "no key": Case(bars(), 4, "There is no API key. ", key=None),
    "nothing cached": Case(bars(BTC, "--offline"), 10, "The cache holds nothing of X:BTCUSD"),
    "a web page": Case(bars(), 8, WEB_PAGE, {"kind": "html", "status": 200}),
    "an error page": Case(
        bars(), 8, "The server sent a web page instead of market data (status 502). ", {"kind": "html"}
    ),
    "truncated JSON": Case(bars(), 8, "The server's answer was cut off or garbled.", {"kind": "truncated"}),
    "garbage": Case(bars(), 8, "The server's answer was cut off or garbled.", {"kind": "garbage"}),
    "429": Case(bars(), 7, "The plan's calls are used up, ", {"kind": "too_many_requests", "retry_after_s": 0}),
    "not in the plan": Case(bars(), 5, "The plan does not include this data. ", {"kind": "not_entitled"}),
    "no match": Case(("tickers", "qqqqqqqqqq"), 6, "No ticker matches “qqqqqqqqqq”."),
    "watch, wrong key": Case(watch(), 4, "", key="wrong-key-000000"),
    "watch, no socket": Case(
        watch(), 5, "This key's plan has no live data for this market.", plan={"has_socket": False}
    ),
}


@pytest.mark.parametrize("name", COMMAND_CASES)
def test_a_command_says_one_sentence_and_its_exit_code(server: ServerProcess, tmp_path: Path, name: str) -> None:
    case = COMMAND_CASES[name]
    if case.fault is not None:
        server.control("POST", "/faults", {**case.fault, "path": "aggs"})
    if case.plan is not None:
        server.control("POST", "/plan", case.plan)
    ended = command(tmp_path, server, *case.arguments, key=case.key)
    assert ended.returncode == case.exit_code, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.startswith(case.said)
    if case.arguments[0] == "bars":
        assert ended.stdout in ("", "t,o,h,l,c,v,vw,n\n")
    server.control("DELETE", "/faults")
    server.control("POST", "/plan", {"name": "paid"})
    good = command(tmp_path, server, *bars())
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout == real_csv()
    assert_sound(tmp_path, WORLD)


def test_a_command_with_no_server_there(tmp_path: Path, server: ServerProcess) -> None:
    with socket.socket() as taken:  # bound, not listening: refuses, and nobody else can get it
        taken.bind(("127.0.0.1", 0))
        gone = dataclasses.replace(server, rest=f"http://127.0.0.1:{taken.getsockname()[1]}")
        ended = command(tmp_path, gone, *bars())
    assert ended.returncode == 3
    assert ended.stderr == "The server refuses connections. Check the address and the network.\n"


@pytest.mark.parametrize("what", DAMAGE)
def test_a_command_over_a_damaged_cache(server: ServerProcess, tmp_path: Path, what: str) -> None:
    assert command(tmp_path, server, *bars()).stdout == real_csv()
    DAMAGE[what](cache_file(tmp_path, WORLD))
    ended = command(tmp_path, server, *bars())
    assert ended.returncode == 0
    assert ended.stdout == real_csv()
    (line,) = ended.stderr.splitlines()
    assert line.startswith("The cache was damaged; it was set aside as cache.sqlite.corrupt-")
    assert_sound(tmp_path, WORLD)


def test_a_window_whose_server_was_away_at_first(tmp_path: Path, server: ServerProcess) -> None:
    """Nobody could say which world it is; once the server can, the session is opened anew for that world."""
    server.control("POST", "/faults", {"kind": "refuse", "count": 1})
    picture = tmp_path / "picture.png"
    ended = command(tmp_path / "data", server, "--until-live", "--screenshot", str(picture))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("live: ticker=X:BTCUSD ")
    assert_sound(tmp_path / "data", WORLD)
    guessed = list((tmp_path / "data" / "worlds").glob("custom-*"))
    assert guessed, "the first look failed"
    for folder in guessed:
        with closing(sqlite3.connect(folder / "cache.sqlite")) as connection:
            assert connection.execute("SELECT count(*) FROM series").fetchone() == (0,), "nothing is in a guessed world"


@functools.cache
def real_csv() -> str:
    """What `bars` must print, straight from the market."""
    from_ms, to_ms = parse_time(FROM), parse_time(TO)
    real = SyntheticMarket(SEED).bars(BTC, ONE_MINUTE, from_ms, to_ms, to_ms)
    columns = [map(number, getattr(real, name).tolist()) for name in VALUE_COLUMNS]
    lines = [",".join((str(start), *values)) for start, *values in zip(real.start_ms.tolist(), *columns, strict=True)]
    assert len(lines) > 100
    return "\n".join(("t,o,h,l,c,v,vw,n", *lines)) + "\n"
