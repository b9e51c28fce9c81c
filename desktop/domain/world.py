"""Which source data come from, so that demo, replay and vendor data never share a file."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_ID_PATTERN = re.compile(r"[a-z]+(-[a-z0-9]+)*")
_VENDOR_HOSTS = {
    "api.massive.com",
    "api.polygon.io",
    "socket.massive.com",
    "delayed.massive.com",
    "socket.polygon.io",
    "delayed.polygon.io",
}


@dataclass(frozen=True, slots=True)
class World:
    """One source of data. `id` names its folder and stands in its files: `vendor`, `demo-7`, `replay-3fa9c1d2`."""

    id: str

    def __post_init__(self) -> None:
        if not _ID_PATTERN.fullmatch(self.id) or len(self.id) > 60:
            raise ValueError(f"not a world: {self.id!r}")

    @property
    def label(self) -> str:
        """Word for window title, legend and exports: `DEMO`, `REPLAY`, `CUSTOM`, or nothing for the vendor."""
        kind = self.id.split("-", 1)[0]
        return "" if kind == "vendor" else kind.upper()


VENDOR = World("vendor")


def demo_world(seed: int) -> World:
    """The synthetic market of one seed."""
    return World(f"demo-{seed}")


def world_of_base(rest_base: str) -> World:
    """The world of a REST base whose server does not name one: the vendor's hosts, else one world per address."""
    parts = urlsplit(rest_base)
    if parts.hostname in _VENDOR_HOSTS and parts.scheme == "https":
        return VENDOR
    digest = hashlib.sha256(rest_base.rstrip("/").encode()).hexdigest()[:8]
    return World(f"custom-{digest}")
