"""What must hold before Qt loads: a sound PySide6 for this Python, a screen, a clean library path. No third party."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping, MutableMapping
from importlib import metadata
from pathlib import Path

_SCREEN_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")
_CONNECT_TIMEOUT_S = 0.5


def refusal(python: tuple[int, ...] | None = None, pyside: str | None = None) -> str | None:
    """Why the application cannot run with this Python and PySide6, as one sentence with the remedy; None when it can.

    Both default to what is installed; a PySide6 without package data (a frozen one) was checked when it was built.
    """
    python = python or tuple(sys.version_info[:3])
    pyside = pyside or _installed_pyside()
    if python < (3, 11):
        return f"Candelabra needs Python 3.11 or newer; this is {_dotted(python)}."
    if pyside is not None and pyside.startswith("6.12.") and python < (3, 12):
        return (
            f"PySide6 {pyside} aborts on Python {_dotted(python)} after a few thousand calls. "
            "Install PySide6-Essentials 6.11.3, or use Python 3.12 or newer."
        )
    return None


def _installed_pyside() -> str | None:
    try:
        return metadata.version("PySide6-Essentials")
    except metadata.PackageNotFoundError:
        return None


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def has_screen(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> bool:
    """True when a window can be opened. On Linux Qt would abort the whole process without a display that answers."""
    environ = os.environ if environ is None else environ
    if not platform.startswith("linux"):
        return True
    if (wayland := environ.get("WAYLAND_DISPLAY")) and _answers_unix(
        str(Path(environ.get("XDG_RUNTIME_DIR", "/")) / wayland)
    ):
        return True
    return _x11_answers(environ.get("DISPLAY", ""))


def choose_platform(environ: MutableMapping[str, str] | None = None, platform: str = sys.platform) -> str | None:
    """Sets QT_QPA_PLATFORM=offscreen where there is no screen and nothing was chosen; then a sentence for stderr."""
    environ = os.environ if environ is None else environ
    if environ.get("QT_QPA_PLATFORM") or has_screen(environ, platform):
        return None
    environ["QT_QPA_PLATFORM"] = "offscreen"
    named = [f"{name}={environ[name]}" for name in _SCREEN_VARIABLES if environ.get(name)]
    if named:
        return f"The screen {' '.join(named)} does not answer: running offscreen, no window will open."
    return "There is no screen (DISPLAY and WAYLAND_DISPLAY are not set): running offscreen, no window will open."


def restore_library_path(environ: MutableMapping[str, str] | None = None) -> None:
    """Gives child processes the user's LD_LIBRARY_PATH: a frozen start points it at the bundled libraries."""
    environ = os.environ if environ is None else environ
    original = environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if original:
        environ["LD_LIBRARY_PATH"] = original
    else:
        environ.pop("LD_LIBRARY_PATH", None)


def _x11_answers(display: str) -> bool:
    """display: X11's `host:number.screen`; an empty host is this machine."""
    host, colon, rest = display.rpartition(":")
    number = rest.partition(".")[0]
    if not colon or not number.isascii() or not number.isdigit():
        return False
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{number}"
        return _answers_unix(path) or _answers_unix(f"\0{path}")
    try:
        with socket.create_connection((host.strip("[]"), 6000 + int(number)), _CONNECT_TIMEOUT_S):
            return True
    except (OSError, OverflowError):
        return False


def _answers_unix(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_CONNECT_TIMEOUT_S)
        try:
            client.connect(path)
        except OSError:
            return False
        return True
