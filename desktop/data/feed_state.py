"""What a feed is doing, as an immutable value, and the numbers that rule how it behaves."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Final, Literal

Action = Literal["enter_key", "retry", "use_delayed"]
NOT_IN_PLAN: Final = "not in plan"  # as a reason


class Phase(enum.StrEnum):
    """The stages of a connection."""

    IDLE = "idle"  # not running, or nothing is wanted
    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    STREAMING = "streaming"
    WAITING = "waiting"  # until `retry_at_monotonic`
    REFUSED = "refused"  # for good, until a person acts


@dataclass(frozen=True, slots=True)
class FeedState:
    """One moment of a feed. Monotonic times in seconds, as `time.monotonic` gives them."""

    phase: Phase = Phase.IDLE
    sentence: str | None = None  # what is wrong, for a person
    action: Action | None = None  # what a person can do about it
    retry_at_monotonic: float | None = None
    confirmed: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()  # not in the plan, or never answered
    last_received_monotonic: float | None = None  # data, status or pong
    malformed: int = 0  # events and frames skipped because they cannot be read
    unknown: int = 0  # events of unknown channels
    connections: int = 0  # that were authenticated
    reason: str = ""  # technical, for the log and diagnostics; never holds the key
    lag_s: float = 0.0  # at most this far behind what has arrived; 0 while the reader keeps up

    @property
    def is_not_in_plan(self) -> bool:
        """Whether the server said that the key's plan has no such feed."""
        return self.phase is Phase.REFUSED and self.reason == NOT_IN_PLAN


@dataclass(frozen=True, slots=True)
class BackoffOptions:
    """Full jitter: a delay is drawn from 0 to a ceiling that doubles with every failure."""

    drop_first_s: float = 0.25  # a connection that had delivered was dropped
    drop_most_s: float = 4.0
    fail_first_s: float = 1.0  # connecting itself fails
    fail_most_s: float = 60.0
    short_outage_s: float = 30.0  # so long after the loss the ceiling stays low, to be back soon
    short_most_s: float = 1.5
    stable_s: float = 60.0  # a connection this old clears the record
    retry_after_most_s: float = 600.0


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """Time-outs and limits of one connection."""

    backoff: BackoffOptions = field(default_factory=BackoffOptions)
    open_timeout_s: float = 10.0  # from TCP connect to `auth_success`
    short_open_timeout_s: float = 3.0  # the same in a short outage of a server that had answered quickly before
    close_timeout_s: float = 0.3
    ping_interval_s: float = 10.0
    pong_timeout_s: float = 20.0
    answer_timeout_s: float = 4.0  # for a subscription
    subscriptions_per_message: int = 100
    max_frame_bytes: int = 16 * 2**20
    queued_frames: int = 512  # then reading from the network pauses
    turn_s: float = 0.004  # of decoding and delivering before other work on the loop gets its turn
    publish_every_s: float = 1.0  # counts and lag are announced at most this often
