"""How well a few typed letters fit a text: the whole beginning, words, parts of words, or letters in their order."""

from __future__ import annotations

from typing import Final

_WHOLE: Final = 100
_WORD: Final = 80
_PART: Final = 60
_INITIALS: Final = 50
_SCATTERED: Final = 20
GOOD: Final = _INITIALS
"""From this score on a match is hardly by chance."""


def score(query: str, text: str) -> int:
    """0: does not fit; each word of the query has to be found, the worst one decides. Case does not matter."""
    text = text.casefold()
    words = query.casefold().split()
    if not words:
        return _WHOLE
    if text.startswith(" ".join(words)):
        return _WHOLE
    return min(_score_of(word, text) for word in words)


def _score_of(word: str, text: str) -> int:
    parts = text.replace("-", " ").split()
    if any(part.startswith(word) for part in parts):
        return _WORD
    if word in text:
        return _PART
    if len(word) > 1 and "".join(part[0] for part in parts).startswith(word):
        return _INITIALS
    letters = iter(text)
    return _SCATTERED if len(word) > 2 and all(letter in letters for letter in word) else 0
