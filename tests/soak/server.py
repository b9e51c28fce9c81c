"""`python -m tests.soak.server`: the feed server over the dense market; ends when its standard input closes."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from desktop.demo.server import ServerOptions, serving
from desktop.domain.timeframe import ONE_HOUR
from tests.soak.dense_market import OPENED_MS, TICKERS, DenseMarket


async def _serve(options: ServerOptions) -> None:
    async with serving(options) as server:
        sys.stdout.write(json.dumps(server.line()) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.buffer.read)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--key", required=True)
    parser.add_argument("--start", type=int, required=True, help="market time to begin at, Unix ms")
    parser.add_argument("--watch-stdin", action="store_true", help="always so; as `python -m desktop.demo` has it")
    arguments = parser.parse_args()
    market = DenseMarket()
    for ticker in TICKERS:  # made before anybody waits for it
        market.bars(ticker, ONE_HOUR, OPENED_MS, arguments.start, arguments.start)
    asyncio.run(_serve(ServerOptions(market, arguments.key, arguments.start)))


if __name__ == "__main__":
    main()
