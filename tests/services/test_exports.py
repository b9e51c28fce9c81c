"""Files a person asked for: whole or not at all, written while the series grows, and a sentence for each end."""

from __future__ import annotations

import asyncio
import csv
import errno
import os
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from desktop.data.export_file import failure
from desktop.domain.bars import VALUE_COLUMNS, Bar, Bars, BarSeries
from desktop.services.exports import ExportProgress, Exports
from desktop.services.notices import Notices
from tests.ui.chart_source import START_MS, walk

RunAsync = Callable[..., None]
FOR_EVER = 2**60


def texts(notices: Notices) -> list[str]:
    return [notice.text for notice in notices.open]


def starts_in(path: Path) -> list[int]:
    with path.open(newline="") as file:
        return [int(row["start_ms"]) for row in csv.DictReader(file)]


def test_all_bars_are_in_the_file_bit_for_bit(run_async: RunAsync, tmp_path: Path) -> None:
    bars, notices, path = walk(25_001), Notices(), tmp_path / "bars.csv"
    seen: list[ExportProgress | None] = []

    async def scenario() -> None:
        exports = Exports(notices)
        exports.changed.connect(lambda: seen.append(exports.progress))
        exports.save_bars(BarSeries(bars), 0, FOR_EVER, path)
        await exports.finish()

    run_async(scenario())
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["start_ms"]) for row in rows] == bars.start_ms.tolist()
    for name in VALUE_COLUMNS:
        np.testing.assert_array_equal([float(row[name]) for row in rows], getattr(bars, name))
    assert seen == [*(ExportProgress("bars.csv", done, 25_001) for done in (10_000, 20_000, 25_001)), None]
    assert texts(notices) == ["bars.csv is saved: 25,001 bars."]
    assert list(tmp_path.iterdir()) == [path]
    umask = os.umask(0o022)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_range_is_half_open(run_async: RunAsync, tmp_path: Path) -> None:
    bars, notices = walk(100), Notices()

    async def scenario() -> None:
        exports = Exports(notices)
        exports.save_bars(BarSeries(bars), int(bars.start_ms[10]), int(bars.start_ms[20]), tmp_path / "a.csv")
        exports.save_bars(BarSeries(bars), int(bars.start_ms[10]), int(bars.start_ms[11]), tmp_path / "b.csv")
        exports.save_bars(BarSeries(), 0, FOR_EVER, tmp_path / "c.csv")
        await exports.finish()

    run_async(scenario())
    assert starts_in(tmp_path / "a.csv") == bars.start_ms[10:20].tolist()
    assert starts_in(tmp_path / "b.csv") == [int(bars.start_ms[10])]
    assert starts_in(tmp_path / "c.csv") == []
    assert texts(notices) == ["a.csv is saved: 10 bars.", "b.csv is saved: 1 bar.", "c.csv is saved: 0 bars."]


def test_the_series_may_grow_at_both_ends_meanwhile(run_async: RunAsync, tmp_path: Path) -> None:
    bars, path = walk(30_000), tmp_path / "bars.csv"
    series = BarSeries(bars.take(10_000, 29_000))

    async def scenario() -> None:
        exports = Exports(Notices())

        def grow() -> None:
            if exports.progress is not None and exports.progress.done == 10_000:
                series.merge(bars.take(0, 10_000))
                series.merge(bars.take(29_000, 30_000))

        exports.changed.connect(grow)
        exports.save_bars(series, int(bars.start_ms[10_000]), FOR_EVER, path)
        await exports.finish()

    run_async(scenario())
    assert starts_in(path) == bars.start_ms[10_000:].tolist()


def test_a_cancelled_file_leaves_nothing_and_the_older_one_as_it_was(run_async: RunAsync, tmp_path: Path) -> None:
    path, notices = tmp_path / "bars.csv", Notices()
    path.write_text("older")

    async def scenario() -> None:
        exports = Exports(notices)
        exports.changed.connect(exports.cancel)
        exports.save_bars(BarSeries(walk(30_000)), 0, FOR_EVER, path)
        await exports.finish()
        assert exports.progress is None
        exports.changed.disconnect()
        exports.save_bars(BarSeries(walk(3)), 0, FOR_EVER, tmp_path / "next.csv")
        await exports.finish()

    run_async(scenario())
    assert path.read_text() == "older"
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "next.csv"]
    assert texts(notices) == ["next.csv is saved: 3 bars."]


def test_closing_ends_what_runs(run_async: RunAsync, tmp_path: Path) -> None:
    async def scenario() -> None:
        exports = Exports(Notices())
        begun = asyncio.Event()
        exports.changed.connect(begun.set)
        exports.save_bars(BarSeries(walk(200_000)), 0, FOR_EVER, tmp_path / "bars.csv")
        await begun.wait()
        await exports.aclose()

    run_async(scenario())
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_outgrows_what_is_allowed_says_so_and_leaves_nothing(run_async: RunAsync, tmp_path: Path) -> None:
    notices, limits = Notices(), resource.getrlimit(resource.RLIMIT_FSIZE)

    async def scenario() -> None:
        exports = Exports(notices)
        exports.save_bars(BarSeries(walk(30_000)), 0, FOR_EVER, tmp_path / "bars.csv")
        await exports.finish()

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        run_async(scenario())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [notice.level for notice in notices.open] == ["warning"]
    assert texts(notices) == ["bars.csv could not be written: File too large."]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.ENOSPC, "a.csv could not be written: the disk is full. Free some space, or choose another folder."),
        (errno.EROFS, "a.csv could not be written: the disk is read-only. Choose another folder."),
        (errno.EIO, "a.csv could not be written: Input/output error."),
    ],
)
def test_what_the_system_says_becomes_a_sentence(number: int, sentence: str) -> None:
    assert str(failure(Path("/somewhere/a.csv"), OSError(number, os.strerror(number)))) == sentence


def test_bytes_are_made_in_the_background_and_nothing_is_an_error(run_async: RunAsync, tmp_path: Path) -> None:
    notices = Notices()

    async def scenario() -> None:
        exports = Exports(notices)
        exports.save_bytes(lambda: b"png", tmp_path / "a.png")
        exports.save_bytes(lambda: b"", tmp_path / "b.png")
        exports.save_bytes(lambda: b"png", tmp_path / "absent" / "c.png")
        await exports.finish()

    run_async(scenario())
    assert (tmp_path / "a.png").read_bytes() == b"png"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.png"]
    assert texts(notices) == [
        "a.png is saved.",
        "b.png could not be made. Try a smaller size.",
        "c.png could not be written: the folder is gone. Choose another folder.",
    ]


def test_a_link_stays_a_link(run_async: RunAsync, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("older")
    (tmp_path / "link.csv").symlink_to("real.csv")

    async def scenario() -> None:
        exports = Exports(Notices())
        exports.save_bars(
            BarSeries(Bars.from_rows([Bar(START_MS, 1, 2, 0.5, 1.5)])), 0, FOR_EVER, tmp_path / "link.csv"
        )
        await exports.finish()

    run_async(scenario())
    assert (tmp_path / "link.csv").is_symlink()
    assert starts_in(tmp_path / "real.csv") == [START_MS]
