"""Logs, hooks and the crash file."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.data.log_setup import Bug, CrashFile, Hooks, Logging, install_hooks
from desktop.data.redaction import Redactor
from desktop.domain.errors import CacheError

SECRET = "canary-key-0123456789"


@pytest.fixture(autouse=True)
def _levels_stay_ours() -> Iterator[None]:
    names = ("websockets", "httpcore", "httpx", "asyncio")
    before = {name: logging.getLogger(name).level for name in names}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def fail_with(text: str) -> None:
    raise ValueError(text)


def test_tracebacks_are_logged_without_the_secret(tmp_path: Path) -> None:
    logs = Logging(tmp_path / "logs", Redactor(SECRET))
    try:
        fail_with(f"bad header {SECRET}")
    except ValueError:
        logging.getLogger("desktop.test").exception("could not send %s", SECRET)
    logs.close()
    text = logs.path.read_text()
    assert "ValueError: bad header [key]" in text
    assert "fail_with" in text
    assert SECRET not in text
    assert stat.S_IMODE(logs.path.stat().st_mode) == 0o600


def test_five_files_of_a_megabyte_at_most(tmp_path: Path) -> None:
    logs = Logging(tmp_path, Redactor())
    for _ in range(8):
        for _ in range(9):
            logging.getLogger("desktop.test").info("%s", "x" * 100_000)
    logs.close()
    sizes = [file.stat().st_size for file in tmp_path.iterdir()]
    assert len(sizes) == 5
    assert max(sizes) <= 1_000_000


def test_libraries_that_log_keys_stay_quiet_at_debug(tmp_path: Path) -> None:
    logs = Logging(tmp_path, Redactor(), level=logging.DEBUG)
    logging.getLogger("websockets.client").debug("> TEXT auth")
    logging.getLogger("httpx").info("GET https://api/?apiKey=1")
    logging.getLogger("httpcore.http11").debug("send")
    logging.getLogger("desktop.test").debug("ours")
    logs.close()
    assert logs.path.read_text().count("\n") == 1
    assert "ours" in logs.path.read_text()


def test_closing_puts_the_root_logger_back(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    Logging(tmp_path, Redactor()).close()
    assert (root.level, list(root.handlers)) == before


def test_a_log_that_cannot_be_written_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheError, match="cannot be written"):
        Logging(tmp_path / "file", Redactor())
    with pytest.raises(CacheError, match="cannot be written"):
        CrashFile(tmp_path / "file")


@pytest.fixture
def bugs() -> list[Bug]:
    return []


@pytest.fixture
def hooks(bugs: list[Bug]) -> Iterator[Hooks]:
    hooks = install_hooks(bugs.append, Redactor(SECRET))
    yield hooks
    hooks.remove()


def test_a_bug_is_told_in_full_once_and_then_counted(hooks: Hooks, bugs: list[Bug]) -> None:
    for _ in range(3):
        try:
            fail_with(f"with {SECRET}")
        except ValueError as error:
            sys.excepthook(type(error), error, error.__traceback__)
    assert [bug.count for bug in bugs] == [1, 2, 3]
    assert [bool(bug.details) for bug in bugs] == [True, False, False]
    assert bugs[0].title == "ValueError: with [key]"
    assert "fail_with" in bugs[0].details
    assert SECRET not in bugs[0].details


def test_repeats_log_little(hooks: Hooks, bugs: list[Bug], caplog: pytest.LogCaptureFixture) -> None:
    error = ValueError("in every frame")
    for _ in range(2000):
        hooks.take(error)
    assert len(bugs) == 2000
    assert len(caplog.records) == 4  # 1, 10, 100, 1000


def test_threads_and_destructors_are_heard(hooks: Hooks, bugs: list[Bug]) -> None:
    thread = threading.Thread(target=fail_with, args=("in a thread",))
    thread.start()
    thread.join()

    class Broken:
        def __del__(self) -> None:
            raise KeyError("in a destructor")

    Broken()
    gc.collect()
    assert [bug.title for bug in bugs] == ["ValueError: in a thread", "KeyError: 'in a destructor'"]


def test_the_loops_errors_are_heard(hooks: Hooks, bugs: list[Bug]) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(hooks.on_loop_error)
        loop.call_soon(fail_with, "in a callback")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    asyncio.run(scenario())
    assert [bug.title for bug in bugs] == ["ValueError: in a callback"]


def test_removing_puts_the_hooks_back() -> None:
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    install_hooks(lambda _bug: None, Redactor()).remove()
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


CRASH = """
import ctypes, sys
from pathlib import Path
from desktop.data.log_setup import CrashFile
crash = CrashFile(Path(sys.argv[1]))
print(crash.previous)
if sys.argv[2] == "crash":
    ctypes.string_at(0)
crash.close()
"""


def test_a_crash_leaves_its_stack_for_the_next_start(tmp_path: Path) -> None:
    def start(how: str) -> tuple[int, str]:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            [sys.executable, "-c", CRASH, str(tmp_path), how],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        return done.returncode, done.stdout.strip()

    assert start("crash")[0] != 0
    code, previous = start("end well")
    assert code == 0
    assert "string_at" in Path(previous).read_text()
    assert start("end well") == (0, "None")
