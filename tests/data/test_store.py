"""The cache gives back exactly what was put in, survives damage, and belongs to one world."""

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import Future
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.data import store_bars
from desktop.data.migrations import CACHE_ID, cache_steps, migrate
from desktop.data.store import Store
from desktop.data.store_files import open_reader, open_writer, snapshot, transaction
from desktop.data.store_read import read_bars
from desktop.domain.bars import VALUE_COLUMNS, Bar, Bars
from desktop.domain.coverage import Covered
from desktop.domain.errors import CacheError
from desktop.domain.market import Market, Snapshot, TickerInfo
from desktop.domain.timeframe import ONE_DAY, ONE_MINUTE
from desktop.domain.world import VENDOR, World

MINUTE = 60_000
PAGE = 32_768


def bars_at(starts: list[int], seed: int = 0) -> Bars:
    rng = np.random.default_rng(seed)
    values = rng.random((len(VALUE_COLUMNS), len(starts))) * 10.0 ** rng.integers(-8, 5, (len(VALUE_COLUMNS), 1))
    values[4:, ::7] = np.nan
    return Bars(np.array(starts, np.int64), *values)


def minutes(first: int, count: int, seed: int = 0) -> Bars:
    return bars_at([(first + index) * MINUTE for index in range(count)], seed)


def assert_same(found: Bars, expected: Bars) -> None:
    np.testing.assert_array_equal(found.start_ms, expected.start_ms)
    for name in VALUE_COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def covering(bars: Bars, fetched_ms: int = 1 << 45) -> Covered:
    return Covered(int(bars.start_ms[0]), int(bars.start_ms[-1]) + MINUTE, fetched_ms)


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def set_aside_in(folder: Path) -> list[Path]:
    return [file for file in folder.glob("*.sqlite.*-*") if not file.name.endswith(("-wal", "-shm"))]


async def opened(path: Path, world: World = VENDOR, events: list[str] | None = None) -> Store:
    return await Store.open(path, world, on_event=(events if events is not None else []).append)


@pytest.mark.parametrize("count", [1, 200, 300, 65_536, 250_000])
def test_bars_come_back_bit_for_bit(run_async, tmp_path: Path, count: int) -> None:
    async def scenario() -> None:
        bars = minutes(1000, count)
        async with await opened(tmp_path / "cache.sqlite") as store:
            await store.put_bars("X:BTCUSD", ONE_MINUTE, True, bars, covering(bars))
            assert_same(await store.bars("X:BTCUSD", ONE_MINUTE, True, 0, 1 << 50), bars)
            middle = bars.take(count // 3, count - count // 4)
            found = await store.bars(
                "X:BTCUSD", ONE_MINUTE, True, int(middle.start_ms[0]), int(middle.start_ms[-1]) + 1
            )
            assert_same(found, middle)
            assert len(await store.bars("X:BTCUSD", ONE_MINUTE, False, 0, 1 << 50)) == 0
            assert len(await store.bars("X:BTCUSD", ONE_DAY, True, 0, 1 << 50)) == 0
        async with await opened(tmp_path / "cache.sqlite") as store:
            assert_same(await store.bars("X:BTCUSD", ONE_MINUTE, True, 0, 1 << 50), bars)

    run_async(scenario())


write = st.tuples(
    st.integers(0, 400),  # from minute
    st.integers(1, 90),  # minutes
    st.floats(0, 1),  # share of minutes with a bar
    st.booleans(),  # recorded as covered
    st.integers(0, 1 << 30),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(write, min_size=1, max_size=25))
def test_any_writes_equal_a_plain_dictionary(writes):
    """Small limits, so that chunks, tail, cuts and compaction all happen within a few writes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_bars, "CHUNK_BARS", 32)
        patch.setattr(store_bars, "TAIL_BARS", 24)
        patch.setattr(store_bars, "_KEPT_IN_TAIL", 4)
        patch.setattr(store_bars, "_SMALL_WRITE", 12)
        connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(connection, cache_steps(), CACHE_ID)
        series = store_bars.make_series(connection, ("X", "1m", 1))
        expected: dict[int, Bar] = {}
        asked: dict[int, int] = {}
        for number, (first, count, share, is_covered, seed) in enumerate(writes):
            chosen = np.random.default_rng(seed).random(count) < share
            bars = bars_at([(first + index) * MINUTE for index in range(count) if chosen[index]], seed)
            covered = Covered(first * MINUTE, (first + count) * MINUTE, 1000 * number) if is_covered else None
            store_bars.write_bars(connection, series, bars, covered)
            if covered is not None:
                store_bars.write_coverage(connection, series, covered)
                for minute in range(first, first + count):
                    expected.pop(minute * MINUTE, None)
                    asked[minute * MINUTE] = covered.fetched_ms
            expected |= {bars[index].start_ms: bars[index] for index in range(len(bars))}
            found = read_bars(connection, series, 0, 1 << 50)
            assert_same(found, Bars.from_rows(expected[start] for start in sorted(expected)))
            part = read_bars(connection, series, 100 * MINUTE, 300 * MINUTE)
            assert_same(part, found.between(100 * MINUTE, 300 * MINUTE))
        chunks = connection.execute("SELECT first_ms, last_ms, bar_count FROM bar_chunk ORDER BY first_ms").fetchall()
        assert all(left[1] < right[0] for left, right in pairwise(chunks))
        ranges = store_bars.read_coverage(connection, series, 0, 1 << 50)
        told = {at: part.fetched_ms for part in ranges for at in range(part.start_ms, part.end_ms, MINUTE)}
        assert told == asked
        assert all(left.end_ms <= right.start_ms for left, right in pairwise(ranges))
        connection.close()


def test_a_withdrawn_bar_disappears_and_the_rest_stays(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await opened(tmp_path / "cache.sqlite") as store:
            first = minutes(0, 10_000)
            await store.put_bars("A", ONE_MINUTE, True, first, covering(first))
            span = Covered(500 * MINUTE, 600 * MINUTE, 1 << 45)
            kept = bars_at([550 * MINUTE], seed=3)
            await store.put_bars("A", ONE_MINUTE, True, kept, span)
            found = await store.bars("A", ONE_MINUTE, True, 0, 1 << 50)
            expected = first.between(0, 500 * MINUTE).merged(kept).merged(first.between(600 * MINUTE, 1 << 50))
            assert_same(found, expected)
            before = (
                await store.bars("A", ONE_MINUTE, True, 0, 1 << 50),
                await store.covered("A", ONE_MINUTE, True, 0, 1 << 50),
            )
            await store.put_bars("A", ONE_MINUTE, True, kept, span)
            assert_same(await store.bars("A", ONE_MINUTE, True, 0, 1 << 50), before[0])
            assert await store.covered("A", ONE_MINUTE, True, 0, 1 << 50) == before[1]
            await store.forget_series("A", adjusted=True)
            assert await store.covered("A", ONE_MINUTE, True, 0, 1 << 50) == []

    run_async(scenario())


def test_a_live_edge_leaves_few_coverage_rows(run_async, tmp_path: Path) -> None:
    """An hour of asking every minute from five minutes back: the settled part is one row."""

    async def scenario() -> None:
        async with await opened(tmp_path / "cache.sqlite") as store:
            for now in range(10, 70):
                span = Covered((now - 6) * MINUTE, (now + 1) * MINUTE, now * MINUTE)
                await store.put_bars("A", ONE_MINUTE, True, minutes(now - 6, 7), span)
            ranges = await store.covered("A", ONE_MINUTE, True, 0, 1 << 50)
            assert len(ranges) <= 3
            assert (ranges[0].start_ms, ranges[-1].end_ms) == (4 * MINUTE, 70 * MINUTE)

    run_async(scenario())


specials = st.sampled_from([0.0, -0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e-8, 1e5, 0.1, 1 / 3])
prices = st.builds(lambda whole, decimals: whole / 10**decimals, st.integers(-(1 << 31), 1 << 31), st.integers(0, 15))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(specials | st.floats(allow_nan=False, allow_infinity=False), min_size=5, max_size=40),
    st.lists(prices, min_size=40, max_size=40),
    st.integers(0, 15),
    st.integers(0, 1 << 42),
    st.booleans(),
)
def test_the_view_shows_every_bar_bit_for_bit(values, decimal, decimals, first_ms, is_even):
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, cache_steps(), CACHE_ID)
    series = store_bars.make_series(connection, ("X:BTCUSD", "1m", 1))
    count = len(values)
    column = np.array(values)
    same_scale = (np.arange(count) - count // 2) * 77_777 / 10**decimals
    unknown = np.where(np.arange(count) % 2, column, np.nan)
    starts = first_ms + np.arange(count) * 7 + (0 if is_even else np.arange(count) ** 2)
    bars = Bars(starts, column, same_scale, -column, np.array(decimal[:count]), unknown, np.abs(same_scale), column)
    store_bars.write_chunks(connection, series, bars)
    assert_same(read_bars(connection, series, 0, 1 << 50), bars)
    rows = connection.execute(
        f"SELECT ticker, codec, start_ms, {', '.join(VALUE_COLUMNS)} FROM bar ORDER BY start_ms"
    ).fetchall()
    scales = connection.execute("SELECT scales FROM bar_chunk").fetchone()[0]
    assert scales[1] != "-"
    assert [row[:3] for row in rows] == [("X:BTCUSD", f"packed {scales}", start) for start in starts.tolist()]
    for index, name in enumerate(VALUE_COLUMNS):
        found = np.array([row[3 + index] for row in rows], np.float64)
        np.testing.assert_array_equal(found, getattr(bars, name))
    connection.close()


def test_a_file_of_the_first_version_keeps_its_bars(run_async, tmp_path: Path) -> None:
    path, bars = tmp_path / "cache.sqlite", minutes(1000, 40_000)
    first, second = bars.take(0, 8192), bars.take(8192, 8200)
    open_writer(path, VENDOR, cache_steps()[:1], CACHE_ID, synchronous="NORMAL").close()
    with sqlite3.connect(path) as connection:
        series = store_bars.make_series(connection, ("X:BTCUSD", "1m", 1))
        for part in (first, second):
            blobs = [part.start_ms.astype(">i8").tobytes(), *(one.astype(">f8").tobytes() for one in part.values())]
            span = (series, int(part.start_ms[0]), int(part.start_ms[-1]), len(part))
            connection.execute(
                f"INSERT INTO bar_chunk (series_id, first_ms, last_ms, bar_count, start_ms, {', '.join(VALUE_COLUMNS)})"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*span, *blobs),
            )
        store_bars.write_coverage(connection, series, covering(bars.take(0, 8200)))
    connection.close()

    async def scenario() -> None:
        async with await opened(path) as store:
            assert_same(await store.bars("X:BTCUSD", ONE_MINUTE, True, 0, 1 << 50), bars.take(0, 8200))
            assert await store.covered("X:BTCUSD", ONE_MINUTE, True, 0, 1 << 50) == [covering(bars.take(0, 8200))]
            rest = bars.take(8200, len(bars))
            await store.put_bars("X:BTCUSD", ONE_MINUTE, True, rest, covering(rest))
            assert_same(await store.bars("X:BTCUSD", ONE_MINUTE, True, 0, 1 << 50), bars)

    run_async(scenario())


def test_chunks_that_change_while_a_helper_reads_are_read_as_they_were(tmp_path: Path) -> None:
    """The helper meets a file in which every chunk has been written anew since the reading began."""
    path, bars = tmp_path / "cache.sqlite", minutes(0, 300_000)
    writer = open_writer(path, VENDOR, cache_steps(), CACHE_ID, synchronous="NORMAL")
    series = store_bars.make_series(writer, ("X", "1m", 1))
    with transaction(writer):
        store_bars.write_bars(writer, series, bars, covering(bars))
    reader, helping = open_reader(path), open_reader(path)
    other = Bars(bars.start_ms, *(column + 1 for column in bars.values()))

    def helper(work) -> Future[None]:
        with transaction(writer):
            store_bars.write_bars(writer, series, other, covering(bars))
        done: Future[None] = Future()
        done.set_result(work(helping))
        return done

    with snapshot(reader):
        assert_same(read_bars(reader, series, 0, 1 << 50, helper), bars)
    with snapshot(reader):
        assert_same(read_bars(reader, series, 0, 1 << 50), other)
    for connection in (reader, helping, writer):
        connection.close()


def test_the_view_joins_tail_and_chunks(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await opened(tmp_path / "cache.sqlite") as store:
            await store.put_bars("X:BTCUSD", ONE_MINUTE, True, minutes(0, 600), None)
            await store.put_bars("X:BTCUSD", ONE_MINUTE, True, minutes(600, 3), None)

    run_async(scenario())
    with sqlite3.connect(tmp_path / "cache.sqlite") as connection:
        found = connection.execute("SELECT codec, count(*), sum(volume IS NULL) FROM bar GROUP BY codec ORDER BY codec")
        assert [(codec.split()[0], *rest) for codec, *rest in found] == [("packed", 600, 86), ("row", 3, 1)]
    connection.close()


def test_tickers_snapshots_and_values(run_async, tmp_path: Path) -> None:
    coin = TickerInfo("X:BTCUSD", "Bitcoin", Market.CRYPTO, "BTC", "USD")
    stock = TickerInfo("AAPL", "Apple Inc.", Market.STOCKS, "", "USD", True, "CS", "XNAS")
    snapshot = Snapshot("X:BTCUSD", 1.5, 5, None, None, None, 1.0, 2.0, 0.5, 1e9, None, None, 7)

    async def scenario() -> None:
        async with await opened(tmp_path / "cache.sqlite") as store:
            await store.put_tickers(Market.CRYPTO, [coin], 1)
            await store.put_tickers(None, [stock], 2)
            assert await store.tickers() == [stock, coin]
            assert await store.tickers(Market.CRYPTO) == [coin]
            assert await store.ticker("AAPL") == stock
            await store.put_tickers(Market.CRYPTO, [], 3)
            assert await store.tickers() == [stock]
            await store.put_snapshots([snapshot], 9)
            assert await store.snapshots(["X:BTCUSD", "nobody"]) == {"X:BTCUSD": (snapshot, 9)}
            assert await store.get_value("limits") is None
            await store.put_value("limits", {"crypto": [1, 2.5, None]})
            assert await store.get_value("limits") == {"crypto": [1, 2.5, None]}

    run_async(scenario())


def test_the_file_is_private_and_named_after_its_world(run_async, tmp_path: Path) -> None:
    path = tmp_path / "demo-7" / "cache.sqlite"

    async def scenario() -> None:
        async with await opened(path, World("demo-7")) as store:
            await store.put_value("a", 1)
            modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
            assert modes == {0o600}
        content = bytes_of(path)
        with pytest.raises(CacheError, match="another source of data"):
            await opened(path, VENDOR)
        assert path.read_bytes() == content

    run_async(scenario())
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'world'").fetchone() == ("demo-7",)
        assert connection.execute("PRAGMA application_id").fetchone() == (CACHE_ID,)
    connection.close()


def damage_header(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 500)


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def spoil_pages(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[PAGE : 5 * PAGE] = b"\xa5" * (4 * PAGE)
    path.write_bytes(content)


def make_stub(path: Path) -> None:
    path.write_bytes(b"SQLite")


def make_foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE somebody (elses TEXT)")
    connection.close()


def spoil_schema(path: Path) -> None:
    """The names of tables are no text any more, so even SQLite's complaint about them is none."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = CAST(x'd9d9' AS TEXT) WHERE name = 'value'")
        connection.execute("UPDATE sqlite_master SET name = CAST(x'd9' AS TEXT) WHERE name = 'value'")
    connection.close()


@pytest.mark.parametrize("damage", [damage_header, cut_in_half, spoil_pages, spoil_schema, make_stub, make_foreign])
def test_a_damaged_file_is_set_aside_and_built_anew(run_async, tmp_path: Path, damage) -> None:
    path = tmp_path / "cache.sqlite"
    bars = minutes(0, 5000)

    async def scenario() -> None:
        for round_number in range(3):
            async with await opened(path) as store:
                await store.put_bars("A", ONE_MINUTE, True, bars, covering(bars))
            damage(path)
            damaged = bytes_of(path)
            events: list[str] = []
            async with await opened(path, events=events) as store:
                assert len(await store.bars("A", ONE_MINUTE, True, 0, 1 << 50)) == 0
                await store.put_bars("A", ONE_MINUTE, True, bars, covering(bars))
                assert_same(await store.bars("A", ONE_MINUTE, True, 0, 1 << 50), bars)
            assert len(events) == 1
            assert "set aside" in events[0]
            aside = set_aside_in(tmp_path)
            assert len(aside) == min(round_number + 1, 2)
            assert damaged in map(bytes_of, aside)

    run_async(scenario())


def test_damage_met_later_is_repaired_on_the_way(run_async, tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    bars = minutes(0, 40_000)

    async def scenario() -> None:
        events: list[str] = []
        async with await opened(path, events=events) as store:
            await store.put_bars("A", ONE_MINUTE, True, bars, covering(bars))
        async with await opened(path, events=events) as store:
            spoil_pages(path)
            answers = await asyncio.gather(*(store.bars("A", ONE_MINUTE, True, 0, 1 << 50) for _ in range(3)))
            assert [len(answer) for answer in answers] == [0, 0, 0]
            assert len(events) == 1
            await store.put_bars("A", ONE_MINUTE, True, bars, covering(bars))
            assert_same(await store.bars("A", ONE_MINUTE, True, 0, 1 << 50), bars)

    run_async(scenario())


def test_a_newer_file_is_set_aside_unaltered(run_async, tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"

    async def scenario() -> None:
        async with await opened(path):
            pass
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        content = bytes_of(path)
        events: list[str] = []
        async with await opened(path, events=events) as store:
            await store.put_value("a", 1)
        (aside,) = set_aside_in(tmp_path)
        assert bytes_of(aside) == content
        assert "newer version" in events[0]

    run_async(scenario())


def test_a_full_disk_is_a_sentence_and_old_bars_stay(run_async, tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    bars, more = minutes(0, 5000), minutes(10_000, 50_000)

    async def scenario() -> None:
        async with await opened(path) as store:
            await store.put_bars("A", ONE_MINUTE, True, bars, covering(bars))
            await store._writer.run(lambda connection: connection.execute("PRAGMA max_page_count = 40").fetchone())
            with pytest.raises(CacheError, match="disk is full"):
                await store.put_bars("A", ONE_MINUTE, True, more, covering(more))
            assert_same(await store.bars("A", ONE_MINUTE, True, 0, 1 << 50), bars)
            assert len(await store.covered("A", ONE_MINUTE, True, 0, 1 << 50)) == 1

    run_async(scenario())


def test_an_unusable_folder_is_a_sentence(run_async, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CacheError, match="data folder cannot be used"):
        run_async(opened(tmp_path / "file" / "cache.sqlite"))


def test_after_the_end_every_call_says_so(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        store = await opened(tmp_path / "cache.sqlite")
        await store.aclose()
        await store.aclose()
        with pytest.raises(CacheError, match="closed"):
            await store.tickers()

    run_async(scenario())


def test_a_cancelled_writer_leaves_all_or_nothing(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await opened(tmp_path / "cache.sqlite") as store:
            for round_number in range(20):
                bars = minutes(round_number * 3000, 3000)
                task = asyncio.create_task(store.put_bars("A", ONE_MINUTE, True, bars, covering(bars)))
                for _ in range(round_number % 4):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])
            await store.put_value("after", "what was under way")
            found = await store.bars("A", ONE_MINUTE, True, 0, 1 << 50)
            covered = await store.covered("A", ONE_MINUTE, True, 0, 1 << 50)
            assert len(found) == sum(part.end_ms - part.start_ms for part in covered) // MINUTE

    run_async(scenario())


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.data.test_store import *
async def main():
    store = await opened(Path(sys.argv[1]))
    first = int(sys.argv[2])
    print("ready", flush=True)
    for number in range(first, first + 10_000):
        bars = minutes(number * 50, 50 if number % 5 else 900)
        await store.put_bars("A", ONE_MINUTE, True, bars, covering(bars))
        print(number, flush=True)
asyncio.run(main())
"""


def test_a_killed_writer_loses_nothing_it_had_committed(run_async, tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    committed = 0
    for round_number in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path), str(committed)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                if line.strip().isdigit():
                    committed = int(line) + 1
                    if committed % 40 == 7 * round_number + 11:
                        child.kill()
                        break
    events: list[str] = []

    async def scenario() -> None:
        async with await opened(path, events=events) as store:
            found = await store.bars("A", ONE_MINUTE, True, 0, 1 << 50)
            covered = await store.covered("A", ONE_MINUTE, True, 0, 1 << 50)
            assert covered[0].start_ms == 0
            assert covered[-1].end_ms >= committed * 50 * MINUTE
            in_range = [part for part in covered if part.start_ms < (committed - 1) * 50 * MINUTE]
            assert all(a.end_ms >= b.start_ms for a, b in pairwise(in_range))
            assert len(found.between(0, committed * 50 * MINUTE)) == committed * 50
            assert len(found) == sum(part.end_ms - part.start_ms for part in covered) // MINUTE

    run_async(scenario())
    assert events == []
    connection = open_writer(path, VENDOR, cache_steps(), CACHE_ID, synchronous="NORMAL")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_unknown_parts_stay_unknown(run_async, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with await opened(tmp_path / "cache.sqlite") as store:
            await store.put_bars("A", ONE_DAY, False, Bars.from_rows([Bar(0, 1.0, 2.0, 0.5, 1.5)]), None)
            (found,) = [(await store.bars("A", ONE_DAY, False, 0, 1))[0]]
            assert found.close == 1.5
            assert math.isnan(found.volume)
            assert math.isnan(found.trades)

    run_async(scenario())
