"""A window's size, place and docks as text for the settings."""

from __future__ import annotations

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow


def saved_state(window: QMainWindow) -> dict[str, str]:
    """Size, place and docks, for `restore_state`."""
    return {"geometry": _text(window.saveGeometry()), "state": _text(window.saveState())}


def restore_state(window: QMainWindow, held: dict[str, str]) -> None:
    """Takes over what was saved; text that says nothing to Qt changes nothing."""
    if "geometry" in held:
        window.restoreGeometry(_bytes(held["geometry"]))
    if "state" in held:
        window.restoreState(_bytes(held["state"]))


def _text(data: QByteArray) -> str:
    return bytes(data.toBase64().data()).decode("ascii")


def _bytes(text: str) -> QByteArray:
    return QByteArray.fromBase64(text.encode("utf-8", "replace"))
