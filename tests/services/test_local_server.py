"""The owner of a folder at work for others: over real sockets, with clients that leave, lag, lie or hang."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from desktop.data import local_client
from desktop.data.folder_lock import FolderLock, Owner, read_owner
from desktop.data.folders import Claim, Folders
from desktop.data.local_channel import (
    PROTOCOL,
    Accepted,
    Ask,
    BarsBlock,
    Channel,
    Done,
    Failed,
    Outlet,
    Output,
    Said,
    Text,
    connect,
    listen,
    send_bars,
)
from desktop.data.local_client import Ending, ask
from desktop.domain.bars import Bars
from desktop.domain.errors import BadInput, CacheError, MarketError, NotInPlan, RateLimited
from desktop.domain.world import VENDOR
from desktop.services.local_server import Job, LocalServer
from desktop.services.ownership import STEP_DOWN, take_over
from tests.services.live_desk import until

Run = Callable[..., Any]


@asynccontextmanager
async def owning(folder: Path, jobs: Mapping[str, Job]) -> AsyncIterator[tuple[Owner, LocalServer, Claim]]:
    """Owns the vendor's world below `folder` and serves `jobs`."""
    claim = Folders.open(folder).claim(VENDOR)
    lock = FolderLock.try_take(claim.lock)
    assert lock is not None
    server = LocalServer(lock, claim.socket, jobs, rest_base="https://api.massive.com")
    await server.start()
    owner = read_owner(claim.lock)
    assert owner is not None
    try:
        yield owner, server, claim
    finally:
        await server.aclose()
        lock.release()


class Heard:
    """Keeps what an owner says."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []

    async def take(self, output: Output) -> None:
        self.outputs.append(output)


def bars_of(count: int) -> Bars:
    values = np.random.default_rng(1).random((7, count))
    values[6, ::3] = math.nan
    return Bars(np.arange(count, dtype=np.int64) * 60_000, *values)


def same(a: Bars, b: Bars) -> bool:
    pairs = zip([a.start_ms, *a.values()], [b.start_ms, *b.values()], strict=True)
    return all(np.array_equal(one, other, equal_nan=one.dtype.kind == "f") for one, other in pairs)


@pytest.mark.parametrize("count", [0, 1, 4096, 100_000])
def test_bars_cross_the_channel_bit_by_bit(tmp_path: Path, run_async: Run, count: int) -> None:
    bars = bars_of(count)

    async def job(arguments: dict[str, Any], outlet: Outlet) -> None:
        assert arguments == {"n": count, "names": ["a", "ü"]}
        await send_bars(bars, outlet)

    async def scenario() -> None:
        async with owning(tmp_path, {"bars": job}) as (owner, _server, _claim):
            heard = Heard()
            assert await ask(owner, "bars", {"n": count, "names": ["a", "ü"]}, heard.take) is Ending.DONE
        blocks = [output for output in heard.outputs if isinstance(output, BarsBlock)]
        assert [block.is_last for block in blocks] == [False] * (len(blocks) - 1) + [True]
        got = Bars.empty()
        for block in blocks:
            got = got.merged(block.bars)
        assert same(got, bars)

    run_async(scenario())


def test_an_expected_failure_arrives_as_what_it_is(tmp_path: Path, run_async: Run) -> None:
    async def job(arguments: dict[str, Any], outlet: Outlet) -> None:
        outlet.post(Said("almost"))
        raise {"plan": NotInPlan("Not in the plan.", next_step="Buy more."), "calls": RateLimited("Used up.")}[
            arguments["which"]
        ]

    async def scenario() -> None:
        async with owning(tmp_path, {"fail": job}) as (owner, _server, _claim):
            heard = Heard()
            with pytest.raises(NotInPlan, match=r"^Not in the plan\. Buy more\.$") as caught:
                await ask(owner, "fail", {"which": "plan"}, heard.take)
            assert (caught.value.exit_code, heard.outputs) == (5, [Said("almost")])
            with pytest.raises(RateLimited, match="Used up"):
                await ask(owner, "fail", {"which": "calls"}, heard.take)
            with pytest.raises(BadInput, match="cannot do “nothing”"):
                await ask(owner, "nothing", {}, heard.take)

    run_async(scenario())


def test_a_bug_in_the_owner_is_reported_there_and_ends_the_command(tmp_path: Path, run_async: Run) -> None:
    async def job(_arguments: dict[str, Any], _outlet: Outlet) -> None:
        raise ZeroDivisionError

    async def scenario() -> None:
        bugs: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: bugs.append(context["exception"]))
        async with owning(tmp_path, {"job": job}) as (owner, _server, _claim):
            with pytest.raises(MarketError, match="went wrong inside"):
                await ask(owner, "job", {}, Heard().take)
        assert [type(bug) for bug in bugs] == [ZeroDivisionError]

    run_async(scenario())


def test_the_work_ends_with_its_client(tmp_path: Path, run_async: Run) -> None:
    state: list[str] = []

    async def job(_arguments: dict[str, Any], outlet: Outlet) -> None:
        state.append("begun")
        outlet.post(Text("line\n"))
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            state.append("ended")

    async def scenario() -> None:
        async with owning(tmp_path, {"job": job}) as (owner, _server, _claim):
            heard = Heard()
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(ask(owner, "job", {}, heard.take))
                await until(lambda: heard.outputs, "the line is heard")
                asking.cancel()
            await until(lambda: state == ["begun", "ended"], "the work has ended")

    run_async(scenario())


def test_whoever_waits_hears_that_the_owner_leaves(tmp_path: Path, run_async: Run) -> None:
    begun = asyncio.Event()

    async def job(_arguments: dict[str, Any], _outlet: Outlet) -> None:
        begun.set()
        await asyncio.get_running_loop().create_future()

    async def scenario() -> None:
        async with owning(tmp_path, {"job": job}) as (owner, server, claim):
            async with asyncio.TaskGroup() as group:
                asking = group.create_task(ask(owner, "job", {}, Heard().take))
                await begun.wait()
                await server.aclose()
            assert asking.result() is Ending.LEFT
            assert await ask(owner, "job", {}, Heard().take) is Ending.ABSENT
            assert FolderLock.try_take(claim.lock) is None

    run_async(scenario())


def test_a_reader_that_lags_holds_the_work_back(tmp_path: Path, run_async: Run) -> None:
    sent = 0
    lines: list[Channel] = []

    async def job(_arguments: dict[str, Any], outlet: Outlet) -> None:
        nonlocal sent
        assert isinstance(outlet, Channel)
        lines.append(outlet)
        for _ in range(200):
            await outlet.send(Text("x" * 500_000))
            sent += 1

    async def scenario() -> None:
        async with owning(tmp_path, {"job": job}) as (owner, _server, _claim):
            channel = await connect(owner.address)
            await channel.send(Ask(PROTOCOL, "0", owner.token, "job", {}))
            assert await channel.receive() == Accepted()
            await until(lambda: lines and lines[0].unread_bytes > 0, "the system's buffer is full")
            for _ in range(100):
                await asyncio.sleep(0)  # a chance to send more, not taken
            assert lines[0].unread_bytes < 1_000_000
            assert sent < 20
            count = 0
            while not isinstance(message := await channel.receive(), Done):
                count += isinstance(message, Text)
            assert (count, sent) == (200, 200)
            await channel.aclose()

    run_async(scenario())


def test_a_reader_too_far_behind_what_cannot_wait_is_cut_off_with_a_sentence(tmp_path: Path, run_async: Run) -> None:
    lines: list[Channel] = []

    async def job(_arguments: dict[str, Any], outlet: Outlet) -> None:
        assert isinstance(outlet, Channel)
        lines.append(outlet)
        while True:
            outlet.post(Text("x" * 500_000))
            await asyncio.sleep(0)

    async def scenario() -> None:
        async with owning(tmp_path, {"job": job}) as (owner, _server, _claim):
            channel = await connect(owner.address)
            await channel.send(Ask(PROTOCOL, "0", owner.token, "job", {}))
            await until(lambda: lines and lines[0].is_overrun, "too much is waiting")
            while (message := await channel.receive()) is not None:
                last = message
            assert isinstance(last, Failed)
            assert "not read fast enough" in last.sentence
            await channel.aclose()

    run_async(scenario())


def test_strangers_and_other_versions_get_nothing(tmp_path: Path, run_async: Run) -> None:
    begun: list[object] = []

    async def job(_arguments: dict[str, Any], _outlet: Outlet) -> None:
        begun.append(None)

    async def scenario() -> None:
        async with owning(tmp_path, {"job": job}) as (owner, _server, _claim):
            for first in (Ask(PROTOCOL, "0", "guess", "job", {}), Text("hello")):
                channel = await connect(owner.address)
                await channel.send(first)
                assert await channel.receive() is None
                await channel.aclose()
            reader, writer = await asyncio.open_unix_connection(owner.address.removeprefix("unix:"))
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            assert await reader.read() == b""
            writer.close()
            channel = await connect(owner.address)
            await channel.send(Ask(PROTOCOL + 1, "9.9", owner.token, "job", {}))
            answer = await channel.receive()
            assert isinstance(answer, Failed)
            assert "this is 9.9" in answer.sentence
            assert answer.kind == "CacheError"
            await channel.aclose()
            assert begun == []

    run_async(scenario())


def test_an_owner_that_does_not_answer_is_named(tmp_path: Path, run_async: Run) -> None:
    async def scenario() -> None:
        channels: list[Channel] = []
        server, address = await listen(tmp_path / "x.sock", channels.append)
        with pytest.raises(CacheError, match=r"process 4711\).*does not answer.*end that process"):
            await ask(Owner(4711, address, ""), "bars", {}, Heard().take, silent_s=0.2)
        server.close()
        for channel in channels:
            await channel.aclose()

    run_async(scenario())
    assert local_client.SILENT_S > 5  # a window may be busy for a moment


def test_a_window_takes_over_when_the_owner_steps_down(tmp_path: Path, run_async: Run) -> None:
    async def scenario() -> None:
        asked = asyncio.Event()

        async def step_down(_arguments: dict[str, Any], _outlet: Outlet) -> None:
            asked.set()

        async def command() -> None:
            async with owning(tmp_path, {STEP_DOWN: step_down}):
                await asked.wait()

        claim = Folders.open(tmp_path).claim(VENDOR)
        async with asyncio.TaskGroup() as group:
            group.create_task(command())
            await until(lambda: read_owner(claim.lock) is not None, "the command owns the world")
            lock = await take_over(claim, patience_s=10)
            assert lock is not None
            assert await take_over(claim, patience_s=0) is None
            lock.release()

    run_async(scenario())
