"""What is saved behind the scenes is the newest, and never twice at a time."""

from __future__ import annotations

import asyncio

from desktop.services.saving import Saver


def test_changes_during_a_save_are_saved_once_after_it(run_async) -> None:
    async def scenario() -> None:
        value, saved = 1, []
        begun, may_end = asyncio.Event(), asyncio.Event()

        async def save() -> None:
            saved.append(value)
            begun.set()
            await may_end.wait()

        saver = Saver(save, name="save a number")
        saver.mark()
        await begun.wait()
        for value in (2, 3):  # noqa: B007 (read by `save`)
            saver.mark()
        assert saved == [1]
        may_end.set()
        await saver.aclose()
        assert saved == [1, 3]

    run_async(scenario())
