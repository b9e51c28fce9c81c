"""`candelabra bars`: bars as CSV, filling the cache as needed."""

from __future__ import annotations

import argparse
import sys

from desktop.commands.environment import open_environment
from desktop.commands.times import number, parse_time
from desktop.domain.bars import VALUE_COLUMNS, Bars
from desktop.domain.errors import BadInput, MarketError, NotCached
from desktop.domain.market import is_plausible_ticker
from desktop.domain.timeframe import Timeframe

HEADER = "t,o,h,l,c,v,vw,n"


async def run(arguments: argparse.Namespace) -> None:
    """Prints the bars whose start lies in [from, to). Raises MarketError after what could be printed."""
    timeframe = Timeframe.parse(arguments.timeframe)
    from_ms, to_ms = parse_time(arguments.from_), parse_time(arguments.to)
    if from_ms >= to_ms:
        raise BadInput("--from must lie before --to.")
    if not is_plausible_ticker(arguments.ticker):
        raise BadInput(f"“{arguments.ticker}” is not a ticker.", next_step="Try X:BTCUSD, C:EURUSD or AAPL.")
    async with open_environment(arguments) as layer:
        answer = await layer.market_data.bars(
            arguments.ticker,
            timeframe,
            from_ms,
            to_ms,
            adjusted=not arguments.unadjusted,
            offline=layer.source.is_offline,
        )
    write_csv(answer.bars)
    problem: MarketError | None = answer.error
    if problem is None and answer.missing:
        problem = NotCached(f"{len(answer.missing)} ranges are not in the cache and are missing above.")
    if problem is not None:
        raise problem


def write_csv(bars: Bars) -> None:
    """Writes the bars to stdout, numbers in full precision."""
    columns = [column.tolist() for column in (getattr(bars, name) for name in VALUE_COLUMNS)]
    lines = [HEADER]
    for start_ms, *values in zip(bars.start_ms.tolist(), *columns, strict=True):
        lines.append(",".join((str(start_ms), *map(number, values))))
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
