"""The names of the synthetic market: well-known ones as a table, the rest invented from syllables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from desktop.demo.market_hash import key_of

# symbol, name, anchor price in US dollars, first year; in order of activity
COINS: Final = """\
BTC|Bitcoin|64000|2013
ETH|Ethereum|2900|2015
USDT|Tether|1|2015
XRP|XRP|0.62|2013
SOL|Solana|140|2020
DOGE|Dogecoin|0.14|2014
USDC|USD Coin|1|2018
ADA|Cardano|0.48|2017
BNB|Binance Coin|520|2017
TRX|TRON|0.14|2017
AVAX|Avalanche|29|2020
SHIB|Shiba Inu|0.000019|2020
LINK|Chainlink|14.5|2017
DOT|Polkadot|6.2|2020
LTC|Litecoin|78|2013
BCH|Bitcoin Cash|390|2017
UNI|Uniswap|8.4|2020
XLM|Stellar|0.12|2014
PEPE|Pepe|0.0000094|2023
NEAR|NEAR Protocol|5.3|2020
ICP|Internet Computer|9.6|2021
APT|Aptos|8.8|2022
ETC|Ethereum Classic|22|2016
XMR|Monero|165|2014
ATOM|Cosmos|6.9|2019
FIL|Filecoin|5.1|2020
HBAR|Hedera|0.083|2019
ARB|Arbitrum|0.86|2023
OP|Optimism|1.9|2022
VET|VeChain|0.028|2018
MKR|Maker|2300|2017
AAVE|Aave|128|2020
GRT|The Graph|0.19|2020
ALGO|Algorand|0.16|2019
INJ|Injective|21|2020
RUNE|THORChain|4.7|2019
SAND|The Sandbox|0.34|2020
MANA|Decentraland|0.36|2017
AXS|Axie Infinity|6.1|2020
FTM|Fantom|0.55|2018
EOS|EOS|0.61|2017
XTZ|Tezos|0.82|2018
THETA|Theta Network|1.5|2018
FLOW|Flow|0.67|2021
CHZ|Chiliz|0.079|2019
CRV|Curve DAO Token|0.37|2020
SNX|Synthetix|1.8|2018
COMP|Compound|51|2020
LDO|Lido DAO|1.5|2021
ZEC|Zcash|31|2016
DASH|Dash|28|2014
BAT|Basic Attention Token|0.19|2017
ENJ|Enjin Coin|0.18|2017
ZRX|0x Protocol|0.36|2017
IOTA|IOTA|0.16|2017
NEO|NEO|11|2016
WAVES|Waves|1.6|2016
KSM|Kusama|22|2019
SUSHI|SushiSwap|0.74|2020
YFI|yearn.finance|6300|2020
1INCH|1inch|0.31|2020
ENS|Ethereum Name Service|19|2021
GALA|Gala|0.024|2020
IMX|Immutable|1.5|2021
BONK|Bonk|0.000021|2022
WIF|dogwifhat|1.9|2023
FLOKI|Floki|0.00014|2021
SUI|Sui|1.6|2023
SEI|Sei|0.35|2023
TIA|Celestia|6.3|2023
JUP|Jupiter|0.82|2024
PYTH|Pyth Network|0.34|2023
RNDR|Render|6.8|2020
STX|Stacks|1.8|2019
KAS|Kaspa|0.14|2022
QNT|Quant|72|2018
EGLD|MultiversX|31|2020
MINA|Mina|0.55|2021
ROSE|Oasis|0.079|2020
KAVA|Kava|0.41|2019
ZIL|Zilliqa|0.017|2018
ICX|ICON|0.15|2017
ONT|Ontology|0.21|2018
QTUM|Qtum|2.7|2017
OMG|OMG Network|0.34|2017
LRC|Loopring|0.17|2017
STORJ|Storj|0.39|2017
ANKR|Ankr|0.027|2019
SKL|SKALE|0.047|2020
CELO|Celo|0.58|2020
BAND|Band Protocol|1.2|2019
OCEAN|Ocean Protocol|0.58|2019
FET|Artificial Superintelligence|1.3|2019
AGIX|SingularityNET|0.55|2018
RVN|Ravencoin|0.019|2018
DCR|Decred|14|2016
SC|Siacoin|0.0051|2015
DGB|DigiByte|0.0075|2014
XEM|NEM|0.018|2015
LSK|Lisk|0.87|2016
NANO|Nano|0.94|2017
BTG|Bitcoin Gold|27|2017
REN|Ren|0.045|2018
KNC|Kyber Network|0.52|2017
BNT|Bancor|0.57|2017
NMR|Numeraire|17|2017
REQ|Request|0.1|2017
CVC|Civic|0.12|2017
OXT|Orchid|0.077|2019
PERP|Perpetual Protocol|0.68|2020
DYDX|dYdX|1.1|2021
GMX|GMX|26|2021
MAGIC|Magic|0.42|2021
BLUR|Blur|0.21|2023
APE|ApeCoin|0.83|2022
LUNC|Terra Classic|0.000088|2019
WBTC|Wrapped Bitcoin|63900|2019
PAXG|PAX Gold|2550|2019
DAI|Dai|1|2019
TUSD|TrueUSD|1|2018
LOOKS|LooksRare|0.043|2022
BABYDOGE|Baby Doge Coin|0.000000017|2021
SATS|1000SATS|0.00000024|2023
ELON|Dogelon Mars|0.00000015|2021
VOLT|Volt Inu|0.00000031|2022
HOGE|Hoge Finance|0.000034|2021
BTT|BitTorrent|0.00000085|2022
WIN|WINkLink|0.000082|2019"""

# symbol, name, anchor price, type, MIC, splits as date:from-to
STOCKS: Final = """\
AAPL|Apple Inc.|195|CS|XNAS|2014-06-09:1-4,2020-08-31:1-4
MSFT|Microsoft Corp|410|CS|XNAS|
NVDA|Nvidia Corp|118|CS|XNAS|2021-07-20:1-4,2024-06-10:1-4
SPY|SPDR S&P 500 ETF Trust|540|ETF|ARCX|
TSLA|Tesla, Inc.|230|CS|XNAS|2020-08-31:1-4,2022-08-25:1-2
AMZN|Amazon.Com Inc|180|CS|XNAS|2022-06-06:1-4
GOOG|Alphabet Inc. Class C|165|CS|XNAS|2014-04-03:1-2,2022-07-18:1-4
GOOGL|Alphabet Inc. Class A|164|CS|XNAS|2014-04-03:1-2,2022-07-18:1-4
META|Meta Platforms, Inc. Class A|510|CS|XNAS|
QQQ|Invesco QQQ Trust, Series 1|470|ETF|XNAS|
AMD|Advanced Micro Devices|150|CS|XNAS|
NFLX|NetFlix Inc|640|CS|XNAS|2015-07-15:1-4
AVGO|Broadcom Inc.|160|CS|XNAS|2024-07-15:1-4
BRK.A|Berkshire Hathaway Inc. Class A|620000|CS|XNYS|
BRK.B|Berkshire Hathaway Inc. Class B|415|CS|XNYS|
JPM|JPMorgan Chase & Co.|205|CS|XNYS|
V|Visa Inc.|275|CS|XNYS|2015-03-19:1-4
MA|Mastercard Incorporated|470|CS|XNYS|
UNH|UnitedHealth Group Incorporated|520|CS|XNYS|
LLY|Eli Lilly & Co.|810|CS|XNYS|
XOM|Exxon Mobil Corporation|114|CS|XNYS|
JNJ|Johnson & Johnson|155|CS|XNYS|
WMT|Walmart Inc.|68|CS|XNYS|
PG|Procter & Gamble Company|165|CS|XNYS|
COST|Costco Wholesale Corp|860|CS|XNAS|
HD|Home Depot, Inc.|350|CS|XNYS|
ORCL|Oracle Corp|140|CS|XNYS|
CVX|Chevron Corporation|152|CS|XNYS|
MRK|Merck & Co., Inc.|118|CS|XNYS|
ABBV|AbbVie Inc.|178|CS|XNYS|
KO|Coca-Cola Company|64|CS|XNYS|
PEP|PepsiCo, Inc.|168|CS|XNAS|
BAC|Bank of America Corporation|40|CS|XNYS|
CRM|Salesforce, Inc.|255|CS|XNYS|
ADBE|Adobe Inc.|530|CS|XNAS|
CSCO|Cisco Systems, Inc.|48|CS|XNAS|
ACN|Accenture plc|310|CS|XNYS|
TMO|Thermo Fisher Scientific, Inc.|570|CS|XNYS|
MCD|McDonald's Corporation|265|CS|XNYS|
ABT|Abbott Laboratories|108|CS|XNYS|
LIN|Linde plc|440|CS|XNAS|
DIS|Walt Disney Company|97|CS|XNYS|
INTC|Intel Corp|29|CS|XNAS|
QCOM|Qualcomm Inc|175|CS|XNAS|
TXN|Texas Instruments Inc|195|CS|XNAS|
VZ|Verizon Communications|41|CS|XNYS|
T|AT&T Inc.|19|CS|XNYS|
CMCSA|Comcast Corp|39|CS|XNAS|2017-02-21:1-2
NKE|Nike, Inc. Class B|82|CS|XNYS|2015-12-24:1-2
PFE|Pfizer Inc.|28|CS|XNYS|
IBM|International Business Machines Corporation|180|CS|XNYS|
GE|GE Aerospace|165|CS|XNYS|
CAT|Caterpillar Inc.|335|CS|XNYS|
BA|Boeing Company|175|CS|XNYS|
GS|Goldman Sachs Group Inc.|480|CS|XNYS|
MS|Morgan Stanley|99|CS|XNYS|
WFC|Wells Fargo & Co.|58|CS|XNYS|
C|Citigroup Inc.|62|CS|XNYS|
AXP|American Express Company|240|CS|XNYS|
BLK|BlackRock, Inc.|830|CS|XNYS|
SBUX|Starbucks Corp|78|CS|XNAS|2015-04-09:1-2
UBER|Uber Technologies, Inc.|70|CS|XNYS|
ABNB|Airbnb, Inc. Class A|130|CS|XNAS|
PYPL|PayPal Holdings, Inc.|64|CS|XNAS|
SHOP|Shopify Inc. Class A|67|CS|XNYS|
PLTR|Palantir Technologies Inc. Class A|28|CS|XNAS|
COIN|Coinbase Global, Inc. Class A|215|CS|XNAS|
HOOD|Robinhood Markets, Inc. Class A|20|CS|XNAS|
SNOW|Snowflake Inc.|130|CS|XNYS|
MU|Micron Technology Inc|108|CS|XNAS|
AMAT|Applied Materials Inc|205|CS|XNAS|
LRCX|Lam Research Corp|92|CS|XNAS|
ASML|ASML Holding N.V.|900|ADRC|XNAS|
TSM|Taiwan Semiconductor Manufacturing Company Ltd.|165|ADRC|XNYS|
BABA|Alibaba Group Holding Limited|80|ADRC|XNYS|
F|Ford Motor Company|11|CS|XNYS|
GM|General Motors Company|46|CS|XNYS|
DAL|Delta Air Lines, Inc.|44|CS|XNYS|
AAL|American Airlines Group Inc.|11|CS|XNAS|
CCL|Carnival Corporation|16|CS|XNYS|
DE|Deere & Company|380|CS|XNYS|
LMT|Lockheed Martin Corporation|510|CS|XNYS|
RTX|RTX Corporation|105|CS|XNYS|
UPS|United Parcel Service, Inc. Class B|135|CS|XNYS|
FDX|FedEx Corporation|285|CS|XNYS|
NEE|NextEra Energy, Inc.|74|CS|XNYS|2020-10-27:1-4
DUK|Duke Energy Corporation|106|CS|XNYS|
SO|Southern Company|82|CS|XNYS|
COP|ConocoPhillips|110|CS|XNYS|
OXY|Occidental Petroleum Corporation|60|CS|XNYS|
SLB|Schlumberger Limited|46|CS|XNYS|
FCX|Freeport-McMoRan Inc.|45|CS|XNYS|
NEM|Newmont Corporation|46|CS|XNYS|
IWM|iShares Russell 2000 ETF|212|ETF|ARCX|
DIA|SPDR Dow Jones Industrial Average ETF Trust|395|ETF|ARCX|
VTI|Vanguard Total Stock Market ETF|265|ETF|ARCX|
VOO|Vanguard S&P 500 ETF|495|ETF|ARCX|
GLD|SPDR Gold Shares|222|ETF|ARCX|
SLV|iShares Silver Trust|26|ETF|ARCX|
TLT|iShares 20+ Year Treasury Bond ETF|95|ETF|XNAS|
XLF|Financial Select Sector SPDR Fund|42|ETF|ARCX|
XLE|Energy Select Sector SPDR Fund|90|ETF|ARCX|
XLK|Technology Select Sector SPDR Fund|215|ETF|ARCX|
ARKK|ARK Innovation ETF|45|ETF|ARCX|
HYG|iShares iBoxx $ High Yield Corporate Bond ETF|77|ETF|ARCX|
EEM|iShares MSCI Emerging Markets ETF|43|ETF|ARCX|
SOXL|Direxion Daily Semiconductor Bull 3X Shares|42|ETF|ARCX|2021-03-02:1-4
TQQQ|ProShares UltraPro QQQ|68|ETF|XNAS|2022-01-13:1-2
GME|GameStop Corp. Class A|23|CS|XNYS|2022-07-22:1-4
AMC|AMC Entertainment Holdings, Inc. Class A|5|CS|XNYS|
KMI|Kinder Morgan, Inc.|19|CS|XNYS|
SIRI|Sirius XM Holdings Inc.|3.2|CS|XNAS|
NOK|Nokia Corporation|3.9|ADRC|XNYS|
PLUG|Plug Power Inc.|2.6|CS|XNAS|
RIVN|Rivian Automotive, Inc. Class A|13|CS|XNAS|
LCID|Lucid Group, Inc.|3.1|CS|XNAS|
SOFI|SoFi Technologies, Inc.|7.2|CS|XNAS|
BB|BlackBerry Limited|2.5|CS|XNYS|"""

# currency code, name, its value in US dollars, daily volatility
CURRENCIES: Final = """\
EUR|Euro|1.085|0.0045
GBP|Pound sterling|1.27|0.005
JPY|Japanese yen|0.0067|0.0055
CHF|Swiss franc|1.13|0.0047
AUD|Australian dollar|0.66|0.006
CAD|Canadian dollar|0.73|0.004
NZD|New Zealand dollar|0.605|0.0062
SEK|Swedish krona|0.095|0.006
NOK|Norwegian krone|0.094|0.007
DKK|Danish krone|0.1455|0.0045
PLN|Polish zloty|0.252|0.006
CZK|Czech koruna|0.0432|0.0052
HUF|Hungarian forint|0.00278|0.0075
TRY|Turkish lira|0.0305|0.008
ZAR|South African rand|0.054|0.009
MXN|Mexican peso|0.0556|0.008
BRL|Brazilian real|0.184|0.0095
CNH|Chinese yuan (offshore)|0.1385|0.0025
HKD|Hong Kong dollar|0.128|0.0003
SGD|Singapore dollar|0.744|0.003
INR|Indian rupee|0.012|0.0025
KRW|South Korean won|0.00073|0.0055
THB|Thai baht|0.0279|0.004
ILS|Israeli new shekel|0.27|0.005"""

CURRENCY_PAIRS: Final = (
    "EURUSD USDJPY GBPUSD USDCHF AUDUSD USDCAD NZDUSD EURGBP EURJPY GBPJPY EURCHF AUDJPY EURAUD GBPCHF CADJPY GBPAUD "
    "CHFJPY EURCAD AUDCAD GBPCAD NZDJPY AUDNZD EURNZD AUDCHF CADCHF NZDCAD NZDCHF GBPNZD USDSEK USDNOK USDDKK USDPLN "
    "USDCZK USDHUF USDTRY USDZAR USDMXN USDBRL USDCNH USDHKD USDSGD USDINR USDKRW USDTHB USDILS EURSEK EURNOK EURPLN "
    "EURHUF EURTRY"
)

# how many of the coins, in order of activity, also trade against another currency
QUOTED_IN: Final = {"EUR": 20, "USDT": 24, "BTC": 14, "ETH": 8, "GBP": 4}
LAST_DAYS: Final = {"OMG": "2024-05-20", "BTG": "2024-04-30", "LOOKS": "2025-02-14", "AGIX": "2024-07-01"}
LISTED: Final = {
    "ABNB": "2020-12-10",
    "ARKK": "2014-10-31",
    "BABA": "2014-09-19",
    "COIN": "2021-04-14",
    "HOOD": "2021-07-29",
    "LCID": "2021-07-26",
    "PLTR": "2020-09-30",
    "PYPL": "2015-07-20",
    "RIVN": "2021-11-10",
    "SHOP": "2015-05-21",
    "SNOW": "2020-09-16",
    "SOFI": "2021-06-01",
    "UBER": "2019-05-10",
}
PEGGED: Final = frozenset({"USDT", "USDC", "DAI", "TUSD"})

_HEADS = "Al Ar Bel Cal Cer Dor El Fen Gal Hal Il Jun Kel Lor Mar Nim Or Pel Quel Ril Sol Tal Ul Vel Wen Xan Yor Zel"
_MIDDLES = "a e i o u ar en il or un ea io"
_COIN_TAILS = "ra dex nex lum vera tron pay chain swap verse gon thos mint lon dium"
_COIN_KINDS = "|Network|Protocol|Token|Finance|Coin|DAO|Labs"
_FIRM_TAILS = "don mark ton field wick gate stone bridge crest haven mont well"
_FIRM_KINDS = (
    "Inc.|Corporation|Holdings, Inc.|Technologies, Inc.|Therapeutics, Inc.|Bancorp|Energy Corp.|"
    "Industries, Inc.|Group plc|Realty Trust|Software Inc.|Foods Company"
)


def invented_coins(count: int, taken: frozenset[str]) -> list[tuple[str, str]]:
    """`count` coins that do not exist: symbol and name."""
    return _invented("coin", count, taken, _COIN_TAILS, _COIN_KINDS)


def invented_firms(count: int, taken: frozenset[str]) -> list[tuple[str, str]]:
    """`count` firms that do not exist: symbol and name."""
    return _invented("firm", count, taken, _FIRM_TAILS, _FIRM_KINDS)


def _invented(what: str, count: int, taken: frozenset[str], tails: str, kinds: str) -> list[tuple[str, str]]:
    symbols = set(taken)
    names: set[str] = set()
    answer: list[tuple[str, str]] = []
    for stem, kind in _names(what, tails.split(), kinds.split("|")):
        symbol = _symbol(stem, 3 + len(answer) % 2, symbols)
        if stem in names or symbol is None:
            continue
        names.add(stem)
        symbols.add(symbol)
        answer.append((symbol, f"{stem} {kind}".strip()))
        if len(answer) == count:
            return answer
    raise AssertionError("syllables are endless")


def _names(what: str, tails: list[str], kinds: list[str]) -> Iterator[tuple[str, str]]:
    heads, middles = _HEADS.split(), _MIDDLES.split()
    number = 0
    while True:
        draw = key_of(what, number)
        parts = []
        for choices in (heads, middles, tails, kinds):
            draw, index = divmod(draw, len(choices))
            parts.append(choices[index])
        yield "".join(parts[:3]), parts[3]
        number += 1


def _symbol(stem: str, length: int, taken: set[str]) -> str | None:
    """The first unused letters of `stem` that keep its order and its first letter."""
    letters = stem.upper()
    for skip in range(len(letters) - length + 1):
        symbol = letters[0] + letters[1 + skip : length + skip]
        if symbol not in taken:
            return symbol
    return None
