"""`candelabra watch`: live bars, trades and the connection as JSON lines."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from desktop.commands.carry_out import carry_out
from desktop.commands.checks import checked_ticker
from desktop.commands.parser import option
from desktop.commands.printing import Printer
from desktop.commands.work.watch import WatchRequest
from desktop.data.local_channel import Output, Text
from desktop.domain.errors import BadInput
from desktop.domain.timeframe import Timeframe
from desktop.services.tasks import Tasks

_BARS_REMEMBERED: Final = 10_000


async def run(arguments: argparse.Namespace) -> None:
    """Prints until `--seconds` are over or a signal comes. Raises MarketError when the feed refuses for good."""
    request = WatchRequest(
        [checked_ticker(ticker) for ticker in arguments.tickers], str(Timeframe.parse(arguments.timeframe))
    )
    if option(arguments, "offline"):
        raise BadInput("Nothing can be watched offline.")
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: an interrupt ends the run by KeyboardInterrupt
            asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    tasks = Tasks(report=lambda _error: None)  # it is raised below
    printer = _LinePrinter(interrupted)
    try:
        work = tasks.start(carry_out(arguments, "watch", request, printer), name="watch")
        interrupt = tasks.start(interrupted.wait(), name="interrupt")
        await asyncio.wait({work, interrupt}, timeout=arguments.seconds, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            await work
    finally:
        await tasks.aclose()
    if printer.broken is not None:
        raise printer.broken


class _LinePrinter(Printer):
    """Leaves out what was printed of a bar already, also before the work began anew elsewhere.

    ended: set when nobody reads the output any more; `broken` says how that was found out.
    """

    def __init__(self, ended: asyncio.Event) -> None:
        self.broken: BrokenPipeError | None = None
        self._ended = ended
        self._printed: dict[str, str] = {}  # by the beginning of a bar's line, which says which bar it is

    def post(self, output: Output) -> None:
        if not isinstance(output, Text):
            super().post(output)
        elif self.broken is None:
            try:
                sys.stdout.write("".join(self._new_lines(output.text)))
                sys.stdout.flush()
            except BrokenPipeError as error:  # not raised here: this may be a slot, whose exceptions nobody catches
                self.broken = error
                self._ended.set()

    def _new_lines(self, text: str) -> Iterator[str]:
        for line in text.splitlines(keepends=True):
            if line.startswith('{"type":"bar"'):
                bar = line.partition(',"o":')[0]
                if self._printed.get(bar) == line:
                    continue
                self._printed[bar] = line
                while len(self._printed) > _BARS_REMEMBERED:
                    del self._printed[next(iter(self._printed))]
            yield line
