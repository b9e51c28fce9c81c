"""Ranked search over the ticker catalogue, in memory: exact, then prefixes, then substrings, then one typo."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator, Sequence

from desktop.domain.market import Market, TickerInfo, market_of

_NOT_CODE = re.compile(r"[^a-z0-9]+")
_SCANNED_AT_MOST = 400  # substring hits looked at before ranking


def folded(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


class TickerIndex:
    """An immutable index; building it for 15,000 rows takes some 50 ms, so do it off the GUI thread."""

    def __init__(self, rows: Sequence[TickerInfo]) -> None:
        self._rows = rows
        self._by_ticker = {row.ticker: index for index, row in enumerate(rows)}
        self._codes: list[tuple[str, int]] = []
        self._bases: list[tuple[str, int]] = []
        self._names: list[tuple[str, int]] = []  # of the base alone: "bitcoin" of "Bitcoin - Euro"
        self._words: list[tuple[str, int]] = []
        self._starts: list[int] = []
        lines, at = [], 0
        for index, row in enumerate(rows):
            code, name = _NOT_CODE.sub("", folded(row.code)), folded(row.name)
            self._codes.append((code, index))
            if row.base:
                self._bases.append((folded(row.base), index))
            self._names.append((name.split(" - ", 1)[0], index))
            self._words.extend((word, index) for word in _NOT_CODE.split(name) if word)
            line = f"{code}\t{name}\n"
            lines.append(line)
            self._starts.append(at)
            at += len(line)
        self._text = "".join(lines)
        for entries in (self._codes, self._bases, self._names, self._words):
            entries.sort()

    def __len__(self) -> int:
        return len(self._rows)

    def info(self, ticker: str) -> TickerInfo | None:
        """The row of exactly this ticker."""
        index = self._by_ticker.get(ticker)
        return None if index is None else self._rows[index]

    def search(self, query: str, limit: int = 50, known: Container[str] = ()) -> list[TickerInfo]:
        """The best `limit` rows for what a person typed: `btc`, `bitcoin`, `X:BTCUSD`, `BTC-USD`, `BTC/USD`.

        `known` tickers (recent, in the watchlist) come first inside their rank.
        """
        text = folded(query.strip())
        market = None
        if text[:2] in ("x:", "c:"):
            market = market_of(text[:2].upper())
            text = text[2:]
        code = _NOT_CODE.sub("", text)
        if not code:
            return []
        ranks: dict[int, int] = {}
        for rank, hits in enumerate(self._passes(code, text)):
            for index in hits:
                if market is None or self._rows[index].market is market:
                    ranks.setdefault(index, rank)
        if not ranks and len(code) >= 4:
            ranks = {i: 9 for i in self._one_typo(code) if market is None or self._rows[i].market is market}
        best = sorted(ranks, key=lambda index: self._order(index, ranks[index], known))
        return [self._rows[index] for index in best[:limit]]

    def _passes(self, code: str, text: str) -> Iterator[Iterable[int]]:
        yield _range(self._codes, code, code)
        yield _range(self._bases, code, code)
        yield _range(self._names, text, text)
        yield _range(self._words, text, text)  # the whole of a word: "bitcoin" of "Bitcoin Cash"
        yield _range(self._codes, code, code + "\uffff")
        yield _range(self._words, text, text + "\uffff")
        yield self._substrings(code if code.isalnum() and " " not in text else text)

    def _substrings(self, text: str) -> Iterator[int]:
        at = self._text.find(text)
        for _ in range(_SCANNED_AT_MOST):
            if at < 0:
                return
            line = bisect_left(self._starts, at + 1) - 1
            yield line
            following = self._starts[line + 1] if line + 1 < len(self._starts) else len(self._text)
            at = self._text.find(text, following)

    def _one_typo(self, code: str) -> Iterator[int]:
        for entries in (self._bases, self._codes, self._words):
            first = bisect_left(entries, (code[0], -1))
            last = bisect_left(entries, (code[0] + "\uffff", -1))
            for word, index in entries[first:last]:
                if abs(len(word) - len(code)) <= 1 and is_one_edit(word, code):
                    yield index

    def _order(self, index: int, rank: int, known: Container[str]) -> tuple[object, ...]:
        row = self._rows[index]
        is_dollar = row.currency.upper() in ("USD", "")
        is_main = row.market is not Market.FOREX
        return (rank, row.ticker not in known, not row.is_active, not is_dollar, not is_main, len(row.code), row.ticker)


def _range(entries: list[tuple[str, int]], low: str, high: str) -> list[int]:
    first = bisect_left(entries, (low, -1))
    last = bisect_left(entries, (high, 1 << 60))
    return [index for _, index in entries[first:last]]


def is_one_edit(a: str, b: str) -> bool:
    """Whether one letter inserted, dropped, replaced or two neighbours swapped turn `a` into `b`."""
    if len(a) > len(b):
        a, b = b, a
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    if len(a) == len(b):
        is_swap = a[at : at + 2] == b[at : at + 2][::-1] and a[at + 2 :] == b[at + 2 :]
        return a[at + 1 :] == b[at + 1 :] or is_swap
    return len(b) - len(a) == 1 and a[at:] == b[at + 1 :]
