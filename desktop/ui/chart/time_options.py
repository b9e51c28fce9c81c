"""What a person chose for the time axis."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self

from PySide6.QtCore import QTimeZone

from desktop.domain.errors import BadInput
from desktop.domain.market import Market
from desktop.domain.settings import ClosedTime, Settings
from desktop.domain.timeframe import Timeframe
from desktop.domain.zones import EXCHANGE, LOCAL, date_zone, exchange_zone, zone_named


@dataclass(frozen=True, slots=True)
class TimeOptions:
    """The fields of `Settings` that are about the time axis."""

    zone: str = "UTC"
    closed_time: ClosedTime = ClosedTime.MARKET
    regular_hours_only: bool = False
    has_session_breaks: bool = True
    has_day_lines: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            settings.zone,
            settings.closed_time,
            settings.regular_hours_only,
            settings.has_session_breaks,
            settings.has_day_lines,
        )

    def zone_for(self, market: Market, timeframe: Timeframe) -> dt.tzinfo:
        """The clock for a chart. Bars of a day and longer are dates, and keep the dates of their market."""
        if timeframe.fixed_ms is None:
            return date_zone(market)
        return zone_of(self.zone, market)


def zone_of(choice: str, market: Market) -> dt.tzinfo:
    """The zone that `choice` means for a market; UTC where the machine does not know its own."""
    match choice:
        case "exchange":
            return exchange_zone(market)
        case "local":
            return local_zone()
        case _:
            return zone_named(choice)


def local_zone() -> dt.tzinfo:
    """The machine's zone, with its changes of the clock."""
    try:
        return zone_named(bytes(QTimeZone.systemTimeZoneId().data()).decode("ascii", "replace"))
    except BadInput:
        return dt.UTC


def choice_text(choice: str) -> str:
    """As menus name a choice."""
    return {LOCAL: "Local time", EXCHANGE: "Exchange"}.get(choice, choice.replace("_", " "))
