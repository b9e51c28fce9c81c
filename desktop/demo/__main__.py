"""`python -m desktop.demo`: the feed server without the rest of the application."""

from __future__ import annotations

import argparse
import sys

from desktop.demo import command
from desktop.domain.errors import MarketError


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m desktop.demo", description=command.__doc__)
    command.add_arguments(parser)
    try:
        return command.run(parser.parse_args())
    except MarketError as error:
        parser.exit(error.exit_code, f"{error}\n")


if __name__ == "__main__":
    sys.exit(main())
