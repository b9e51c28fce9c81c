"""`--record` and `--record-limit`: what they order."""

from __future__ import annotations

import argparse
from pathlib import Path

from desktop.commands.parser import option
from desktop.data.recording_folder import DEFAULT_LIMIT_BYTES, RecordingOrder
from desktop.domain.errors import BadInput


def recording_order(arguments: argparse.Namespace) -> RecordingOrder | None:
    """Where to record and how much; None when nothing is to be recorded. Raises BadInput."""
    folder, megabytes = option(arguments, "record"), option(arguments, "record_limit")
    if not isinstance(folder, Path):
        if megabytes is not None:
            raise BadInput("--record-limit says how large a recording may become.", next_step="Add --record DIR.")
        return None
    if not isinstance(megabytes, int):
        return RecordingOrder(folder, DEFAULT_LIMIT_BYTES)
    if not 1 <= megabytes <= 1_000_000:
        raise BadInput(f"{megabytes} MB is no size for a recording.", next_step="Try --record-limit 500.")
    return RecordingOrder(folder, megabytes * 1_000_000)
