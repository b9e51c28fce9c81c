"""Delays between attempts, with time and chance given."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from websockets.exceptions import InvalidStatus

from desktop.data.feed_backoff import Backoff
from desktop.data.feed_failures import Failure, failure_of_error, failure_of_status, no_live_data
from desktop.data.feed_ledger import Ledger
from desktop.data.feed_state import BackoffOptions
from desktop.data.wire_socket import StatusEvent
from tests.helpers.socket_script import http_answer


class Highest(random.Random):
    """Always draws the ceiling."""

    def uniform(self, _a: float, b: float) -> float:
        return b


@pytest.fixture
def backoff() -> Backoff:
    return Backoff(BackoffOptions(), Highest())


def test_drops_of_working_connections_wait_a_quarter_to_four_seconds(backoff: Backoff) -> None:
    delays = [backoff.after_drop(10.0 * n, up_s=5) for n in range(7)]
    assert delays == [0.25, 0.5, 1, 2, 4, 4, 4]


def test_a_stable_minute_clears_the_record(backoff: Backoff) -> None:
    for n in range(5):
        backoff.after_drop(n, up_s=5)
    assert backoff.after_drop(100, up_s=59.9) == 4
    assert backoff.after_drop(200, up_s=60) == 0.25


def test_a_short_outage_is_followed_closely_and_a_long_one_patiently(backoff: Backoff) -> None:
    now_s = 0.0
    delays = [backoff.after_drop(now_s, up_s=5)]
    while now_s < 300:
        now_s += delays[-1]
        delays.append(backoff.after_failure(now_s))
    early = [delay for delay, at in zip(delays, _starts(delays), strict=True) if at < 30]
    late = [delay for delay, at in zip(delays, _starts(delays), strict=True) if at >= 30]
    assert max(early) <= 1.5
    assert late[:6] == [2, 4, 8, 16, 32, 60]
    assert max(late) == 60


def _starts(delays: list[float]) -> list[float]:
    return [sum(delays[:n]) for n in range(len(delays))]


def test_full_jitter_stays_below_its_ceiling() -> None:
    backoff = Backoff(BackoffOptions(), random.Random(7))
    delays = [backoff.after_drop(0, up_s=1) for _ in range(200)][5:]
    assert 0 <= min(delays) < 0.2
    assert 3.8 < max(delays) <= 4


def test_the_servers_wish_comes_on_top(backoff: Backoff) -> None:
    assert backoff.after_failure(0, retry_after_s=40) == 41
    assert backoff.after_failure(1000, retry_after_s=1e9) <= 660


def test_clearing_forgets_the_outage(backoff: Backoff) -> None:
    backoff.after_failure(0)
    assert backoff.outage_s(50) == 50
    assert not backoff.is_short_outage(50)
    backoff.clear()
    assert backoff.outage_s(50) == 0
    assert backoff.after_failure(50) == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("17", 17.0), ("Sun, 22 Nov 2026 12:00:30 GMT", 30.0), ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0), ("soon", None)],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    error = InvalidStatus(http_answer(HTTPStatus.TOO_MANY_REQUESTS, Retry_After=value))
    assert failure_of_error(error, lambda: now).retry_after_s == seconds


def test_stocks_may_fall_back_to_the_delayed_host() -> None:
    plan = StatusEvent(status="auth_failed", message="Your plan doesn't include websocket access. Visit …")
    failure = failure_of_status(plan, "wss://socket.massive.com", "stocks")
    assert isinstance(failure, Failure)
    assert (failure.action, failure.is_final) == ("use_delayed", True)
    assert no_live_data("wss://delayed.massive.com", "stocks").action == "retry"
    assert no_live_data("wss://socket.massive.com", "crypto").action == "retry"


def test_unanswered_subscriptions_expire_and_late_answers_count() -> None:
    ledger = Ledger(4.0)
    ledger.want({"XT.A", "XT.B"})
    assert ledger.take_missing(0.0) == ["XT.A", "XT.B"]
    assert ledger.take_missing(0.0) == []
    assert ledger.answered(StatusEvent(status="success", message="subscribed to: XT.A"), 1.0)
    assert not ledger.expire(3.9)
    assert ledger.expire(4.0)
    assert (ledger.confirmed, ledger.refused) == ({"XT.A"}, {"XT.B"})
    assert ledger.answered(StatusEvent(status="success", message="subscribed to: XT.B"), 5.0)
    assert (ledger.confirmed, ledger.refused) == ({"XT.A", "XT.B"}, frozenset())


def test_answers_to_what_nobody_wants_any_more_change_nothing() -> None:
    ledger = Ledger(4.0)
    ledger.want({"XT.A"})
    ledger.take_missing(0.0)
    ledger.want(set())
    assert ledger.take_unwanted() == ["XT.A"]
    assert not ledger.answered(StatusEvent(status="success", message="subscribed to: XT.A"), 1.0)
    assert not ledger.answered(StatusEvent(status="success", message="unsubscribed to: XT.A"), 1.0)
    assert (ledger.confirmed, ledger.next_deadline_s) == (frozenset(), None)
