"""The vendor's own Python client, unchanged, against the feed server in a process of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from massive import RESTClient, WebSocketClient
from massive.exceptions import BadResponse
from massive.websocket.models import CryptoTrade, CurrencyAgg, Market

from tests.helpers.feed_server import ServerProcess, feed_servers  # noqa: F401 (fixture `feed_server`)

START = "2026-03-03T15:00:00"  # a Tuesday, 10:00 in New York
START_MS = int(dt.datetime.fromisoformat(START + "+00:00").timestamp() * 1000)
HOUR_MS = 3_600_000
PAGE = 600


@pytest.fixture
def server(feed_server: Callable[..., ServerProcess]) -> ServerProcess:
    return feed_server("--seed", "7", "--start", START, "--speed", "0")


@pytest.fixture
def client(server: ServerProcess) -> RESTClient:
    return RESTClient(server.key, base=server.rest, retries=0)


def test_list_aggs_follows_the_pages(client: RESTClient, server: ServerProcess) -> None:
    span = {"from_": START_MS - 48 * HOUR_MS, "to": START_MS - 1}
    paged = list(client.list_aggs("X:BTCUSD", 1, "hour", limit=PAGE, sort="asc", **span))
    requests = server.control("GET", "/stats")["requests_total"]
    assert requests > 3
    whole = client.get_aggs("X:BTCUSD", 1, "hour", limit=50_000, sort="asc", **span)
    assert paged == whole
    assert [bar.timestamp for bar in whole] == [START_MS - i * HOUR_MS for i in range(48, 0, -1)]
    assert all(bar.low <= bar.open <= bar.high and bar.volume > 0 and bar.vwap for bar in whole)
    minutes = client.get_aggs("X:BTCUSD", 1, "minute", START_MS - HOUR_MS, START_MS - 1, limit=50_000)
    assert sum(bar.volume for bar in minutes) == whole[-1].volume
    assert client.get_aggs("X:NOSUCHUSD", 1, "day", "2026-01-01", "2026-02-01") == []


def test_daily_bars(client: RESTClient) -> None:
    (previous,) = client.get_previous_close_agg("X:BTCUSD")
    (day,) = client.get_aggs("X:BTCUSD", 1, "day", "2026-03-02", "2026-03-02")
    assert (previous.close, previous.volume) == (day.close, day.volume)
    grouped = client.get_grouped_daily_aggs("2026-03-02", locale="global", market_type="crypto")
    assert next(bar for bar in grouped if bar.ticker == "X:BTCUSD").close == day.close


def test_tickers(client: RESTClient) -> None:
    coins = list(client.list_tickers(market="crypto", active=True, limit=100, sort="ticker"))
    assert len(coins) > 400
    assert len({row.ticker for row in coins}) == len(coins)
    (bitcoin,) = [row for row in coins if row.ticker == "X:BTCUSD"]
    assert (bitcoin.base_currency_symbol, bitcoin.currency_symbol, bitcoin.locale) == ("BTC", "USD", "global")
    assert any(row.ticker == "X:BTCUSD" for row in client.list_tickers(search="bitcoin", limit=1000))
    assert client.get_ticker_details("AAPL").name == "Apple Inc."
    assert any(kind.code == "CS" for kind in client.get_ticker_types(asset_class="stocks"))
    assert any(exchange.name == "Coinbase" for exchange in client.get_exchanges(asset_class="crypto"))
    with pytest.raises(BadResponse, match="NOT_FOUND"):
        client.get_ticker_details("NOSUCH")


def test_snapshots(client: RESTClient) -> None:
    (one,) = client.get_snapshot_all("crypto", tickers=["X:BTCUSD"])
    single = client.get_snapshot_ticker("crypto", "X:BTCUSD")
    assert one == single
    assert single.last_trade.price > 0
    assert single.todays_change == pytest.approx(single.last_trade.price - single.prev_day.close)
    stock = client.get_snapshot_ticker("stocks", "AAPL")
    assert stock.last_trade.sip_timestamp > 10**18
    movers = client.get_snapshot_direction("crypto", "gainers")
    changes = [row.todays_change_percent for row in movers]
    assert len(movers) == 20
    assert changes == sorted(changes, reverse=True)
    unified = list(client.list_universal_snapshots(ticker_any_of=["X:BTCUSD", "AAPL", "C:EURUSD", "NOSUCH"]))
    assert [row.ticker for row in unified] == ["AAPL", "C:EURUSD", "NOSUCH", "X:BTCUSD"]
    assert unified[2].error == "NOT_FOUND"
    assert unified[3].last_trade.price == single.last_trade.price


def test_last_trade_trades_and_status(client: RESTClient) -> None:
    last = client.get_last_crypto_trade("BTC", "USD")
    (newest,) = list(zip(client.list_trades("X:BTC-USD", limit=1), range(1), strict=False))
    assert newest[0].price == last.price
    assert newest[0].participant_timestamp == last.timestamp * 1_000_000
    assert client.get_last_trade("AAPL").price > 0
    assert client.get_last_forex_quote("EUR", "USD").last.ask > 0
    status = client.get_market_status()
    assert (status.market, status.currencies.crypto, status.server_time) == (
        "open",
        "open",
        "2026-03-03T10:00:00-05:00",
    )
    assert any(holiday.name == "Good Friday" for holiday in client.get_market_holidays())
    assert len(client.get_sma("X:BTCUSD", timespan="hour", window=10, limit=5).values) == 5
    assert client.get_macd("X:BTCUSD", timespan="hour").values[0].signal


def test_a_wrong_key_is_the_vendors_error(server: ServerProcess) -> None:
    with pytest.raises(BadResponse, match="Unknown API Key"):
        RESTClient("wrong", base=server.rest, retries=0).get_market_status()


def test_the_socket_client(server: ServerProcess, run_async: Callable[..., Any]) -> None:
    async def scenario() -> list[Any]:
        events: list[Any] = []
        client = WebSocketClient(
            server.key,
            feed=server.socket.removeprefix("ws://"),  # type: ignore[arg-type]
            market=Market.Crypto,
            subscriptions=["XT.BTC-USD", "XA.BTC-USD", "XAS.ETH-USD", "XQ.BTC-USD"],
            secure=False,
        )

        async def take(messages: list[Any]) -> None:
            events.extend(messages)
            kinds = {event.event_type for event in events}
            if kinds == {"XT", "XA", "XAS", "XQ"}:
                await client.close()

        server.control("POST", "/clock", {"rate": 60})
        await client.connect(take)
        return events

    events = run_async(scenario())
    trade = next(event for event in events if isinstance(event, CryptoTrade))
    assert (trade.pair, trade.event_type) == ("BTC-USD", "XT")
    assert trade.price > 0
    bar = next(event for event in events if isinstance(event, CurrencyAgg) and event.event_type == "XA")
    assert bar.end_timestamp - bar.start_timestamp == 60_000
