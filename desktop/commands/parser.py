"""Arguments of `candelabra` and its subcommands; imports nothing heavy, so that `--help` is instant."""

from __future__ import annotations

import argparse
from pathlib import Path

from desktop import __version__

_DESCRIPTION = "Candelabra: live charts of Massive.com market data. Without a subcommand the window opens."


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    common = _common()
    parser = argparse.ArgumentParser(prog="candelabra", description=_DESCRIPTION, parents=[common])
    parser.add_argument("--version", action="version", version=f"candelabra {__version__}")
    _add_window_options(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    bars = commands.add_parser("bars", parents=[common], help="print bars as CSV, filling the cache as needed")
    bars.add_argument("ticker", metavar="TICKER", help="X:BTCUSD, C:EURUSD, AAPL")
    bars.add_argument("--timeframe", default="1m", metavar="F", help="1m 5m 15m 1h 4h 1D 1W, or any multiple")
    bars.add_argument(
        "--from", dest="from_", required=True, metavar="T", help="ISO date, ISO date-time (UTC) or Unix ms"
    )
    bars.add_argument("--to", required=True, metavar="T", help="end, exclusive; same forms")
    bars.add_argument("--unadjusted", action="store_true", help="stocks as traded, not adjusted for splits")

    watch = commands.add_parser("watch", parents=[common], help="print live bars and trades as JSON lines")
    watch.add_argument("tickers", nargs="+", metavar="TICKER")
    watch.add_argument("--timeframe", default="1m", metavar="F")
    watch.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (default: when interrupted)")

    backfill = commands.add_parser("backfill", parents=[common], help="fill the cache; what is there is not fetched")
    backfill.add_argument("tickers", nargs="+", metavar="TICKER")
    backfill.add_argument("--timeframe", default="1m", metavar="F")
    backfill.add_argument("--from", dest="from_", required=True, metavar="T", help="as for bars")
    backfill.add_argument("--to", required=True, metavar="T", help="end, exclusive")
    backfill.add_argument("--unadjusted", action="store_true", help="stocks as traded, not adjusted for splits")

    tickers = commands.add_parser("tickers", parents=[common], help="print tickers that match, best first")
    tickers.add_argument("query", metavar="QUERY")
    tickers.add_argument("--limit", type=int, default=20, metavar="N")

    server = commands.add_parser("feed-server", help="serve the demo market or a recording in the vendor's protocol")
    from desktop.demo.command import add_arguments

    add_arguments(server)
    return parser


def _common() -> argparse.ArgumentParser:
    """Options that work before and after a subcommand; absent ones leave no attribute (see `option`)."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = common.add_argument_group("where data come from and go to")
    group.add_argument("--data-dir", type=Path, metavar="DIR", help="everything the application writes goes there")
    group.add_argument("--rest-base", metavar="URL", help="REST address (default: settings, then the vendor's)")
    group.add_argument("--socket-base", metavar="URL", help="socket address")
    group.add_argument("--clock", metavar="URL", help="follow the market clock of a feed server's control address")
    group.add_argument("--plan", choices=("free", "paid"), help="limits of the plan for this run")
    group.add_argument("--offline", action="store_true", help="answer from the cache alone")
    group.add_argument("--demo", action="store_true", help="the built-in demo market; needs no key")
    group.add_argument("--seed", type=int, metavar="N", help="which demo market (default 7)")
    group.add_argument(
        "--replay",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="replay recorded bars and trades (CSV, .gz), or what --record wrote",
    )
    group.add_argument("--speed", metavar="X", help="replay speed: 1, 60, … or max")
    group.add_argument("--record", type=Path, metavar="DIR", help="record what the server says, without the key")
    group.add_argument("--record-limit", type=int, metavar="MB", help="how large the recording may become (2000)")
    group.add_argument("--verbose", action="store_true", help="log more")
    return common


def _add_window_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the window")
    group.add_argument("--from", dest="replay_from", default=None, metavar="T", help="where a replay starts")
    group.add_argument("--ticker", metavar="T", help="ticker to open")
    group.add_argument("--timeframe", dest="window_timeframe", metavar="F", help="timeframe to open")
    group.add_argument("--screenshot", type=Path, metavar="FILE", help="write a picture of the window and end")
    group.add_argument("--size", metavar="WxH", help="size of the window, such as 1280x800")
    group.add_argument("--theme", choices=("system", "dark", "light"), help="colours for this run")
    group.add_argument(
        "--until-live", action="store_true", help="end when live candles have moved; say how long it took"
    )
    group.add_argument("--seconds", dest="window_seconds", type=float, metavar="N", help="end after N seconds")


def option(arguments: argparse.Namespace, name: str, default: object = None) -> object:
    """An option of the common group, or `default` when it was not given."""
    return getattr(arguments, name, default)
