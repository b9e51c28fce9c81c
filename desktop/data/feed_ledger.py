"""Which subscriptions are wanted, and what one connection has asked for and got."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from desktop.data.wire_socket import StatusEvent

_NOT_AUTHORIZED_TIMEOUT_S = 1.0  # the answers to the rest of the list come in the same frame
_SUBSCRIBED = "subscribed to:"


class Ledger:
    """The wanted set outlives connections; everything else starts anew with `reset`."""

    def __init__(self, answer_timeout_s: float) -> None:
        self._answer_timeout_s = answer_timeout_s
        self.wanted: frozenset[str] = frozenset()
        self.is_unauthorized = False  # the server said so for at least one subscription of this connection
        self._confirmed: set[str] = set()
        self._refused: set[str] = set()
        self._deadlines: dict[str, float] = {}  # of those not answered yet, monotonic seconds

    @property
    def confirmed(self) -> frozenset[str]:
        return frozenset(self._confirmed)

    @property
    def refused(self) -> frozenset[str]:
        return frozenset(self._refused)

    @property
    def next_deadline_s(self) -> float | None:
        """When the earliest unanswered subscription counts as refused."""
        return min(self._deadlines.values(), default=None)

    def want(self, subscriptions: Collection[str]) -> None:
        self.wanted = frozenset(subscriptions)

    def reset(self) -> None:
        """A new connection: nothing asked for yet."""
        self.is_unauthorized = False
        self._confirmed.clear()
        self._refused.clear()
        self._deadlines.clear()

    def take_unwanted(self) -> list[str]:
        """What was asked for and is not wanted any more, sorted; counts as given up."""
        gone = (self._confirmed | self._refused | self._deadlines.keys()) - self.wanted
        self._confirmed -= gone
        self._refused -= gone
        for subscription in gone:
            self._deadlines.pop(subscription, None)
        return sorted(gone)

    def take_missing(self, now_s: float) -> list[str]:
        """What is wanted and was not asked for, sorted; counts as asked for from now on."""
        missing = self.wanted - self._confirmed - self._refused - self._deadlines.keys()
        self._deadlines.update(dict.fromkeys(missing, now_s + self._answer_timeout_s))
        return sorted(missing)

    def answered(self, status: StatusEvent, now_s: float) -> bool:
        """Takes a `success` or `error` about subscriptions; whether anything changed."""
        if status.status == "error":
            self.is_unauthorized = True
            soon_s = now_s + min(_NOT_AUTHORIZED_TIMEOUT_S, self._answer_timeout_s)
            self._deadlines = {s: min(at_s, soon_s) for s, at_s in self._deadlines.items()}
            return True
        if not status.message.startswith(_SUBSCRIBED):
            return False
        changed = False
        for subscription in _names(status.message.removeprefix(_SUBSCRIBED)):
            if subscription in self.wanted and subscription not in self._confirmed:
                self._confirmed.add(subscription)
                self._refused.discard(subscription)
                self._deadlines.pop(subscription, None)
                changed = True
        return changed

    def expire(self, now_s: float) -> bool:
        """Gives up on what was not answered in time; whether anything changed."""
        late = {s for s, at_s in self._deadlines.items() if at_s <= now_s}
        for subscription in late:
            del self._deadlines[subscription]
        self._refused |= late
        return bool(late)


def _names(text: str) -> Iterable[str]:
    return (name for part in text.split(",") if (name := part.strip()))
