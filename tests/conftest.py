"""Guards and fixtures for every test: own folders, no machine keyring, no network but loopback, a clean Qt loop."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

os.environ["QT_QPA_PLATFORM"] = os.environ.get("CANDELABRA_TEST_PLATFORM", "offscreen")
os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"

import pytest
from PySide6.QtWidgets import QApplication

SHARED_DATA = Path(os.environ.get("CANDELABRA_SHARED_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's user reaches a test: folders, keys, proxies, keyring."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in ("MASSIVE_API_KEY", "POLYGON_API_KEY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CANDELABRA_NO_KEYRING", "1")


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to anywhere but this machine fails the test at once."""
    real_connect = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
            raise AssertionError(f"a test reached for {address}")
        real_connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)


@pytest.fixture
def shared_data() -> Path:
    """The folder of recorded market data; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no recorded market data on this machine")
    return SHARED_DATA


@pytest.fixture
def on_qt_loop(qapp: QApplication) -> Callable[..., Any]:
    """Runs a coroutine on Qt's loop; a task left running or an unhandled loop error fails the test."""
    from qasync import QEventLoop

    qapp.setQuitOnLastWindowClosed(False)

    def run(scenario: Coroutine[Any, Any, Any], timeout_s: float = 20) -> Any:
        errors: list[dict[str, Any]] = []

        async def guarded() -> Any:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _loop, context: errors.append(context))
            answer = await asyncio.wait_for(scenario, timeout_s)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks left running: {left}"
            return answer

        with asyncio.Runner(loop_factory=lambda: QEventLoop(qapp)) as runner:
            answer = runner.run(guarded())
        assert not errors, errors
        return answer

    return run


@pytest.fixture
def run_async() -> Callable[..., Any]:
    """Runs a coroutine on a plain asyncio loop; a task left running fails the test."""

    def run(scenario: Coroutine[Any, Any, Any], timeout_s: float = 30) -> Any:
        async def guarded() -> Any:
            answer = await asyncio.wait_for(scenario, timeout_s)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks left running: {left}"
            return answer

        return asyncio.run(guarded())

    return run
