"""Joins history and stream at the end of one series, and knows whether a hole may lie between them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from desktop.domain.errors import BadInput, MarketError, NotInPlan, Unauthorized
from desktop.domain.timeframe import MINUTE_MS
from desktop.services.board import LiveQuote
from desktop.services.chart_history import BEHIND_MS, ChartHistory, Found
from desktop.services.live_end import LiveEnd
from desktop.services.series_stream import Pace, Pause, SeriesStream

FINAL: Final = (BadInput, NotInPlan, Unauthorized)  # asking again changes nothing; a new key opens a new session
_JOIN_AT_MOST_S: Final = 60.0  # the time between two looks is doubled up to this
_JOINED_MINUTES: Final = 6  # asked for again until REST has caught up: it can be behind by minutes


class Stitch:
    """Subscribe, buffer, fetch up to now, merge, go on with the stream: at the start and after every interruption.

    Minutes that closed before the stream stood come from REST alone, which can be behind by minutes. The series is
    live only once REST is known to have passed that moment: it gave a minute that the stream has too, or nothing was
    traded since long before, or its settle time is over.

    take: gets what REST found, errors included; say: gets a failure, None when it is over.
    """

    def __init__(
        self,
        history: ChartHistory,
        stream: SeriesStream,
        end: LiveEnd,
        pace: Pace,
        *,
        quote: Callable[[], LiveQuote | None],
        take: Callable[[Found], None],
        say: Callable[[MarketError | None], None],
    ) -> None:
        self._history = history
        self._stream = stream
        self._end = end
        self._clock = clock = history.clock
        self._join_every_s = pace.join_s
        self._quote = quote
        self._take = take
        self._say = say
        self._pause = Pause(pace)
        self._connection: int | None = None  # that the series was stitched to
        self._stood_ms = 0  # time of the market at which that connection was known to stand
        self._breaks = clock.breaks
        self._looked_s = self._look_every_s = 0.0
        self.is_stitched = False
        self.is_joined = False
        self.has_given_up = False  # asking again was pointless when it was asked

    @property
    def is_on_stream(self) -> bool:
        """Whether events of the connection it was stitched to arrive."""
        return (
            self.is_stitched
            and self._connection is not None
            and self._stream.connection == self._connection
            and self._clock.breaks == self._breaks
        )

    @property
    def is_live(self) -> bool:
        """Whether the stream goes on without a hole from what was fetched."""
        return self.is_joined and self.is_on_stream

    @property
    def is_due(self) -> bool:
        """Whether there is another stream than the one it was stitched to."""
        stream = self._stream.connection
        return self.is_stitched and stream is not None and (stream != self._connection or not self._is_unbroken)

    @property
    def _is_unbroken(self) -> bool:
        return self._clock.breaks == self._breaks

    def hurry(self) -> None:
        """Ends a wait for the next try."""
        self._pause.end()

    async def run(self, held_ms: Callable[[], int | None], settled_ms: Callable[[], int]) -> None:
        """Goes on trying for as long as that may help.

        held_ms: start of the last bar held; settled_ms: until when bars are settled.
        """
        self.is_stitched = self.is_joined = self.has_given_up = False
        self._end.hold()
        while True:
            stream, breaks = self._stream.connection, self._clock.breaks
            try:
                found, seed = await self._history.up_to_now(held_ms(), settled_ms())
                self._take(found)
                if found.error is not None:
                    raise found.error
            except MarketError as error:
                self._say(error)
                if isinstance(error, FINAL):
                    self.has_given_up = True
                    return
                await self._pause.wait()
                continue
            if breaks == self._clock.breaks and self._stream.connection in (None, stream):
                break
            # The stream began while REST was asked: what happened in between is in neither, so ask again.
        self._connection, self._breaks = self._stream.connection, breaks
        if seed is not None:
            self._end.seed(seed.tail, seed.closed_ms)
            self._stood_ms = seed.asked_ms - self._stream.delay_ms
            self.is_joined = self._has_passed(seed.newest_minute_ms, self._stood_ms)
        self._looked_s = time.monotonic()
        self._look_every_s = self._join_every_s
        self.is_stitched = True
        self._say(None)
        self._end.go_on()

    async def join(self) -> bool:
        """Looks whether REST has caught up, now and then; answers whether it has just done so. Raises MarketError."""
        if self.is_joined or not self.is_on_stream or self._end.tail is None:
            return False
        if time.monotonic() - self._looked_s < self._look_every_s:
            return False
        self._looked_s = time.monotonic()
        self._look_every_s = min(2 * self._look_every_s, _JOIN_AT_MOST_S)
        asked_ms = self._clock.now_ms()
        open_ms = self._stood_ms - self._stood_ms % MINUTE_MS
        from_ms = max(self._end.tail.seeded_from_ms, open_ms - _JOINED_MINUTES * MINUTE_MS)
        minutes = await self._history.minutes(from_ms, asked_ms + 1)
        self._end.settle(minutes, (asked_ms + self._clock.now_ms()) // 2)
        newest_ms = int(minutes.start_ms[-1]) if len(minutes) else None
        is_late = asked_ms - self._stood_ms > BEHIND_MS
        self.is_joined = self._has_passed(newest_ms, asked_ms - self._stream.delay_ms) or is_late
        return self.is_joined

    def _has_passed(self, newest_minute_ms: int | None, asked_ms: int) -> bool:
        """Whether REST is beyond the moment from which on the stream has everything.

        newest_minute_ms: the newest it knows; asked_ms: when it was asked.
        """
        if newest_minute_ms is not None and newest_minute_ms + MINUTE_MS > self._stood_ms:
            return True
        quote = self._quote()
        # Where the last trade is that old, REST knew it when it was asked.
        return (
            quote is not None
            and quote.last_ms is not None
            and quote.checked_ms is not None
            and quote.checked_ms >= self._stood_ms
            and quote.last_ms < asked_ms - BEHIND_MS
        )
