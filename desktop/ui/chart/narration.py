"""What a chart says in words at this moment: legend, last price with countdown, messages, the spoken bar."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np

from desktop.domain.freshness import Freshness
from desktop.domain.timeframe import bucket_end, bucket_start
from desktop.services.chart_status import BarState
from desktop.services.live_end import BarOrigin
from desktop.ui import formatting
from desktop.ui.chart.empty_times import WORDS, emptiness_at
from desktop.ui.chart.legend import SEPARATOR, Run, bar_time, direction_of, spoken, title_line, values_line
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.overlay import LastPrice, Message, StudyLine
from desktop.ui.chart.scales import Writer
from desktop.ui.chart.source import Clock
from desktop.ui.chart.studies import PlacedStudy
from desktop.ui.freshness_text import freshness_details

_PULSE_MS = 1_000
_MOVING = (Freshness.LIVE, Freshness.DELAYED, Freshness.NO_TRADES)
_UNTRUSTED = (Freshness.CACHED, Freshness.STALE)


class Narrator:
    """Puts the state of a model into words."""

    def __init__(self, model: ChartModel, clock: Clock) -> None:
        self._model = model
        self._clock = clock

    def legend(
        self, index: int | None, slot: int | None = None, *, is_short: bool = False
    ) -> tuple[tuple[Run, ...], ...]:
        """The legend's lines: title, the values of a bar (the last one by default), what is wrong or odd.

        slot: where the crosshair stands; when it holds no bar, that is said instead of values. is_short: for a chart
        whose plot a whole legend would cover.
        """
        model, source = self._model, self._model.source
        if not source.ticker:
            return ()
        status = source.status
        bars, now_ms = model.bars, self._clock.now_ms()
        title = title_line(source.ticker, source.info, source.timeframe, status, now_ms, has_bars=len(bars) > 0)
        if model.drawn.kind.is_synthetic:
            title.append(Run(f"{SEPARATOR}{model.drawn.kind.text} (synthetic)", "warning"))
        lines = [tuple(title)]
        if len(bars):
            emptiness = None if slot is None else emptiness_at(model, slot)
            if emptiness is not None:
                lines.append((Run(WORDS[emptiness], "warning" if emptiness == "unknown" else "secondary"),))
            else:
                at = len(bars) - 1 if index is None else index
                state, origin = self._state(at)
                before = self._close_before(at)
                values = values_line(bars[at], before, model.style, state, origin, is_short=is_short)
                lines.append(tuple(values))
            if status.sentence:
                lines.append((Run(f"⚠ {status.sentence}", "warning"),))
        if status.note:
            lines.append((Run(status.note, "secondary"),))
        return tuple(lines)

    def study_lines(self, index: int | None) -> tuple[StudyLine, ...]:
        """For each study that is drawn its name and its values at a bar, the last one by default."""
        studies, last = self._model.studies, len(self._model.bars) - 1
        at = last if index is None else index
        drawn = (*studies.overlays, *studies.panes, *(placed for placed in studies.items if placed.is_hidden))
        return tuple(self._study_line(placed, at) for placed in drawn) if last >= 0 else ()

    def _study_line(self, placed: PlacedStudy, index: int) -> StudyLine:
        if placed.is_hidden:
            return StudyLine(placed.id, is_in_pane=False, runs=(Run(f"{placed.study.label}  hidden", "secondary"),))
        runs = [Run(placed.study.label, "secondary")]
        style = self._model.style if placed.study.entry.axis == "price" else None
        for output in range(len(placed.study.entry.output_names)):
            value = float(placed.values.at(output, np.array([index]))[0])
            text = style.text(value) if style is not None else formatting.signed_volume(value)
            runs.append(Run(f"  {text}", "text"))
        return StudyLine(placed.id, placed.has_pane, tuple(runs))

    def last_price(self, writer: Writer) -> LastPrice | None:
        """The line and tag of the last price; None without bars."""
        model, source = self._model, self._model.source
        bar = model.last
        if bar is None:
            return None
        status, now_ms = source.status, self._clock.now_ms()
        is_stale = status.freshness in _UNTRUSTED
        passed_ms = now_ms - status.last_event_ms if status.last_event_ms is not None else None
        return LastPrice(
            bar.close,
            writer.text(bar.close),
            direction_of(bar, self._close_before(len(model.bars) - 1)),
            countdown=self._countdown(now_ms),
            is_stale=is_stale,
            has_pulse=passed_ms is not None and passed_ms < _PULSE_MS and status.freshness is Freshness.LIVE,
        )

    def message(self) -> Message | None:
        """What stands in the middle while there are no bars."""
        source = self._model.source
        if len(self._model.bars):
            return None
        status = source.status
        match status.phase:
            case "empty" if not source.ticker:
                return Message("No chart yet", "Type a ticker or a name, such as btc or Apple.")
            case "loading":
                return Message(f"Loading {source.ticker}…", status.sentence or "")
            case "failed":
                sentence = status.sentence or "The reason is not known."
                return Message(f"{source.ticker} cannot be shown", sentence, is_warning=True)
            case _:
                detail = status.sentence or f"{source.status.source} has none for this timeframe."
                return Message(f"No bars for {source.ticker} at {source.timeframe}", detail)

    def time_text(self, slot: int, zone: dt.tzinfo) -> str:
        """The time of a slot, as the crosshair shows it."""
        model = self._model
        return bar_time(model.axis.time_at(model.bars.start_ms, slot), model.source.timeframe, zone)

    def spoken(self, slot: int, zone: dt.tzinfo) -> str:
        """The bar in a slot, or the last one before it, as a sentence."""
        model, source = self._model, self._model.source
        index = model.nearest_index(slot)
        if index is None:
            message = self.message()
            return f"{message.title} {message.detail}".strip() if message is not None else ""
        emptiness = emptiness_at(model, slot)
        if emptiness is not None:
            return f"{source.ticker}, {source.timeframe}, {self.time_text(slot, zone)}: {WORDS[emptiness]}"
        bar = model.bars[index]
        state, origin = self._state(index)
        return spoken(source.ticker, source.timeframe, bar, model.style, f"{state}, {origin}", zone)

    def details(self, zone: dt.tzinfo) -> str:
        """Everything about the chart's trust: freshness with its times, the last bar's state, holes; a line each."""
        model, source = self._model, self._model.source
        status = source.status
        lines = [freshness_details(status.freshness, status.source, status.seen, zone)]
        if model.last is not None:
            state, origin = self._state(len(model.bars) - 1)
            lines.append(f"Last bar: {bar_time(model.last.start_ms, source.timeframe, zone)}, {state}, {origin}")
        if status.fetched_ms is not None:
            lines.append(f"Last fetched by REST: {formatting.moment(status.fetched_ms, zone)}")
        if status.missing:
            lines.append("Hatched times are not known yet; a dotted line means that nothing was traded.")
        if status.sentence:
            lines.append(status.sentence)
        return "\n".join(lines)

    def _state(self, index: int) -> tuple[BarState, BarOrigin]:
        """State and origin of a bar."""
        source = self._model.source
        if index == len(self._model.bars) - 1:
            return source.status.bar_state, source.status.bar_origin
        start_ms = int(self._model.bars.start_ms[index])
        return source.state_of(start_ms), source.origin_of(start_ms)

    def _close_before(self, index: int) -> float:
        return float(self._model.bars.close[index - 1]) if index > 0 else math.nan

    def _countdown(self, now_ms: int) -> str | None:
        """Time left in the forming bar; a dash while the feed is lost, nothing for a chart that does not move."""
        source = self._model.source
        freshness = source.status.freshness
        if freshness is Freshness.STALE:
            return formatting.NOTHING
        if freshness not in _MOVING or source.status.bar_state != "forming":
            return None
        start_ms = bucket_start(now_ms, source.timeframe, source.market)
        return formatting.countdown(bucket_end(start_ms, source.timeframe, source.market) - now_ms)
