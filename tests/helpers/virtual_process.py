"""Virtual time for a whole process: `time.monotonic` and `time.time` move only when nothing else is to be done.

Call `install()` first of all, before anything that could bind the clocks is imported; therefore this is for processes
of their own (`python -m tests.…`), never for the test process itself. Then run everything on a loop of the same time:

    from tests.helpers import virtual_process
    TIME = virtual_process.install(wall_s=1_709_251_200)
    from desktop… import …          # after `install`
    run_virtual(main(), TIME)
"""

from __future__ import annotations

import sys
import time

from tests.helpers.virtual_loop import VirtualTime


def install(wall_s: float) -> VirtualTime:
    """Replaces this process's clocks; answers what moves them."""
    virtual = VirtualTime(wall_s, monotonic_s=1000.0)
    for name in ("trio", "sniffio"):  # else the HTTP library looks for them at every call
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    time.monotonic = virtual.monotonic
    time.time = virtual.wall
    time.monotonic_ns = lambda: int(virtual.monotonic() * 1e9)
    time.time_ns = lambda: int(virtual.wall() * 1e9)
    time.clock_gettime = lambda _clock: virtual.monotonic()  # clocks that nobody can set
    return virtual
