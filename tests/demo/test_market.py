"""The synthetic market agrees with itself at every level, exactly, and is the same in every process."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.demo.market import SyntheticMarket
from desktop.demo.market_splits import unadjusted
from desktop.domain.aggregation import roll_up
from desktop.domain.bars import Bars
from desktop.domain.holidays import is_trading_day
from desktop.domain.market import Market, market_of
from desktop.domain.sessions import is_forex_open, session_kind
from desktop.domain.timeframe import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    NEW_YORK,
    ONE_DAY,
    ONE_HOUR,
    ONE_MINUTE,
    ONE_SECOND,
    new_york_midnight_ms,
)

LATER_MS = 2_000_000_000_000  # after every time asked for
PROBED = ("X:BTCUSD", "X:SHIBUSD", "X:ETHBTC", "X:USDTUSD", "AAPL", "BRK.A", "SIRI", "C:EURUSD", "C:USDJPY", "C:USDHKD")


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return SyntheticMarket(7)


def utc(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp() * 1000)


def moment(text: str) -> int:
    """Unix ms of a time on New York's clock."""
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp() * 1000)


def assert_same(left: Bars, right: Bars, *, vwap: bool = True) -> None:
    """Exactly the same, the vwap to a rounding of its sums."""
    np.testing.assert_array_equal(left.start_ms, right.start_ms)
    for name in ("open", "high", "low", "close", "volume", "trades"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name)
    if vwap:
        np.testing.assert_allclose(left.vwap, right.vwap, rtol=1e-12)


def bars_of_trades(market: SyntheticMarket, ticker: str, from_ms: int, to_ms: int) -> Bars:
    """One-millisecond bars, one a trade (currencies: a bid), for `roll_up` to add up: a rule of its own."""
    if market_of(ticker) is Market.FOREX:
        quotes = market.quotes(ticker, from_ms, to_ms)
        time_ms, price, size = quotes.time_ms, quotes.bid, np.ones(len(quotes))
    else:
        trades = market.trades(ticker, from_ms, to_ms)
        time_ms, price, size = trades.time_ms, trades.price, trades.size
    return Bars(time_ms, price, price, price, price, size, price, np.ones(len(price)))


def any_ticker(market: SyntheticMarket, number: int) -> str:
    rows = market.tickers()
    return rows[number % len(rows)].ticker


days = st.integers(15_706, 22_000)  # 2013 to 2030
tickers = st.one_of(st.sampled_from(PROBED), st.integers(0, 10_000))


@settings(max_examples=50, deadline=None)
@given(tickers, days, st.integers(0, 23))
def test_trades_roll_up_to_minutes_and_seconds(market: SyntheticMarket, ticker: str | int, day: int, hour: int) -> None:
    ticker = ticker if isinstance(ticker, str) else any_ticker(market, ticker)
    from_ms = day * DAY_MS + hour * HOUR_MS
    to_ms = from_ms + HOUR_MS
    parts = bars_of_trades(market, ticker, from_ms, to_ms)
    if market.splits(ticker):
        minutes = unadjusted(market.bars(ticker, ONE_MINUTE, from_ms, to_ms, LATER_MS), market.splits(ticker), LATER_MS)
    else:
        minutes = market.bars(ticker, ONE_MINUTE, from_ms, to_ms, LATER_MS)
        assert_same(
            roll_up(parts, ONE_SECOND, Market.CRYPTO), market.bars(ticker, ONE_SECOND, from_ms, to_ms, LATER_MS)
        )
    assert_same(roll_up(parts, ONE_MINUTE, Market.CRYPTO), minutes)


@settings(max_examples=50, deadline=None)
@given(tickers, days)
def test_minutes_roll_up_to_hours_and_days(market: SyntheticMarket, ticker: str | int, day: int) -> None:
    ticker = ticker if isinstance(ticker, str) else any_ticker(market, ticker)
    from_ms, to_ms = day * DAY_MS, (day + 6) * DAY_MS
    if market_of(ticker) is Market.STOCKS:
        from_ms, to_ms = (new_york_midnight_ms(dt.date(1970, 1, 1) + dt.timedelta(days=at)) for at in (day, day + 6))
    minutes = market.bars(ticker, ONE_MINUTE, from_ms, to_ms, LATER_MS)
    for timeframe in (ONE_HOUR, ONE_DAY):
        larger = market.bars(ticker, timeframe, from_ms, to_ms, LATER_MS)
        assert_same(roll_up(minutes, timeframe, market_of(ticker)), larger)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(PROBED), days, st.integers(0, DAY_MS - 1))
def test_forming_bars_hold_what_happened_before_now(
    market: SyntheticMarket, ticker: str, day: int, offset_ms: int
) -> None:
    now_ms = day * DAY_MS + offset_ms
    for timeframe in (ONE_SECOND, ONE_MINUTE, ONE_HOUR, ONE_DAY):
        length_ms = timeframe.fixed_ms or DAY_MS
        from_ms = now_ms - now_ms % length_ms
        if timeframe == ONE_DAY and market_of(ticker) is Market.STOCKS:
            from_ms = new_york_midnight_ms(dt.datetime.fromtimestamp(now_ms / 1000, NEW_YORK).date())
        parts = bars_of_trades(market, ticker, from_ms, now_ms)
        bars = market.bars(ticker, timeframe, from_ms, now_ms + DAY_MS, now_ms)
        if market.splits(ticker):  # trades are on today's scale, and so are bars as of now
            bars = unadjusted(bars, market.splits(ticker), now_ms)
        if timeframe != ONE_DAY:
            assert_same(roll_up(parts, timeframe, Market.CRYPTO), bars)
            continue
        expected = roll_up(parts, ONE_DAY, market_of(ticker))
        assert_same(expected, bars)


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(PROBED), days, st.integers(0, 3 * DAY_MS), st.integers(1, 2 * DAY_MS))
def test_a_part_of_the_past_is_the_same_part_of_any_answer(
    market: SyntheticMarket, ticker: str, day: int, from_offset: int, length_ms: int
) -> None:
    begin_ms = day * DAY_MS
    from_ms = begin_ms + from_offset
    to_ms = from_ms + length_ms
    for timeframe in (ONE_MINUTE, ONE_HOUR, ONE_DAY):
        whole = market.bars(ticker, timeframe, begin_ms - DAY_MS, begin_ms + 8 * DAY_MS, LATER_MS)
        assert_same(whole.between(from_ms, to_ms), market.bars(ticker, timeframe, from_ms, to_ms, LATER_MS))


def test_many_days_at_once_are_the_same_as_one_by_one() -> None:
    from_ms = utc("2021-03-01")
    for ticker in ("X:BTCUSD", "AAPL", "C:EURUSD", "X:AIDUSD"):
        for timeframe in (ONE_HOUR, ONE_DAY, ONE_MINUTE):
            at_once = SyntheticMarket(3).bars(ticker, timeframe, from_ms, from_ms + 40 * DAY_MS, LATER_MS)
            fresh = SyntheticMarket(3)
            apart = Bars.empty()
            for day in range(40):
                begin_ms = from_ms + day * DAY_MS
                apart = apart.merged(fresh.bars(ticker, timeframe, begin_ms, begin_ms + DAY_MS, LATER_MS))
            assert len(at_once)
            assert_same(at_once, apart)


@pytest.mark.parametrize("ticker", ["X:BTCUSD", "AAPL", "C:EURUSD"])
def test_today_is_the_same_after_years_were_asked_for(ticker: str) -> None:
    # Late in its chunk of days, so that the chunk is kept whole before today is asked for again.
    now_ms = moment("2024-06-20T11:22:33.444")
    today_ms = moment("2024-06-20") if ticker == "AAPL" else utc("2024-06-20")
    for timeframe in (ONE_DAY, ONE_HOUR):
        source = SyntheticMarket(7)
        alone = source.bars(ticker, timeframe, today_ms, now_ms, now_ms)
        years = source.bars(ticker, timeframe, today_ms - 500 * DAY_MS, now_ms, now_ms)
        again = source.bars(ticker, timeframe, today_ms, now_ms, now_ms)
        assert len(alone)
        assert_same(alone, again)
        assert_same(alone, years.between(today_ms, now_ms))


def test_trades_do_not_depend_on_how_they_are_asked_for(market: SyntheticMarket) -> None:
    from_ms, to_ms = utc("2024-05-06T13:58:00.250"), utc("2024-05-06T14:03:10.750")
    for ticker in ("X:BTCUSD", "AAPL", "X:AIDUSD"):
        whole = market.trades(ticker, from_ms, to_ms)
        step = 777
        parts = [market.trades(ticker, at, min(at + step, to_ms)) for at in range(from_ms, to_ms, step)]
        for name in ("time_ms", "price", "size", "exchange", "condition", "id"):
            joined = np.concatenate([getattr(part, name) for part in parts])
            np.testing.assert_array_equal(getattr(whole, name), joined)


def test_trades_are_in_order_with_ids_of_their_own(market: SyntheticMarket) -> None:
    from_ms = utc("2024-05-06T13:00")
    for ticker in ("X:BTCUSD", "X:DOGEUSD", "NVDA"):
        trades = market.trades(ticker, from_ms, from_ms + 6 * HOUR_MS)
        assert len(trades) > 1000
        assert (np.diff(trades.time_ms) >= 0).all()
        assert trades.time_ms[0] >= from_ms
        assert trades.time_ms[-1] < from_ms + 6 * HOUR_MS
        for exchange in np.unique(trades.exchange):
            assert (np.diff(trades.id[trades.exchange == exchange]) > 0).all()
        assert (trades.size > 0).all()


def test_crypto_trades_name_the_vendors_exchanges_and_the_taker(market: SyntheticMarket) -> None:
    from_ms = utc("2024-05-06T13:00")
    trades = market.trades("X:BTCUSD", from_ms, from_ms + HOUR_MS)
    assert set(trades.exchange) == {1, 2, 6, 23}
    assert set(trades.condition) == {1, 2}
    change = np.diff(trades.price)
    same_minute = np.diff(trades.time_ms // MINUTE_MS) == 0
    assert (trades.condition[1:][same_minute & (change > 0)] == 2).all()
    assert (trades.condition[1:][same_minute & (change < 0)] == 1).all()


@pytest.mark.parametrize("ticker", ["X:BTCUSD", "AAPL", "C:EURUSD", "X:AIDUSD"])
def test_quotes_do_not_cross_and_meet_the_trades(market: SyntheticMarket, ticker: str) -> None:
    from_ms = utc("2024-05-06T14:00")
    quotes = market.quotes(ticker, from_ms, from_ms + DAY_MS)
    assert len(quotes)
    assert (quotes.bid < quotes.ask).all()
    if market_of(ticker) is not Market.FOREX:
        trades = market.trades(ticker, from_ms, from_ms + DAY_MS)
        np.testing.assert_array_equal(trades.time_ms, quotes.time_ms)
        assert ((trades.price == quotes.bid) | (trades.price == quotes.ask)).all()


def test_sums_of_volume_are_exact_in_any_order(market: SyntheticMarket) -> None:
    from_ms = utc("2024-05-06")
    for ticker in PROBED:
        bars = market.bars(ticker, ONE_MINUTE, from_ms, from_ms + 30 * DAY_MS, LATER_MS)
        assert float(np.sum(bars.volume)) == float(np.sum(bars.volume[::-1])) == sum(bars.volume.tolist())


def digest(seed: int) -> str:
    """A hash of bars and trades of many kinds."""
    market = SyntheticMarket(seed)
    collected = hashlib.sha256()
    from_ms = utc("2023-08-09T13:30")
    for ticker in PROBED:
        for timeframe in (ONE_MINUTE, ONE_HOUR, ONE_DAY):
            bars = market.bars(ticker, timeframe, from_ms - 20 * DAY_MS, from_ms + DAY_MS, from_ms + 5 * HOUR_MS + 7)
            for column in (bars.start_ms, *bars.values()):
                collected.update(column.tobytes())
        trades = market.trades(ticker, from_ms, from_ms + HOUR_MS)
        for column in (trades.time_ms, trades.price, trades.size, trades.id, trades.condition, trades.exchange):
            collected.update(column.tobytes())
        collected.update(market.quotes(ticker, from_ms, from_ms + HOUR_MS).ask.tobytes())
    return collected.hexdigest()


def test_the_same_seed_is_the_same_market_in_another_process() -> None:
    code = "from tests.demo.test_market import digest; print(digest(7))"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert other.stdout.strip() == digest(7)
    assert digest(8) != digest(7)


def test_thin_tickers_have_real_holes(market: SyntheticMarket) -> None:
    from_ms = utc("2024-05-06")
    counts = {}
    for row in market.tickers():
        if row.market is Market.CRYPTO:
            counts[row.ticker] = len(market.bars(row.ticker, ONE_MINUTE, from_ms, from_ms + 2 * DAY_MS, LATER_MS))
    assert sum(0 < count < 60 for count in counts.values()) >= 20
    assert counts["X:BTCUSD"] == 2880
    thinnest = min((ticker for ticker, count in counts.items() if count), key=counts.__getitem__)
    bars = market.bars(thinnest, ONE_MINUTE, from_ms, from_ms + 10 * DAY_MS, LATER_MS)
    assert np.diff(bars.start_ms).max() > 4 * HOUR_MS


def test_stocks_trade_in_their_sessions_only(market: SyntheticMarket) -> None:
    bars = market.bars("AAPL", ONE_MINUTE, moment("2024-11-25"), moment("2024-12-02"), LATER_MS)
    kinds = {session_kind(start_ms) for start_ms in bars.start_ms.tolist()}
    assert kinds == {"pre", "regular", "post"}
    on_thanksgiving = bars.between(moment("2024-11-28"), moment("2024-11-29"))
    assert len(on_thanksgiving) == 0
    trades = market.trades("AAPL", moment("2024-11-29"), moment("2024-11-30"))
    assert trades.time_ms[-1] < moment("2024-11-29T17:00")
    regular = bars.between(moment("2024-11-26T09:30"), moment("2024-11-26T16:00"))
    early = bars.between(moment("2024-11-26T04:00"), moment("2024-11-26T09:30"))
    assert regular.volume.sum() > 5 * early.volume.sum()


def test_day_bars_of_stocks_are_the_trading_days(market: SyntheticMarket) -> None:
    bars = market.bars("MSFT", ONE_DAY, moment("2024-01-01"), moment("2026-01-01"), LATER_MS)
    expected = [
        new_york_midnight_ms(day)
        for day in (dt.date(2024, 1, 1) + dt.timedelta(days=at) for at in range(731))
        if is_trading_day(day)
    ]
    assert bars.start_ms.tolist() == expected


def test_currencies_trade_in_their_week_only(market: SyntheticMarket) -> None:
    for from_ms in (utc("2024-01-10"), utc("2024-07-10")):
        bars = market.bars("C:EURUSD", ONE_MINUTE, from_ms, from_ms + 7 * DAY_MS, LATER_MS)
        assert all(is_forex_open(start_ms) for start_ms in bars.start_ms.tolist())
        assert len(bars) > 7100
        np.testing.assert_array_equal(bars.volume, bars.trades)
        assert len(market.trades("C:EURUSD", from_ms, from_ms + DAY_MS)) == 0


def test_prices_stay_in_bounds_and_bars_are_well_formed(market: SyntheticMarket) -> None:
    now_ms = utc("2026-11-22")
    for row in market.tickers()[::15]:
        bars = market.bars(row.ticker, ONE_DAY, now_ms - 64 * DAY_MS, now_ms, now_ms)
        if not len(bars):
            continue
        assert (bars.low > 1e-10).all()
        assert (bars.high < 1e7).all()
        assert (bars.low <= np.minimum(bars.open, bars.close)).all()
        assert (bars.high >= np.maximum(bars.open, bars.close)).all()
        assert (bars.low * (1 - 1e-12) <= bars.vwap).all()
        assert (bars.vwap <= bars.high * (1 + 1e-12)).all()
        assert (bars.volume > 0).all()
        assert (bars.trades >= 1).all()


def test_prices_have_few_digits(market: SyntheticMarket) -> None:
    from_ms = utc("2024-05-06T14:00")
    for ticker in PROBED:
        bars = market.bars(ticker, ONE_MINUTE, from_ms, from_ms + HOUR_MS, LATER_MS)
        assert len(bars)
        assert all(float(f"{price:.8g}") == price for price in bars.close.tolist())
        assert len(np.unique(bars.close)) > 5


def test_days_go_on_where_the_day_before_ended(market: SyntheticMarket) -> None:
    from_ms = utc("2024-01-01")
    days = market.bars("X:BTCUSD", ONE_DAY, from_ms, from_ms + 300 * DAY_MS, LATER_MS)
    np.testing.assert_allclose(days.open[1:], days.close[:-1], rtol=0.005)
    changes = np.abs(np.diff(np.log(days.close)))
    assert 0.005 < np.median(changes) < 0.06


def test_pairs_over_the_same_coins_agree(market: SyntheticMarket) -> None:
    days_ms = (utc("2024-01-01"), utc("2024-03-01"))
    in_dollars, in_euros, euros = (
        market.bars(ticker, ONE_DAY, *days_ms, LATER_MS) for ticker in ("X:BTCUSD", "X:BTCEUR", "C:EURUSD")
    )
    shared, left, right = np.intersect1d(in_dollars.start_ms, euros.start_ms, return_indices=True)
    weekdays = (shared // DAY_MS + 3) % 7 < 4  # currencies end their day with the others'
    ratio = in_dollars.close[left] / in_euros.close[left] / euros.close[right]
    np.testing.assert_allclose(ratio[weekdays], 1.0, rtol=0.01)


def test_bars_are_on_the_scale_of_now_and_trades_on_that_of_their_time(market: SyntheticMarket) -> None:
    before_ms, after_ms = moment("2020-08-28T10:00"), moment("2020-08-31T10:00")
    then = market.bars("AAPL", ONE_MINUTE, before_ms, before_ms + HOUR_MS, before_ms + DAY_MS)
    now = market.bars("AAPL", ONE_MINUTE, before_ms, before_ms + HOUR_MS, after_ms)
    np.testing.assert_array_equal(then.close, now.close * 4)
    np.testing.assert_array_equal(then.volume, now.volume / 4)
    np.testing.assert_array_equal(then.volume, np.rint(then.volume))
    assert_same(unadjusted(now, market.splits("AAPL"), after_ms), then)
    trades = market.trades("AAPL", before_ms, before_ms + MINUTE_MS)
    assert trades.price[-1] == then.close[0]


def test_trades_across_a_split_change_their_scale(market: SyntheticMarket) -> None:
    trades = market.trades("TSLA", moment("2022-08-24T19:00"), moment("2022-08-25T10:00"))
    before, after = trades.between(0, moment("2022-08-25")), trades.between(moment("2022-08-25"), LATER_MS)
    assert 1.7 < before.price[-1] / after.price[0] < 2.3


def test_nothing_before_a_listing_and_nothing_after_its_end(market: SyntheticMarket) -> None:
    solana = market.bars("X:SOLUSD", ONE_DAY, market.first_ms, LATER_MS, utc("2026-11-22"))
    assert dt.datetime.fromtimestamp(solana.start_ms[0] / 1000, dt.UTC).year == 2020
    ended = next(row for row in market.tickers() if not row.is_active)
    assert ended.delisted_ms is not None
    bars = market.bars(ended.ticker, ONE_DAY, market.first_ms, LATER_MS, utc("2026-11-22"))
    assert bars.start_ms[-1] == ended.delisted_ms - DAY_MS
    bitcoin = market.bars("X:BTCUSD", ONE_DAY, 0, LATER_MS, utc("2026-11-22"))
    assert bitcoin.start_ms[0] == market.first_ms == utc("2013-01-01")


def test_unknown_tickers_timeframes_and_empty_ranges_have_nothing(market: SyntheticMarket) -> None:
    now_ms = utc("2026-11-22")
    assert len(market.bars("X:NOPEUSD", ONE_MINUTE, now_ms - DAY_MS, now_ms, now_ms)) == 0
    assert len(market.bars("X:BTCUSD", ONE_MINUTE, now_ms, now_ms - DAY_MS, now_ms)) == 0
    assert len(market.bars("X:BTCUSD", ONE_MINUTE, now_ms + 1, now_ms + DAY_MS, now_ms)) == 0
    assert len(market.trades("X:NOPEUSD", now_ms - DAY_MS, now_ms)) == 0
    assert len(market.quotes("X:NOPEUSD", now_ms - DAY_MS, now_ms)) == 0
    assert not market.has_trades("X:NOPEUSD")


def test_the_catalogue_is_large_sorted_and_well_named(market: SyntheticMarket) -> None:
    rows = market.tickers()
    names = [row.ticker for row in rows]
    assert names == sorted(set(names))
    counted = {kind: sum(row.market is kind for row in rows) for kind in Market}
    assert 450 <= counted[Market.CRYPTO] <= 550
    assert counted[Market.STOCKS] == 500
    assert counted[Market.FOREX] == 50
    by_ticker = {row.ticker: row for row in rows}
    assert by_ticker["X:BTCUSD"].name == "Bitcoin - United States dollar"
    assert by_ticker["X:BTCUSD"].base == "BTC"
    assert by_ticker["AAPL"].name == "Apple Inc."
    assert {row.currency for row in rows if row.market is Market.CRYPTO} >= {"USD", "EUR", "BTC", "ETH", "USDT"}
    assert all(row.market is market_of(row.ticker) for row in rows)
