"""Why a connection ended: library errors and the vendor's statuses as one sentence, one action, final or not."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from websockets.exceptions import (
    ConnectionClosed,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
    WebSocketException,
)

from desktop.data.feed_state import NOT_IN_PLAN, Action
from desktop.data.wire_socket import StatusEvent

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
CONNECT_ERRORS = (OSError, WebSocketException, ImportError, ValueError)  # all that opening a socket may raise


@dataclass(frozen=True, slots=True)
class Failure:
    """One ended connection. `is_final`: trying again by itself would be wrong; `reason` is for the log."""

    sentence: str
    reason: str
    action: Action | None = None
    is_final: bool = False
    retry_after_s: float | None = None


def failure_of_base(base: str) -> Failure | None:
    """What is wrong with a socket address, if anything; without encryption only this machine may be called."""
    try:
        parts = urlsplit(base)
        host, _port = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in ("ws", "wss"):
        return Failure("The address of the live data is not a wss:// address.", "bad address", is_final=True)
    if parts.scheme == "ws" and host not in LOOPBACK_HOSTS:
        return Failure("Live data needs an encrypted address (wss://).", "not encrypted", is_final=True)
    return None


def failure_of_error(error: BaseException, now: Callable[[], dt.datetime] | None = None) -> Failure:
    """What a library's exception means. `now` is used for a Retry-After given as a date."""
    match error:
        case ssl.SSLCertVerificationError():
            sentence = "The live data server's certificate cannot be verified, so nothing was sent to it."
            return Failure(sentence, f"certificate: {error.verify_message}", "retry", is_final=True)
        case ConnectionClosed():
            return _failure_of_close(error)
        case InvalidStatus():
            return _failure_of_status_code(error, now or (lambda: dt.datetime.now(dt.UTC)))
        case TimeoutError():
            return Failure("The live data server does not answer.", "timed out")
        case ConnectionRefusedError():
            return Failure("The live data server cannot be reached.", "connection refused")
        case InvalidURI():
            return Failure("The address of the live data is not valid.", "invalid address", is_final=True)
        case ImportError() | InvalidProxy():
            return Failure("The system's proxy cannot be used for live data.", "unsupported proxy", is_final=True)
        case ProxyError():
            return Failure("The proxy refuses the connection to live data.", type(error).__name__)
        case OSError():
            return Failure(
                "The live data server cannot be reached.", f"{type(error).__name__} {error.errno or ''}".strip()
            )
        case _:
            return Failure("The live data server does not speak as expected.", type(error).__name__)


def failure_of_status(status: StatusEvent, base: str, cluster: str) -> Failure | None:
    """What ends the connection when the server says this; None for everything else."""
    message = status.message.lower()
    match status.status:
        case "auth_failed" if "plan" in message or "websocket access" in message or "authorized" in message:
            return no_live_data(base, cluster)
        case "auth_failed":
            return Failure("The server refuses the API key.", "auth_failed", "enter_key", is_final=True)
        case "max_connections":
            return _EVICTED
        case "auth_timeout":
            return Failure("The server gave up waiting for the API key.", "auth_timeout")
        case _:
            return None


def no_live_data(base: str, cluster: str) -> Failure:
    """The key works, its plan has no live data here. Only stocks are known to have a delayed host."""
    host = urlsplit(base).hostname or ""
    has_delayed = cluster == "stocks" and host.startswith("socket.")
    action: Action = "use_delayed" if has_delayed else "retry"
    return Failure("This key's plan has no live data for this market.", NOT_IN_PLAN, action, is_final=True)


_EVICTED = Failure(
    "Another program uses this API key, and the server allows one connection.",
    "max_connections",
    "retry",
    is_final=True,
)


def _failure_of_close(error: ConnectionClosed) -> Failure:
    received = error.rcvd
    if received is None:
        return Failure("The connection to live data was lost.", "closed without a close frame")
    if received.reason == "max_connections":
        return _EVICTED
    return Failure("The live data server closed the connection.", f"closed with code {received.code}")


def _failure_of_status_code(error: InvalidStatus, now: Callable[[], dt.datetime]) -> Failure:
    code = error.response.status_code
    retry_after_s = _retry_after_s(error.response.headers.get("Retry-After"), now)
    if code == 429:
        return Failure("The live data server asks to wait.", "HTTP 429", retry_after_s=retry_after_s)
    sentence = f"The live data server answers with an error (HTTP {code})."
    return Failure(sentence, f"HTTP {code}", retry_after_s=retry_after_s if code == 503 else None)


def _retry_after_s(value: str | None, now: Callable[[], dt.datetime]) -> float | None:
    """Seconds of a Retry-After header: a number or an HTTP date; None when there is none or it is neither."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value.strip())
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=dt.UTC)
    return max(0.0, (at - now()).total_seconds())
