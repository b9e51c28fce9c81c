"""The speed of the chart: whole frames, first paint, live charts, memory; against a bare widget and other charts.

Offscreen. Contenders take turns and figures are medians of the painting thread's own time, so trust the ratios. Every
frame is one that a paint event was counted for; a contender that paints an empty plot ends the run.

    python benchmarks/chart.py [--rounds 10] [--only frames,first,live,memory,closing] [--pictures FOLDER]

finplot takes part where it can be imported: `pip install --no-deps --target DIR finplot pandas python-dateutil`, and
DIR in PYTHONPATH.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

os.environ["QT_API"] = "pyside6"
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from benchmarks import _chart_peers as peers
from desktop.domain.bars import Bar, Bars
from desktop.ui import theme
from desktop.ui.chart.chart_widget import ChartWidget
from tests.ui.chart_source import FixedClock, SeriesSource, walk

SIZE = QSize(1920, 1080)
SCREEN = {"screens": [{"name": "bench", "x": 0, "y": 0, "width": 1920, "height": 1080}]}
COUNTS = (1_000, 100_000, 1_000_000, 5_000_000)
SERIES: dict[int, Bars] = {}
Step = Callable[[int], None]


def bars_of(count: int) -> Bars:
    """The same walk for everybody."""
    if count not in SERIES:
        SERIES[count] = walk(count)
    return SERIES[count]


class PaintCounter(QObject):
    """Counts the paint events of one widget."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.count = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.Paint
        return False


@dataclass(eq=False)
class Job:
    """One kind of step of one contender; `paint` returns when the frame was painted."""

    who: str
    what: str
    counter: PaintCounter
    before: Callable[[], None]  # puts the contender where this job begins
    step: Step
    paint: Callable[[], None]
    frames: int = 6  # in a round
    times: list[float] = field(default_factory=list)
    turn: int = 0

    def run(self, *, is_warm_up: bool = False) -> None:
        self.before()
        self.paint()
        for _ in range(2 if is_warm_up else self.frames):
            painted, begin = self.counter.count, time.thread_time()
            self.step(self.turn)
            self.paint()
            if not is_warm_up:
                self.times.append((time.thread_time() - begin) * 1000)
            self.turn += 1
            if self.counter.count == painted:
                raise SystemExit(f"{self.who}, {self.what}: a step was not painted")

    @property
    def median(self) -> float:
        return statistics.median(self.times)


# --- frames ------------------------------------------------------------------------------------------------------


def moves(turn: int) -> float:
    """How far a pan has gone, in hundredths of the screen: back and forth by 40."""
    turn %= 80
    return float(min(turn, 80 - turn))


def zooms(turn: int) -> float:
    """By how much more or less is visible: up to 1.2 times and back."""
    turn %= 20
    return 1.0 + 0.02 * min(turn, 20 - turn)


def new_chart(app: QApplication, source: SeriesSource, parent: QWidget | None = None) -> ChartWidget:
    chart = ChartWidget(source, FixedClock(), theme.DARK, parent=parent)
    if parent is None:
        chart.resize(SIZE)
        chart.show()
        app.processEvents()
        chart.paint_now()
    return chart


def hover(chart: ChartWidget, at: QPointF) -> None:
    viewport = chart.view.viewport()
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove, at, QPointF(viewport.mapToGlobal(at)), none, none, Qt.KeyboardModifier.NoModifier
    )
    QApplication.sendEvent(viewport, event)


def our_jobs(chart: ChartWidget, source: SeriesSource, count: int, visible: int) -> Iterator[Job]:
    view, surface = chart.model.view, chart.view.viewport()
    counter = PaintCounter(surface)
    spacing = (surface.width() - peers.RIGHT) / visible
    last = source.series.bars[-1]

    def begin() -> None:
        hover(chart, QPointF(700, 400))
        view.spacing = spacing
        chart.show_latest()
        chart.set_autoscale(True)

    def pan(turn: int) -> None:
        view.right = view.last_slot + 1 - moves(turn) * visible / 100
        hover(chart, QPointF(700 + turn % 5, 400))
        chart.set_autoscale(True)

    def zoom(turn: int) -> None:
        view.spacing = spacing / zooms(turn)
        hover(chart, QPointF(700 + turn % 5, 400))
        chart.set_autoscale(True)

    def tick(turn: int) -> None:
        close = last.low + (last.high - last.low) * (turn % 17) / 17
        source.put(Bar(last.start_ms, last.open, last.high, last.low, close, last.volume))

    def point(turn: int) -> None:
        hover(chart, QPointF(100 + turn * 37 % 1600, 100 + turn * 23 % 800))

    for what, step in (("pan", pan), ("zoom", zoom), ("tick", tick), ("crosshair", point)):
        yield Job("ours", f"{what} {case(count, visible)}", counter, begin, step, chart.paint_now)


def peer_jobs(who: str, peer: peers.Peer, count: int, visible: int, frames: int = 6) -> Iterator[Job]:
    counter = PaintCounter(peer.surface)

    def begin() -> None:
        peer.look(count - visible, count)
        peer.point(QPointF(700, 400))
        peer.surface.repaint()  # twice: some lay out while they paint
        QApplication.processEvents()

    def pan(turn: int) -> None:
        right = count - moves(turn) * visible / 100
        peer.look(right - visible, right)
        peer.point(QPointF(700 + turn % 5, 400))

    def zoom(turn: int) -> None:
        peer.look(count - visible * zooms(turn), count)
        peer.point(QPointF(700 + turn % 5, 400))

    for what, step in (("pan", pan), ("zoom", zoom)):
        yield Job(who, f"{what} {case(count, visible)}", counter, begin, step, peer.surface.repaint, frames)


def case(count: int, visible: int) -> str:
    names = {1_000: "1k", 100_000: "100k", 1_000_000: "1M", 5_000_000: "5M"}
    return f"{names[count]}, {'all' if visible == count else f'{visible:,}'}"


def visibles(count: int) -> list[int]:
    return sorted({100, min(2_000, count), count})


def check_picture(who: str, surface: QWidget, folder: Path | None) -> None:
    """Ends the run when a contender shows no candles: an empty chart is fast."""
    picture = surface.grab()
    image = picture.toImage().convertToFormat(picture.toImage().Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()) & 0xFFFFFF
    middle = pixels[:, pixels.shape[1] // 8 : pixels.shape[1] * 3 // 4]
    busy = float((middle != np.bincount(middle.ravel()).argmax()).any(axis=0).mean())
    if folder is not None:
        picture.save(str(folder / f"{who.replace(' ', '-')}.png"))
    if busy < 0.5 or len(np.unique(middle)) < 3:
        raise SystemExit(f"{who}: painted columns {busy:.0%}; the plot seems empty")


def measure_frames(app: QApplication, rounds: int, pictures: Path | None) -> None:
    jobs: list[Job] = []
    for count in COUNTS:
        source = SeriesSource(bars_of(count))
        chart = new_chart(app, source)
        for visible in visibles(count):
            jobs += our_jobs(chart, source, count, visible)
        pyramid = chart.model.pyramid
        for who, make in (("bare QWidget", peers.bare), ("PlotWidget", peers.plot_widget)):
            peer = make(bars_of(count), pyramid, SIZE)
            app.processEvents()
            for visible in visibles(count):
                jobs += peer_jobs(who, peer, count, visible)
            if count == 1_000_000:
                peer.look(count - 2_000, count)
                check_picture(who, peer.surface, pictures)
        if count == 1_000_000:
            chart.set_autoscale(True)
            chart.paint_now()
            check_picture("ours", chart, pictures)
    million = 1_000_000
    rival = peers.finplot(bars_of(million), SIZE)
    if rival is None:
        print("finplot is not installed; left out\n")
    else:
        app.processEvents()
        rival.look(million - 2_000, million)
        rival.surface.repaint()
        check_picture("finplot", rival.surface, pictures)
        for visible in visibles(million)[:-1]:  # with all bars visible it does not move
            jobs += peer_jobs("finplot", rival, million, visible)
    slow = []
    sample = peers.example(bars_of(million), SIZE)
    for visible in visibles(million):
        slow += list(peer_jobs("pyqtgraph example", sample, million, visible, 1))[:1]
    for job in jobs:
        job.run(is_warm_up=True)
    for turn in range(rounds):
        for job in jobs:
            job.run()
        if turn % 4 == 1:
            for job in slow:
                job.run()
    print_frames(jobs + slow)


def print_frames(jobs: list[Job]) -> None:
    found = {(job.who, job.what): job.median for job in jobs}
    ours = {what: median for (who, what), median in found.items() if who == "ours"}

    def ratio(what: str, who: str) -> str:
        other = found.get((who, what))
        return "-" if other is None else f"{other / ours[what]:.1f}x"

    print("| whole frame, ms | bare | **ours** | ours / bare | PlotWidget / ours | finplot / ours | example / ours |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for what, median in ours.items():
        if what.startswith(("pan", "zoom")):
            limit = found["bare QWidget", what]
            others = " | ".join(ratio(what, who) for who in ("PlotWidget", "finplot", "pyqtgraph example"))
            print(f"| {what} | {limit:.2f} | **{median:.2f}** | {median / limit:.2f} | {others} |")
    print("\n| ms | tick | of a pan frame | crosshair | of a pan frame |")
    print("| --- | --- | --- | --- | --- |")
    for what, pan in ours.items():
        if what.startswith("pan"):
            where = what.removeprefix("pan ")
            tick, point = ours[f"tick {where}"], ours[f"crosshair {where}"]
            print(f"| {where} | {tick:.2f} | {tick / pan:.2f} | {point:.2f} | {point / pan:.2f} |")
    print()
    for few, many in (
        ("1k, 100", "5M, 100"),
        ("1k, all", "5M, all"),
        ("100k, 2,000", "5M, 2,000"),
        ("1k, all", "1M, all"),
    ):
        pairs = ", ".join(f"{w} {ours[f'{w} {many}'] / ours[f'{w} {few}']:.2f}x" for w in ("pan", "zoom", "tick"))
        print(f"{many} against {few}: {pairs}")
    print()


# --- first paint, live charts, memory ------------------------------------------------------------------------------


def measure_first(app: QApplication, rounds: int) -> None:
    """From a million bars in memory to the first painted frame: the widget, its pyramid, the paint."""
    million = SeriesSource(bars_of(1_000_000))
    whole, clock = [], []
    for _ in range(rounds):
        wall, begin = time.perf_counter(), time.thread_time()
        chart = new_chart(app, million)
        whole.append((time.thread_time() - begin) * 1000)
        clock.append((time.perf_counter() - wall) * 1000)
        close(app, chart)
    by_clock = statistics.median(clock)
    print(f"First paint of 1,000,000 bars: {statistics.median(whole):.0f} ms, by the clock {by_clock:.0f}\n")


def close(app: QApplication, widget: QWidget) -> None:
    widget.close()
    widget.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    app.processEvents()


class Wall:
    """Charts in one window of 1920 x 1080 with 100,000 bars each, which a timer moves faster than they are painted."""

    def __init__(self, app: QApplication, count: int) -> None:
        self.window = QWidget()
        grid = QGridLayout(self.window)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(1)
        side = round(count**0.5)
        self.sources = [SeriesSource(bars_of(100_000)) for _ in range(count)]
        self.charts = [new_chart(app, source, self.window) for source in self.sources]
        for index, chart in enumerate(self.charts):
            grid.addWidget(chart, index // side, index % side)
        self.window.resize(SIZE)
        self.window.show()
        app.processEvents()
        self.last = self.sources[0].series.bars[-1]
        self.turn = 0

    def tick(self) -> None:
        self.turn += 1
        last = self.last
        close_price = last.low + (last.high - last.low) * (self.turn % 17) / 17
        for source in self.sources:
            source.put(Bar(last.start_ms, last.open, last.high, last.low, close_price, last.volume))

    def pan(self) -> None:
        self.turn += 1
        for chart in self.charts:
            chart.model.view.right -= 0.1 if self.turn // 60 % 2 else -0.1
            chart.set_autoscale(True)


def measure_live(app: QApplication, seconds: float = 5.0) -> None:
    """Frames a second of the slowest chart, and what all of them take of one core."""
    print("| charts | what | frames/s | of one core | longest gap ms |")
    print("| --- | --- | --- | --- | --- |")
    for count, what in ((1, "tick"), (4, "tick"), (9, "tick"), (9, "pan")):
        wall = Wall(app, count)
        counters = [PaintCounter(chart.view.viewport()) for chart in wall.charts]
        moments: list[float] = []
        wall.charts[0].frame_painted.connect(lambda moments=moments: moments.append(time.perf_counter()))
        timer = QTimer(interval=16, timerType=Qt.TimerType.PreciseTimer)
        timer.timeout.connect(wall.tick if what == "tick" else wall.pan)
        timer.start()
        run_for(1.0)
        for counter in counters:
            counter.count = 0
        moments.clear()
        cpu, begin = time.process_time(), time.perf_counter()
        run_for(seconds)
        cpu, passed = time.process_time() - cpu, time.perf_counter() - begin
        timer.stop()
        rate = min(counter.count for counter in counters) / passed
        print(f"| {count} | {what} | {rate:.1f} | {cpu / passed:.0%} | {np.diff(moments).max() * 1000:.0f} |")
        close(app, wall.window)
    print()


def run_for(seconds: float) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def resident() -> float:
    """Memory this process holds, MB."""
    gc.collect()
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def measure_memory(app: QApplication) -> None:
    """Five million bars with a chart, in a fresh process: what the system says, and what the arrays say."""
    count = 5_000_000
    close(app, new_chart(app, SeriesSource(walk(1000))))
    base = resident()
    source = SeriesSource(walk(count))
    bars = source.series.bars
    columns = (bars.start_ms.nbytes + sum(column.nbytes for column in bars.values())) / 1e6
    series = resident() - base
    chart = new_chart(app, source)
    for visible in (100, 2_000, count):
        chart.model.view.spacing = 1840 / visible
        chart.set_autoscale(True)
        chart.paint_now()
    whole = resident() - base
    print("| 5,000,000 bars | MB | of the bare columns |")
    print("| --- | --- | --- |")
    print(f"| bare columns | {columns:.0f} | 1 |")
    print(f"| as a series, resident | {series:.0f} | {series / columns:.2f} |")
    cells = chart.model.pyramid.nbytes / 1e6
    print(f"| pyramid, its arrays | {cells:.0f} | {cells / columns:.2f} |")
    print(f"| series and chart, resident | {whole:.0f} | **{whole / columns:.2f}** |\n")


def measure_closing(app: QApplication) -> None:
    """200 charts opened, painted and closed."""
    source = SeriesSource(bars_of(1_000))
    marks = []
    charts = []
    for turn in range(241):
        chart = new_chart(app, source)
        chart.paint_now()
        close(app, chart)
        charts.append(weakref.ref(chart))
        del chart
        if turn in (40, 140, 240):
            memory = resident()
            marks.append((memory, sum(chart() is not None for chart in charts), len(gc.get_objects())))
    print("| charts opened and closed, after 40 others | 0 | 100 | 200 |")
    print("| --- | --- | --- | --- |")
    print("| resident MB | " + " | ".join(f"{mark[0]:.1f}" for mark in marks) + " |")
    print("| charts alive | " + " | ".join(str(mark[1]) for mark in marks) + " |")
    print("| Python objects | " + " | ".join(f"{mark[2]:,}" for mark in marks) + " |\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--only", default="frames,first,live,memory,closing")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each contender")
    options = parser.parse_args()
    parts = options.only.split(",")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as screen:  # else windows are held within 800 x 800
        json.dump(SCREEN, screen)
        screen.flush()
        os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={screen.name}"
        app = QApplication([])
    measures: dict[str, Callable[[], None]] = {
        "first": lambda: measure_first(app, options.rounds),
        "frames": lambda: measure_frames(app, options.rounds, options.pictures),
        "live": lambda: measure_live(app),
        "memory": lambda: measure_memory(app),
        "closing": lambda: measure_closing(app),
    }
    for name, measure in measures.items():
        if name not in parts:
            continue
        if len(parts) == 1:
            measure()
        else:  # each in a fresh process: memory and caches of one do not touch another
            sys.stdout.flush()
            again = [sys.executable, __file__, "--rounds", str(options.rounds), "--only", name]
            again += ["--pictures", str(options.pictures)] if options.pictures else []
            subprocess.run(again, check=True)


if __name__ == "__main__":
    main()
