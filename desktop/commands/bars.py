"""`candelabra bars`: bars as CSV, filling the cache as needed."""

from __future__ import annotations

import argparse
import sys

from desktop.commands.carry_out import carry_out
from desktop.commands.checks import checked_range, checked_ticker
from desktop.commands.parser import option
from desktop.commands.printing import Printer
from desktop.commands.work.bars import BarsRequest
from desktop.data.local_channel import BarsBlock, Output
from desktop.domain.bar_text import number
from desktop.domain.bars import VALUE_COLUMNS, Bars
from desktop.domain.timeframe import Timeframe

HEADER = "t,o,h,l,c,v,vw,n\n"


async def run(arguments: argparse.Namespace) -> None:
    """Prints the bars whose start lies in [from, to). Raises MarketError after what could be printed."""
    timeframe = str(Timeframe.parse(arguments.timeframe))
    from_ms, to_ms = checked_range(arguments.from_, arguments.to)
    ticker, is_offline = checked_ticker(arguments.ticker), bool(option(arguments, "offline"))
    request = BarsRequest(ticker, timeframe, from_ms, to_ms, not arguments.unadjusted, is_offline)
    printer = _CsvPrinter()
    try:
        await carry_out(arguments, "bars", request, printer)
    finally:
        printer.finish()


class _CsvPrinter(Printer):
    """Keeps the bars until all are here: what is printed cannot be taken back when the work begins anew."""

    def __init__(self) -> None:
        self._blocks: list[BarsBlock] = []

    def post(self, output: Output) -> None:
        if isinstance(output, BarsBlock):
            self._blocks.append(output)
        else:
            super().post(output)

    def again(self) -> None:
        self._blocks.clear()

    def finish(self) -> None:
        """Prints, if the answer is whole."""
        if self._blocks and self._blocks[-1].is_last:
            sys.stdout.write(HEADER)
            for block in self._blocks:
                write_rows(block.bars)
            sys.stdout.flush()


def write_rows(bars: Bars) -> None:
    """Writes the bars to stdout, numbers in full precision."""
    columns = [column.tolist() for column in (getattr(bars, name) for name in VALUE_COLUMNS)]
    lines = (
        ",".join((str(start_ms), *map(number, values))) + "\n"
        for start_ms, *values in zip(bars.start_ms.tolist(), *columns, strict=True)
    )
    sys.stdout.write("".join(lines))
