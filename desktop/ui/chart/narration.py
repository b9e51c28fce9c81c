"""What a chart says in words at this moment: legend, last price with countdown, messages, the spoken bar."""

from __future__ import annotations

import datetime as dt
import math

from desktop.domain.freshness import Freshness
from desktop.domain.timeframe import bucket_end, bucket_start
from desktop.ui import formatting
from desktop.ui.chart.legend import Run, bar_time, direction_of, spoken, title_line, values_line
from desktop.ui.chart.model import ChartModel
from desktop.ui.chart.overlay import LastPrice, Message
from desktop.ui.chart.source import Clock

_PULSE_MS = 1_000
_MOVING = (Freshness.LIVE, Freshness.DELAYED, Freshness.NO_TRADES)


class Narrator:
    """Puts the state of a model into words."""

    def __init__(self, model: ChartModel, clock: Clock) -> None:
        self._model = model
        self._clock = clock

    def legend(self, index: int | None) -> tuple[tuple[Run, ...], ...]:
        """The legend's lines: title, the values of a bar (the last one by default), what is wrong or odd."""
        model, source = self._model, self._model.source
        if not source.ticker:
            return ()
        status = source.status
        lines = [tuple(title_line(source.ticker, source.info, source.timeframe, status, self._clock.now_ms()))]
        bars = model.bars
        if len(bars):
            at = len(bars) - 1 if index is None else index
            bar = bars[at]
            state = status.bar_state if at == len(bars) - 1 else source.state_of(bar.start_ms)
            lines.append(tuple(values_line(bar, self._close_before(at), model.style, state)))
            if status.sentence:
                lines.append((Run(f"⚠ {status.sentence}", "warning"),))
        if status.note:
            lines.append((Run(status.note, "secondary"),))
        return tuple(lines)

    def last_price(self) -> LastPrice | None:
        """The line and tag of the last price; None without bars."""
        model, source = self._model, self._model.source
        bar = model.last
        if bar is None:
            return None
        status, now_ms = source.status, self._clock.now_ms()
        is_stale = status.freshness is Freshness.STALE
        passed_ms = now_ms - status.last_event_ms if status.last_event_ms is not None else None
        return LastPrice(
            bar.close,
            model.style.text(bar.close),
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
        bar = model.bars[index]
        state = source.status.bar_state if index == len(model.bars) - 1 else source.state_of(bar.start_ms)
        return spoken(source.ticker, source.timeframe, bar, model.style, state, zone)

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
