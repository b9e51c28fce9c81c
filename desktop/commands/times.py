"""Times as people type them on the command line."""

from __future__ import annotations

import datetime as dt

from desktop.domain.errors import BadInput


def parse_time(text: str) -> int:
    """Unix ms of an ISO date (midnight UTC), an ISO date-time (UTC unless it names an offset) or Unix ms.

    Raises BadInput.
    """
    text = text.strip()
    if text.lstrip("-").isdigit() and len(text) > 4:
        return int(text)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(
            f"“{text}” is not a time.", next_step="Use 2024-03-01, 2024-03-01T14:00 or Unix milliseconds."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return round(moment.timestamp() * 1000)
