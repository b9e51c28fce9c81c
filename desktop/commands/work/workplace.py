"""What the work of a command is done with: an open data layer, and live data when they are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.assembly import DataLayer

if TYPE_CHECKING:
    from desktop.services.live import LiveMarket


class Workplace:
    """One world's data, of the window or of a command; everything that works here shares its connections.

    live: the window's; without one, connections are opened when first needed and closed by `aclose`.
    """

    def __init__(self, layer: DataLayer, live: LiveMarket | None = None) -> None:
        self.layer = layer
        self._live = live
        self._is_own = live is None

    @property
    def live(self) -> LiveMarket:
        if self._live is None:
            from desktop.services.live import LiveMarket  # Qt's core is for those who watch

            self._live = LiveMarket(self.layer.make_feed, self.layer.clock, delayed=self.layer.source.delayed)
        return self._live

    async def aclose(self) -> None:
        """Closes the connections that were opened here."""
        if self._is_own and self._live is not None:
            await self._live.aclose()
