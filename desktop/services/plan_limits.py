"""“Check again”: what the plan refused before is asked for anew."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from desktop.data.market_data import MarketData
from desktop.domain.errors import MarketError
from desktop.services.live import LiveMarket
from desktop.services.notices import Notices
from desktop.services.tasks import Tasks

_KEY = "check again"


class PlanLimits(QObject):
    """Forgets what was learnt of the plan. reload: asks again for what is on the screen."""

    def __init__(
        self,
        market_data: MarketData,
        live: LiveMarket,
        notices: Notices,
        reload: Callable[[], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._market_data = market_data
        self._live = live
        self._notices = notices
        self._reload = reload
        self._tasks = Tasks()

    def check_again(self) -> None:
        """Asks anew for everything the plan did not allow, refused sockets included."""
        self._tasks.start(self._run(), replace="check", name="check the plan again")

    async def _run(self) -> None:
        try:
            await self._market_data.forget_limits()
        except MarketError as error:
            self._notices.post(f"The plan cannot be checked again. {error}", "warning", key=_KEY)
            return
        self._live.retry_now()
        self._reload()
        self._notices.post("The plan's limits are being checked again.", key=_KEY)

    async def aclose(self) -> None:
        """Ends what runs."""
        await self._tasks.aclose()
