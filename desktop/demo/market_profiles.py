"""How trading is spread over a session: minutes of activity and their shares of the day's variance."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from desktop.domain.bars import Floats
from desktop.domain.market import Market

_CRYPTO: Final = ((0, 1.0), (240, 0.75), (480, 0.95), (840, 1.45), (1020, 1.25), (1320, 0.8), (1440, 1.0))
_FOREX: Final = (
    (0, 0.6),
    (180, 0.5),
    (420, 1.2),
    (540, 1.4),
    (720, 1.2),
    (870, 1.9),
    (1020, 1.2),
    (1260, 0.3),
    (1440, 0.6),
)
_PRE: Final = ((0, 0.02), (180, 0.03), (240, 0.05), (330, 0.14))
_REGULAR: Final = ((330, 2.4), (360, 1.5), (510, 0.7), (690, 1.0), (720, 1.6))
_POST: Final = ((720, 0.16), (780, 0.05), (960, 0.015))
_EARLY_REGULAR: Final = ((330, 2.4), (360, 1.4), (480, 0.8), (540, 1.3))
_EARLY_POST: Final = ((540, 0.1), (600, 0.04), (780, 0.015))
_STOCK_MINUTES: Final = 960  # 04:00 to 20:00 New York
_DAY_MINUTES: Final = 1440

Knots = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Profiles:
    """Sessions of one market, by index: columns (sessions, minutes)."""

    activity: Floats  # trades of the minute against those of an average one; 0 when closed
    deviation: Floats  # of the minute's price change against the session's
    share: Floats  # of the session's variance that has passed at the minute's end

    @property
    def minutes(self) -> int:
        return int(self.activity.shape[1])


def _profiles(sessions: list[Floats]) -> Profiles:
    activity = np.stack(sessions)
    # Prices move less than trades come: quiet minutes still have a third of the usual variance.
    variance = np.where(activity > 0, activity + 0.3 * (activity.max(axis=1, keepdims=True) < 2), 0.0)
    passed = variance.cumsum(axis=1)
    total = passed[:, -1:]
    return Profiles(activity, np.sqrt(variance / total), passed / total)


def _curve(minutes: int, *parts: Knots) -> Floats:
    """Straight lines between the knots of each part; nothing between the parts."""
    curve = np.zeros(minutes)
    for knots in parts:
        for (begin, low), (end, high) in pairwise(knots):
            curve[begin:end] = low + (high - low) * (np.arange(end - begin) / (end - begin))
    return curve


def _forex() -> list[Floats]:
    usual = _curve(_DAY_MINUTES, _FOREX)
    minute = np.arange(_DAY_MINUTES)
    edges = (21 * 60, 22 * 60)
    return [usual, *(usual * (minute >= edge) for edge in edges), *(usual * (minute < edge) for edge in edges)]


PROFILES: Final = {
    Market.CRYPTO: _profiles([_curve(_DAY_MINUTES, _CRYPTO)]),
    Market.STOCKS: _profiles(
        [
            _curve(_STOCK_MINUTES, _PRE, _REGULAR, _POST),
            _curve(_STOCK_MINUTES, _PRE, _EARLY_REGULAR, _EARLY_POST),
        ]
    ),
    Market.FOREX: _profiles(_forex()),
}
