"""What may be ordered of a virtual clock over the control endpoint."""

from __future__ import annotations

import msgspec

from desktop.demo.clock import VirtualClock


class ClockOrder(msgspec.Struct):
    """What to change: `now_ms` jumps, `advance_ms` lets time pass at once; `rate` is a number or "max"."""

    now_ms: float | None = None
    advance_ms: float | None = None
    rate: float | str | None = None
    paused: bool | None = None


def set_clock(clock: VirtualClock, body: bytes) -> dict[str, object]:
    """Does what the JSON of a ClockOrder says; answers the clock's state. Raises ValueError or MsgspecError."""
    order = msgspec.json.decode(body, type=ClockOrder)
    if isinstance(order.rate, str):
        if order.rate != "max":
            raise ValueError('rate must be a number or "max"')
        clock.set(now_ms=order.now_ms, paused=order.paused)
        clock.step()
    else:
        if order.rate is not None and order.rate < 0:
            raise ValueError("rate must not be negative")
        clock.set(now_ms=order.now_ms, rate=order.rate, paused=order.paused)
    if order.advance_ms is not None:
        clock.advance(max(0.0, order.advance_ms))
    return clock.state()
