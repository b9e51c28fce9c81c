"""What was typed on the command line, checked before anything is opened."""

from __future__ import annotations

from desktop.commands.times import parse_time
from desktop.domain.errors import BadInput
from desktop.domain.market import is_plausible_ticker


def checked_ticker(text: str) -> str:
    """The ticker. Raises BadInput for what cannot be one."""
    if not is_plausible_ticker(text):
        raise BadInput(f"“{text}” is not a ticker.", next_step="Try X:BTCUSD, C:EURUSD or AAPL.")
    return text


def checked_range(from_: str, to: str) -> tuple[int, int]:
    """Begin and end (exclusive) in Unix ms. Raises BadInput."""
    from_ms, to_ms = parse_time(from_), parse_time(to)
    if from_ms >= to_ms:
        raise BadInput("--from must lie before --to.")
    return from_ms, to_ms
