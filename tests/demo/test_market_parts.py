"""The parts of the synthetic market: its random numbers, walks, calendar, names and caches."""

from __future__ import annotations

import datetime as dt
import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from desktop.demo.market import SyntheticMarket
from desktop.demo.market_cache import LeastRecentlyUsed
from desktop.demo.market_catalogue import days_since_epoch, listings
from desktop.demo.market_days import CHUNK, NO_SESSION, calendar, walk
from desktop.demo.market_hash import exp, hashes, lanes8, lanes16, normals, uniforms
from desktop.demo.market_names import invented_coins, invented_firms
from desktop.demo.market_profiles import PROFILES
from desktop.demo.source import MarketSource
from desktop.domain.market import Market
from desktop.domain.timeframe import DAY_MS, HOUR_MS, ONE_MINUTE


def test_hashes_are_splitmix64() -> None:
    # The first outputs for seed 0 in the reference implementation.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert hashes(0, np.array([1, 2, 3])).tolist() == expected


def test_lanes_are_the_parts_of_a_hash() -> None:
    hashed = hashes(0, np.array([[1, 2], [3, 4]]))
    low, *_, high = lanes16(hashed)
    assert low.tolist() == (hashed & np.uint64(0xFFFF)).tolist()
    assert high.tolist() == (hashed >> np.uint64(48)).tolist()
    assert lanes8(hashed)[7].tolist() == (hashed >> np.uint64(56)).tolist()


def test_normals_and_uniforms_have_their_moments() -> None:
    hashed = hashes(5, np.arange(100_000))
    drawn = normals(hashed)
    assert abs(drawn.mean()) < 0.02
    assert abs(drawn.std() - 1) < 0.02
    assert np.abs(drawn).max() < 4.95
    flat = uniforms(hashed)
    assert flat.min() >= -1
    assert flat.max() < 1
    assert abs(flat.mean()) < 0.02


def test_exp_is_that_of_the_library() -> None:
    x = np.linspace(-30, 30, 997)
    np.testing.assert_allclose(exp(x), np.exp(x), rtol=1e-7)
    assert exp(np.zeros(1))[0] == 1.0


@pytest.mark.parametrize("is_pegged", [False, True])
def test_chunks_of_a_walk_meet(is_pegged: bool) -> None:
    for chunk in range(240, 260):
        before, after = walk(99, chunk, is_pegged), walk(99, chunk + 1, is_pegged)
        assert before.midnight[-1] == after.midnight[0]
    assert walk(99, 250, is_pegged).midnight[3] != walk(98, 250, is_pegged).midnight[3]


def test_a_walk_moves_about_one_deviation_a_day_and_a_pegged_one_stays() -> None:
    free = np.concatenate([walk(1, chunk, False).midnight[:-1] for chunk in range(200, 300)])
    pegged = np.concatenate([walk(1, chunk, True).midnight[:-1] for chunk in range(200, 300)])
    assert 0.7 < np.diff(free).std() < 1.5
    assert np.abs(pegged).max() < 12
    assert free.std() > 5 * pegged.std()


def test_profiles_spread_a_session() -> None:
    for market, profiles in PROFILES.items():
        assert profiles.minutes == (960 if market is Market.STOCKS else 1440)
        np.testing.assert_allclose((profiles.deviation**2).sum(axis=1), 1.0)
        np.testing.assert_allclose(profiles.share[:, -1], 1.0)
        assert (np.diff(profiles.share, axis=1) >= 0).all()


def test_currency_days_know_when_they_begin_and_end() -> None:
    def session(day: str) -> int:
        number = days_since_epoch(dt.date.fromisoformat(day))
        return int(calendar(Market.FOREX, number // CHUNK).session[number % CHUNK])

    found = [session(day) for day in ("2024-01-10", "2024-07-14", "2024-01-14", "2024-07-12", "2024-01-12")]
    assert found == [0, 1, 2, 3, 4]
    assert session("2024-01-13") == NO_SESSION


def test_listings_have_exact_units() -> None:
    for listing in listings():
        assert math.log2(listing.lot).is_integer()
        assert 0 <= listing.decimals <= 22  # powers of ten that floats hold
        assert listing.tick_divisor == 10**listing.decimals
        assert all(split.split_to in (2, 4) and split.split_from == 1 for split in listing.splits)
    by_ticker = {listing.ticker: listing for listing in listings()}
    apple = by_ticker["AAPL"]
    assert [apple.scale_at(days_since_epoch(dt.date(*day))) for day in ((2014, 6, 8), (2014, 6, 9), (2020, 8, 31))] == [
        16,
        4,
        1,
    ]


def test_invented_names_are_new_and_distinct() -> None:
    taken = frozenset({"BTC", "ETH"})
    for invent in (invented_coins, invented_firms):
        made = invent(300, taken)
        assert len({symbol for symbol, _ in made} - taken) == 300
        assert len({name for _, name in made}) == 300


def test_the_cache_forgets_the_least_recently_used() -> None:
    cache: LeastRecentlyUsed[str, int] = LeastRecentlyUsed(2)
    assert [cache.get(key, lambda: len(cache)) for key in ("a", "b", "a", "c")] == [0, 1, 0, 2]
    assert cache.peek("b") is None
    assert cache.peek("a") == 0
    assert len(cache) == 2


def test_threads_get_the_same_answers() -> None:
    source: MarketSource = SyntheticMarket(11)
    from_ms = 20_000 * DAY_MS
    names = [row.ticker for row in source.tickers()][:40] * 2

    def volume(ticker: str) -> float:
        return float(source.bars(ticker, ONE_MINUTE, from_ms, from_ms + 12 * HOUR_MS, from_ms + HOUR_MS).volume.sum())

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(volume, names)) == [volume(name) for name in names]
