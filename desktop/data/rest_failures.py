"""What the failures of a call mean for a person: library exceptions and refusals into the application's own."""

from __future__ import annotations

import datetime as dt
import time
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from desktop.data import wire
from desktop.domain.errors import BadResponse, MarketError, NotInPlan, Offline, Unauthorized, UnknownTicker, WrongWorld
from desktop.domain.world import World

WEB_PAGE: Final = "The server sent a web page instead of market data."
IN_BETWEEN: Final = "It may be down, or a proxy or sign-in page is in between."
_LARGER: Final = "A larger plan has it: massive.com/pricing."


class NotFound(BadResponse):
    """A 404 with the vendor's JSON."""


def unknown_ticker(ticker: str) -> UnknownTicker:
    """The failure for a ticker nobody knows."""
    return UnknownTicker(
        f"There is no ticker “{ticker[:40]}”.", next_step="Search by name or code, for example bitcoin."
    )


def offline(error: Exception) -> MarketError:
    """What a call without an answer means."""
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return Offline("The server cannot be reached in time.", next_step="Check the network.")
    if isinstance(error, httpx.TimeoutException):
        return Offline("The server does not answer in time.", next_step="It may be slow or down.")
    if isinstance(error, httpx.ConnectError):
        text = str(error).lower()
        if "certificate" in text or "ssl" in text:
            return Offline(
                "The server's certificate cannot be trusted, so nothing was sent.",
                next_step="Check the address, the clock and any proxy.",
            )
        if "refused" in text or "all connection attempts failed" in text:
            return Offline("The server refuses connections.", next_step="Check the address and the network.")
        return Offline("The server cannot be reached.", next_step="Check the network.")
    if isinstance(error, httpx.ProxyError):
        return Offline("The proxy refuses the connection.", next_step="Check the proxy settings of the system.")
    return Offline("The connection to the server was cut.", next_step="Check the network.")


def refusal(response: httpx.Response, *, secret: str | None) -> MarketError:
    """What a final answer other than 200 and 429 means; `secret` is kept out of its text."""
    said = wire.decode_error(response.content, secret=secret)
    status = response.status_code
    if status == 401:
        return Unauthorized("The server does not accept this API key.", next_step="Check it in Settings.")
    if status == 403 and said.is_json:
        if "timeframe" in said.text.lower():
            return NotInPlan("The plan does not include data of this time.", next_step=_LARGER, is_timeframe=True)
        return NotInPlan("The plan does not include this data.", next_step=_LARGER)
    if status == 404 and said.is_json:
        return NotFound(_said("The server knows nothing of that.", said.text), request_id=said.request_id)
    if status in (301, 302, 303, 307, 308):
        return BadResponse("The server sends calls on to another address.", next_step="Check the address in Settings.")
    if not said.is_json and response.content.lstrip()[:1] == b"<":
        return BadResponse(f"{WEB_PAGE[:-1]} (status {status}).", next_step=IN_BETWEEN)
    if status >= 500:
        sentence = f"The server has a problem of its own (status {status})."
        return BadResponse(sentence, next_step="Try again later.", request_id=said.request_id)
    return BadResponse(_said(f"The server refused the call (status {status}).", said.text), request_id=said.request_id)


def wrong_world(served: World, expected: World) -> WrongWorld:
    """Data of another source than the open cache."""
    return WrongWorld(
        f"The server's data are {_describe(served)}, not {_describe(expected)}: nothing was stored.",
        next_step="Check the address in Settings.",
    )


def retry_after_s(response: httpx.Response) -> float | None:
    """Seconds of a Retry-After header, given as seconds or as a date; at most an hour."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        moment = _http_date(text)
        if moment is None:
            return None
        seconds = moment.timestamp() - time.time()
    return min(max(seconds, 0.0), 3600.0) if seconds == seconds else None


def date_ms(response: httpx.Response) -> int | None:
    """The Date header in Unix ms."""
    moment = _http_date(response.headers.get("Date", ""))
    return None if moment is None else int(moment.timestamp() * 1000)


def _http_date(text: str) -> dt.datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _said(sentence: str, text: str) -> str:
    """Our sentence and what the server said about it, in one line."""
    return f"{sentence} It said: {' '.join(text.split())}" if text else sentence


def _describe(world: World) -> str:
    names = {"": "the vendor's", "DEMO": "of a demo market", "REPLAY": "of a recording"}
    return f"{names.get(world.label, 'of another server')} ({world.id})"
