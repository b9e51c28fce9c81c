"""`candelabra tickers`: the tickers that match what was typed, best first."""

from __future__ import annotations

import argparse
import csv
import sys

from desktop.commands.carry_out import carry_out
from desktop.commands.parser import option
from desktop.commands.printing import Printer
from desktop.commands.work.tickers import TickersRequest
from desktop.data.local_channel import Output, Rows


async def run(arguments: argparse.Namespace) -> None:
    """Prints `ticker,code,market,name` lines. Raises UnknownTicker when nothing matches."""
    request = TickersRequest(arguments.query, arguments.limit, bool(option(arguments, "offline")))
    await carry_out(arguments, "tickers", request, _CsvPrinter())


class _CsvPrinter(Printer):
    def post(self, output: Output) -> None:
        if isinstance(output, Rows):
            writer = csv.writer(sys.stdout, lineterminator="\n")
            writer.writerow(("ticker", "code", "market", "name"))
            writer.writerows(output.rows)
            sys.stdout.flush()
        else:
            super().post(output)
