"""What a person can set, with defaults. Never a secret: the key lives in the OS keyring."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final

VENDOR_REST: Final = "https://api.massive.com"
VENDOR_SOCKET: Final = "wss://socket.massive.com"
VENDOR_SOCKET_DELAYED: Final = "wss://delayed.massive.com"


class Theme(enum.StrEnum):
    SYSTEM = "system"
    DARK = "dark"
    LIGHT = "light"


class Colours(enum.StrEnum):
    """Which colours mean up and down, and how strong everything stands out."""

    CLASSIC = "classic"
    SAFE = "colour-safe"
    HIGH_CONTRAST = "high-contrast"
    EAST_ASIA = "east-asia"  # red is up


class ClosedTime(enum.StrEnum):
    """Whether hours without trading take room on the time axis."""

    MARKET = "market"  # for crypto, which never closes; stocks and currencies are cut
    SHOWN = "shown"
    CUT = "cut"


class Plan(enum.StrEnum):
    """What the vendor sells, as far as limits go."""

    FREE = "free"  # 5 calls a minute, no socket
    PAID = "paid"  # rate and concurrency only

    @property
    def calls_per_minute(self) -> int | None:
        """Calls allowed in any rolling minute; None: no such limit."""
        return 5 if self is Plan.FREE else None


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Addresses carry no path, no key and no trailing slash."""

    theme: Theme = Theme.SYSTEM
    colours: Colours = Colours.CLASSIC
    reduced_motion: bool = False  # nothing glides, flashes or pulses
    zone: str = "UTC"  # of the charts: an IANA name, "local", or "exchange" for the market's own
    closed_time: ClosedTime = ClosedTime.MARKET
    regular_hours_only: bool = False  # stocks without pre-market and after hours
    has_session_breaks: bool = True  # lines between sessions, shades outside regular hours
    has_day_lines: bool = True  # where days and weeks begin
    plan: Plan = Plan.FREE
    rest_base: str = VENDOR_REST
    socket_base: str = VENDOR_SOCKET
    ticker: str = "X:BTCUSD"
    timeframe: str = "1m"
    has_chosen_start: bool = False  # the first-start question was answered
    starts_in_demo: bool = False  # answered "demo" and no key has been entered since
    demo_seed: int = 7
    window: dict[str, str] = field(default_factory=dict)  # name -> base64 of Qt's saveGeometry/saveState


DEFAULT_WATCHLIST: Final = (
    "X:BTCUSD",
    "X:ETHUSD",
    "X:SOLUSD",
    "X:XRPUSD",
    "X:DOGEUSD",
    "X:ADAUSD",
    "X:LTCUSD",
    "AAPL",
    "MSFT",
    "C:EURUSD",
)
