"""The work behind each command, by name."""

from __future__ import annotations

from functools import partial
from typing import Any

from desktop.commands.work import backfill, bars, tickers
from desktop.commands.work.workplace import Workplace
from desktop.data.local_channel import Outlet
from desktop.services.local_server import Job


def jobs_of(workplace: Workplace) -> dict[str, Job]:
    """Everything others may ask for."""
    works = {"bars": bars.work, "tickers": tickers.work, "backfill": backfill.work, "watch": _watch}
    return {name: partial(work, workplace) for name, work in works.items()}


async def _watch(workplace: Workplace, arguments: dict[str, Any], outlet: Outlet) -> None:
    from desktop.commands.work import watch  # brings Qt's core

    await watch.work(workplace, arguments, outlet)
