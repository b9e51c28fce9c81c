"""`candelabra tickers`: the tickers that match what was typed, best first."""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys

from desktop.commands.environment import open_environment, say
from desktop.domain.errors import MarketError, UnknownTicker
from desktop.domain.market import Market
from desktop.domain.search import TickerIndex


async def run(arguments: argparse.Namespace) -> None:
    """Prints `ticker,code,market,name` lines. Raises UnknownTicker when nothing matches."""
    async with open_environment(arguments) as layer:
        data = layer.market_data
        rows = await data.tickers()
        found = TickerIndex(rows).search(arguments.query, arguments.limit)
        if not layer.source.is_offline and not rows:
            try:
                for market in Market:
                    await data.refresh_tickers(market)
                rows = await data.tickers()
                index = await asyncio.to_thread(TickerIndex, rows)
                found = index.search(arguments.query, arguments.limit)
            except MarketError as error:
                say(str(error))
        if not found and not layer.source.is_offline:
            found = (await data.find_tickers(arguments.query))[: arguments.limit]
    if not found:
        raise UnknownTicker(f"No ticker matches “{arguments.query}”.")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("ticker", "code", "market", "name"))
    for row in found:
        writer.writerow((row.ticker, row.code, row.market.value, row.name))
