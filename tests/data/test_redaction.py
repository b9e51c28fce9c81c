"""No form of a secret gets through."""

from __future__ import annotations

import base64
import json
import string
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.data.redaction import MASK, Redactor

SECRET = 'p/a+s"s wörd=%&-_0123'
KEYS = st.text(string.ascii_letters + string.digits + "_-", min_size=16, max_size=64)
WORDS = st.text(string.ascii_letters + string.digits + " .:/{}", max_size=20)


@pytest.mark.parametrize(
    "form",
    [SECRET, quote(SECRET), quote(SECRET, safe=""), json.dumps(SECRET), base64.b64encode(SECRET.encode()).decode()],
)
def test_every_form_is_masked(form: str) -> None:
    redacted = Redactor(SECRET).redact(f"before {form} after")
    assert MASK in redacted
    assert "wörd" not in redacted
    assert form not in redacted
    assert redacted.startswith("before ")
    assert redacted.endswith(" after")


@given(KEYS, WORDS, WORDS)
def test_a_key_inside_base64_text_is_masked_wherever_it_lies(key: str, before: str, after: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode((before + key + after).encode()).decode()
        assert MASK in Redactor(key).redact(text)


@given(KEYS, WORDS, WORDS)
def test_only_the_key_is_masked(key: str, before: str, after: str) -> None:
    redacted = Redactor(key).redact(f"{before}|{key}|{after}")
    assert redacted.split("|") == [before, MASK, after] or key in before + after


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET /v2/x?apiKey=unknown-key-1&limit=5", "GET /v2/x?apiKey=[key]&limit=5"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer [key]"),
        ('> TEXT \'{"action":"auth","params":"hush"}\'', '> TEXT \'{"action":"auth","params":"[key]"}\''),
        ('{"action": "subscribe", "params": "XT.BTC-USD"}', '{"action": "subscribe", "params": "XT.BTC-USD"}'),
    ],
)
def test_keys_nobody_named_are_masked_by_their_place(text: str, clean: str) -> None:
    assert Redactor().redact(text) == clean


def test_the_longest_form_wins_and_short_texts_are_no_secrets() -> None:
    redactor = Redactor("abcdefgh", "abcdefgh-ijkl", "the")
    assert redactor.redact("the abcdefgh-ijkl") == f"the {MASK}"
