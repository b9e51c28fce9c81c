"""What the server counted since it started, for `/stats`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class ClusterStats:
    """One cluster's connections and what went over them."""

    now: int = 0
    total: int = 0
    most_at_once: int = 0
    authenticated: int = 0  # how often a key was accepted
    evicted: int = 0
    cut_for_slowness: int = 0
    frames: int = 0
    events: int = 0
    bytes: int = 0

    def opened(self) -> None:
        self.now += 1
        self.total += 1
        self.most_at_once = max(self.most_at_once, self.now)


@dataclass
class Stats:
    """Requests by path and status, faults by kind, and the clusters."""

    requests: Counter[str] = field(default_factory=Counter)
    keys_in_addresses: int = 0  # requests that carried a key as `apiKey`
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    clusters: dict[str, ClusterStats] = field(default_factory=dict)
    flood: dict[str, float] = field(default_factory=dict)

    def state(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {
            "requests": dict(self.requests),
            "keys_in_addresses": self.keys_in_addresses,
            "requests_total": sum(self.requests.values()),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "faults": dict(self.faults),
            "clusters": {name: vars(cluster) for name, cluster in self.clusters.items()},
            "flood": self.flood,
        }
