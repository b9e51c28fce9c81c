"""`--record` and `--record-limit`: what they order."""

from __future__ import annotations

import argparse
from pathlib import Path

from desktop.commands.parser import option
from desktop.data.recording_folder import DEFAULT_LIMIT_BYTES, RecordingOrder, prepare
from desktop.domain.errors import BadInput


def recording_order(arguments: argparse.Namespace) -> RecordingOrder | None:
    """Where to record and how much, the folder made ready; None when nothing is to be recorded.

    Raises BadInput or CacheError.
    """
    folder, megabytes = option(arguments, "record"), option(arguments, "record_limit")
    if not isinstance(folder, Path):
        if megabytes is not None:
            raise BadInput("--record-limit says how large a recording may become.", next_step="Add --record DIR.")
        return None
    if option(arguments, "offline"):
        raise BadInput("Offline no server says anything that could be recorded.")
    limit_bytes = DEFAULT_LIMIT_BYTES
    if isinstance(megabytes, int):
        if not 1 <= megabytes <= 1_000_000:
            raise BadInput(f"{megabytes} MB is no size for a recording.", next_step="Try --record-limit 500.")
        limit_bytes = megabytes * 1_000_000
    prepare(folder)
    return RecordingOrder(folder.absolute(), limit_bytes)
