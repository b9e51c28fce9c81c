"""One call to the vendor: key, limiter, retries, world check, next pages; failures as sentences."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

import httpx

from desktop.data.closing import ClosesAtExit
from desktop.data.http_client import is_loopback, open_client
from desktop.data.rate_limit import Limiter, Priority, Ticket
from desktop.data.recorder import Recorder
from desktop.data.rest_failures import (
    IN_BETWEEN,
    WEB_PAGE,
    date_ms,
    offline,
    refusal,
    retry_after_s,
    wrong_world,
)
from desktop.data.shared_calls import SharedCalls
from desktop.domain.errors import BadInput, BadResponse, NotInPlan, RateLimited, Unauthorized, WrongWorld
from desktop.domain.world import World, world_of_base

T = TypeVar("T")
Place = Priority | Ticket
Params = Mapping[str, str]

WORLD_HEADER: Final = "X-Candelabra-World"
CONTROL_HEADER: Final = "X-Candelabra-Control"
_IN_THREAD_BYTES: Final = 64 * 1024
_TWINS: Final = {"api.massive.com": "api.polygon.io", "api.polygon.io": "api.massive.com"}
_PAGES_AT_MOST: Final = 2000


@dataclass(frozen=True, slots=True)
class RestOptions:
    """Time limits and retries, in seconds and attempts."""

    connect_timeout_s: float = 10.0
    read_timeout_s: float = 30.0
    attempts: int = 4  # for 5xx, time-outs and connection errors
    backoff_s: float = 0.5  # doubled each time, with jitter
    refusals: int = 3  # 429 answers that are waited out


@dataclass(frozen=True, slots=True)
class Body:
    """A successful answer. `server_ms`: its Date header, Unix ms."""

    content: bytes
    server_ms: int | None


class RestCalls(ClosesAtExit):
    """The HTTP side of RestClient: one call at a time, shared with whoever asks the same.

    key: sent in the Authorization header only; None: every call raises Unauthorized without a call.
    world: what every answer must belong to, else WrongWorld; None: whatever the server is, see `served_world`.
    on_pause: told the seconds when a 429 stops all calls for a while.
    recorder: gets every attempt and what came of it.
    """

    def __init__(
        self,
        *,
        base: str,
        key: str | None,
        limiter: Limiter,
        world: World | None,
        options: RestOptions | None = None,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_pause: Callable[[float], None] | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.base = base.rstrip("/")
        parts = urlsplit(self.base)
        if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts))):
            raise BadInput(
                f"“{parts.scheme}://{parts.hostname or ''}” cannot be used as the server address.",
                next_step="Use an https address; http works on this machine only.",
            )
        self.limiter = limiter
        self.world = world
        self.served_world: World | None = None
        self.control_url: str | None = None
        self.on_pause = on_pause
        self.on_other_world: Callable[[World], None] | None = None  # told before WrongWorld is raised
        self.on_server_time: Callable[[int], None] | None = None  # told the Date of an answer, Unix ms
        self._options = options or RestOptions()
        self._rng = rng or random.Random()
        self._sleep = sleep
        self._shared = SharedCalls()
        self._tickets: dict[object, Ticket] = {}
        self._unauthorized: Unauthorized | None = None
        self._not_in_plan: dict[str, NotInPlan] = {}
        self._recorder = recorder
        self._key = self._usable(key)
        self._client = open_client(
            self.base, connect_timeout_s=self._options.connect_timeout_s, read_timeout_s=self._options.read_timeout_s
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    def use_key(self, key: str | None) -> None:
        """Another key from now on; what the old one was refused is forgotten."""
        self._key = self._usable(key)
        self.check_again()

    def _usable(self, key: str | None) -> str | None:
        if self._recorder is not None:
            self._recorder.hide(key)
        return _checked(key)

    def check_again(self) -> None:
        """Forgets that the key was refused or the plan lacks an endpoint: the next call asks again."""
        self._unauthorized = None
        self._not_in_plan.clear()

    async def ask(self, path: str, params: Params, decode: Callable[[bytes], T], place: Place, family: str) -> T:
        """One answer. `family`: what is remembered as not in the plan when the vendor says so."""
        return await self.ask_body(path, params, lambda body: decode(body.content), place, family)

    async def ask_body(self, path: str, params: Params, decode: Callable[[Body], T], place: Place, family: str) -> T:
        """One decoded answer; identical calls under way are shared, at the highest priority of those who ask."""
        if self._unauthorized is not None:
            raise self._unauthorized.with_traceback(None)
        if family in self._not_in_plan:
            raise self._not_in_plan[family].with_traceback(None)
        identity = (path, tuple(sorted(params.items())))
        ticket = place if isinstance(place, Ticket) else Ticket(place)
        if identity in self._tickets:
            self._tickets[identity].raise_to(ticket.priority)

        async def work() -> T:
            self._tickets[identity] = ticket
            try:
                body = await self._send(path, params, ticket, family)
            finally:
                del self._tickets[identity]
            if len(body.content) < _IN_THREAD_BYTES:
                return decode(body)
            return await asyncio.to_thread(decode, body)

        return await self._shared.run(identity, work)

    async def _send(self, path: str, params: Params, ticket: Ticket, family: str) -> Body:
        failures = refusals = 0
        while True:
            if self._key is None:
                raise Unauthorized("There is no API key.", next_step="Enter one in Settings.")
            response: httpx.Response | None = None
            async with self.limiter.slot(ticket) as slot:
                try:
                    response = await self._get(path, params, slot.reached)
                except httpx.DecodingError as error:
                    raise BadResponse("The server's answer was cut off or garbled.") from error
                except (httpx.RequestError, httpx.InvalidURL) as error:
                    failures += 1
                    slot.is_unused = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
                    if failures >= self._options.attempts:
                        raise offline(error) from error
            if response is None:
                await self._back_off(failures)
            elif response.status_code == 200:
                if response.content[:100].lstrip()[:1] == b"<":
                    raise BadResponse(WEB_PAGE, next_step=IN_BETWEEN)
                self._check_world(response)
                server_ms = date_ms(response)
                if server_ms is not None and self.on_server_time is not None and "Age" not in response.headers:
                    self.on_server_time(server_ms)
                return Body(response.content, server_ms)
            elif response.status_code == 429:
                refusals += 1
                wait_s = retry_after_s(response)
                if refusals > self._options.refusals:
                    raise RateLimited(
                        "The plan's calls are used up, and waiting did not help. Another program may use the same key.",
                        retry_after_s=wait_s,
                    )
                paused_s = self.limiter.pause_after_refusal(wait_s)
                if self.on_pause is not None:
                    self.on_pause(paused_s)
            elif response.status_code >= 500 and failures + 1 < self._options.attempts:
                failures += 1
                await self._back_off(failures)
            else:
                if WORLD_HEADER in response.headers:  # an error page of something in between names none
                    self._check_world(response)
                self._refused(response, family)

    async def _get(self, path: str, params: Params, on_reached: Callable[[], None]) -> httpx.Response:
        """One attempt, recorded where that is asked for; `on_reached` is called when the server begins to answer."""
        record = None if self._recorder is None else self._recorder.call(path, params)
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            # The path goes in as it is: httpx would escape what the vendor wants plain.
            async with self._client.stream("GET", path, params=params, headers=headers) as response:
                on_reached()
                await response.aread()
        except (httpx.RequestError, httpx.InvalidURL) as error:
            if record is not None:
                record.failed(error)
            raise
        if record is not None:
            record.answered(response.status_code, response.headers, response.content)
        return response

    async def _back_off(self, failures: int) -> None:
        await self._sleep(self._options.backoff_s * 2 ** (failures - 1) * self._rng.uniform(0.5, 1.0))

    def _refused(self, response: httpx.Response, family: str) -> NoReturn:
        error = refusal(response, secret=self._key)
        if isinstance(error, Unauthorized):
            self._unauthorized = error
        elif isinstance(error, NotInPlan) and not error.is_timeframe:
            self._not_in_plan[family] = error
        raise error

    def _check_world(self, response: httpx.Response) -> None:
        named = response.headers.get(WORLD_HEADER)
        try:
            served = World(named) if named else world_of_base(self.base)
        except ValueError as error:
            raise WrongWorld("The server names a source of data that is none.") from error
        if self.world is not None and served != self.world:
            if self.on_other_world is not None:
                self.on_other_world(served)
            raise wrong_world(served, self.world)
        self.served_world = served
        self.control_url = response.headers.get(CONTROL_HEADER)

    def following(self, next_url: str, followed: set[str]) -> tuple[str, Params]:
        """Path and parameters of the next page, on our own base and without a key."""
        parts, own = urlsplit(next_url), urlsplit(self.base)
        if next_url in followed or len(followed) >= _PAGES_AT_MOST:
            raise BadResponse("The server's pages lead in a circle.")
        followed.add(next_url)
        hosts = {own.hostname, _TWINS.get(own.hostname or "")}
        if parts.scheme != own.scheme or parts.hostname not in hosts:
            raise BadResponse("The server's next page is on another machine; it was not asked.")
        query = {name: value for name, value in parse_qsl(parts.query) if name.lower() != "apikey"}
        return quote(parts.path.removeprefix(own.path), safe="/:%.*-_"), query


def _checked(key: str | None) -> str | None:
    """The key, if it can go into a header: else the HTTP library would say it aloud."""
    if key is not None and not re.fullmatch(r"[!-~]{1,256}", key):
        raise BadInput("The API key has characters that no key has.", next_step="Copy it again.")
    return key
