"""The market's time on a machine whose clock is wrong, learnt from the server over a real socket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from desktop.data.clock import FollowedClock, WallClock
from desktop.data.http_client import open_client
from desktop.services.clock_check import ClockCheck
from desktop.services.notices import Notices
from tests.helpers.feed_server import serving_source
from tests.helpers.steady_market import START_MS, SteadyMarket
from tests.services.live_desk import live_desk, until

NOW = START_MS + 86_400_000


def test_a_wrong_clock_is_corrected_and_named(run_async: Callable[..., Any], tmp_path: Path) -> None:
    async def scenario() -> None:
        clock = WallClock(wall=lambda: NOW / 1000 - 600)  # ten minutes behind
        async with (
            serving_source(SteadyMarket(), start_ms=NOW) as server,
            live_desk(server, tmp_path, clock) as desk,
        ):
            notices = Notices()
            check = ClockCheck(desk.layer.market_data, clock, notices)
            check.start()
            await until(lambda: clock.skew_ms != 0, "the skew is learnt")
            await check.aclose()
            assert abs(clock.now_ms() - NOW) < 2_000
            assert [notice.text for notice in notices.open] == [
                "This computer's clock is 10 min behind; Candelabra uses the market's time."
            ]

    run_async(scenario())


def test_small_differences_are_network_delay() -> None:
    clock = WallClock(wall=lambda: 1_000_000.0)
    clock.learn(1_000_000_000 + 1_500)
    assert clock.skew_ms == 0
    clock.learn(1_000_000_000 - 9_000)
    assert clock.now_ms() == 1_000_000_000 - 9_000


def test_a_followed_clock_runs_at_the_servers_rate_and_stops_with_it(run_async: Callable[..., Any]) -> None:
    async def scenario() -> None:
        seconds = [100.0]
        async with serving_source(SteadyMarket(), start_ms=NOW, rate=60.0) as server:
            clock = FollowedClock(server.control, monotonic=lambda: seconds[0])
            async with open_client(server.control, connect_timeout_s=5, read_timeout_s=5) as client:
                await clock.sync(client)
                begin = clock.now_ms()
                seconds[0] += 2
                assert clock.now_ms() - begin == 120_000
                server.clock.set(paused=True)
                await clock.sync(client)
                begin = clock.now_ms()
                seconds[0] += 2
                assert clock.now_ms() == begin
                assert clock.rate == 0

    run_async(scenario())


class _Machine:
    """The two clocks of a computer."""

    def __init__(self) -> None:
        self.wall_s, self.elapsed_s = 1_700_000_000.0, 50.0
        self.clock = WallClock(lambda: self.wall_s, lambda: self.elapsed_s)

    def passes(self, seconds: float) -> None:
        self.wall_s += seconds
        self.elapsed_s += seconds


def test_a_set_clock_is_a_break_and_moves_market_time_only_until_the_server_was_heard() -> None:
    machine = _Machine()
    clock = machine.clock
    machine.wall_s -= 3600  # set back
    assert (clock.now_ms(), clock.breaks) == (1_699_996_400_000, 1)
    clock.learn(1_700_000_000_000)
    assert (clock.now_ms(), clock.skew_ms, clock.breaks) == (1_700_000_000_000, 3_600_000, 2)
    machine.passes(5)
    machine.wall_s += 7200
    assert (clock.now_ms(), clock.breaks) == (1_700_000_005_000, 3)
    clock.learn(1_700_000_005_000)
    assert (clock.skew_ms, clock.breaks) == (-3_600_000, 3)


def test_sleep_is_a_break_and_passes_as_market_time() -> None:
    machine = _Machine()
    machine.clock.now_ms()
    machine.passes(8)
    assert (machine.clock.now_ms(), machine.clock.breaks) == (1_700_000_008_000, 0)
    machine.passes(8 * 3600)
    assert (machine.clock.now_ms(), machine.clock.breaks) == (1_700_028_808_000, 1)
