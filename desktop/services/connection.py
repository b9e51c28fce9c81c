"""The connection as the user sees it: one word, one sentence, one action; and the calls that were used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from desktop.data.feed import FeedState, Phase
from desktop.data.rate_limit import Limiter
from desktop.domain.usage import Usage, UsageWarning, warning_of
from desktop.services.chart_status import NO_FEED
from desktop.services.live import LiveMarket

Light = Literal["good", "busy", "warning", "error", "off"]

_ACTION_TEXTS = {
    "retry": "Reconnect",
    "enter_key": "Enter key…",
    "use_delayed": "Use the delayed feed",
    "check_again": "Check again",
}
_WORST_FIRST = (
    Phase.REFUSED,
    Phase.WAITING,
    Phase.CONNECTING,
    Phase.AUTHENTICATING,
    Phase.STREAMING,
    Phase.IDLE,
)
_SHOWN: dict[Phase, tuple[str, Light]] = {
    Phase.REFUSED: ("Not connected", "error"),
    Phase.WAITING: ("Reconnecting", "warning"),
    Phase.CONNECTING: ("Connecting", "busy"),
    Phase.AUTHENTICATING: ("Connecting", "busy"),
    Phase.STREAMING: ("Connected", "good"),
    Phase.IDLE: ("Not connected", "off"),
}


@dataclass(frozen=True, slots=True)
class ConnectionSummary:
    """What the status bar shows. `action` is a button's text, `action_id` what `run_action` takes."""

    text: str = "Not connected"
    level: Light = "off"
    sentence: str | None = None
    action: str | None = None
    action_id: str | None = None


class Connection(QObject):
    """Sums up the feeds and the limiter; announces changes."""

    changed = Signal()
    usage_changed = Signal()  # a call started or ended, or the queue changed; time alone changes `usage` too

    def __init__(
        self,
        live: LiveMarket,
        limiter: Limiter,
        on_action: Callable[[str], None],
        *,
        is_keyless: bool = False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._live = live
        self._limiter = limiter
        self._on_action = on_action
        self._is_keyless = is_keyless
        live.state_changed.connect(self.changed)
        limiter.on_changed = self.usage_changed.emit

    @property
    def summary(self) -> ConnectionSummary:
        if self._is_keyless:
            sentence = "Without an API key only the cache is shown."
            return ConnectionSummary("No key", "off", sentence, _ACTION_TEXTS["enter_key"], "enter_key")
        states = self._live.states.values()
        worst = min(states, key=lambda state: _WORST_FIRST.index(state.phase), default=None)
        return ConnectionSummary() if worst is None else _summary_of(worst)

    @property
    def usage(self) -> Usage:
        return self._limiter.usage()

    @property
    def usage_warning(self) -> UsageWarning:
        """How near the plan's limit is, with a sentence before it is met."""
        return warning_of(self._limiter.usage())

    @property
    def lag_sentence(self) -> str | None:
        """Says so when data arrive late because this machine or the network cannot keep up."""
        lag_ms = self._live.lag_ms
        return None if lag_ms <= 0 else f"Data arrive {lag_ms / 1000:.1f} s late"

    def run_action(self, action_id: str) -> None:
        """Does what the summary's button says."""
        if action_id == "retry":
            self._live.retry_now()
        self._on_action(action_id)


def _summary_of(state: FeedState) -> ConnectionSummary:
    text, level = _SHOWN[state.phase]
    if state.phase is Phase.STREAMING and state.malformed:
        return ConnectionSummary(text, level, f"{state.malformed} unreadable messages were skipped.")
    if state.is_not_in_plan:
        plan_action = "check_again" if state.action == "retry" else state.action
        action = _ACTION_TEXTS.get(plan_action) if plan_action else None
        return ConnectionSummary("No live feed", "warning", NO_FEED, action, plan_action)
    action_id = state.action or ("retry" if state.phase is Phase.WAITING else None)
    return ConnectionSummary(
        text, level, state.sentence, _ACTION_TEXTS.get(action_id) if action_id else None, action_id
    )
