"""Names of what is commonly recorded, for the catalogue of a recording."""

from __future__ import annotations

from typing import Final

from desktop.demo.source import CatalogRow
from desktop.domain.market import Market, market_of, pair_of

_COINS: Final = {
    "AAVE": "Aave", "ADA": "Cardano", "ATOM": "Cosmos", "BCH": "Bitcoin Cash", "BNB": "Binance Coin", "BTC": "Bitcoin",
    "CRO": "Crypto.com Coin", "DOGE": "Dogecoin", "DOT": "Polkadot", "EOS": "EOS", "ETC": "Ethereum Classic",
    "ETH": "Ethereum", "LINK": "Chainlink", "LTC": "Litecoin", "MIOTA": "IOTA", "SOL": "Solana", "TRX": "TRON",
    "UNI": "Uniswap", "USDC": "USD Coin", "USDT": "Tether", "WBTC": "Wrapped Bitcoin", "XEM": "NEM",
    "XLM": "Stellar", "XMR": "Monero", "XRP": "XRP",
}  # fmt: skip
CURRENCIES: Final = {
    "AUD": "Australian dollar", "CAD": "Canadian dollar", "CHF": "Swiss franc", "CNH": "Chinese yuan (offshore)",
    "EUR": "Euro", "GBP": "British pound", "JPY": "Japanese yen", "NZD": "New Zealand dollar",
    "SEK": "Swedish krona", "USD": "United States dollar",
}  # fmt: skip
_STOCKS: Final = {
    "AAPL": ("Apple Inc.", "CS", "XNAS"), "AMZN": ("Amazon.com Inc", "CS", "XNAS"),
    "GOOG": ("Alphabet Inc. Class C Capital Stock", "CS", "XNAS"), "MSFT": ("Microsoft Corp", "CS", "XNAS"),
    "QQQ": ("Invesco QQQ Trust, Series 1", "ETF", "XNAS"), "SPY": ("SPDR S&P 500 ETF Trust", "ETF", "ARCX"),
}  # fmt: skip


def recorded_row(ticker: str) -> CatalogRow:
    """The catalogue row of a recorded ticker: its known name, else its code."""
    market = market_of(ticker)
    if market is Market.STOCKS:
        name, kind, exchange = _STOCKS.get(ticker, (ticker, "CS", "XNYS"))
        return CatalogRow(ticker, name, market, kind=kind, exchange=exchange)
    base, currency = pair_of(ticker)
    known = _COINS | CURRENCIES if market is Market.CRYPTO else CURRENCIES
    base_name = known.get(base, base)
    currency_name = (CURRENCIES | _COINS).get(currency, currency)
    separator = " - " if market is Market.CRYPTO else " / "
    name = f"{base_name}{separator}{currency_name}"
    return CatalogRow(
        ticker, name, market, base=base, base_name=base_name, currency=currency, currency_name=currency_name
    )
