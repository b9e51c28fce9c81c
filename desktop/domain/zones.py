"""Zones a chart's clock may show: by name, the machine's own, the exchange's."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from desktop.domain.errors import BadInput
from desktop.domain.market import Market
from desktop.domain.timeframe import NEW_YORK

LOCAL: Final = "local"
EXCHANGE: Final = "exchange"
_OLD_NAMES: Final = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/", "posix/", "right/")


def zone_named(name: str) -> dt.tzinfo:
    """A zone by its IANA name. Raises BadInput."""
    if name == "UTC":
        return dt.UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(f"“{name}” is not a time zone.", next_step="Try Europe/Berlin or UTC.") from error


def check_choice(choice: str) -> None:
    """Raises BadInput unless it is `local`, `exchange` or the name of a zone."""
    if choice not in (LOCAL, EXCHANGE):
        zone_named(choice)


def exchange_zone(market: Market) -> dt.tzinfo:
    """The clock a market lives by: New York for stocks and currencies, UTC for crypto."""
    return dt.UTC if market is Market.CRYPTO else NEW_YORK


def date_zone(market: Market) -> dt.tzinfo:
    """The zone whose midnights begin a market's bars of a day and longer."""
    return NEW_YORK if market is Market.STOCKS else dt.UTC


@lru_cache(maxsize=1)
def zone_names() -> tuple[str, ...]:
    """IANA names of places, A to Z."""
    names = resources.files("tzdata").joinpath("zones").read_text("ascii").split()  # one file, not a walk of hundreds
    return tuple(sorted(name for name in names if "/" in name and not name.startswith(_OLD_NAMES)))
