"""`candelabra backfill`: fills the cache, so that bars are there when they are wanted, and offline."""

from __future__ import annotations

import argparse
import asyncio
import math
import sys

from desktop.commands.carry_out import carry_out
from desktop.commands.checks import checked_range, checked_ticker
from desktop.commands.environment import say
from desktop.commands.parser import option
from desktop.commands.printing import Printer
from desktop.commands.work.backfill import BackfillRequest
from desktop.data.local_channel import Output, Progress
from desktop.domain.errors import BadInput
from desktop.domain.timeframe import Timeframe

_CLEAR_LINE = "\r\x1b[K"


async def run(arguments: argparse.Namespace) -> None:
    """Fills the cache with the bars whose start lies in [from, to); what is stored is not fetched again."""
    timeframe = str(Timeframe.parse(arguments.timeframe))
    from_ms, to_ms = checked_range(arguments.from_, arguments.to)
    if option(arguments, "offline"):
        raise BadInput("Nothing can be fetched offline.")
    tickers = list(dict.fromkeys(checked_ticker(ticker) for ticker in arguments.tickers))
    request = BackfillRequest(tickers, timeframe, from_ms, to_ms, not arguments.unadjusted)
    printer = _ProgressPrinter(timeframe)
    try:
        await carry_out(arguments, "backfill", request, printer)
    except asyncio.CancelledError:
        printer.end_line()
        say("Stopped. What was fetched is kept; the same command goes on from there.")
        raise
    finally:
        printer.end_line()


class _ProgressPrinter(Printer):
    """On a terminal one line a ticker, written anew; else one line for each call and each wait."""

    def __init__(self, timeframe: str) -> None:
        self._timeframe = timeframe
        self._is_terminal = sys.stderr.isatty()
        self._is_in_line = False
        self._is_wait_told = False

    def post(self, output: Output) -> None:
        if not isinstance(output, Progress):
            self.end_line()
            super().post(output)
        elif self._is_terminal:
            sys.stderr.write(_CLEAR_LINE + self._text(output))
            self._is_in_line = True
            if output.is_complete:
                self.end_line()
            sys.stderr.flush()
        elif not (output.wait_s and self._is_wait_told):
            self._is_wait_told = bool(output.wait_s)
            say(self._text(output))

    def end_line(self) -> None:
        """Leaves the line that is being rewritten."""
        if self._is_in_line:
            sys.stderr.write("\n")
            self._is_in_line = False

    def again(self) -> None:
        self.end_line()

    def _text(self, progress: Progress) -> str:
        calls = "1 call" if progress.calls == 1 else f"{progress.calls} calls"
        text = f"{progress.ticker} {self._timeframe}: {progress.bars:,} bars in {calls}"
        if progress.is_complete:
            return f"{text}, complete" if progress.calls else f"{progress.ticker} {self._timeframe}: complete already"
        return f"{text}, next call in {math.ceil(progress.wait_s)} s" if progress.wait_s else text
