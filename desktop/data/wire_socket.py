"""The vendor's socket events as typed structs, decoded whole frames at a time; one bad event never costs the others.

Fields carry domain names, the wire's letters stand in their `name=`. Only what the application uses is decoded.
Times are Unix ms UTC, prices positive, sizes and volumes not negative: `FrameDecoder` lets nothing else through.
"""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct, field

from desktop.domain.market import Market, TickerInfo, market_of, pair_of

Symbol = Annotated[str, Meta(min_length=1, max_length=40)]
Price = Annotated[float, Meta(gt=0, le=1e15)]
Side = Annotated[float, Meta(ge=0, le=1e15)]  # of a quote, 0 when nobody bids
Amount = Annotated[float, Meta(ge=0, le=1e18)]
TimeMs = Annotated[int, Meta(ge=10**11, lt=10**14)]  # 1973 to 5138; seconds, µs and ns fall outside

_MINUTE_MS: Final = 60_000
_SECOND_MS: Final = 1_000
_NO_CONDITIONS: Final = Raw(b"[]")
_CONDITIONS_DECODER: Final = msgspec.json.Decoder(tuple[int, ...])


class TradeEvent(Struct, frozen=True, kw_only=True, gc=False, tag_field="ev"):
    """One trade. `exchange` is the vendor's number of it."""

    kind: ClassVar[Literal["trade"]] = "trade"

    symbol: Symbol = field(name="pair")
    price: Price = field(name="p")
    size: Amount = field(name="s")
    time_ms: TimeMs = field(name="t")
    exchange: int = field(name="x", default=0)
    wire_id: int | str = field(name="i", default="")
    wire_conditions: Raw = field(name="c", default=_NO_CONDITIONS)  # read when asked for: a fifth of the decoding
    received_ms: TimeMs | None = field(name="r", default=None)  # by the vendor

    @property
    def id(self) -> str:
        """The exchange's id of the trade; "" when it has none."""
        return str(self.wire_id)

    @property
    def conditions(self) -> tuple[int, ...]:
        """The vendor's condition codes (crypto: 1 sell side, 2 buy side); () where they cannot be read."""
        try:
            return _CONDITIONS_DECODER.decode(self.wire_conditions)
        except msgspec.MsgspecError:
            return ()

    @property
    def sent_ms(self) -> int | None:
        """When the vendor had it (else the exchange): what the delay to here is measured from."""
        return self.received_ms or self.time_ms


class CryptoTrade(TradeEvent, frozen=True, kw_only=True, gc=False, tag="XT"):
    """`XT`"""


class StockTrade(TradeEvent, frozen=True, kw_only=True, gc=False, tag="T"):
    """`T`"""

    symbol: Symbol = field(name="sym")


class QuoteEvent(Struct, frozen=True, kw_only=True, gc=False, tag_field="ev"):
    """One exchange's bid and ask; sizes NaN where the channel has none."""

    kind: ClassVar[Literal["quote"]] = "quote"
    symbol_is_price_source: ClassVar[bool] = False  # the market has no trades, its bid is the price

    symbol: Symbol = field(name="pair")
    bid: Side = field(name="bp")
    ask: Side = field(name="ap")
    time_ms: TimeMs = field(name="t")
    bid_size: Amount = field(name="bs", default=math.nan)
    ask_size: Amount = field(name="as", default=math.nan)
    received_ms: TimeMs | None = field(name="r", default=None)

    @property
    def sent_ms(self) -> int | None:
        return self.received_ms or self.time_ms


class CryptoQuote(QuoteEvent, frozen=True, kw_only=True, gc=False, tag="XQ"):
    """`XQ`"""


class StockQuote(QuoteEvent, frozen=True, kw_only=True, gc=False, tag="Q"):
    """`Q`; sizes in round lots."""

    symbol: Symbol = field(name="sym")


class ForexQuote(QuoteEvent, frozen=True, kw_only=True, gc=False, tag="C"):
    """`C`, whose `p` is the pair"""

    symbol_is_price_source: ClassVar[bool] = True

    symbol: Symbol = field(name="p")
    bid: Price = field(name="b")
    ask: Price = field(name="a")

    def __post_init__(self) -> None:
        _use_hyphen(self)


class BarEvent(Struct, frozen=True, kw_only=True, gc=False, tag_field="ev"):
    """A bar whose window is over, sent again when late trades correct it; vwap NaN where the channel has none."""

    kind: ClassVar[Literal["minute", "second"]]
    span_ms: ClassVar[int]

    symbol: Symbol = field(name="pair")
    open: Price = field(name="o")
    high: Price = field(name="h")
    low: Price = field(name="l")
    close: Price = field(name="c")
    start_ms: TimeMs = field(name="s")
    wire_end_ms: TimeMs | None = field(name="e", default=None)
    volume: Amount = field(name="v", default=math.nan)
    vwap: Amount = field(name="vw", default=math.nan)

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError("high below low")

    @property
    def end_ms(self) -> int:
        """End of the window, exclusive."""
        return self.start_ms + self.span_ms if self.wire_end_ms is None else self.wire_end_ms

    @property
    def sent_ms(self) -> int | None:
        """None: a bar may be sent again many minutes later, so it says nothing about delay."""
        return None


class MinuteEvent(BarEvent, frozen=True, kw_only=True, gc=False):
    kind: ClassVar[Literal["minute"]] = "minute"
    span_ms: ClassVar[int] = _MINUTE_MS


class SecondEvent(BarEvent, frozen=True, kw_only=True, gc=False):
    kind: ClassVar[Literal["second"]] = "second"
    span_ms: ClassVar[int] = _SECOND_MS


class CryptoMinute(MinuteEvent, frozen=True, kw_only=True, gc=False, tag="XA"):
    """`XA`"""


class CryptoSecond(SecondEvent, frozen=True, kw_only=True, gc=False, tag="XAS"):
    """`XAS`"""


class StockMinute(MinuteEvent, frozen=True, kw_only=True, gc=False, tag="AM"):
    """`AM`"""

    symbol: Symbol = field(name="sym")


class StockSecond(SecondEvent, frozen=True, kw_only=True, gc=False, tag="A"):
    """`A`"""

    symbol: Symbol = field(name="sym")


class ForexMinute(MinuteEvent, frozen=True, kw_only=True, gc=False, tag="CA"):
    """`CA`; volume is in effect the number of quotes"""

    def __post_init__(self) -> None:
        super().__post_init__()
        _use_hyphen(self)


class ForexSecond(SecondEvent, frozen=True, kw_only=True, gc=False, tag="CAS"):
    """`CAS`; volume is in effect the number of quotes"""

    def __post_init__(self) -> None:
        super().__post_init__()
        _use_hyphen(self)


class StatusEvent(Struct, frozen=True, kw_only=True, gc=False, tag_field="ev", tag="status"):
    """What the server says about the connection: `connected`, `auth_success`, `success`, `error`, …"""

    kind: ClassVar[Literal["status"]] = "status"

    status: str = ""
    message: str = ""


Event = (
    CryptoTrade
    | StockTrade
    | CryptoQuote
    | StockQuote
    | ForexQuote
    | CryptoMinute
    | CryptoSecond
    | StockMinute
    | StockSecond
    | ForexMinute
    | ForexSecond
)

_TIME_LETTERS: Final = {
    **dict.fromkeys(("XT", "T", "XQ", "Q", "C"), ("t", "r")),
    **dict.fromkeys(("XA", "XAS", "AM", "A", "CA", "CAS"), ("s", "e")),
    "status": (),
}
_FRAME_DECODER: Final[msgspec.json.Decoder[list[Event]]] = msgspec.json.Decoder(list[Event])
_PIECES_DECODER: Final = msgspec.json.Decoder(list[Raw])
_PIECE_DECODER: Final[msgspec.json.Decoder[Event | StatusEvent]] = msgspec.json.Decoder(Event | StatusEvent)


class FrameDecoder:
    """Turns frames into events and counts what it had to skip. Reused for all frames of a connection."""

    def __init__(self) -> None:
        self.malformed = 0  # events, or whole frames that are no JSON
        self.unknown = 0  # events of channels this application does not know
        self._statuses: list[StatusEvent] = []

    def decode(self, frame: bytes) -> list[Event]:
        """The data events of one frame in their order; status events wait in `take_statuses`. Never raises."""
        try:
            return _FRAME_DECODER.decode(frame)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._one_by_one(frame)

    def take_statuses(self) -> list[StatusEvent]:
        """Status events since the last call."""
        if not self._statuses:
            return self._statuses
        statuses, self._statuses = self._statuses, []
        return statuses

    def _one_by_one(self, frame: bytes) -> list[Event]:
        events: list[Event] = []
        for piece in self._pieces(frame):
            event = self._piece(piece)
            if isinstance(event, StatusEvent):
                self._statuses.append(event)
            elif event is not None:
                events.append(event)
        return events

    def _pieces(self, frame: bytes) -> list[Any]:
        try:
            return list(_PIECES_DECODER.decode(frame))
        except (msgspec.MsgspecError, RecursionError):
            pass  # strict JSON it is not; NaN or Infinity in one event shall not cost the others
        try:
            loose = json.loads(frame)
        except (ValueError, RecursionError):
            self.malformed += 1
            return []
        return loose if isinstance(loose, list) else [loose]

    def _piece(self, piece: Any) -> Event | StatusEvent | None:
        try:
            if isinstance(piece, Raw):
                try:
                    return _PIECE_DECODER.decode(piece)
                except msgspec.ValidationError:
                    piece = msgspec.json.decode(piece)
            if not isinstance(piece, dict):
                self.malformed += 1
                return None
            if piece.get("ev") not in _TIME_LETTERS:
                self.unknown += 1
                return None
            event: Event | StatusEvent = msgspec.convert(_repaired(piece), Event | StatusEvent, strict=False)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError):
            self.malformed += 1
            return None
        return event


def decode_frame(frame: bytes) -> list[Event | StatusEvent]:
    """All events of one frame, status events first; what cannot be read is left out."""
    decoder = FrameDecoder()
    events = decoder.decode(frame)
    return [*decoder.take_statuses(), *events]


def ticker_of(market: Market, symbol: str) -> str:
    """REST ticker of a socket symbol: `BTC-USD` of crypto is `X:BTCUSD`."""
    if market is Market.STOCKS:
        return symbol
    prefix = "X:" if market is Market.CRYPTO else "C:"
    return prefix + symbol.replace("-", "").replace("/", "")


def symbol_of(ticker: TickerInfo | str) -> str:
    """Socket symbol of a REST ticker; with its catalogue row the pair is exact, else it is split as `pair_of` does."""
    if isinstance(ticker, TickerInfo):
        if ticker.market is not Market.STOCKS and ticker.base and ticker.currency:
            return f"{ticker.base.upper()}-{ticker.currency.upper()}"
        ticker = ticker.ticker
    if market_of(ticker) is Market.STOCKS:
        return ticker
    return "-".join(pair_of(ticker))


def _repaired(event: dict[str, Any]) -> dict[str, Any]:
    """A copy without nulls, with the symbol in the field meant for it and times of any unit in ms."""
    known = {letter: value for letter, value in event.items() if value is not None}
    if "sym" not in known and known["ev"] in ("T", "Q", "AM", "A") and "T" in known:
        known["sym"] = known["T"]
    for letter in _TIME_LETTERS[known["ev"]]:
        if isinstance(value := known.get(letter), int | float) and math.isfinite(value):
            known[letter] = _in_ms(value)
    if "c" in known and known["ev"] in ("XT", "T"):
        known["c"] = Raw(msgspec.json.encode(known["c"]))
    return known


def _in_ms(time: float) -> int:
    """Unix ms of a time whose unit is told by its size: s, ms, µs or ns."""
    if time < 1e11:
        return int(time * 1000)
    if time < 1e14:
        return int(time)
    return int(time) // (1_000 if time < 1e17 else 1_000_000)


def _use_hyphen(event: ForexQuote | ForexMinute | ForexSecond) -> None:
    if "/" in event.symbol:
        msgspec.structs.force_setattr(event, "symbol", event.symbol.replace("/", "-"))
