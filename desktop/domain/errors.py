"""Expected failures: what the world may do to us, each with a sentence for a person.

MarketError
├── BadInput          what a person typed or passed cannot be used
│   └── UnknownTicker the vendor knows no such ticker
├── Offline           no answer: no network, refused, timed out
├── Unauthorized      no key, or the vendor refuses it
├── NotInPlan         the plan lacks this endpoint, time span or the socket
├── RateLimited       the plan's calls are used up for now
├── BadResponse       the server answered, but not with what it should
├── WrongWorld        data of another source than the cache belongs to
├── NotCached         offline was asked for and the cache lacks the range
└── CacheError        the local files cannot be read or written
"""

from __future__ import annotations

from typing import ClassVar


class MarketError(Exception):
    """An expected failure; `str(error)` is one sentence that may be shown as it is, never with a secret in it."""

    exit_code: ClassVar[int] = 1  # of the command line

    def __init__(self, sentence: str, *, next_step: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step

    def __str__(self) -> str:
        return self.sentence if self.next_step is None else f"{self.sentence} {self.next_step}"


class BadInput(MarketError):
    """What a person typed or passed cannot be used."""

    exit_code = 2


class UnknownTicker(BadInput):
    """The vendor (or the cache, when offline) knows no such ticker."""

    exit_code = 6


class Offline(MarketError):
    """No answer: no network, connection refused, timed out."""

    exit_code = 3


class Unauthorized(MarketError):
    """No key, or the vendor refuses it."""

    exit_code = 4


class NotInPlan(MarketError):
    """The plan lacks this endpoint, this time span (`is_timeframe`) or the socket."""

    exit_code = 5

    def __init__(self, sentence: str, *, next_step: str | None = None, is_timeframe: bool = False) -> None:
        super().__init__(sentence, next_step=next_step)
        self.is_timeframe = is_timeframe


class RateLimited(MarketError):
    """The plan's calls are used up; `retry_after_s` says for how long, when known."""

    exit_code = 7

    def __init__(self, sentence: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class BadResponse(MarketError):
    """The server answered with something it should not: an error page, cut or malformed JSON, a 4xx or 5xx."""

    exit_code = 8

    def __init__(self, sentence: str, *, next_step: str | None = None, request_id: str | None = None) -> None:
        super().__init__(sentence, next_step=next_step)
        self.request_id = request_id


class WrongWorld(BadResponse):
    """The server's data belong to another source than the open cache; nothing was stored."""


class CacheError(MarketError):
    """The local files cannot be read or written: disk full, read-only, damaged."""

    exit_code = 9


class NotCached(MarketError):
    """Offline was asked for and the cache does not hold the whole range."""

    exit_code = 10
