"""The synthetic market by the day: where each day's price begins and ends, how lively it is, when it trades.

The logarithm of a value is a sum of hat functions over a lattice of hashed numbers (the Lévy construction of Brownian
motion up to spans of 1024 days, a bounded interpolation above): any day costs the same and needs no other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from desktop.demo.market_cache import LeastRecentlyUsed
from desktop.demo.market_catalogue import EPOCH_DAY, FIRST_DATE, Asset, Listing, days_since_epoch
from desktop.demo.market_hash import Hashes, exp, hashes, key_of, normals, uniforms
from desktop.demo.market_profiles import PROFILES
from desktop.domain.bars import Floats, Ints
from desktop.domain.holidays import early_closes
from desktop.domain.market import Market
from desktop.domain.sessions import forex_week, stock_session
from desktop.domain.timeframe import DAY_MS, HOUR_MS, MINUTE_MS, new_york_midnight_ms

CHUNK: Final = 64  # days planned together
NO_SESSION: Final = -1
_PEG_LEVELS: Final = 3
_LEVELS: Final = np.arange(12, dtype=np.int64)[:, None]
_HALF_SPANS: Final = np.int64(1) << _LEVELS  # in quarters of a day, as all of the lattice
_SPANS: Final = _HALF_SPANS * 2
_DEVIATIONS: Final = np.sqrt(_SPANS / 4.0) / 2.0  # of the middle of a span, its ends known
_IS_SHORT: Final = _LEVELS <= 4
_COARSE_SHIFT: Final = 12
_COARSE_AMPLITUDE: Final = 19.0  # in deviations of one day
_REGIME_SPANS: Final = np.array([[32], [128], [512]], np.int64)
_REGIME_STRENGTH: Final = 0.33
_LARGEST_DEVIATION: Final = 4.0  # of the logarithm of a value from its trend
_GROWTH_FROM_DAY: Final = days_since_epoch(FIRST_DATE)
_GROWTH_TO_DAY: Final = days_since_epoch(dt.date(2025, 1, 1))
_INSIDE_DAY: Final = 0.9  # share of the day's volatility that the path inside the day has of its own

_RATE_DEVIATION: Final = 0.22  # of the logarithm of a day's liveliness from that of the days around


@dataclass(frozen=True, slots=True)
class Walk:
    """Hashed motion of unit daily deviation over a chunk of days."""

    midnight: Floats  # (CHUNK + 1,) at each day's start, and the end of the last
    morning: Floats  # (CHUNK,) a quarter of a day later: where stocks begin
    regime: Floats  # (CHUNK,) factor of volatility and liveliness


@dataclass(frozen=True, slots=True)
class Calendar:
    """Sessions of one market over a chunk of days: columns (CHUNK,)."""

    session: Ints  # index of the session's profile, NO_SESSION when closed
    first_minute_ms: Ints
    last_ms: Ints  # the last millisecond of the profile's minutes
    day_ms: Ints  # start of the day's bar


@dataclass(frozen=True, slots=True)
class Plan:
    """What the minutes of one ticker are drawn from over a chunk of days: columns (CHUNK,). Prices in ticks."""

    session: Ints
    first_minute_ms: Ints
    last_ms: Ints
    day_ms: Ints
    open: Floats
    close: Floats
    amplitude: Floats  # deviation of the path over the day
    rate: Floats  # trades of an average minute of the session


class Days:
    """Plans of all tickers under one seed. Holds at most about 60 MB of plans and walks."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._walks: LeastRecentlyUsed[tuple[str, int], Walk] = LeastRecentlyUsed(8192)
        self._plans: LeastRecentlyUsed[tuple[str, int], Plan] = LeastRecentlyUsed(8192)
        self._calendars: LeastRecentlyUsed[tuple[Market, int], Calendar] = LeastRecentlyUsed(512)

    def plan(self, listing: Listing, chunk: int) -> Plan:
        """The days [chunk * CHUNK, (chunk + 1) * CHUNK) since the epoch."""
        return self._plans.get((listing.ticker, chunk), lambda: self._make_plan(listing, chunk))

    def calendar(self, market: Market, chunk: int) -> Calendar:
        """Sessions of the days of `chunk`."""
        return self._calendars.get((market, chunk), lambda: calendar(market, chunk))

    def _make_plan(self, listing: Listing, chunk: int) -> Plan:
        sessions = self.calendar(listing.market, chunk)
        days = np.arange(chunk * CHUNK, (chunk + 1) * CHUNK + 1, dtype=np.int64)
        is_listed = (days[:-1] >= listing.first_day) & (days[:-1] < listing.end_day)
        opens = self._value(listing, chunk, days, at_morning=listing.market is Market.STOCKS)
        closes = self._value(listing, chunk, days, at_morning=False)[1:]
        quote_volatility = listing.quote.volatility if listing.quote else 0.0
        volatility = float(np.sqrt(listing.base.volatility**2 + quote_volatility**2)) * _INSIDE_DAY
        regime = self._walk(listing.base.code, chunk, is_pegged=listing.base.is_pegged).regime
        chance = normals(hashes(key_of(self._seed, "rate", listing.ticker), days[:-1]))
        return Plan(
            np.where(is_listed, sessions.session, NO_SESSION),
            sessions.first_minute_ms,
            sessions.last_ms,
            sessions.day_ms,
            opens[:CHUNK],
            closes,
            np.minimum(opens[:CHUNK], closes) * regime * volatility,
            regime * exp(chance * _RATE_DEVIATION) * listing.rate,
        )

    def _value(self, listing: Listing, chunk: int, days: Ints, *, at_morning: bool) -> Floats:
        """Price in ticks at the days' midnights (one more than days) or mornings."""
        deviation = self._deviation(listing.base, chunk, days, at_morning=at_morning)
        price = listing.base.usd
        if listing.quote is not None:
            deviation = deviation - self._deviation(listing.quote, chunk, days, at_morning=at_morning)
            price /= listing.quote.usd
        ticks: Floats = exp(deviation) * (price * listing.tick_divisor)
        return ticks

    def _deviation(self, asset: Asset, chunk: int, days: Ints, *, at_morning: bool) -> Floats:
        walk = self._walk(asset.code, chunk, is_pegged=asset.is_pegged)
        own = walk.morning if at_morning else walk.midnight
        moved = own * float(np.sqrt(1.0 - asset.beta**2))
        if asset.market is not None:
            common = self._walk(f"market {asset.market.value}", chunk, is_pegged=False)
            moved = moved + (common.morning if at_morning else common.midnight) * asset.beta
        left = (_GROWTH_TO_DAY - days[: len(own)]) / (_GROWTH_TO_DAY - _GROWTH_FROM_DAY)
        moved = np.clip(moved * asset.volatility, -_LARGEST_DEVIATION, _LARGEST_DEVIATION)
        deviation: Floats = moved - asset.growth * np.clip(left, 0.0, 1.0)
        return deviation

    def _walk(self, code: str, chunk: int, *, is_pegged: bool) -> Walk:
        return self._walks.get((code, chunk), lambda: walk(key_of(self._seed, "walk", code), chunk, is_pegged))


def walk(key: int, chunk: int, is_pegged: bool) -> Walk:
    """The walk of `key` over `chunk`; a pegged one forgets within days."""
    at = np.arange(chunk * CHUNK, (chunk + 1) * CHUNK + 1, dtype=np.int64) * 4
    at = np.concatenate([at, at[:-1] + 1])
    keys = hashes(key, np.arange(32, dtype=np.int64))
    regime = _regimes(keys[16:19, None], at)
    within = at & (_SPANS - 1)
    hats = 1.0 - np.abs(within - _HALF_SPANS) / _HALF_SPANS
    moves = normals(hashes(keys[:12, None], at >> (_LEVELS + 1))) * hats * _DEVIATIONS
    moves = np.where(_IS_SHORT, moves * regime, moves)
    if is_pegged:
        moved = moves[:_PEG_LEVELS].sum(axis=0)
    else:
        coarse = at >> _COARSE_SHIFT
        share = (at & ((1 << _COARSE_SHIFT) - 1)) / (1 << _COARSE_SHIFT)
        ends = uniforms(hashes(keys[12:13, None], np.stack([coarse, coarse + 1])))
        moved = moves.sum(axis=0) + (ends[0] * (1.0 - share) + ends[1] * share) * _COARSE_AMPLITUDE
    return Walk(moved[: CHUNK + 1], moved[CHUNK + 1 :], regime[:CHUNK])


def calendar(market: Market, chunk: int) -> Calendar:
    """Sessions of `market`: indexes are those of `PROFILES`."""
    days = np.arange(chunk * CHUNK, (chunk + 1) * CHUNK, dtype=np.int64)
    session = np.zeros(CHUNK, np.int64)
    length_ms = PROFILES[market].minutes * MINUTE_MS
    if market is Market.STOCKS:
        dates = [EPOCH_DAY + dt.timedelta(days=day) for day in days.tolist()]
        held = [stock_session(date) for date in dates]
        session[:] = [
            NO_SESSION if times is None else int(date in early_closes(date.year))
            for date, times in zip(dates, held, strict=True)
        ]
        first = np.array([0 if times is None else times[0] for times in held], np.int64)
        midnights = np.array([new_york_midnight_ms(date) for date in dates], np.int64)
        return Calendar(session, first, first + length_ms - 1, midnights)
    first = days * DAY_MS
    if market is Market.FOREX:
        session[:] = [_forex_session(start_ms) for start_ms in first.tolist()]
    return Calendar(session, first, first + length_ms - 1, first)


def _forex_session(day_ms: int) -> int:
    """0 all day; 1, 2 from 21:00, 22:00 (Sundays); 3, 4 until 21:00, 22:00 (Fridays); none on Saturdays. UTC."""
    opens_ms, closes_ms = forex_week(day_ms)
    if opens_ms >= day_ms + DAY_MS:
        return NO_SESSION
    if opens_ms > day_ms:
        return 1 if opens_ms == day_ms + 21 * HOUR_MS else 2
    if closes_ms >= day_ms + DAY_MS:
        return 0
    return 3 if closes_ms == day_ms + 21 * HOUR_MS else 4


def _regimes(keys: Hashes, at: Ints) -> Floats:
    lattice = at // _REGIME_SPANS
    share = (at % _REGIME_SPANS) / _REGIME_SPANS
    low, high = normals(hashes(keys, lattice)), normals(hashes(keys, lattice + 1))
    exponent = (low + (high - low) * share).sum(axis=0) * _REGIME_STRENGTH
    return exp(np.clip(exponent, -1.0, 1.2))
