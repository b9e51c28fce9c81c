"""The live path over a long time: a share of it in every run of the tests, the whole of it in `make soak`.

CANDELABRA_SOAK_SECONDS sets the length of the long run (1800 by default).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.aggregation import bar_of_trades
from desktop.domain.timeframe import HOUR_MS, MINUTE_MS, ONE_HOUR, ONE_MINUTE
from tests.helpers.feed_server import PROJECT
from tests.soak.dense_market import COINS, OPENED_MS, PAIRS, STOCKS, TICKERS, DenseMarket
from tests.soak.judgement import Course, Orders, Summary, judge
from tests.soak.oracle import Correction, Findings, Row, check_chart, check_series
from tests.soak.samples import Sample, Windows, growth

LONG_S = float(os.environ.get("CANDELABRA_SOAK_SECONDS", "1800"))
NOW_MS = OPENED_MS + 2 * HOUR_MS + 31_234


def soak(out: Path, *arguments: object) -> Summary:
    """Runs it in a process of its own, so that nothing of the tests is measured."""
    command = [sys.executable, "-m", "tests.soak.run", "--out", str(out), *map(str, arguments)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    sys.stdout.write(ended.stdout)
    assert (out / "summary.json").exists(), ended.stderr
    return msgspec.json.decode((out / "summary.json").read_bytes(), type=Summary)


@pytest.mark.timeout(400)
def test_drops_leave_no_hole_and_nothing_behind(tmp_path: Path) -> None:
    summary = soak(tmp_path, "--seconds", 24, "--drop-every", 5, "--least-drops", 3, "--sample-every", 0.5)
    assert summary.failures == []
    assert summary.drops >= 3
    assert summary.series >= 20


@pytest.mark.soak
@pytest.mark.timeout(LONG_S + 600)
def test_half_an_hour_at_5000_events_a_second(tmp_path: Path) -> None:
    kept = PROJECT / "build" / "soak"
    summary = soak(tmp_path, "--seconds", LONG_S)
    kept.mkdir(parents=True, exist_ok=True)
    for name in ("samples.csv", "table.txt", "summary.json"):
        shutil.copy(tmp_path / name, kept / name)
    assert summary.failures == []
    assert summary.drops >= int(LONG_S / 20 * 0.8)


def sample(at_s: float, **changes: float) -> Sample:
    still = Sample(
        at_s=at_s,
        rss=200 << 20,
        private=180 << 20,
        blocks=700_000,
        tasks=27,
        threads=18,
        handles=41,
        cache=4096,
        wal=4096,
        events=int(at_s * 5_500),
        events_per_s=5_500,
        lag_ms=40,
        longest_lag_ms=90,
        gap_ms=30,
        drops=int(at_s / 20),
        charts_live=9,
        server_rss=150 << 20,
    )
    return replace(still, **changes)  # type: ignore[arg-type]


def course(change: dict[str, float] | None = None, **more: object) -> Course:
    """Half an hour in which nothing happens; `change` is what a field becomes a second later than the one before."""
    samples = [
        sample(at_s, **{name: getattr(sample(0), name) + by_s * at_s for name, by_s in (change or {}).items()})
        for at_s in range(10, 1801, 10)
    ]
    return replace(Course(samples=samples, drops=89, connections=(90, 90, 90)), **more)  # type: ignore[arg-type]


ORDERS = Orders(1800, 20, 10, Path())
FOUND = Findings(series=20, bars=3_000)


def test_a_quiet_run_is_fine() -> None:
    assert judge(ORDERS, course(), FOUND).failures == []


@pytest.mark.parametrize(
    ("run", "found", "said"),
    [
        (course({"rss": (200 << 20) * 0.025 / 1_320}), FOUND, "memory grew by 2.5%"),
        (course({"handles": 1 / 20}), FOUND, "handles at rest: 56.0, in the end 122.0"),
        (course({"tasks": 1 / 400}), FOUND, "tasks at rest"),
        (course({"threads": 1 / 400}), FOUND, "threads at rest"),
        (course({"events": 4_900}), FOUND, "only 4900 events/s"),
        (course({"lag_ms": 2}), FOUND, "3460 ms behind the market in the end"),
        (course(errors=["task feed failed"]), FOUND, "task feed failed"),
        (course(notices=["The cache was damaged."]), FOUND, "The cache was damaged."),
        (course(left=["task feed crypto"]), FOUND, "task feed crypto"),
        (course(connections=(90, 89, 90)), FOUND, "89 drops, sockets opened (90, 89, 90) times"),
        (course(), Findings(series=20, bars=3_000, wrong=["X:D000USD 1m 0: invented"]), "1 bars are wrong"),
        (course(), Findings(), "no bar was compared"),
    ],
)
def test_what_is_wrong_is_said(run: Course, found: Findings, said: str) -> None:
    failures = judge(ORDERS, run, found).failures
    assert len(failures) == 1
    assert said in failures[0]


def test_what_is_open_for_a_moment_is_no_leak() -> None:
    run = course()
    run.samples = [replace(held, handles=held.handles + index % 3) for index, held in enumerate(run.samples)]
    assert judge(ORDERS, run, FOUND).failures == []


def test_growth_before_the_first_window_does_not_count() -> None:
    run = course()
    run.samples = [replace(held, rss=min(held.rss, int(held.rss * held.at_s / 300))) for held in run.samples]
    assert growth(run.samples, "rss", Windows.of(1800)) == 0.0


ROWS: dict[int, Row] = {
    at: (1.0, 3.0, 0.5, 2.0 + at / MINUTE_MS, 7.0, 1.5, 4) for at in range(0, 20 * MINUTE_MS, MINUTE_MS)
}


def wrong(stored: dict[int, Row], fetched_ms: int, *corrections: Correction, from_ms: int = 0) -> list[str]:
    findings = Findings()
    covered = [(from_ms, 20 * MINUTE_MS, fetched_ms)]
    check_series("X:AUSD 1m", stored, covered, ROWS, list(corrections), findings)
    return findings.wrong


def test_the_oracle_finds_what_differs() -> None:
    late_ms = 40 * MINUTE_MS
    assert wrong(ROWS, late_ms) == []
    at = 7 * MINUTE_MS
    assert wrong({**ROWS, at: (*ROWS[at][:5], 1.6, 4)}, late_ms)[0].startswith(f"X:AUSD 1m {at}: (")
    assert wrong({key: row for key, row in ROWS.items() if key != at}, late_ms) == [f"X:AUSD 1m {at}: not in the cache"]
    assert wrong({**ROWS, at + 1: ROWS[at]}, late_ms) == [f"X:AUSD 1m {at + 1}: invented"]
    assert wrong({key: row for key, row in ROWS.items() if key > at}, late_ms, from_ms=at + 1) == []


def test_the_oracle_excuses_only_what_was_not_settled_when_it_changed() -> None:
    at = 15 * MINUTE_MS
    stored = {**ROWS, at: (9.0, *ROWS[at][1:])}
    fetched_ms = 20 * MINUTE_MS
    later, before = (Correction("X:AUSD", at, fetched_ms + by_ms) for by_ms in (1_000, -60_000))
    assert wrong(stored, fetched_ms, later) == []
    assert len(wrong(stored, fetched_ms, before)) == 1
    assert len(wrong(stored, at + 7 * MINUTE_MS, replace(later, at_ms=at + 8 * MINUTE_MS))) == 1
    forming = {**ROWS, 19 * MINUTE_MS: (9.0, *ROWS[at][1:])}
    assert wrong(forming, 20 * MINUTE_MS - 1) == []


def test_the_oracle_looks_at_charts() -> None:
    whole: dict[int, Row] = {0: (1.0, 3.0, 0.5, 11.0, 70.0), 10 * MINUTE_MS: (1.0, 3.0, 0.5, 21.0, 70.0)}

    def findings(shown: dict[int, Row], to_ms: int = 20 * MINUTE_MS) -> list[str]:
        found = Findings()
        check_chart("A", shown, 10 * MINUTE_MS, to_ms, ROWS, found)
        return found.wrong

    assert findings(whole) == []
    assert findings({0: whole[0]}, 19 * MINUTE_MS) == []
    assert len(findings({0: whole[0]})) == 1
    assert len(findings({**whole, 0: (1.0, 3.5, 0.5, 11.0, 70.0)})) == 1
    assert len(findings({**whole, 5 * MINUTE_MS: whole[0]})) == 1


@given(
    ticker=st.sampled_from([COINS[0], COINS[183], STOCKS[0], STOCKS[7]]),
    minute=st.integers(0, 120),
    cut_ms=st.integers(1, MINUTE_MS),
)
def test_the_dense_market_agrees_with_itself(ticker: str, minute: int, cut_ms: int) -> None:
    market, from_ms = DenseMarket(), OPENED_MS + minute * MINUTE_MS
    now_ms = from_ms + cut_ms
    trades = market.trades(ticker, from_ms, now_ms)
    bars = market.bars(ticker, ONE_MINUTE, from_ms, from_ms + MINUTE_MS, now_ms)
    assert len(bars) == bool(len(trades))
    if len(trades):
        assert (np.diff(trades.time_ms) >= 0).all()
        real = bar_of_trades(from_ms, trades.price.tolist(), trades.size.tolist())
        made = bars[0]
        assert replace(made, vwap=0.0) == replace(real, vwap=0.0)
        assert made.vwap == pytest.approx(real.vwap, rel=1e-12)
    half_ms = from_ms + cut_ms // 2
    before, after = market.trades(ticker, from_ms, half_ms), market.trades(ticker, half_ms, now_ms)
    assert np.concatenate([before.id, after.id]).tolist() == trades.id.tolist()


def test_the_dense_market_is_as_busy_as_it_says() -> None:
    market = DenseMarket()
    events = sum(
        len(column)
        for ticker in TICKERS
        for column in (market.trades(ticker, NOW_MS, NOW_MS + 10_000), market.quotes(ticker, NOW_MS, NOW_MS + 10_000))
    )
    assert 61_000 <= events <= 62_000
    assert len(market.quotes(PAIRS[0], NOW_MS, NOW_MS + MINUTE_MS)) == pytest.approx(1_200, abs=1)
    hours = market.bars(COINS[0], ONE_HOUR, OPENED_MS - HOUR_MS, NOW_MS, NOW_MS)
    minutes = market.bars(COINS[0], ONE_MINUTE, OPENED_MS, NOW_MS, NOW_MS)
    assert hours.volume.sum() == minutes.volume.sum()
    assert len(hours) == 3
