"""Socket events: the vendor's own samples, and everything that is not one."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.data.wire_socket import (
    CryptoMinute,
    CryptoQuote,
    CryptoSecond,
    CryptoTrade,
    ForexMinute,
    ForexQuote,
    ForexSecond,
    FrameDecoder,
    StatusEvent,
    StockMinute,
    StockQuote,
    StockSecond,
    StockTrade,
    decode_frame,
    symbol_of,
    ticker_of,
)
from desktop.domain.market import Market, TickerInfo

# Verbatim from the vendor's documentation.
XT = (
    b'{"ev":"XT","pair":"BTC-USD","p":33021.9,"t":1610462007425,"s":0.01616617,"c":[2],"i":14272084,"x":3,'
    b'"r":1610462007576}'
)
XQ = (
    b'{"ev":"XQ","pair":"BTC-USD","bp":33052.79,"bs":0.48,"ap":33073.19,"as":0.601,"t":1610462411115,"x":1,'
    b'"r":1610462411128}'
)
XA = (
    b'{"ev":"XA","pair":"BCD-USD","v":951.6112,"vw":0.7756,"z":73,"o":0.772,"c":0.784,"h":0.784,"l":0.771,'
    b'"s":1610463240000,"e":1610463300000}'
)
C = b'{"ev":"C","p":"USD/CNH","x":"44","a":6.83366,"b":6.83363,"t":1536036818784}'
CA = b'{"ev":"CA","pair":"USD/EUR","o":0.8687,"c":0.86889,"h":0.86889,"l":0.8686,"v":20,"s":1539145740000}'
T = b'{"ev":"T","sym":"AAPL","i":"5096","x":10,"p":161.87,"s":300,"c":[14,41],"t":1651684192462,"q":4009402,"z":3}'
Q = (
    b'{"ev":"Q","sym":"MSFT","bx":4,"bp":114.125,"bs":100,"ax":7,"ap":114.128,"as":160,"c":0,"i":[604],'
    b'"t":1536036818784,"q":50385480,"z":3}'
)
AM = (
    b'{"ev":"AM","sym":"GTE","v":4110,"av":9470157,"op":0.4372,"vw":0.4488,"o":0.4488,"c":0.4486,"h":0.4489,'
    b'"l":0.4486,"a":0.4352,"z":685,"s":1610144640000,"e":1610144700000}'
)
A = (
    b'{"ev":"A","sym":"SPCE","v":200,"av":8642007,"op":25.66,"vw":25.3981,"o":25.39,"c":25.39,"h":25.39,"l":25.39,'
    b'"a":25.3714,"z":50,"s":1610144868000,"e":1610144869000}'
)
LULD = b'{"ev":"LULD","T":"MSFT","h":218.96,"l":198.11,"i":[21],"z":3,"t":1601316752683746,"q":290317}'
STATUS = b'{"ev":"status","status":"connected","message":"Connected Successfully"}'


def one(event: bytes | dict[str, Any]) -> Any:
    found = decode_frame(b"[" + (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"]")
    assert len(found) == 1
    return found[0]


def changed(sample: bytes, **fields: Any) -> dict[str, Any]:
    event = json.loads(sample) | fields
    return {name: value for name, value in event.items() if value is not ...}


def test_crypto_trade() -> None:
    event = one(XT)
    assert type(event) is CryptoTrade
    assert (event.kind, event.symbol, event.price, event.size) == ("trade", "BTC-USD", 33021.9, 0.01616617)
    assert (event.time_ms, event.received_ms, event.sent_ms) == (1610462007425, 1610462007576, 1610462007576)
    assert (event.exchange, event.id, event.conditions) == (3, "14272084", (2,))


def test_stock_trade() -> None:
    event = one(T)
    assert type(event) is StockTrade
    assert (event.symbol, event.price, event.size, event.id, event.conditions) == (
        "AAPL",
        161.87,
        300,
        "5096",
        (14, 41),
    )
    assert (event.received_ms, event.sent_ms) == (None, 1651684192462)


def test_quotes() -> None:
    crypto, stock, forex = one(XQ), one(Q), one(C)
    assert (type(crypto), type(stock), type(forex)) == (CryptoQuote, StockQuote, ForexQuote)
    assert (crypto.bid, crypto.bid_size, crypto.ask, crypto.ask_size) == (33052.79, 0.48, 33073.19, 0.601)
    assert (stock.symbol, stock.bid, stock.ask_size, stock.kind) == ("MSFT", 114.125, 160, "quote")
    assert (forex.symbol, forex.bid, forex.ask, forex.time_ms) == ("USD-CNH", 6.83363, 6.83366, 1536036818784)
    assert math.isnan(forex.bid_size)
    assert [quote.symbol_is_price_source for quote in (crypto, stock, forex)] == [False, False, True]


def test_bars() -> None:
    crypto, stock, second = one(XA), one(AM), one(A)
    assert (type(crypto), type(stock), type(second)) == (CryptoMinute, StockMinute, StockSecond)
    assert (crypto.open, crypto.high, crypto.low, crypto.close) == (0.772, 0.784, 0.771, 0.784)
    assert (crypto.volume, crypto.vwap, crypto.start_ms, crypto.end_ms) == (
        951.6112,
        0.7756,
        1610463240000,
        1610463300000,
    )
    assert (stock.kind, stock.volume, second.kind, second.end_ms) == ("minute", 4110, "second", 1610144869000)
    assert second.sent_ms is None


def test_a_missing_end_follows_from_the_channel() -> None:
    forex = one(CA)
    assert type(forex) is ForexMinute
    assert (forex.symbol, forex.end_ms - forex.start_ms) == ("USD-EUR", 60_000)
    assert math.isnan(forex.vwap)
    second = one(changed(CA, ev="CAS"))
    assert type(second) is ForexSecond
    assert second.end_ms - second.start_ms == 1000
    assert type(one(changed(XA, ev="XAS"))) is CryptoSecond


def test_status() -> None:
    assert one(STATUS) == StatusEvent(status="connected", message="Connected Successfully")
    assert one({"ev": "status"}) == StatusEvent()


@pytest.mark.parametrize("number_id", [14272084, "14272084", None, ...])
def test_trade_ids_may_be_numbers_texts_or_missing(number_id: Any) -> None:
    assert one(changed(XT, i=number_id)).id == ("14272084" if number_id not in (None, ...) else "")


def test_an_awkward_average_size_is_no_matter() -> None:
    for z in (73.5, "73", None, [1]):
        assert one(changed(XA, z=z)).close == 0.784


@pytest.mark.parametrize("unit", [1_000, 1_000_000])
def test_times_in_other_units_are_taken_in_ms(unit: int) -> None:
    assert one(changed(XT, t=1610462007425 * unit, r=1610462007576 * unit)) == one(changed(XT))
    assert one(changed(XA, s=1610463240000 * unit, e=1610463300000 * unit)) == one(XA)
    assert one(changed(XA, s=1610463240, e=1610463300)) == one(XA)


def test_numbers_in_texts_and_the_other_name_of_a_stock_are_taken() -> None:
    assert one(changed(XT, p="33021.9", x="3")).price == 33021.9
    assert one(changed(T, sym=..., T="AAPL")).symbol == "AAPL"


BAD_EVENTS = [
    changed(XT, p=-1),
    changed(XT, p=0),
    changed(XT, p=1e300),
    changed(XT, p=None),
    changed(XT, p="much"),
    changed(XT, s=-0.1),
    changed(XT, t=-1610462007425),
    changed(XT, t=...),
    changed(XT, t="yesterday"),
    changed(XT, pair=""),
    changed(XT, pair="X" * 41),
    changed(XT, pair=7),
    changed(XA, h=0.7),
    changed(XA, o=...),
    changed(XA, v=-1),
    changed(C, a=0),
    "XT",
    7,
    None,
    [],
]


@pytest.mark.parametrize("bad", BAD_EVENTS)
def test_a_bad_event_is_counted_and_costs_no_other(bad: Any) -> None:
    decoder = FrameDecoder()
    events = decoder.decode(b"[" + XT + b"," + json.dumps(bad).encode() + b"," + XA + b"]")
    assert [event.kind for event in events] == ["trade", "minute"]
    assert (decoder.malformed, decoder.unknown) == (1, 0)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none_cost_only_their_event(number: str) -> None:
    decoder = FrameDecoder()
    bad = XT.replace(b"33021.9", number.encode())
    assert [event.kind for event in decoder.decode(b"[" + bad + b"," + XA + b"]")] == ["minute"]
    assert decoder.malformed == 1


def test_unknown_channels_are_counted_apart() -> None:
    decoder = FrameDecoder()
    assert len(decoder.decode(b"[" + LULD + b"," + XT + b',{"a":1},{"ev":[1]}]')) == 1
    assert decoder.unknown + decoder.malformed == 3
    assert decoder.unknown >= 2


def test_statuses_among_data_wait_apart() -> None:
    decoder = FrameDecoder()
    assert [event.kind for event in decoder.decode(b"[" + STATUS + b"," + XT + b"]")] == ["trade"]
    assert [status.status for status in decoder.take_statuses()] == ["connected"]
    assert list(decoder.take_statuses()) == []


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[",
        b"\xff\xfe\x00",
        b"[" + XT,
        b"[" * 10_000,
        b'{"a":' * 10_000,
        b'[{"ev":' + b"[" * 10_000,
        b'"',
        b"7",
    ],
)
def test_garbage_counts_once_and_never_raises(frame: bytes) -> None:
    decoder = FrameDecoder()
    assert decoder.decode(frame) == []
    assert decoder.malformed == 1


def test_a_lone_event_without_its_array_is_taken() -> None:
    assert [event.kind for event in decode_frame(XT)] == ["trade"]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise(frame: bytes) -> None:
    FrameDecoder().decode(frame)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(
    st.sampled_from([XT, XQ, XA, C, CA, T, Q, AM]),
    st.dictionaries(st.sampled_from("evpairstbcohlxz"), JSON, max_size=3),
)
def test_what_comes_out_is_always_usable(sample: bytes, fields: dict[str, Any]) -> None:
    event = json.loads(sample) | fields
    for found in decode_frame(b"[" + json.dumps(event).encode() + b"]"):
        if found.kind == "status":
            continue
        assert 1 <= len(found.symbol) <= 40
        if found.kind == "trade":
            assert 0 < found.price < math.inf
            assert 0 <= found.size < math.inf
            assert 10**11 <= found.time_ms < 10**14
            assert all(isinstance(code, int) for code in found.conditions)
        elif found.kind == "quote":
            assert 0 <= found.bid < math.inf
            assert 0 <= found.ask < math.inf
        else:
            assert 0 < found.low <= found.high < math.inf
            assert found.start_ms < found.end_ms or found.wire_end_ms is not None


@pytest.mark.parametrize(
    ("market", "ticker", "symbol"),
    [
        (Market.CRYPTO, "X:BTCUSD", "BTC-USD"),
        (Market.CRYPTO, "X:DOGEUSDT", "DOGE-USDT"),
        (Market.FOREX, "C:EURUSD", "EUR-USD"),
        (Market.STOCKS, "BRK.B", "BRK.B"),
        (Market.STOCKS, "KIMpL", "KIMpL"),
    ],
)
def test_tickers_and_symbols(market: Market, ticker: str, symbol: str) -> None:
    assert symbol_of(ticker) == symbol
    assert ticker_of(market, symbol) == ticker


def test_the_catalogue_knows_a_pair_better_than_its_ticker() -> None:
    info = TickerInfo("X:DNYUSD", "district0x", Market.CRYPTO, base="DNT", currency="usd")
    assert symbol_of(info) == "DNT-USD"
    assert symbol_of(TickerInfo("AAPL", "Apple", Market.STOCKS, currency="usd")) == "AAPL"
