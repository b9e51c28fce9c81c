"""Faults on demand: what goes wrong, how often, and for whom."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import msgspec

RestFault = Literal[
    "refuse",  # TCP reset as soon as a connection opens
    "drop",  # cut the connection after `after_bytes` of the answer
    "stall",  # read the request and never answer
    "slow",  # answer at `bytes_per_s`
    "too_many_requests",  # 429; with `retry_after_s` a Retry-After header
    "server_error",  # `status` (default 503) with a JSON body
    "html",  # an HTML page with `status` (default 502; 200 is allowed)
    "truncated",  # 200 with the JSON cut after `after_bytes` (default: half)
    "garbage",  # 200, declared JSON, but is none
    "not_entitled",  # 403, not in the plan
    "timeframe",  # 403, not this far back
    "behind",  # answer as of `behind_ms` ago: the newest minutes are not there yet
]
SocketFault = Literal[
    "socket_refuse",  # TCP reset instead of the handshake
    "socket_auth_failed",  # the right key is called wrong
    "socket_no_plan",  # the plan is said to lack the socket
    "socket_drop",  # now; or after `after_bytes`; or, with a probability below 1, before any frame
    "socket_close",  # the open connections are closed properly, as by a server that restarts
    "socket_stall",  # from now on nothing is sent or read on the open connections, not even pongs
    "socket_evict",  # the open connections get max_connections
    "socket_malformed",  # a broken frame comes before a real one
    "socket_unknown",  # events of an unknown kind and a bad event come into a frame
    "socket_duplicate",  # a frame is sent twice
    "socket_reorder",  # the events of a frame come in reverse
    "socket_late",  # a frame comes `late_s` after those that follow it
    "correction",  # minute bars change after the fact: sent again, and served so by REST
]
FaultKind = RestFault | SocketFault
REST_KINDS: Final[tuple[str, ...]] = get_args(RestFault)
SOCKET_KINDS: Final[tuple[str, ...]] = get_args(SocketFault)


class Fault(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One rule. `count` None means until it is cleared; what a kind does not use is ignored."""

    kind: FaultKind
    count: int | None = None
    probability: float = 1.0
    path: str | None = None  # regular expression searched in the request's path
    cluster: str | None = None
    after_bytes: int | None = None
    bytes_per_s: float = 10_000.0
    retry_after_s: int | None = None
    status: int | None = None
    ticker: str | None = None  # correction: which
    minutes_back: int = 3  # correction: how many minutes before the last closed one
    factor: float = 1.001  # correction: of the prices
    behind_ms: int = 120_000
    late_s: float = 5.0

    def __post_init__(self) -> None:
        if self.path is not None:
            try:
                re.compile(self.path)
            except re.error as error:
                raise ValueError(f"path is no regular expression: {error}") from None


@dataclass
class Faults:
    """The rules in force, oldest first; chance is seeded, so that a run can be repeated."""

    counter: Counter[str]
    rules: list[Fault] = field(default_factory=list)
    _chance: random.Random = field(default_factory=lambda: random.Random(1))

    def add(self, fault: Fault) -> None:
        self.rules.append(fault)

    def clear(self) -> None:
        self.rules.clear()

    def take(self, kinds: Collection[str], *, path: str = "", cluster: str = "") -> Fault | None:
        """The first rule of `kinds` that strikes here; it is counted, and gone when its count is used up."""
        for fault in self.rules:
            if fault.kind not in kinds:
                continue
            if fault.path is not None and not re.search(fault.path, path):
                continue
            if fault.cluster is not None and fault.cluster != cluster:
                continue
            if fault.probability < 1 and self._chance.random() >= fault.probability:
                continue
            if fault.count is not None:
                fault.count -= 1
                if fault.count <= 0:
                    self.rules.remove(fault)
            self.counter[fault.kind] += 1
            return fault
        return None
