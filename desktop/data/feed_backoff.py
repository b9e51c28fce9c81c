"""How long to wait before the next connection attempt."""

from __future__ import annotations

import random

from desktop.data.feed_state import BackoffOptions


class Backoff:
    """Remembers how connecting went. All times monotonic seconds, given by the caller."""

    def __init__(self, options: BackoffOptions, rng: random.Random) -> None:
        self._options = options
        self._rng = rng
        self._drops = 0  # in a row, of connections that delivered
        self._failures = 0  # in a row, of attempts that led to none
        self._down_since_s: float | None = None

    def outage_s(self, now_s: float) -> float:
        """Since the last connection that delivered was lost (or the first attempt failed); 0 when nothing failed."""
        return 0.0 if self._down_since_s is None else now_s - self._down_since_s

    def is_short_outage(self, now_s: float) -> bool:
        return self.outage_s(now_s) < self._options.short_outage_s

    def after_drop(self, now_s: float, *, up_s: float) -> float:
        """Delay after losing a connection that delivered data and had lived `up_s`."""
        options = self._options
        if up_s >= options.stable_s:
            self._drops = 0
        self._failures = 0
        self._down_since_s = now_s
        ceiling_s = _doubled(options.drop_first_s, self._drops, options.drop_most_s)
        self._drops += 1
        return self._drawn(ceiling_s)

    def after_failure(self, now_s: float, *, retry_after_s: float | None = None) -> float:
        """Delay after an attempt that led to no data; the server's own wish `retry_after_s` is honoured."""
        options = self._options
        if self._down_since_s is None:
            self._down_since_s = now_s
        ceiling_s = _doubled(options.fail_first_s, self._failures, options.fail_most_s)
        if self.is_short_outage(now_s) and ceiling_s > options.short_most_s:
            ceiling_s = options.short_most_s
        else:
            self._failures += 1
        delay_s = self._drawn(ceiling_s)
        if retry_after_s is not None:
            delay_s += min(max(0.0, retry_after_s), options.retry_after_most_s)
        return delay_s

    def clear(self) -> None:
        """Forgets everything: a person asked to try again, or the network changed."""
        self._drops = self._failures = 0
        self._down_since_s = None

    def _drawn(self, ceiling_s: float) -> float:
        return self._rng.uniform(0.0, ceiling_s)


def _doubled(first_s: float, times: int, most_s: float) -> float:
    return min(most_s, first_s * 2.0 ** min(times, 32))
