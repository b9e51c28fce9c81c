"""Ranked search as people type it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.market import Market, TickerInfo
from desktop.domain.search import TickerIndex, is_one_edit

ROWS = [
    TickerInfo("X:BTCUSD", "Bitcoin - United States dollar", Market.CRYPTO, "BTC", "USD"),
    TickerInfo("X:BCHUSD", "Bitcoin Cash - United States dollar", Market.CRYPTO, "BCH", "USD"),
    TickerInfo("X:BTCEUR", "Bitcoin - Euro", Market.CRYPTO, "BTC", "EUR"),
    TickerInfo("X:BTCBUSD", "Bitcoin Bull - United States dollar", Market.CRYPTO, "BTCB", "USD"),
    TickerInfo("X:WBTCUSD", "Wrapped Bitcoin - United States dollar", Market.CRYPTO, "WBTC", "USD"),
    TickerInfo("X:ETHBTC", "Ethereum - Bitcoin", Market.CRYPTO, "ETH", "BTC"),
    TickerInfo("X:ETHUSD", "Ethereum - United States dollar", Market.CRYPTO, "ETH", "USD"),
    TickerInfo("BTC", "Grayscale Bitcoin Mini Trust", Market.STOCKS),
    TickerInfo("BRK.A", "Berkshire Hathaway Inc. Class A", Market.STOCKS),
    TickerInfo("AAPL", "Apple Inc.", Market.STOCKS),
    TickerInfo("C:EURUSD", "Euro - United States Dollar", Market.FOREX, "EUR", "USD"),
    TickerInfo("X:ELOUSD", "Élo - United States dollar", Market.CRYPTO, "ELO", "USD"),
]
INDEX = TickerIndex(ROWS)


def found(query: str) -> list[str]:
    return [row.ticker for row in INDEX.search(query)]


@pytest.mark.parametrize("query", ["BTCUSD", "X:BTCUSD", "x:btcusd", "BTC-USD", "btc/usd", " BTC USD "])
def test_every_way_to_write_a_pair_finds_it_first(query: str) -> None:
    assert found(query)[0] == "X:BTCUSD"


def test_a_name_finds_the_dollar_pair_before_the_rest() -> None:
    hits = found("bitcoin")
    assert hits[0] == "X:BTCUSD"
    assert hits.index("X:BTCUSD") < hits.index("X:BTCEUR")
    assert "X:WBTCUSD" in hits


def test_exact_base_comes_before_prefix_and_substring() -> None:
    hits = found("btc")
    assert hits.index("X:BTCUSD") < hits.index("X:BTCBUSD") < hits.index("X:WBTCUSD")


def test_stock_classes_accents_and_prefixes_of_words() -> None:
    assert found("brk.a") == ["BRK.A"]
    assert found("brka") == ["BRK.A"]
    assert found("elo")[0] == "X:ELOUSD"
    assert found("hath") == ["BRK.A"]


def test_one_typo_is_forgiven_from_four_letters_on() -> None:
    assert "X:ETHUSD" in found("etherium")
    assert "X:BTCUSD" in found("bitcion")
    assert found("zzzz") == []


def test_a_market_prefix_narrows_the_search() -> None:
    assert all(ticker.startswith("X:") for ticker in found("X:BTC"))
    assert found("c:eur") == ["C:EURUSD"]


def test_known_tickers_come_first_in_their_rank() -> None:
    assert INDEX.search("btc", known={"X:BTCEUR"})[0].ticker in {"X:BTCEUR", "BTC"}


@pytest.mark.parametrize("query", ["", "   ", "://", "\n", "%"])
def test_nothing_typed_finds_nothing(query: str) -> None:
    assert found(query) == []


@given(st.text("ab", max_size=5), st.text("ab", max_size=5))
def test_one_edit_is_symmetric_and_equals_the_definition(a: str, b: str) -> None:
    def edits(word: str) -> set[str]:
        drops = {word[:i] + word[i + 1 :] for i in range(len(word))}
        replaced = {word[:i] + c + word[i + 1 :] for i in range(len(word)) for c in "ab"}
        inserted = {word[:i] + c + word[i:] for i in range(len(word) + 1) for c in "ab"}
        swapped = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
        return drops | replaced | inserted | swapped | {word}

    assert is_one_edit(a, b) == is_one_edit(b, a) == (b in edits(a))
