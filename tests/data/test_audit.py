"""Ranges fetched anew and held against the cache: over a real server, a real store, real sockets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from desktop.data.audit import AuditProgress, audit_calls
from desktop.data.market_data import series_of
from desktop.domain.bars import Bars
from desktop.domain.errors import NotInPlan, Offline
from desktop.domain.timeframe import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    ONE_DAY,
    ONE_HOUR,
    ONE_MINUTE,
    ONE_SECOND,
    Timeframe,
)
from tests.data.small_vendor import Reply, json_reply
from tests.data.test_market_data import NOW, Bench, assert_same, bench, random_minutes

TICKER = "X:BTCUSD"
FROM_MS, TO_MS = NOW - NOW % DAY_MS - DAY_MS, NOW - NOW % DAY_MS


async def filled(b: Bench, timeframe: Timeframe = ONE_MINUTE, ticker: str = TICKER) -> Bars:
    """The cache holds what the vendor had in the day."""
    b.vendor.minutes[ticker] = random_minutes(NOW - 5 * DAY_MS, NOW)
    answer = await b.data.bars(ticker, timeframe, FROM_MS, TO_MS)
    b.calls()
    return answer.bars


def repaired(bars: Bars, index: int, close: float) -> Bars:
    values = bars.close.copy()
    values[index] = close
    return replace(bars, close=values)


@pytest.mark.parametrize("ticker", [TICKER, "AAPL"])
@pytest.mark.parametrize("timeframe", [ONE_MINUTE, ONE_HOUR, ONE_DAY, Timeframe.parse("7m")])
def test_an_untouched_range_is_the_same_for_one_call(run_async, tmp_path: Path, timeframe, ticker) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            await filled(b, timeframe, ticker)
            held = await b.store.bars(ticker, timeframe.base, True, FROM_MS, TO_MS)
            report = await b.data.audit(ticker, timeframe, FROM_MS, TO_MS)
            assert report.is_clean
            assert report.sentence is None
            assert report.timeframe == timeframe.base
            assert report.findings.compared == len(held)
            assert len(b.calls()) == 1 == audit_calls(series_of(ticker, timeframe), FROM_MS, TO_MS)

    run_async(scenario())


def test_what_the_vendor_repaired_is_named_and_taken_over(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            held = await filled(b)
            minutes = b.vendor.minutes[TICKER]
            at = int(minutes.start_ms.searchsorted(FROM_MS)) + 100
            changed_ms, gone_ms = int(minutes.start_ms[at]), int(minutes.start_ms[at + 50])
            changed = repaired(minutes, at, 777.0)
            new_ms = next(t for t in range(FROM_MS, TO_MS, MINUTE_MS) if t not in set(minutes.start_ms.tolist()))
            late = Bars.from_columns([new_ms], [column[:1] for column in random_minutes(NOW - HOUR_MS, NOW).values()])
            keep = changed.start_ms != gone_ms
            b.vendor.minutes[TICKER] = Bars(changed.start_ms[keep], *(c[keep] for c in changed.values())).merged(late)
            report = await b.data.audit(TICKER, ONE_MINUTE, FROM_MS, TO_MS)
            found = report.findings
            assert (found.differing, found.missing_here, found.missing_there) == (1, 1, 1)
            cells = {(d.start_ms, d.field): d for d in found.differences}
            assert set(cells) == {(changed_ms, "close"), (gone_ms, "bar"), (new_ms, "bar")}
            old = float(held.close[held.start_ms.searchsorted(changed_ms)])
            assert (cells[changed_ms, "close"].cached, cells[changed_ms, "close"].vendor) == (old, 777.0)
            assert_same(
                await b.store.bars(TICKER, ONE_MINUTE, True, FROM_MS, TO_MS),
                b.truth(TICKER, ONE_MINUTE, FROM_MS, TO_MS),
            )
            assert (await b.data.audit(TICKER, ONE_MINUTE, FROM_MS, TO_MS)).is_clean

    run_async(scenario())


def test_a_range_that_was_never_fetched_is_no_difference(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            await filled(b)
            report = await b.data.audit(TICKER, ONE_MINUTE, FROM_MS - DAY_MS, TO_MS)
            assert report.is_clean
            assert report.added == len(b.truth(TICKER, ONE_MINUTE, FROM_MS - DAY_MS, FROM_MS)) > 0

    run_async(scenario())


def test_bars_that_may_still_change_are_left_out(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes[TICKER] = random_minutes(NOW - DAY_MS, NOW)
            await b.data.bars(TICKER, ONE_MINUTE, NOW - HOUR_MS, NOW)
            report = await b.data.audit(TICKER, ONE_MINUTE, NOW - HOUR_MS, NOW)
            assert report.is_clean
            assert NOW - 7 * MINUTE_MS < report.to_ms <= NOW - 5 * MINUTE_MS
            assert report.sentence is not None
            assert "not settled" in report.sentence

    run_async(scenario())


def test_progress_is_told_page_by_page_and_an_error_keeps_what_was_done(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            b.vendor.minutes[TICKER] = random_minutes(NOW - 80 * DAY_MS, NOW - 70 * DAY_MS, share=0.01)
            from_ms = NOW - 80 * DAY_MS
            told: list[AuditProgress] = []
            calls = audit_calls(series_of(TICKER, ONE_MINUTE), from_ms, TO_MS)
            await b.data.audit(TICKER, ONE_MINUTE, from_ms, TO_MS, told.append)
            assert [step.done for step in told] == list(range(1, calls + 1))
            assert len(b.calls()) == calls == 3

            def stumble(step: AuditProgress) -> None:
                b.vendor.faults.extend([Reply(500, b"")] * 20)

            report = await b.data.audit(TICKER, ONE_MINUTE, from_ms, TO_MS, stumble)
            assert report.to_ms == told[0].to_ms
            assert report.sentence is not None
            assert report.sentence.startswith("The rest could not be compared.")

    run_async(scenario())


def test_nothing_at_all_is_an_error_with_a_sentence(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with bench(tmp_path) as b:
            await filled(b)
            b.vendor.faults.append(json_reply({"status": "NOT_AUTHORIZED", "message": "Upgrade your plan."}, 403))
            with pytest.raises(NotInPlan):
                await b.data.audit(TICKER, ONE_MINUTE, FROM_MS, TO_MS)
            b.data.rest = None
            with pytest.raises(Offline):
                await b.data.audit(TICKER, ONE_MINUTE, FROM_MS, TO_MS)

    run_async(scenario())


def test_calls_are_told_before(run_async) -> None:
    def calls(ticker: str, timeframe: Timeframe, days: float) -> int:
        return audit_calls(series_of(ticker, timeframe), 0, round(days * DAY_MS))

    assert [calls(TICKER, ONE_MINUTE, days) for days in (1, 34, 35, 365)] == [1, 1, 2, 11]
    assert calls(TICKER, ONE_HOUR, 365) == 11  # hours are paged by their minutes
    assert calls(TICKER, ONE_DAY, 3650) == 1
    assert calls("AAPL", ONE_MINUTE, 365) == 6
    assert calls(TICKER, ONE_SECOND, 1) == 2
