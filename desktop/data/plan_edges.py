"""How far back and how near to now the plan's data reach, learnt from refusals and remembered for a week."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Final

from desktop.data.store import Store
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, ONE_DAY, bucket_end, bucket_start

_NAME: Final = "plan_edges"
_REMEMBERED_MS: Final = 7 * DAY_MS
# Plans are sold as 10, 5 and 2 years; the shorter ones are for servers that are not the vendor's.
_DEPTHS_MS: Final = tuple(days * DAY_MS for days in (3650, 1825, 730, 365, 182, 90, 30, 7, 2))


@dataclass(slots=True)
class _Edges:
    learnt_ms: int
    depth_ms: int | None = None  # older than this is refused
    allowed_ms: int | None = None  # an age that is known to be allowed
    is_end_of_day: bool = False  # the current day is refused


class PlanEdges:
    """What the plan leaves out, per market."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._edges: dict[Market, _Edges] = {}
        self._is_loaded = False

    async def load(self) -> None:
        """Reads what was learnt in earlier runs; once."""
        if self._is_loaded:
            return
        saved = await self._store.get_value(_NAME)
        for name, fields in saved.items() if isinstance(saved, dict) else ():
            self._edges.setdefault(Market(name), _Edges(**fields))
        self._is_loaded = True

    async def forget(self) -> None:
        """Another key or plan: everything is asked for again."""
        self._edges.clear()
        self._is_loaded = True
        await self._store.put_value(_NAME, {})

    def oldest_ms(self, market: Market, now_ms: int) -> int | None:
        """Before this the plan has nothing; None when no such edge was met."""
        edges = self._of(market, now_ms)
        if edges is None or edges.depth_ms is None:
            return None
        return _first_whole_day(now_ms - edges.depth_ms, market)

    def newest_ms(self, market: Market, now_ms: int) -> int | None:
        """From this on the plan has nothing yet; None when no such edge was met."""
        edges = self._of(market, now_ms)
        return bucket_start(now_ms, ONE_DAY, market) if edges is not None and edges.is_end_of_day else None

    async def learn(
        self, market: Market, from_ms: int, now_ms: int, is_allowed: Callable[[int], Awaitable[bool]]
    ) -> bool:
        """Finds out why a range from `from_ms` on was refused. Answers whether anything new is known.

        is_allowed: asks the vendor for a little data at a time of day's start, at the cost of a call.
        """
        today_ms = bucket_start(now_ms, ONE_DAY, market)
        edges = self._of(market, now_ms) or _Edges(now_ms)
        known_good = edges.allowed_ms is not None and from_ms >= now_ms - edges.allowed_ms
        if from_ms >= today_ms or known_good:
            is_new = not edges.is_end_of_day
            edges.is_end_of_day = True
        else:
            ages = [now_ms - from_ms, *(depth for depth in _DEPTHS_MS if depth < now_ms - from_ms)]
            first, last = 0, len(ages)
            while first < last:
                middle = (first + last) // 2
                asked_ms = now_ms - ages[middle]
                day_ms = bucket_start(asked_ms, ONE_DAY, market) if middle == 0 else _first_whole_day(asked_ms, market)
                if await is_allowed(day_ms):
                    last = middle
                else:
                    first = middle + 1
            is_new = True
            if first == 0:
                edges.is_end_of_day = True
            else:
                edges.depth_ms = ages[first] if first < len(ages) else 0
            edges.allowed_ms = ages[first] if first < len(ages) else None
        edges.learnt_ms = now_ms
        self._edges[market] = edges
        await self._save()
        return is_new

    def _of(self, market: Market, now_ms: int) -> _Edges | None:
        edges = self._edges.get(market)
        return edges if edges is not None and abs(now_ms - edges.learnt_ms) < _REMEMBERED_MS else None

    async def _save(self) -> None:
        await self._store.put_value(_NAME, {market.value: asdict(edges) for market, edges in self._edges.items()})


def _first_whole_day(time_ms: int, market: Market) -> int:
    """The first day that begins at `time_ms` or later: plans count to the millisecond, and refuse a day cut through."""
    start_ms = bucket_start(time_ms, ONE_DAY, market)
    return start_ms if start_ms == time_ms else bucket_end(start_ms, ONE_DAY, market)
