"""Fetches a range anew and holds what the cache had against it; what came is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from desktop.data.clock import MarketClock
from desktop.data.gap_filler import GapFiller, Series
from desktop.data.ledger import Range, settled_ranges_of, settled_until, without
from desktop.data.rate_limit import Priority
from desktop.data.rest import RestClient, one_call_ms
from desktop.data.store import Store
from desktop.domain.audit import AuditReport, Findings, compare
from desktop.domain.bars import Bars
from desktop.domain.coverage import gaps
from desktop.domain.errors import MarketError
from desktop.domain.timeframe import bucket_end, bucket_start


@dataclass(frozen=True, slots=True)
class AuditProgress:
    """Pages done of all and findings so far; the bars of [from_ms, to_ms) are stored as the vendor has them now."""

    done: int
    pages: int
    findings: Findings
    from_ms: int
    to_ms: int


def audit_calls(series: Series, from_ms: int, to_ms: int) -> int:
    """How many calls an audit of [from_ms, to_ms) takes, at most but for retries."""
    return max(1, -(-(to_ms - from_ms) // one_call_ms(series.base, series.market)))


async def audit(
    rest: RestClient,
    store: Store,
    clock: MarketClock,
    filler: GapFiller,
    series: Series,
    asked: Range,
    on_progress: Callable[[AuditProgress], None],
) -> AuditReport:
    """Fetches the settled bars of a range page by page and compares them with what the cache held as settled.

    A page is stored before it is reported; what was done when it ends early stays done.
    Raises MarketError when not even the first page could be had.
    """
    began_ms = clock.now_ms()
    (from_ms, to_ms), sentence = _settled_part(series, asked, filler, began_ms)
    findings, added, at_ms = Findings(), 0, from_ms
    pages, page_ms = audit_calls(series, from_ms, to_ms), one_call_ms(series.base, series.market)
    for number in range(1, pages + 1):
        if at_ms >= to_ms:
            break
        page = (at_ms, min(at_ms + page_ms, to_ms))
        try:
            found, new = await _page(rest, store, clock, filler, series, page)
        except MarketError as error:
            if at_ms == from_ms:
                raise
            sentence = f"The rest could not be compared. {error}"
            break
        findings, added, at_ms = findings + found, added + new, page[1]
        on_progress(AuditProgress(number, pages, findings, *page))
    return AuditReport(series.ticker, series.base, from_ms, at_ms, began_ms, findings, added, sentence)


async def _page(
    rest: RestClient, store: Store, clock: MarketClock, filler: GapFiller, series: Series, page: Range
) -> tuple[Findings, int]:
    """Findings of one page, and how many bars came that the cache did not claim to have."""
    name = (series.ticker, series.base, series.adjusted)
    covered = await store.covered(*name, *page)
    held = settled_ranges_of(covered, series.base, series.market, clock.now_ms())
    before = await store.bars(*name, *page)
    await filler.refetch(rest, series, page, Priority.SCREEN)
    after = await store.bars(*name, *page)
    unproven = filler.unproven_ranges(series)  # a silence that proves nothing is no comparison
    unclaimed = gaps(held, *page)
    left, right = (without(without(bars, unclaimed), unproven) for bars in (before, after))
    return compare(left, right), _count_within(after, unclaimed)


def _count_within(bars: Bars, ranges: list[Range]) -> int:
    return len(bars) - len(without(bars, ranges))


def _settled_part(series: Series, asked: Range, filler: GapFiller, now_ms: int) -> tuple[Range, str | None]:
    """Whole base bars of the range that will not change any more and that the plan has, and what was left out."""
    base, market = series.base, series.market
    begin_ms = bucket_start(asked[0], base, market)
    end_ms = bucket_end(bucket_start(asked[1] - 1, base, market), base, market)
    oldest_ms, newest_ms = filler.edges.oldest_ms(market, now_ms), filler.edges.newest_ms(market, now_ms)
    settled_ms = bucket_start(settled_until(now_ms, market), base, market)
    sentence = None
    if settled_ms < end_ms:
        end_ms, sentence = settled_ms, "The newest bars are not settled yet and were not compared."
    if newest_ms is not None and newest_ms < end_ms:
        end_ms, sentence = newest_ms, "The plan does not include the current day, which was not compared."
    if oldest_ms is not None and begin_ms < oldest_ms:
        begin_ms, sentence = oldest_ms, "The plan does not include the oldest part, which was not compared."
    return (begin_ms, max(begin_ms, end_ms)), sentence
