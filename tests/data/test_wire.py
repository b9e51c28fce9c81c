"""Vendor bodies into domain types: the vendor's own samples, and what it sends on bad days."""

from __future__ import annotations

import json
import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.data import wire
from desktop.domain.errors import BadResponse
from desktop.domain.market import Market

CRYPTO_BARS = b"""{"ticker":"X:BTCUSD","adjusted":true,"queryCount":2,"resultsCount":2,"status":"OK",
 "request_id":"0cf72b6da685bcd386548ffe2895904a","results":[
 {"v":303067.6562332156,"vw":9874.5529,"o":9557.9,"c":10094.75,"h":10429.26,"l":9490,"t":1590984000000,"n":1},
 {"v":323339.6922892879,"vw":9729.5701,"o":10096.87,"c":9492.62,"h":10222.72,"l":9135.68,"t":1591070400000,"n":1}]}"""

SNAPSHOT_CRYPTO = b"""{"status":"OK","request_id":"ad92e92ce183112c593717f00dfebd2c","ticker":{"ticker":"X:BTCUSD",
 "todaysChange":-156.93,"todaysChangePerc":-0.956935,"updated":1605330008999,"day":{"c":16260.85,"h":16428.4,"l":15830.4,
 "o":16418.07,"v":105008.84231068,"vw":0},"lastTrade":{"c":[2],"i":"464569520","p":16242.31,"s":0.001933,
 "t":1605294230780,"x":4},"min":{"c":16235.1,"h":16264.29,"l":16129.3,"n":558,"o":16257.51,"t":1684428960000,
 "v":19.30791925,"vw":0},"prevDay":{"c":16399.24,"h":16418.07,"l":16399.24,"o":16418.07,"v":0.99167108,"vw":16402.6893}}}"""


def test_the_vendors_sample_of_bars() -> None:
    page = wire.decode_bars(CRYPTO_BARS)
    assert page.rows.start_ms.tolist() == [1590984000000, 1591070400000]
    assert page.rows[0].low == 9490.0
    assert page.rows[1].volume == 323339.6922892879
    assert page.next_url is None
    assert not page.is_delayed


@pytest.mark.parametrize("results", ["", '"results":[],', '"results":null,'])
def test_no_bars_are_no_error(results: str) -> None:
    body = f'{{"ticker":"X:A",{results}"status":"DELAYED","next_url":"https://api.massive.com/v2?cursor=a"}}'
    page = wire.decode_bars(body.encode())
    assert len(page.rows) == 0
    assert page.next_url == "https://api.massive.com/v2?cursor=a"
    assert page.is_delayed


def test_odd_rows_are_kept_or_left_out_one_by_one() -> None:
    rows = [
        '{"t":60000,"o":1,"h":2,"l":0.5,"c":1.5,"v":1.35647456e+08,"vw":1.2,"n":3}',
        '{"t":0,"o":5e-9,"h":2,"l":3,"c":1}',  # low above high: weird, but what the vendor says
        '{"t":120000,"o":null,"h":2,"l":1,"c":1}',
        '{"t":180000,"o":"1.25","h":2,"l":1,"c":1,"v":"7"}',
        '{"t":-60000,"o":1,"h":2,"l":1,"c":1}',
        '{"t":240000,"o":1e400,"h":2,"l":1,"c":1}',
        '{"t":60000,"o":9,"h":9,"l":9,"c":9,"v":1,"vw":0,"n":1}',
        '"row"',
        '{"o":1,"h":2,"l":1,"c":1}',
    ]
    page = wire.decode_bars(('{"status":"OK","results":[' + ",".join(rows) + "]}").encode())
    assert page.rows.start_ms.tolist() == [0, 60000, 180000]
    assert page.rows[0].high == 2
    assert math.isnan(page.rows[0].volume)
    assert page.rows[1].close == 9  # of equal starts the last
    assert page.rows[2].open == 1.25
    assert page.rows[2].volume == 7


number = st.floats(1e-9, 1e6) | st.integers(1, 10**9)
row = st.fixed_dictionaries(
    {"t": st.integers(0, 2**41), "o": number, "h": number, "l": number, "c": number},
    optional={"v": number, "vw": number, "n": st.integers(0, 10**6), "otc": st.booleans(), "T": st.text(max_size=3)},
)


@given(st.lists(row, max_size=60), st.sampled_from([(",", ":"), (", ", ": ")]), st.integers(1, 400))
def test_pieces_give_the_same_as_a_plain_reader(rows, separators, piece_bytes):
    body = json.dumps({"results": rows, "status": "OK", "next_url": "n"}, separators=separators).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "PIECE_BYTES", piece_bytes)
        page = wire.decode_bars(body)
    expected = {row["t"]: row for row in rows}
    assert page.rows.start_ms.tolist() == sorted(expected)
    for name, column in zip(("o", "h", "l", "c", "v", "vw", "n"), page.rows.values(), strict=True):
        plain = [float(expected[t].get(name, math.nan)) for t in sorted(expected)]
        np.testing.assert_array_equal(column, plain)
    assert page.next_url == "n"


@given(st.integers(0, len(CRYPTO_BARS) - 1))
def test_a_cut_body_is_never_half_an_answer(length):
    with pytest.raises(BadResponse):
        wire.decode_bars(CRYPTO_BARS[:length])


@given(st.binary(max_size=200))
def test_garbage_is_a_bad_response_or_nothing(body):
    for decode in (wire.decode_bars, wire.decode_grouped, wire.decode_tickers, wire.decode_snapshots):
        with suppress(BadResponse):
            decode(body)
    wire.decode_error(body)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"<html><body>Sign in</body></html>", "web page"),
        (b'{"results":[{"t":1', "cut off"),
        (b"404 page not found", "something other"),
        (b"[1,2]", "something other"),
        (b"[" * 100_000, "cut off"),
    ],
)
def test_the_sentence_says_what_came_instead(body: bytes, words: str) -> None:
    with pytest.raises(BadResponse, match=words):
        wire.decode_tickers(body)


def test_tickers_of_known_markets_only() -> None:
    page = wire.decode_tickers(
        b"""{"results":[{"ticker":"X:BTCUSD","name":"Bitcoin - United States dollar","market":"crypto",
        "active":true,"currency_symbol":"USD","currency_name":"United States dollar","base_currency_symbol":"BTC",
        "base_currency_name":"Bitcoin"},{"ticker":"A","name":"Agilent Technologies Inc.","market":"stocks",
        "primary_exchange":"XNYS","type":"CS","active":true,"currency_name":"usd"},
        {"ticker":"I:SPX","market":"indices"},{"name":"nobody"},null],"next_url":"https://x/y?cursor=1","status":"OK"}"""
    )
    coin, stock = page.rows
    assert (coin.code, coin.market, coin.base, coin.currency) == ("BTC/USD", Market.CRYPTO, "BTC", "USD")
    assert (stock.code, stock.kind, stock.exchange, stock.currency) == ("A", "CS", "XNYS", "USD")
    assert page.next_url == "https://x/y?cursor=1"


def test_snapshots_of_three_markets() -> None:
    (coin,) = wire.decode_snapshots(SNAPSHOT_CRYPTO)
    assert (coin.last, coin.last_ms, coin.prev_close) == (16242.31, 1605294230780, 16399.24)
    assert (coin.day_volume, coin.change_pct, coin.bid) == (105008.84231068, -0.956935, None)
    forex, stock = wire.decode_snapshots(
        b"""{"status":"OK","tickers":[{"ticker":"C:EURUSD","lastQuote":{"a":1.18403,"b":1.18398,"i":0,"t":1606163759000,
        "x":48},"day":{"c":0,"o":0},"min":{},"updated":1606163759000},{"ticker":"AAPL","lastTrade":{"p":20.5,"s":5,
        "t":1605192894630916600},"lastQuote":{"P":20.6,"S":22,"p":20.4,"s":13,"t":1605192959994246100},
        "updated":1605195918306274000},7]}"""
    )
    assert forex.last == pytest.approx((1.18403 + 1.18398) / 2)
    assert (forex.bid, forex.ask, forex.day_open) == (1.18398, 1.18403, None)
    assert (stock.last, stock.last_ms, stock.bid, stock.ask) == (20.5, 1605192894630, 20.4, 20.6)
    assert stock.updated_ms == 1605195918306


def test_market_status_and_the_servers_clock() -> None:
    status = wire.decode_market_status(
        b"""{"market":"extended-hours","earlyHours":false,"afterHours":true,"serverTime":"2022-04-28T16:48:08-04:00",
        "exchanges":{"nyse":"extended-hours"},"currencies":{"fx":"open","crypto":"open"}}"""
    )
    assert status.server_time_ms == 1651178888000
    assert (status.stocks, status.crypto, status.forex) == ("extended-hours", "open", "open")
    with pytest.raises(BadResponse):
        wire.decode_market_status(b'{"market":"open","serverTime":"noon"}')


def test_trades_and_splits() -> None:
    coin = wire.decode_last_trade(
        b"""{"last":{"conditions":[2],"exchange":2,"price":39976.89682331,"size":0.005,"timestamp":1651180409688},
        "status":"success","symbol":"BTC-USD"}""",
        "X:BTCUSD",
    )
    assert (coin.price, coin.time_ms, coin.conditions) == (39976.89682331, 1651180409688, (2,))
    stock = wire.decode_last_trade(
        b'{"results":{"T":"AAPL","c":[37],"i":"118749","p":129.8473,"s":25,"t":1617901342969834000,"x":4}}', "AAPL"
    )
    assert (stock.id, stock.exchange, stock.time_ms) == ("118749", 4, 1617901342969)
    page = wire.decode_trades(
        b"""{"results":[{"conditions":[1],"exchange":1,"id":"191450340","participant_timestamp":1625097600103000000,
        "price":35060,"received_timestamp":1625097600125000000,"size":1.0434526},{"price":1}]}""",
        "X:BTCUSD",
    )
    assert [(trade.price, trade.time_ms, trade.id) for trade in page.rows] == [(35060, 1625097600103, "191450340")]
    splits = wire.decode_splits(
        b'{"results":[{"execution_date":"2005-02-28","split_from":1,"split_to":2,"ticker":"AAPL"},{"ticker":"B"}]}'
    )
    assert [(split.execution_date.isoformat(), split.to_shares) for split in splits.rows] == [("2005-02-28", 2)]


def test_grouped_daily() -> None:
    bars = wire.decode_grouped(
        b"""{"results":[{"T":"X:ARDRUSD","c":0.0550762,"h":0.0550762,"l":0.0550762,"n":18388,"o":0.0550762,
        "t":1580676480000,"v":2,"vw":0.0551},{"T":"X:BAD","c":null}]}"""
    )
    assert list(bars) == ["X:ARDRUSD"]
    assert bars["X:ARDRUSD"].close == 0.0550762


@pytest.mark.parametrize(
    ("unit", "ms"), [(1, 1_600_000_000_000), (10**3, 1_600_000_000_000), (10**9, 1_600_000_000_000)]
)
def test_times_are_told_by_their_size(unit: int, ms: int) -> None:
    assert wire.to_ms(1_600_000_000 * unit) == ms


@given(st.integers(1_000_000_000, 4_000_000_000), st.integers(0, 999_999_999))
def test_nanoseconds_lose_nothing_above_a_millisecond(seconds, nanos):
    assert wire.to_ms(seconds * 10**9 + nanos) == seconds * 1000 + nanos // 10**6


def test_an_error_text_holds_no_secret() -> None:
    said = wire.decode_error(
        b'{"status":"ERROR","message":"key abc-DEF-123456789 unknown","request_id":7}', "abc-DEF-123456789"
    )
    assert said.text == "key … unknown"
    assert said.request_id == "7"
