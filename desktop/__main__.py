"""Entry point of `candelabra`: reads the arguments, then imports only what they need."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from argparse import Namespace
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; the answer is the process's exit code."""
    if hasattr(os, "umask"):
        os.umask(0o077)  # logs, cache and settings are for their owner only
    from desktop import platform_check

    if getattr(sys, "frozen", False):
        platform_check.restore_library_path()
    if (sentence := platform_check.refusal()) is not None:
        print(sentence, file=sys.stderr)
        return 1
    from desktop.commands.parser import build_parser

    parsed = build_parser().parse_args(arguments)
    from desktop.domain.errors import MarketError

    try:
        return _run(parsed)
    except MarketError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(parsed: Namespace) -> int:
    match parsed.command:
        case "feed-server":
            from desktop.demo import command

            return command.run(parsed)
        case "bars":
            from desktop.commands import bars

            asyncio.run(bars.run(parsed))
        case "watch":
            from desktop.commands import watch

            asyncio.run(watch.run(parsed))
        case "backfill":
            from desktop.commands import backfill

            asyncio.run(backfill.run(parsed))
        case "tickers":
            from desktop.commands import tickers

            asyncio.run(tickers.run(parsed))
        case _:
            from desktop.commands import start

            if (lock := start.take_folder(parsed)) is None:
                return 0
            from desktop import app

            return app.run(parsed, lock)
    return 0


if __name__ == "__main__":
    sys.exit(main())
