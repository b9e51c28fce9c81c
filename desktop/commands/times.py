"""Times as people type them on the command line, and numbers as they are printed."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

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


def number(value: float) -> str:
    """The shortest decimal that reads back as the same float, never with an exponent; empty when unknown."""
    if math.isnan(value):
        return ""
    text = repr(value)
    if "e" in text:
        return str(np.format_float_positional(value, trim="-"))
    return text.removesuffix(".0")
