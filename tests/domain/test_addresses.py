"""Base addresses: what may be talked to, and what a refusal may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.domain.addresses import REST_SCHEMES, SOCKET_SCHEMES, checked_base
from desktop.domain.errors import BadInput


@pytest.mark.parametrize(
    ("text", "schemes", "base"),
    [
        (" https://api.massive.com/ ", REST_SCHEMES, "https://api.massive.com"),
        ("HTTPS://api.massive.com", REST_SCHEMES, "https://api.massive.com"),
        ("http://127.0.0.1:8080", REST_SCHEMES, "http://127.0.0.1:8080"),
        ("http://[::1]:8080", REST_SCHEMES, "http://[::1]:8080"),
        ("ws://localhost:1", SOCKET_SCHEMES, "ws://localhost:1"),
        ("wss://proxy.example:8443", SOCKET_SCHEMES, "wss://proxy.example:8443"),
    ],
)
def test_usable_addresses_lose_only_what_is_idle(text: str, schemes: tuple[str, str], base: str) -> None:
    assert checked_base(text, schemes=schemes) == base


@pytest.mark.parametrize(
    "text",
    [
        "",
        "api.massive.com",
        "https://",
        "wss://api.massive.com",
        "http://api.massive.com",
        "http://127.0.0.1.example.com",
        "http://localhost@example.com",
        "https://me:SECRET@example.com",
        "https://example.com/SECRET",
        "https://example.com?apiKey=SECRET",
        "https://example.com#SECRET",
        "https://exa mple.com",
        "https://example.com:99999",
        "https://[::1",
    ],
)
def test_anything_else_is_refused_without_repeating_a_secret(text: str) -> None:
    with pytest.raises(BadInput) as refusal:
        checked_base(text, schemes=REST_SCHEMES)
    assert "SECRET" not in str(refusal.value)
    assert "https://" in str(refusal.value)


@given(st.text())
def test_any_text_is_taken_or_refused(text: str) -> None:
    try:
        base = checked_base(text, schemes=REST_SCHEMES)
    except BadInput:
        return
    assert checked_base(base, schemes=REST_SCHEMES) == base
