"""The ground the application stands on: sound reference counts, pins that hold, start-up checks that speak plainly."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from desktop.platform_check import choose_platform, has_screen, refusal, restore_library_path

ROOT = Path(__file__).resolve().parents[1]

COUNT_REFERENCES = """
import sys
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel()
label.setText("warm")
before = sys.getrefcount(None)
for i in range(500):
    label.setText(str(i))
print(sys.getrefcount(None) - before)
"""


def test_void_calls_keep_the_references_of_none() -> None:
    run = subprocess.run(
        [sys.executable, "-c", COUNT_REFERENCES], capture_output=True, text=True, timeout=60, check=True
    )
    # 6.12.0 on 3.11 gives -500 here and aborts the process after about ten times as many calls.
    assert abs(int(run.stdout)) < 50


def test_this_installation_is_accepted() -> None:
    assert refusal() is None


@pytest.mark.parametrize(
    ("python", "pyside", "is_refused"),
    [
        ((3, 11, 7), "6.11.3", False),
        ((3, 11, 7), "6.12.0", True),
        ((3, 11, 7), "6.12.1", True),
        ((3, 12, 0), "6.12.0", False),
        ((3, 13, 1), "6.12.0", False),
        ((3, 10, 9), "6.11.3", True),
    ],
)
def test_refuses_the_combinations_that_abort(python: tuple[int, ...], pyside: str, is_refused: bool) -> None:
    sentence = refusal(python, pyside)
    assert (sentence is not None) is is_refused
    if sentence is not None:
        assert ".".join(map(str, python)) in sentence


def test_the_pin_admits_no_pyside_that_aborts_on_python_3_11() -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    pins = [text for text in dependencies if text.startswith("PySide6")]
    assert all(text.startswith("PySide6-Essentials") for text in pins), "Addons are 160 MB that nothing uses"
    (old,) = [text for text in pins if "python_version < '3.12'" in text]
    assert "<6.12" in old


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_the_locks_hold_a_sound_pyside_for_python_3_11(name: str) -> None:
    lines = (ROOT / "packaging" / name).read_text().splitlines()
    for line in lines:
        if line.startswith("pyside6-essentials==6.12."):
            assert "python_full_version >= '3.12'" in line, line
    assert any(re.match(r"pyside6-essentials==6\.11\.", line) for line in lines)
    assert not any(line.startswith(("pyside6==", "pyside6-addons==")) for line in lines)


def test_no_screen_without_a_display() -> None:
    assert not has_screen({}, "linux")
    assert has_screen({}, "darwin")
    assert has_screen({}, "win32")


@pytest.mark.parametrize("display", ["nonsense", ":", ":x", ":98765", "[::1]:59535", "127.0.0.1:99999"])
def test_a_display_that_does_not_answer_is_no_screen(display: str) -> None:
    assert not has_screen({"DISPLAY": display}, "linux")


def test_a_listening_x_server_is_a_screen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1] - 6000
        assert number >= 0, "the system gave a port below X11's"
        assert has_screen({"DISPLAY": f"127.0.0.1:{number}.0"}, "linux")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no local sockets here")
def test_a_listening_wayland_compositor_is_a_screen(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "WAYLAND_DISPLAY": "wayland-0"}
    assert not has_screen(environ, "linux")
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind(str(tmp_path / "wayland-0"))
        compositor.listen()
        assert has_screen(environ, "linux")


OPEN_WINDOW = """
from PySide6.QtWidgets import QApplication, QLabel
app = QApplication([])
label = QLabel("here")
label.show()
print(app.platformName(), label.isVisible())
"""


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no Xvfb on this machine")
def test_a_window_opens_on_a_real_x_server(tmp_path: Path) -> None:
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            display = f":{server.stdout.readline().strip()}"  # written when the server is ready
            assert has_screen({"DISPLAY": display}, "linux")
            environ = {"DISPLAY": display, "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
            run = subprocess.run(
                [sys.executable, "-c", OPEN_WINDOW],
                env=environ,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        finally:
            server.terminate()
    assert run.stdout.split() == ["xcb", "True"], run.stderr
    assert not has_screen({"DISPLAY": display}, "linux")


def test_without_a_screen_qt_is_told_to_draw_offscreen_and_the_user_why() -> None:
    environ: dict[str, str] = {}
    sentence = choose_platform(environ, "linux")
    assert environ["QT_QPA_PLATFORM"] == "offscreen"
    assert sentence is not None
    assert "DISPLAY" in sentence

    environ = {"DISPLAY": "nonsense"}
    sentence = choose_platform(environ, "linux")
    assert sentence is not None
    assert "DISPLAY=nonsense" in sentence


def test_a_chosen_platform_is_left_alone() -> None:
    environ = {"QT_QPA_PLATFORM": "vnc"}
    assert choose_platform(environ, "linux") is None
    assert environ == {"QT_QPA_PLATFORM": "vnc"}


@pytest.mark.parametrize(
    ("frozen", "restored"),
    [
        ({"LD_LIBRARY_PATH": "/app/_internal", "LD_LIBRARY_PATH_ORIG": "/opt/lib"}, {"LD_LIBRARY_PATH": "/opt/lib"}),
        ({"LD_LIBRARY_PATH": "/app/_internal", "LD_LIBRARY_PATH_ORIG": ""}, {}),
        ({"LD_LIBRARY_PATH": "/app/_internal"}, {}),
        ({}, {}),
    ],
)
def test_children_get_the_users_library_path(frozen: dict[str, str], restored: dict[str, str]) -> None:
    restore_library_path(frozen)
    assert frozen == restored
