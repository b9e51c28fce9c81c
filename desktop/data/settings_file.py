"""Settings to and from one JSON file, replaced atomically; what is wrong in it costs that field, never the start."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import tempfile
import time
import typing
from pathlib import Path
from typing import Any

import msgspec

from desktop.domain.addresses import REST_SCHEMES, SOCKET_SCHEMES, checked_base
from desktop.domain.errors import BadInput, CacheError
from desktop.domain.market import is_plausible_ticker
from desktop.domain.settings import Settings
from desktop.domain.timeframe import Timeframe
from desktop.domain.zones import check_choice

_LARGEST_BYTES = 4 * 2**20
_KEPT_BROKEN_FILES = 2


def load(path: Path) -> tuple[Settings, list[str]]:
    """The settings in the file and one sentence for each thing that was wrong; a missing file gives the defaults.

    Unknown fields are ignored, an unusable value falls back to its default, a file that is no JSON object is set
    aside as `settings.json.corrupt-<time>`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return Settings(), []
    except OSError as error:
        return Settings(), [f"The settings cannot be read ({error.strerror}); the defaults are in use."]
    try:
        found = msgspec.json.decode(content, type=dict[str, Any]) if len(content) <= _LARGEST_BYTES else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        return Settings(), [_set_aside(path)]
    return _settings_of(found)


def save(path: Path, settings: Settings) -> None:
    """Replaces the file in one step, so that a crash leaves the old or the new one. Raises CacheError."""
    content = json.dumps(msgspec.to_builtins(settings), indent=2, sort_keys=True, ensure_ascii=False).encode()
    temporary = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:  # 0600
            temporary = Path(file.name)
            file.write(content + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink()
        raise CacheError(f"The settings cannot be saved ({error.strerror or type(error).__name__}).") from error


def _settings_of(found: dict[str, Any]) -> tuple[Settings, list[str]]:
    types = typing.get_type_hints(Settings)
    values: dict[str, Any] = {}
    sentences = []
    for field in dataclasses.fields(Settings):
        if field.name not in found:
            continue
        try:
            value = msgspec.convert(found[field.name], types[field.name])
            _check(field.name, value)
        except (msgspec.ValidationError, BadInput):
            sentences.append(f"The setting “{field.name}” is not usable; its default is in use.")
        else:
            values[field.name] = value
    return Settings(**values), sentences


def _check(name: str, value: Any) -> None:
    """Raises BadInput for a value of the right type that must not be used."""
    match name:
        case "rest_base":
            checked_base(value, schemes=REST_SCHEMES)
        case "socket_base":
            checked_base(value, schemes=SOCKET_SCHEMES)
        case "timeframe":
            Timeframe.parse(value)
        case "zone":
            check_choice(value)
        case "ticker" if not is_plausible_ticker(value):
            raise BadInput("not a ticker")


def _set_aside(path: Path) -> str:
    """Renames a broken file, keeps the newest few of such, and gives the sentence that says so."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    aside = path.with_name(f"{path.name}.corrupt-{stamp}")
    try:
        path.replace(aside)
        older = sorted(path.parent.glob(f"{path.name}.corrupt-*"))[:-_KEPT_BROKEN_FILES]
        for file in older:
            file.unlink()
    except OSError as error:
        return f"The settings file is damaged and cannot be moved ({error.strerror}); the defaults are in use."
    return f"The settings file was damaged; it was set aside as {aside.name} and the defaults are in use."


def _sync_folder(folder: Path) -> None:
    """Makes a rename durable where folders can be synced."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
