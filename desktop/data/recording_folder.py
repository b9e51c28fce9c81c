"""Makes the folder of a recording, or a further part in one that is there; everything for its owner alone."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from desktop.data.recording_format import BODIES, FORMAT, KIND, MANIFEST, PART_PREFIX, Manifest, read_manifest
from desktop.domain.errors import BadInput, CacheError

DEFAULT_LIMIT_BYTES: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class RecordingOrder:
    """Where to record, and how large the whole folder may become."""

    folder: Path
    limit_bytes: int = DEFAULT_LIMIT_BYTES


def prepare(folder: Path) -> None:
    """Makes sure that `folder` is a recording, an empty one if need be.

    Raises BadInput for a folder with something else in it, CacheError when it cannot be written.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        manifest = read_manifest(folder)
        if manifest is None:
            if any(folder.iterdir()):
                raise BadInput(
                    f"{folder} holds other files and is no recording.", next_step="Name a new folder for --record."
                )
            folder.chmod(0o700)
            manifest = Manifest(KIND, FORMAT, secrets.token_hex(8))
            write_whole(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    except OSError as error:
        raise _unwritable(folder, error) from error
    if manifest.format != FORMAT:
        raise BadInput(
            f"{folder} is a recording of another version of Candelabra.", next_step="Name a new folder for --record."
        )


def make_part(folder: Path) -> tuple[Path, int]:
    """A new, empty part in `folder`, and the bytes that are in the folder already. Raises like `prepare`."""
    prepare(folder)
    try:
        held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        part = _next_part(folder)
        (part / BODIES).mkdir(mode=0o700)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return part, held


def _unwritable(folder: Path, error: OSError) -> CacheError:
    return CacheError(
        f"Nothing can be recorded in {folder} ({error.strerror}).", next_step="Name another folder for --record."
    )


def _next_part(folder: Path) -> Path:
    """Two programs may record into one folder: whoever makes the part first has it."""
    number = 1 + max((_number(part) for part in folder.glob(f"{PART_PREFIX}*")), default=0)
    while True:
        part = folder / f"{PART_PREFIX}{number:04}"
        try:
            part.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return part


def _number(part: Path) -> int:
    digits = part.name.removeprefix(PART_PREFIX)
    return int(digits) if digits.isdecimal() else 0


def write_whole(path: Path, content: bytes) -> None:
    """A small file, replaced at once. Raises OSError."""
    partial = path.with_suffix(".partial")
    with os.fdopen(open_private(partial), "wb") as file:
        file.write(content)
    partial.replace(path)


def open_private(path: Path) -> int:
    """Descriptor of a new file that its owner alone may read. Raises OSError."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
